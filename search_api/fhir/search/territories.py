"""Fields about places: the région that tags a resource, the towns of addresses, where an offer comes to the home."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, and_, false, func, or_, select, union_all

from directory.api import OfferTerritory, Site
from maps.api import Place, PlaceContainment
from search_api.fhir.search import values
from search_api.fhir.search.fields import folded, like
from search_api.fhir.search.rows import Row, alias
from search_api.fhir.search.token_fields import Condition
from search_api.fhir.systems import LABELS, SYSTEMS
from search_api.folding import fold


@dataclass(frozen=True, slots=True)
class Region:
    """The région (R30) of the commune of a place, which resources bear as a tag."""

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        if token.system not in (None, SYSTEMS["R30"]):
            return false()
        return self._inside(row, *([Place.code == token.code] if token.code else []))

    def _inside(self, row: Row, *which: Condition) -> Condition:
        inside = (
            select(PlaceContainment.place_id)
            .join(Place, Place.id == PlaceContainment.container_id)
            .where(Place.kind == "region", *which)
        )
        return and_(row.site.commune_id.in_(inside))

    def labelled(self, row: Row, text: str) -> Condition | None:
        """See `TokenField`."""
        return self._inside(row, and_(folded(Place.name).like(like(text, ""))))

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return self._inside(row)


@dataclass(frozen=True, slots=True)
class City:
    """The town of an address; where the register wrote none, the name of the commune."""

    def match(self, row: Row, value: values.Text, how: str = "") -> Condition:
        """See `Strings`."""
        site, place = alias(Site), alias(Place)

        def says(column: Any) -> Condition:
            return and_(column == value.text if how == "exact" else folded(column).like(like(value.text, how)))

        unnamed = select(place.c.id).where(says(place.c.name))
        # Two branches rather than one condition, so that each has its index.
        named = union_all(
            select(site.c.id).where(says(site.c.town)),
            select(site.c.id).where(site.c.town.is_(None), site.c.commune_id.in_(unnamed)),
        ).subquery()
        return and_(row.site.id.in_(select(named.c.id)))

    def present(self, row: Row) -> Condition:
        """See `Strings`."""
        return or_(row.site.town.is_not(None), row.site.commune_id.is_not(None))

    def order(self, row: Row) -> Any:
        """See `Strings`."""
        return func.coalesce(folded(row.site.town), "")


_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "1": ("region",),
    "2": ("departement",),
    "3": ("commune", "commune_deleguee", "arrondissement", "epci"),
    "4": ("territory",),
    "5": ("pays",),
}
"""Kinds of places by type of division (R201); an intercommunality is told as its communes."""
_SYSTEMS: Final[Mapping[str, tuple[str, ...]]] = {
    SYSTEMS["R30"]: ("region",),
    SYSTEMS["G09"]: ("departement",),
    SYSTEMS["R13"]: ("commune", "commune_deleguee", "arrondissement"),
    "": ("territory", "pays"),
}


@dataclass(frozen=True, slots=True)
class Territory:
    """Where an offer comes to the home: the type of a place (R201), or its code."""

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        if token.code is None and token.system == SYSTEMS["R201"]:
            return self.present(row)
        places: list[Select[Any]] = []
        if token.system in (None, SYSTEMS["R201"]):
            places.append(_of_kinds(_TYPES.get(token.code or "", ())))
        for system, kinds in _SYSTEMS.items():
            if token.system in (None, system):
                places.append(_of_kinds(kinds, token.code))
                if "commune" in kinds:
                    places.append(_around(token.code))
        return self._visits(row, places)

    def _visits(self, row: Row, places: Sequence[Select[Any]]) -> Condition:
        if not places:
            return false()
        known = union_all(*places).subquery()
        visiting = select(OfferTerritory.offer_id).where(OfferTerritory.place_id.in_(select(known.c.id)))
        return and_(row.main.id.in_(visiting))

    def labelled(self, row: Row, text: str) -> Condition | None:
        """See `TokenField`."""
        start = fold(text)
        types = [code for code, label in LABELS["R201"].items() if fold(label).startswith(start)]
        kinds = [kind for code in types for kind in _TYPES[code]]
        named = and_(Place.kind != "epci", folded(Place.name).like(like(text, "")))
        return self._visits(row, [_of_kinds(kinds), select(Place.id).where(named)])

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return and_(row.main.id.in_(select(OfferTerritory.offer_id)))


def _of_kinds(kinds: Sequence[str], code: str | None = None) -> Select[Any]:
    """Select the places of some kinds, all or those of a code."""
    return select(Place.id).where(Place.kind.in_(kinds), *([Place.code == code] if code else []))


def _around(code: str | None) -> Select[Any]:
    """Select the intercommunalities of a commune, or of any."""
    epci = alias(Place)
    return (
        select(PlaceContainment.container_id.label("id"))
        .join(epci, and_(epci.c.id == PlaceContainment.container_id, epci.c.kind == "epci"))
        .join(Place, Place.id == PlaceContainment.place_id)
        .where(Place.kind == "commune", *([Place.code == code] if code else []))
    )
