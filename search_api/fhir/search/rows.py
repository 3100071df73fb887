"""The rows that a statement reads of a kind of resource."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, select

from accounts.api import Caller
from directory.api import ConceptIndex, OfferSearch, Practitioner, Site
from search_api.fhir.kinds import MODELS, Kind
from search_api.fhir.visible import dated, gone, visible


@dataclass(frozen=True, slots=True)
class Context:
    """What every part of a search shares.

    `base` is what references begin with; `now` is the instant that approximate dates are measured from.
    """

    caller: Caller
    concepts: ConceptIndex
    base: str
    now: datetime


def alias(model: Any) -> FromClause:
    """Return the table of a model under a name of its own."""
    found: FromClause = model.__table__.alias()
    return found


class Row:
    """A row of a kind under names of its own, so that a statement may read the same table at several levels.

    `gone` rows are those that left the directory, of which only a tombstone is told; the others are those that the
    caller may see. What stands beside the row is joined when a condition asks for it, and not otherwise.
    """

    def __init__(self, kind: Kind, context: Context, *, gone: bool = False) -> None:
        self.kind = kind
        self.context = context
        self.gone = gone
        # Tables rather than mapped classes: an alias of a mapped class takes longer to make than to read.
        self._table = alias(MODELS[kind])
        self.main: Any = self._table.c
        self._joins: list[tuple[FromClause, ColumnElement[bool], bool]] = []

    def _beside(self, table: FromClause, key: str, on: Any, *, outer: bool = False) -> Any:
        self._joins.append((table, table.c[key] == on, outer))
        return table.c

    @cached_property
    def search(self) -> Any:
        """The projection of a live offer."""
        return self._beside(alias(OfferSearch), "offer_id", self.main.id)

    @cached_property
    def site(self) -> Any:
        """The place of the row: itself, or the one that it names; a role may have none."""
        if MODELS[self.kind] is Site:
            return self.main
        return self._beside(alias(Site), "id", self.main.site_id, outer=True)

    @cached_property
    def practitioner(self) -> Any:
        """The practitioner of a role."""
        return self._beside(alias(Practitioner), "id", self.main.practitioner_id)

    @cached_property
    def updated_at(self) -> Any:
        """When the resource last changed, as `meta.lastUpdated` says it."""
        known = (gone if self.gone else dated)(self.kind, self.context.caller).subquery()
        return self._beside(known, "id", self.main.id).updated_at

    def select(self, columns: Iterable[Any], conditions: Iterable[ColumnElement[bool]]) -> Select[Any]:
        """Select columns of the rows that exist for the caller and meet conditions."""
        asked, where = list(columns), list(conditions)
        statement = select(*asked).select_from(self._table)
        if "updated_at" not in self.__dict__:
            known = (gone if self.gone else visible)(self.kind, self.context.caller).subquery()
            statement = statement.join(known, known.c.id == self.main.id)
        for table, on, outer in self._joins:
            statement = statement.join(table, on, isouter=outer)
        return statement.where(*where)

    def ids(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        """Select the ids of such rows."""
        return self.select([self.main.id], conditions)
