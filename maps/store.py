"""The places in memory: columns read once from the database, read again when places change."""

import threading
import time
from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import psycopg

from core.db import connect_direct
from maps.schemas import REF_NAMES, PlaceHit, PlaceKind

CHECK_SECONDS = 10.0
"""How long an index may be used before asking the database whether places changed."""

LABEL_KINDS = {
    "commune": "Commune",
    "commune_deleguee": "Commune déléguée",
    "arrondissement": "Arrondissement",
    "epci": "Intercommunalité",
    "departement": "Département",
    "region": "Région",
    "pays": "Pays",
    "code_postal": "Code postal",
    "territory": "Territoire",
}

_SELECT = """
    SELECT id, kind, code, name, population, parent_id, departement_code, postal_codes, source,
           ST_X(point::geometry), ST_Y(point::geometry)
      FROM maps.place WHERE retired_at IS NULL ORDER BY id
"""


@dataclass(slots=True)
class PlaceSet:
    """Places as parallel columns, immutable once built; a place is named by its row number."""

    token: str
    ids: "array[int]" = field(default_factory=lambda: array("i"))
    kinds: list[PlaceKind] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    populations: "array[int]" = field(default_factory=lambda: array("i"))
    parents: "array[int]" = field(default_factory=lambda: array("i"))
    departements: list[str | None] = field(default_factory=list)
    postal_codes: list[tuple[str, ...]] = field(default_factory=list)
    lons: "array[float]" = field(default_factory=lambda: array("d"))
    lats: "array[float]" = field(default_factory=lambda: array("d"))
    by_code: dict[str, dict[str, int]] = field(default_factory=dict)
    by_id: dict[int, int] = field(default_factory=dict)
    by_postal: dict[str, list[int]] = field(default_factory=dict)
    former: dict[str, int] = field(default_factory=dict)
    containers: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, kind: str, code: str) -> int | None:
        """Return the row of a place by kind and code; a commune may also be an arrondissement or a former one."""
        code = code.strip().upper() if kind != "territory" else code.strip()
        kind = REF_NAMES.get(kind, kind)
        if kind == "pays":
            code = "france"
        row = self.by_code.get(kind, {}).get(code)
        if row is None and kind == "commune":
            for other in ("arrondissement", "commune_deleguee"):
                row = self.by_code.get(other, {}).get(code)
                if row is not None:
                    return row
            former = self.former.get(code)
            return None if former is None else self.by_id.get(former)
        return row

    def hit(self, row: int, score: int = 100) -> PlaceHit:
        """Return the value that describes the place of a row."""
        lon, lat = self.lons[row], self.lats[row]
        known = lon == lon  # NaN differs from itself
        return PlaceHit(
            id=self.ids[row],
            kind=self.kinds[row],
            code=self.codes[row],
            name=self.names[row],
            label=self._label(row),
            context=self._context(row),
            population=self.populations[row],
            lat=lat if known else None,
            lon=lon if known else None,
            departement=self.departements[row],
            postal_codes=self.postal_codes[row],
            score=score,
        )

    def departement_name(self, row: int) -> str | None:
        """Return the name of the département where the place of a row lies, when it lies in one."""
        code = self.departements[row]
        found = self.by_code.get("departement", {}).get(code) if code else None
        return None if found is None else self.names[found]

    def _label(self, row: int) -> str:
        kind, name = self.kinds[row], self.names[row]
        if kind == "departement":
            return f"{name} ({self.codes[row]})"
        if kind == "code_postal":
            served = sorted(self.by_postal.get(self.codes[row], []), key=lambda r: -self.populations[r])
            inner = any(self.kinds[r] == "arrondissement" for r in served)
            wanted = "arrondissement" if inner else "commune"
            names = [self.names[r] for r in served if self.kinds[r] == wanted]
            more = "…" if len(names) > 2 else ""
            return f"{self.codes[row]} ({', '.join(names[:2])}{more})" if names else self.codes[row]
        if kind in ("commune", "commune_deleguee", "arrondissement"):
            codes = self.postal_codes[row]
            where = codes[0] if len(codes) == 1 else self.departements[row]
            return f"{name} ({where})" if where else name
        return name

    def _context(self, row: int) -> str:
        kind, parts = self.kinds[row], []
        if kind in ("region", "pays"):
            return LABEL_KINDS[kind]
        if kind == "commune_deleguee" and self.parents[row] in self.by_id:
            parts.append(f"Commune déléguée de {self.names[self.by_id[self.parents[row]]]}")
        elif kind != "commune":
            parts.append(LABEL_KINDS[kind])
        if kind == "departement":
            parent = self.by_id.get(self.parents[row])
            if parent is not None:
                parts.append(self.names[parent])
        elif (departement := self.departement_name(row)) is not None:
            parts.append(departement)
        return " · ".join(parts)


