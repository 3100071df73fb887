"""`_lastUpdated`: the last change of a resource, its own or that of a parent, as `visible.moment` defines it.

Asked for what changed since, a statement reads the rows of each table that changed, by index, rather than the dates of
a whole country: `since` must therefore name every table that `moment` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import DateTime, Select, and_, literal, select, union_all

from directory.api import LegalEntity, Offer, Practitioner, Role, Site
from search_api.fhir.kinds import Kind
from search_api.fhir.search import values
from search_api.fhir.search.fields import Instants, widened
from search_api.fhir.search.rows import Row
from search_api.fhir.search.token_fields import Condition

_BOUNDED: Final = ("eq", "po", "ge", "gt", "sa", "ap")
"""Prefixes that say since when."""

_TO_SITE: Final = Site.id == Offer.site_id
_TO_ROLE: Final = Role.id == Offer.role_id
_TO_PERSON: Final = Practitioner.id == Role.practitioner_id
_TO_ENTITY: Final = LegalEntity.id == Site.legal_entity_id
_SOURCES: Final[Mapping[Kind, tuple[tuple[Any, ...], ...]]] = {
    "legal_entity": ((LegalEntity.id, LegalEntity),),
    "site": ((Site.id, Site), (Site.id, LegalEntity, _TO_ENTITY)),
    "location": ((Site.id, Site),),
    "practitioner": ((Practitioner.id, Practitioner), (Role.practitioner_id, Offer, _TO_ROLE)),
    "role": (
        (Role.id, Role),
        (Role.id, Practitioner, _TO_PERSON),
        (Role.id, Offer, _TO_ROLE),
        (Role.id, Site, _TO_ROLE, _TO_SITE),
    ),
    "offer": (
        (Offer.id, Offer),
        (Offer.id, Site, _TO_SITE),
        (Offer.id, LegalEntity, _TO_SITE, _TO_ENTITY),
        (Offer.id, Role, _TO_ROLE),
        (Offer.id, Practitioner, _TO_ROLE, _TO_PERSON),
    ),
}
"""By kind: the id of the row, the table whose change is one of the row, and what leads from one to the other."""


def since(kind: Kind, at: datetime) -> Select[Any]:
    """Select the ids of a kind's rows of which something changed since an instant."""
    bound = literal(at, DateTime(timezone=True))
    found = [
        select(owner.label("id")).where(*links, changed.updated_at >= bound)
        for owner, changed, *links in _SOURCES[kind]
    ]
    return select(union_all(*found).subquery().c.id)


@dataclass(frozen=True, slots=True)
class LastUpdated(Instants):
    """The instant of `meta.lastUpdated`."""

    def match(self, row: Row, span: values.Span, now: datetime) -> Condition:
        """See `Instants`."""
        asked = Instants.match(self, row, span, now)
        if span.prefix not in _BOUNDED:
            return asked
        low = widened(span, now)[0] if span.prefix == "ap" else span.low
        return and_(row.main.id.in_(since(row.kind, low)), asked)
