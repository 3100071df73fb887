"""Fields that lead from one resource to another: matching, chains, `_has` and inclusions all follow these."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, and_, func, literal, select

from directory.api import Offer
from search_api.fhir.kinds import Kind
from search_api.fhir.search.rows import Row, alias
from search_api.fhir.search.token_fields import Column, Condition

Ids = Select[Any] | Collection[int]


def among(column: Any, ids: Ids) -> Condition:
    """Tell whether a column is one of some ids."""
    if isinstance(ids, Select):
        return and_(column.in_(ids))
    return and_(column == func.any(literal(sorted(ids), ARRAY(BigInteger))))


@dataclass(frozen=True, slots=True)
class Link:
    """A column that holds the id of the row which is referred to."""

    target: Kind
    column: Column

    def key(self, row: Row) -> Any:
        """Return the internal id of what the row refers to."""
        return self.column(row)

    def leads_to(self, row: Row, ids: Ids) -> Condition:
        """Tell whether the row refers to one of these."""
        return among(self.column(row), ids)

    def led_from(self, row: Row, other: Row, condition: Condition) -> Condition:
        """Tell whether another row that meets a condition refers to this one."""
        return and_(row.main.id.in_(other.select([self.column(other)], [condition])))


@dataclass(frozen=True, slots=True)
class OfferOfRole:
    """The offer of a role: it is the offer that names its role."""

    target: Kind = "offer"

    def key(self, row: Row) -> Any:
        """See `Link`."""
        offer = alias(Offer).c
        return select(offer.id).where(offer.role_id == row.main.id).scalar_subquery()

    def leads_to(self, row: Row, ids: Ids) -> Condition:
        """See `Link`."""
        offer = alias(Offer).c
        return and_(row.main.id.in_(select(offer.role_id).where(among(offer.id, ids))))

    def led_from(self, row: Row, other: Row, condition: Condition) -> Condition:
        """See `Link`."""
        return and_(row.main.role_id.in_(other.ids(condition)))


Reference = Link | OfferOfRole
