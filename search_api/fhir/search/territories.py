"""Fields about places: the région that tags a resource, the towns of addresses, where an offer comes to the home."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, false, func, or_, select

from directory.api import OfferTerritory
from maps.api import Place, PlaceContainment
from search_api.fhir.search import values
from search_api.fhir.search.fields import folded, like
from search_api.fhir.search.rows import Row, alias
from search_api.fhir.search.token_fields import Condition, some
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
        place = alias(Place).c

        def says(column: Any) -> Condition:
            return and_(column == value.text if how == "exact" else folded(column).like(like(value.text, how)))

        unnamed = select(place.id).where(says(place.name))
        return or_(says(row.site.town), and_(row.site.town.is_(None), row.site.commune_id.in_(unnamed)))

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
        ways: list[Condition] = []
        if token.system in (None, SYSTEMS["R201"]):
            kinds = _TYPES.get(token.code, ()) if token.code else None
            ways.append(self.present(row) if kinds is None else self._visits(row, Place.kind.in_(kinds)))
        for system, kinds in _SYSTEMS.items():
            if token.system in (None, system):
                ways.append(
                    self._visits(row, Place.kind.in_(kinds), *([Place.code == token.code] if token.code else []))
                )
                if "commune" in kinds:
                    ways.append(self._through_epci(row, token.code))
        return some(ways)

    def _visits(self, row: Row, *which: Condition) -> Condition:
        places = select(Place.id).where(*which)
        return and_(row.main.id.in_(select(OfferTerritory.offer_id).where(OfferTerritory.place_id.in_(places))))

    def _through_epci(self, row: Row, code: str | None) -> Condition:
        epci = alias(Place)
        inside = (
            select(PlaceContainment.container_id)
            .join(epci, and_(epci.c.id == PlaceContainment.container_id, epci.c.kind == "epci"))
            .join(Place, Place.id == PlaceContainment.place_id)
            .where(Place.kind == "commune", *([Place.code == code] if code else []))
        )
        return and_(row.main.id.in_(select(OfferTerritory.offer_id).where(OfferTerritory.place_id.in_(inside))))

    def labelled(self, row: Row, text: str) -> Condition | None:
        """See `TokenField`."""
        start = fold(text)
        kinds = [
            kind for code, label in LABELS["R201"].items() if fold(label).startswith(start) for kind in _TYPES[code]
        ]
        start_of_name = folded(Place.name).like(like(text, ""))
        return or_(
            self._visits(row, Place.kind.in_(kinds)), self._visits(row, Place.kind != "epci", and_(start_of_name))
        )

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return and_(row.main.id.in_(select(OfferTerritory.offer_id)))
