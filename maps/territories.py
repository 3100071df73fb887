"""Territories that an operator gives: a list of communes (CSV) or contours (GeoJSON)."""

import csv
import io
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psycopg
import shapely

from core.errors import InvalidInput, NotFound
from maps import store
from maps.load import touch
from maps.text import fold

_COMMUNE_COLUMNS = ("commune", "insee", "code_insee", "code_commune", "codgeo", "depcom")
_CODE_COLUMNS = ("code", "territoire", "code_territoire", "id", "identifiant")
_NAME_COLUMNS = ("nom", "libelle", "name", "nom_territoire", "territoire_libelle")
_KIND_COLUMNS = ("type", "categorie")

_MEMBERS_BY_CONTOUR = """
    SELECT id FROM maps.place
     WHERE kind IN ('commune', 'arrondissement') AND retired_at IS NULL AND point IS NOT NULL
       AND CASE
           WHEN contour IS NOT NULL AND ST_Within(contour, %(shape)s) THEN true
           WHEN contour IS NOT NULL AND contour && %(shape)s THEN
               ST_Area(ST_Intersection(contour, %(shape)s)) > 0.5 * ST_Area(contour)
           WHEN contour IS NULL THEN ST_Covers(%(shape)s, point::geometry)
           ELSE false END
"""

_SAVE = """
    INSERT INTO maps.place AS p (kind, code, name, population, departement_code, point, contour, source)
    SELECT 'territory', %(code)s, %(name)s, sum(m.population) FILTER (WHERE m.kind = 'commune' OR NOT m.inside),
           mode() WITHIN GROUP (ORDER BY m.departement_code),
           (array_agg(m.point ORDER BY m.population DESC, m.id))[1],
           ST_Multi(ST_CollectionExtract(
               coalesce(ST_SetSRID(ST_GeomFromWKB(%(contour)s::bytea), 4326), ST_Union(m.contour)), 3)),
           %(kind)s
      FROM (SELECT q.*, q.parent_id = ANY(%(members)s) AS inside FROM maps.place q WHERE q.id = ANY(%(members)s)) m
    ON CONFLICT (kind, code) DO UPDATE SET
        name = excluded.name, population = excluded.population, departement_code = excluded.departement_code,
        point = excluded.point, contour = excluded.contour, source = excluded.source, updated_at = now(),
        retired_at = NULL
    RETURNING id
"""

_LIST = """
    SELECT p.code, p.name, p.source, count(q.id) FILTER (WHERE q.kind = 'commune')
      FROM maps.place p
      LEFT JOIN maps.place_containment c ON c.container_id = p.id
      LEFT JOIN maps.place q ON q.id = c.place_id
     WHERE p.kind = 'territory' AND p.retired_at IS NULL
     GROUP BY p.id ORDER BY p.code
"""


@dataclass(frozen=True, slots=True)
class Territory:
    """A territory in force; `communes` is how many it holds."""

    code: str
    name: str
    kind: str
    communes: int

    def as_dict(self) -> dict[str, object]:
        """Return JSON values."""
        return asdict(self)


@dataclass(slots=True)
class TerritoriesReport:
    """What a file gave: territories written, and lines left out with their number and reason."""

    territories: list[Territory] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Return JSON values."""
        return asdict(self)


@dataclass(slots=True)
class _Draft:
    code: str
    name: str
    kind: str
    members: set[int] = field(default_factory=set)
    contour: bytes | None = None


def load_territories(
    conn: psycopg.Connection, path: Path, *, kind: str = "CPTS", code: str | None = None, name: str | None = None
) -> TerritoriesReport:
    """Load or replace territories from a file, all or none; the caller commits.

    A CSV (`;` or `,`) has one line per commune: a column `commune` (INSEE code), and `code`, `nom`, `type` of
    the territory unless given as arguments. Of a GeoJSON each polygon is a territory, with the same
    properties; a commune belongs to it when most of its area does.

    Raises:
        InvalidInput: the file is unreadable, lacks a column, or gives a territory without any commune.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"Le fichier {path} ne peut pas être lu : {error.strerror}.") from error
    text = _decoded(content, path)
    report = TerritoriesReport()
    if text.lstrip().startswith("{"):
        drafts = _from_geojson(conn, text, path, kind, code, name)
    else:
        drafts = _from_csv(text, path, kind, code, name, report)
    if not drafts:
        raise InvalidInput(f"{path.name} ne contient aucun territoire.")
    with conn.transaction():
        for draft in drafts:
            if not draft.members:
                raise InvalidInput(f"{path.name} : le territoire {draft.code} ne contient aucune commune connue.")
            report.territories.append(_save(conn, draft))
        touch(conn, f"territoires : {path.name}")
    store.invalidate()
    return report


def list_territories(conn: psycopg.Connection) -> list[Territory]:
    """Return the territories in force, by code."""
    return [Territory(*row) for row in conn.execute(_LIST).fetchall()]


def remove_territory(conn: psycopg.Connection, code: str) -> None:
    """Take a territory out of use; its key is kept, since searches may have been saved with it.

    Raises:
        NotFound: no territory in force has this code.
    """
    with conn.transaction():
        row = conn.execute(
            "UPDATE maps.place SET retired_at = now() WHERE kind = 'territory' AND code = %s AND retired_at IS NULL"
            " RETURNING id",
            (code,),
        ).fetchone()
        if row is None:
            raise NotFound(f"Aucun territoire ne porte le code « {code} ».")
        conn.execute("DELETE FROM maps.place_containment WHERE container_id = %s", row)
        touch(conn, "territoires")
    store.invalidate()


