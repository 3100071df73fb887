"""What a search of ads asks, and its address: the same for the page, the API and saved searches."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict

from core.errors import InvalidInput
from maps.api import PlaceHit, resolve_ref
from modules.ads.labels import CATEGORIES, OFFERS, SEEKS
from modules.ads.schemas import Period
from modules.ads.views import TOWNS

Pair = tuple[str, str]
Sort = Literal["date", "distance"]

PAGE_SIZE: Final = 15
CAP: Final = 200
"""Ads that a search gives at most, as the search of the directory."""
PAGES: Final = -(-CAP // PAGE_SIZE)
RADII: Final = (5, 10, 20, 50, 100)
USUAL_RADIUS: Final = 20
MOST_PLACES: Final = 10
MOST_PERIODS: Final = 6
LONGEST_TEXT: Final = 200
AREAS: Final = frozenset({"departement", "region", "pays", "epci", "territory"})
NAMES: Final = ("category", "side", "specialty", "place", "radius_km", "period", "q", "sort", "page")
"""Parameters, in the order of addresses."""
REPEATED: Final = frozenset({"place", "period"})
OPEN: Final = ".."
"""How an open end is written in a period: `2026-07-01/..`."""

_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_SPECIALTY: Final = re.compile(r"R38\|[A-Z0-9]{1,10}")


class AdQuery(BaseModel):
    """A search of ads. `side` is that of the ads; `places` are references of the location index (`commune:78361`)."""

    model_config = ConfigDict(frozen=True)

    category: str | None = None
    side: str | None = None
    specialty: str | None = None
    places: tuple[str, ...] = ()
    radius_km: int = USUAL_RADIUS
    periods: tuple[Period, ...] = ()
    q: str = ""
    sort: Sort = "date"
    page: int = 1

    @property
    def offset(self) -> int:
        """How many ads stand before its page."""
        return (self.page - 1) * PAGE_SIZE

    @property
    def limit(self) -> int:
        """How many ads its page holds at most: the last one stops at the cap."""
        return max(0, min(PAGE_SIZE, CAP - self.offset))


def read_period(value: str) -> Period:
    """Return the period that `2026-07-01/2026-07-31` or `2026-07-01/..` names.

    Raises:
        ValueError: in French, for the field.
    """
    start, slash, end = value.partition("/")
    if not slash:
        raise ValueError("Une période s’écrit début/fin, par exemple 2026-07-01/2026-07-31 ou 2026-07-01/...")
    return make_period(start, "" if end == OPEN else end)


def make_period(start: str, end: str) -> Period:
    """Return the period of two typed days, the second one optional.

    Raises:
        ValueError: in French, for the field.
    """
    if not start.strip():
        raise ValueError("Indiquez la date de début de la période.")
    first, last = read_day(start), read_day(end) if end.strip() else None
    if last is not None and last < first:
        raise ValueError("La fin de la période ne peut pas précéder son début.")
    return Period(starts_on=first, ends_on=last)


def read_day(value: str) -> date:
    """Return a typed day, as browsers send it or as people write it.

    Raises:
        ValueError: in French, for the field.
    """
    text = value.strip()
    written = re.fullmatch(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", text)
    try:
        day = date(int(written[3]), int(written[2]), int(written[1])) if written else date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"« {text[:20]} » n’est pas une date : écrivez par exemple 10/05/2026.") from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"Choisissez une date entre {_FIRST_YEAR} et {_LAST_YEAR}.")
    return day


def write_period(period: Period) -> str:
    """Return a period as addresses carry it."""
    return f"{period.starts_on.isoformat()}/{period.ends_on.isoformat() if period.ends_on else OPEN}"


def find_place(ref: str) -> PlaceHit:
    """Return the place that a reference names; the places must be in memory (`maps.api.ready`).

    Raises:
        ValueError: in French, for the field.
    """
    kind, _, code = ref.strip().partition(":")
    found = resolve_ref(kind, code) if "\0" not in ref and len(ref) <= 80 else None
    if found is None or found.kind not in TOWNS | AREAS:
        raise ValueError(
            f"Le lieu « {ref[:40]} » n’est pas connu : choisissez une ville, un département, une région ou la France."
        )
    return found


def parse(items: Iterable[Pair], specialties: Mapping[str, str]) -> AdQuery:
    """Read the parameters of a search; those of others are left to them, and what is empty is not asked.

    Raises:
        InvalidInput: a value cannot be used; `fields` says which and why.
    """
    given: dict[str, list[str]] = {}
    for name, value in items:
        if name in NAMES and value.strip():
            given.setdefault(name, []).append(value.strip())
    reader = _Reading(given)
    category = reader.choice("category", CATEGORIES, "Cette catégorie n’existe pas.")
    side = reader.choice("side", (SEEKS, OFFERS), "Cette situation n’existe pas.")
    specialty = reader.one("specialty")
    if specialty:
        specialty = specialty if "|" in specialty else f"R38|{specialty}"
        if not _SPECIALTY.fullmatch(specialty) or (specialties and specialty not in specialties):
            reader.errors["specialty"] = "Cette spécialité n’existe pas : choisissez-la dans la liste."
    places = reader.places()
    query = AdQuery(
        category=category or None,
        side=side or None,
        specialty=specialty or None,
        places=tuple(dict.fromkeys(place.ref for place in places)),
        radius_km=reader.radius(),
        periods=reader.periods(),
        q=reader.text(),
        sort="distance"
        if reader.choice("sort", ("date", "distance"), "Ce tri n’existe pas.") == "distance"
        else "date",
        page=reader.page(),
    )
    if query.sort == "distance" and not any(place.kind in TOWNS for place in places) and "place" not in reader.errors:
        reader.errors["sort"] = "Le tri par distance demande une ville."
    if reader.errors:
        said = "Cette recherche ne peut pas être faite telle quelle : " + " ".join(reader.errors.values())
        raise InvalidInput(said, fields=reader.errors)
    return query


def pairs(query: AdQuery, *, page: bool = True) -> list[Pair]:
    """Return the parameters that say a search, in canonical order, without what is usual."""
    found: list[Pair] = []
    for name, value in (("category", query.category), ("side", query.side), ("specialty", query.specialty)):
        if value:
            found.append((name, value))
    found += [("place", ref) for ref in query.places]
    if query.radius_km != USUAL_RADIUS:
        found.append(("radius_km", str(query.radius_km)))
    found += [("period", write_period(period)) for period in query.periods]
    if query.q:
        found.append(("q", query.q))
    if query.sort != "date":
        found.append(("sort", query.sort))
    if page and query.page > 1:
        found.append(("page", str(query.page)))
    return found


def address(given: Sequence[Pair], base: str = "/annonces") -> str:
    """Return the address of a search; references and periods stay readable in it."""
    return f"{base}?{urlencode(given, safe=':/|.')}" if given else base


class _Reading:
    """The parameters of a request and what is wrong with them."""

    def __init__(self, given: dict[str, list[str]]) -> None:
        self.given = given
        self.errors: dict[str, str] = {}

    def one(self, name: str) -> str:
        values = self.given.get(name, [""])
        if len(values) > 1 and len(set(values)) > 1:
            self.errors[name] = "Donnez une seule valeur."
        return values[0]

    def choice(self, name: str, known: Iterable[str], refusal: str) -> str:
        value = self.one(name)
        if value and value not in known:
            self.errors[name] = refusal
        return value

    def text(self) -> str:
        value = " ".join(self.one("q").split())
        if "\0" in value:
            self.errors["q"] = "Ce texte contient un caractère invisible : retapez-le."
        elif len(value) > LONGEST_TEXT:
            self.errors["q"] = f"Ce texte est trop long ({LONGEST_TEXT} caractères au plus)."
        return value

    def places(self) -> list[PlaceHit]:
        values = list(dict.fromkeys(self.given.get("place", [])))
        if len(values) > MOST_PLACES:
            self.errors["place"] = f"{MOST_PLACES} lieux au plus : retirez-en, ou choisissez un lieu plus grand."
            return []
        found: list[PlaceHit] = []
        for value in values:
            try:
                found.append(find_place(value))
            except ValueError as error:
                self.errors["place"] = str(error)
        return found

    def periods(self) -> tuple[Period, ...]:
        values = list(dict.fromkeys(self.given.get("period", [])))
        if len(values) > MOST_PERIODS:
            self.errors["period"] = f"{MOST_PERIODS} périodes au plus."
            return ()
        found: list[Period] = []
        for value in values:
            try:
                found.append(read_period(value))
            except ValueError as error:
                self.errors["period"] = str(error)
        return tuple(sorted(found, key=lambda one: (one.starts_on, one.ends_on or date.max)))

    def radius(self) -> int:
        value = self.one("radius_km")
        if not value:
            return USUAL_RADIUS
        if value not in {str(radius) for radius in RADII}:
            self.errors["radius_km"] = "Choisissez une distance de 5, 10, 20, 50 ou 100 km."
            return USUAL_RADIUS
        return int(value)

    def page(self) -> int:
        value = self.one("page")
        if not value:
            return 1
        if not re.fullmatch(r"\d{1,4}", value) or not 1 <= int(value) <= PAGES:
            self.errors["page"] = f"Une recherche compte {PAGES} pages au plus : les {CAP} premières annonces."
            return 1
        return int(value)
