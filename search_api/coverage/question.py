"""What a report measures: a search without its place, and the territory whose communes are measured."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import local
from core.errors import InvalidInput
from core.models import Event
from core.ui.filters import hour, long_date
from directory.api import ConceptIndex
from maps.api import PlaceHit, communes_of, containers_of, place_by_id, places_version, resolve_ref, suggest
from search_api.addresses import Pair
from search_api.labels import AGE_BANDS, BOUNDARY_KINDS, FACETS, KINDS, SCOPES
from search_api.params import parse_query, query_params
from search_api.resolve import facet_ref, find_place, zone_ids
from search_api.schemas import FacetKey, SearchQuery
from search_api.settings import map_settings
from search_api.text import place_ref

FORMAT: Final = 2
"""Renewed when the figures or the files change: a report made before is then made again."""
WHAT: Final = frozenset({"q", "scope", "code", "age", "open_at", "accepts_new", *(str(key) for key in FacetKey)})
"""Parameters of the search that say what is measured; `where` says the territory."""
TOWNS: Final = 50
"""Towns of a postal code that are looked at."""
ASK_WHAT: Final = "Indiquez ce dont vous voulez mesurer la couverture : une profession, un acte, une activité…"
ASK_WHERE: Final = (
    "Indiquez le territoire : une intercommunalité, un département, une région, un territoire ou la France."
)


OUTSIDE: Final = "« {place} » est hors de la zone ouverte à votre application : rien n’y est mesuré pour elle."


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose words and places exist. `query.where` is the one territory.

    `query.zone` is that of who asks: `communes` are those of the territory that lie in it, and nothing outside is
    counted nor measured to.
    """

    query: SearchQuery
    place: PlaceHit
    communes: tuple[PlaceHit, ...]

    @property
    def pairs(self) -> list[Pair]:
        """The canonical parameters: what an address and a row hold."""
        return query_params(self.query)

    @property
    def where(self) -> str:
        """Where the figures are from: the territory, and the zone when it is limited to one."""
        if not self.query.zone:
            return self.place.label
        return f"{self.place.label}, dans la zone de l’application ({', '.join(zone_labels(self.query.zone))})"


def zone_labels(zone: Iterable[str]) -> list[str]:
    """Return the names of the places of a zone; those that are no longer known keep their reference."""
    named = []
    for ref in zone:
        kind, _, code = ref.partition(":")
        hit = resolve_ref(kind, code)
        named.append(hit.label if hit is not None else ref)
    return named


def kept(pairs: Iterable[Pair]) -> list[Pair]:
    """Return the parameters that a report takes, of a search that may have more."""
    return [(name, value) for name, value in pairs if name in WHAT or name == "where"]


def read(pairs: Iterable[Pair], zone: Iterable[str] = ()) -> Question:
    """Read the parameters of a report; a commune or a postal code means the intercommunality that it is in.

    Reads the places: call it in a thread.

    Args:
        pairs: parameters of a search.
        zone: places to which the answers of who asks are limited; none means everywhere.

    Raises:
        InvalidInput: a parameter is refused, unknown or missing, or the territory lies outside the zone (French
            message at its field).
    """
    given = list(pairs)
    strange = {name[:40] for name, value in given if name not in WHAT and name != "where" and value.strip()}
    if strange:
        errors = dict.fromkeys(sorted(strange), "Un rapport de couverture ne prend pas ce paramètre.")
        raise InvalidInput("Certains paramètres ne sont pas pris : " + ", ".join(errors) + ".", fields=errors)
    query = parse_query(given)
    errors = {}
    if not (query.q or query.codes or query.facets):
        errors["q"] = ASK_WHAT
    if not query.where:
        errors["where"] = ASK_WHERE
    elif len(query.where) > 1:
        errors["where"] = "Un rapport porte sur un seul territoire."
    if errors:
        raise InvalidInput(" ".join(errors.values()), fields=errors)
    place = area_of(find_place(query.where[0], "where"))
    communes = communes_of(place.id)
    if not communes:
        message = f"« {place.label} » ne contient aucune commune connue."
        raise InvalidInput(message, fields={"where": message})
    limits = tuple(sorted(set(zone)))
    if limits:
        communes = _inside(communes, limits)
        if not communes:
            message = OUTSIDE.format(place=place.label)
            raise InvalidInput(message, fields={"where": message})
    return Question(query.model_copy(update={"where": (place_ref(place),), "zone": limits}), place, tuple(communes))


def _inside(communes: list[PlaceHit], zone: tuple[str, ...]) -> list[PlaceHit]:
    ids = zone_ids(zone) or frozenset()
    around = containers_of([commune.id for commune in communes])
    return [one for one in communes if one.id in ids or not ids.isdisjoint(around.get(one.id, ()))]


def area_of(hit: PlaceHit) -> PlaceHit:
    """Return the territory that a place means: itself, or what a commune or a postal code lies in."""
    if hit.boundary:
        return hit
    if hit.kind == "code_postal":
        # Its towns may lie in several: the most populated decides.
        towns = [town for town in suggest(hit.code, TOWNS, {"commune"}) if hit.code in town.postal_codes]
        hit = max(towns, key=lambda town: (town.population, -town.id), default=hit)
    around = containers_of([hit.id]).get(hit.id, ())
    found = [place for one in around if (place := place_by_id(one)) is not None]
    for kind in ("epci", "departement", "region", "pays"):
        for place in found:
            if place.kind == kind:
                return place
    message = f"« {hit.label} » n’est dans aucune intercommunalité connue : choisissez un département ou une région."
    raise InvalidInput(message, fields={"where": message})


async def fingerprint(session: AsyncSession, question: Question) -> str:
    """Return the hash of a question and of the data that it is asked of: directory, places, basemap."""
    position = await session.scalar(select(func.max(Event.position))) or 0
    parts = [FORMAT, question.pairs, question.query.zone, position, places_version(), map_settings().tiles_url]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def what_label(query: SearchQuery, concepts: ConceptIndex) -> str:
    """Say what is measured: « Masseur-kinésithérapeute, conventionné secteur 1 »."""
    words = AGE_BANDS | KINDS
    said = [concepts.label(code) or code for code in query.codes]
    if query.q:
        said.insert(0, f"« {query.q} »" + (f" ({SCOPES[query.scope].lower()})" if query.scope else ""))
    for key in FACETS:
        values = query.facets.get(key, ())
        if values:
            names = (words.get(value) or concepts.label(facet_ref(key, value)) or value for value in values)
            said.append(" ou ".join(names))
    if query.age is not None:
        said.append(f"patient de {query.age} ans")
    if query.open_at is not None:
        said.append(f"ouvert le {long_date(query.open_at)} à {hour(local(query.open_at))}")
    if query.accepts_new:
        said.append("accepte de nouveaux patients")
    return ", ".join(said)


def is_territory(ref: str) -> bool:
    """Tell whether a reference (`epci:…`) names what a report can be made of as it stands."""
    return ref.partition(":")[0] in BOUNDARY_KINDS