def _save(conn: psycopg.Connection, draft: _Draft) -> Territory:
    members = sorted(draft.members)
    saved = conn.execute(
        _SAVE,
        {"code": draft.code, "name": draft.name, "kind": draft.kind, "members": members, "contour": draft.contour},
    ).fetchone()
    assert saved is not None  # noqa: S101 - INSERT … RETURNING of one row
    conn.execute("DELETE FROM maps.place_containment WHERE container_id = %s", saved)
    # What lies in a member lies in the territory: arrondissements, delegated and former communes.
    conn.execute(
        """
        INSERT INTO maps.place_containment (container_id, place_id)
        SELECT %(id)s, m FROM unnest(%(members)s::int[]) m
        UNION
        SELECT %(id)s, place_id FROM maps.place_containment WHERE container_id = ANY(%(members)s)
        """,
        {"id": saved[0], "members": members},
    )
    count = conn.execute(
        "SELECT count(*) FROM maps.place WHERE kind = 'commune' AND id = ANY(%s)", (members,)
    ).fetchone()
    return Territory(draft.code, draft.name, draft.kind, count[0] if count else 0)


def _decoded(content: bytes, path: Path) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInput(f"{path.name} n’est ni en UTF-8 ni en Windows-1252.")


def _from_csv(
    text: str, path: Path, kind: str, code: str | None, name: str | None, report: TerritoriesReport
) -> list[_Draft]:
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if first.count(";") >= first.count(",") else ",")
    columns = {fold(c or "").strip().replace(" ", "_"): c for c in reader.fieldnames or ()}
    commune_column = next((columns[c] for c in _COMMUNE_COLUMNS if c in columns), None)
    code_column = next((columns[c] for c in _CODE_COLUMNS if c in columns), None)
    if commune_column is None:
        raise InvalidInput(f"{path.name}, ligne 1 : il manque la colonne « commune » (code INSEE).")
    if code_column is None and code is None:
        raise InvalidInput(f"{path.name}, ligne 1 : il manque la colonne « code », ou l’option --code.")
    name_column = next((columns[c] for c in _NAME_COLUMNS if c in columns), None)
    kind_column = next((columns[c] for c in _KIND_COLUMNS if c in columns), None)
    places = store.current()
    drafts: dict[str, _Draft] = {}
    for row in reader:
        key = ((row.get(code_column) if code_column else None) or code or "").strip()
        insee = (row.get(commune_column) or "").strip().upper()
        if not key or not insee:
            if any((value or "").strip() for value in row.values() if isinstance(value, str | None)):
                report.rejected.append((reader.line_num, "code du territoire ou de la commune absent"))
            continue
        found = places.find("commune", insee.zfill(5))
        if found is None:
            report.rejected.append((reader.line_num, f"commune inconnue « {insee} »"))
            continue
        draft = drafts.get(key)
        if draft is None:
            label = (row.get(name_column) if name_column else None) or name or key
            sort = (row.get(kind_column) if kind_column else None) or kind
            draft = drafts[key] = _Draft(key, label.strip(), sort.strip())
        draft.members.add(places.ids[found])
    return list(drafts.values())


def _from_geojson(
    conn: psycopg.Connection, text: str, path: Path, kind: str, code: str | None, name: str | None
) -> list[_Draft]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"{path.name} n’est pas un JSON lisible : {error}.") from error
    features = _features(document)
    drafts: dict[str, _Draft] = {}
    shapes: dict[str, list[Any]] = defaultdict(list)
    for rank, feature in enumerate(features, 1):
        properties = {fold(str(k)): v for k, v in (feature.get("properties") or {}).items() if v is not None}
        key = next((str(properties[c]) for c in _CODE_COLUMNS if c in properties), None) or code
        if key is None:
            raise InvalidInput(f"{path.name}, contour {rank} : il manque la propriété « code », ou l’option --code.")
        shapes[key].append(_polygon(feature.get("geometry"), path, rank))
        label = next((str(properties[c]) for c in _NAME_COLUMNS if c in properties), None) or name or key
        sort = next((str(properties[c]) for c in _KIND_COLUMNS if c in properties), None) or kind
        drafts.setdefault(key, _Draft(key, label, sort))
    for key, draft in drafts.items():
        union = shapely.unary_union(shapes[key])
        draft.contour = bytes(shapely.to_wkb(union))
        shape = shapely.to_wkb(shapely.set_srid(union, 4326), hex=True, include_srid=True)
        draft.members = {row[0] for row in conn.execute(_MEMBERS_BY_CONTOUR, {"shape": shape}).fetchall()}
    return list(drafts.values())


def _features(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        return []
    if document.get("type") == "FeatureCollection":
        return [f for f in document.get("features") or [] if isinstance(f, dict)]
    if document.get("type") == "Feature":
        return [document]
    return [{"geometry": document, "properties": {}}]


def _polygon(geometry: Any, path: Path, rank: int) -> Any:
    try:
        shape = shapely.from_geojson(orjson.dumps(geometry))
    except shapely.errors.GEOSException as error:
        raise InvalidInput(f"{path.name}, contour {rank} : géométrie illisible.") from error
    if shape is None or shape.is_empty or shape.geom_type not in ("Polygon", "MultiPolygon"):
        raise InvalidInput(f"{path.name}, contour {rank} : un polygone est attendu.")
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidInput(
            f"{path.name}, contour {rank} : les coordonnées doivent être en longitude et latitude (WGS84)."
        )
    return shapely.make_valid(shape)