class _Current:
    """The set in use. Readers take the reference; one thread at a time replaces it."""

    places: PlaceSet | None = None
    checked: float = 0.0
    lock = threading.Lock()
    checking = threading.Lock()


def current() -> PlaceSet:
    """Return the places in use; read from the database at first use, then again after they change.

    The first call waits for the database; later ones never do: a change is looked for in the background at
    most every ten seconds, and the set in hand answers meanwhile.

    Raises:
        psycopg.OperationalError: first use, and the database cannot be reached.
    """
    places = _Current.places
    if places is None or _Current.checked == 0.0:
        with _Current.lock:
            if _Current.places is None or _Current.checked == 0.0:
                _Current.checked = time.monotonic()
                try:
                    _refresh()
                except BaseException:
                    _Current.checked = 0.0
                    raise
            assert _Current.places is not None  # noqa: S101 - set by _refresh()
            return _Current.places
    if time.monotonic() - _Current.checked > CHECK_SECONDS and _Current.checking.acquire(blocking=False):
        _Current.checked = time.monotonic()
        threading.Thread(target=_check, name="places", daemon=True).start()
    return places


def in_memory() -> bool:
    """Tell whether `current` answers without waiting for the database."""
    return _Current.places is not None and _Current.checked != 0.0


def invalidate() -> None:
    """Make the next use look at the database first; called when this process changed the places."""
    _Current.checked = 0.0


def _check() -> None:
    try:
        with _Current.lock:
            _refresh()
    except psycopg.Error:
        # The set in hand still answers; the next check tries again.
        return
    finally:
        _Current.checking.release()


def _refresh() -> None:
    with connect_direct() as connection:
        row = connection.execute("SELECT token::text FROM maps.place_state").fetchone()
        token = row[0] if row else ""
        if _Current.places is None or _Current.places.token != token:
            _Current.places = read(connection, token)


def read(connection: psycopg.Connection, token: str) -> PlaceSet:
    """Read every place in use from the database."""
    places = PlaceSet(token)
    kinds: dict[str, PlaceKind] = {}
    texts: dict[str, str] = {}
    postal: dict[tuple[str, ...], tuple[str, ...]] = {}
    nothing = float("nan")
    for place, kind, code, name, population, parent, departement, codes, _, lon, lat in connection.execute(_SELECT):
        row = len(places.ids)
        places.ids.append(place)
        places.kinds.append(kinds.setdefault(kind, kind))
        places.codes.append(code)
        places.names.append(name)
        places.populations.append(population)
        places.parents.append(parent or 0)
        places.departements.append(texts.setdefault(departement, departement) if departement else None)
        served = tuple(texts.setdefault(c, c) for c in codes)
        places.postal_codes.append(postal.setdefault(served, served))
        places.lons.append(nothing if lon is None else lon)
        places.lats.append(nothing if lat is None else lat)
        places.by_code.setdefault(kind, {})[code] = row
        places.by_id[place] = row
        if kind in ("commune", "arrondissement", "commune_deleguee"):
            for value in served:
                places.by_postal.setdefault(value, []).append(row)
    places.former = dict(connection.execute("SELECT code, place_id FROM maps.place_former_code").fetchall())
    shared: dict[tuple[int, ...], tuple[int, ...]] = {}
    for place, containers in connection.execute(
        "SELECT place_id, array_agg(container_id ORDER BY container_id) FROM maps.place_containment GROUP BY place_id"
    ):
        around = tuple(containers)
        places.containers[place] = shared.setdefault(around, around)
    return places


def containers_of(places: PlaceSet, ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """Return, for each place id, the ids of the places that contain it (itself not included)."""
    return {place: places.containers.get(place, ()) for place in ids}


def inside_any(places: PlaceSet, containers: Collection[int]) -> set[int]:
    """Return the ids of some places and of all that lies in any of them; one pass, a few milliseconds."""
    wanted = frozenset(containers)
    return {place for place, around in places.containers.items() if not wanted.isdisjoint(around)} | wanted


def members_of(places: PlaceSet, container: int) -> frozenset[int]:
    """Return the ids of the places that lie in a container (itself not included); one pass, a few milliseconds."""
    return frozenset(place for place, around in places.containers.items() if container in around)
