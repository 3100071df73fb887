"""What an export since an instant holds: what changed and meets its filters; what left the caller's sight or them.

Former versions are not kept: whether a resource met a filter before is not known. What changed and does not meet it is
therefore told as left, so that whoever had it drops it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select, true

from accounts.api import Caller
from core.models import Event
from directory.api import FeedChange, FeedState, Offer
from search_api.fhir.kinds import LEDGER, MODELS, Kind
from search_api.fhir.positions import change_of, level_of
from search_api.fhir.search.type_filter import Filter, Reach
from search_api.fhir.visible import dated, gone, scope_of, visible

_FARTHEST: Final[Sequence[Reach]] = ("own", "offer", "any")


def wanted(kind: Kind, caller: Caller, since: datetime | None, filters: Sequence[Filter]) -> Select[Any]:
    """Select the ids of a kind that an export holds, in their order."""
    if since is None:
        found: Any = visible(kind, caller).subquery("readable")
        statement = select(found.c.id)
    else:
        found = dated(kind, caller).subquery("readable")
        statement = select(found.c.id).where(_moved(kind, caller, found, since, filters))
    if filters:
        statement = statement.where(_meets(found, filters))
    return statement.order_by(found.c.id)


def left(kind: Kind, caller: Caller, since: datetime, filters: Sequence[Filter]) -> Select[Any]:
    """Select the ids of what a caller may have had of a kind and is to drop, in their order; never something hidden."""
    model = MODELS[kind]
    out = [model.id.in_(_closed(kind, caller, since)), model.id.in_(_withdrawn(kind, caller, since))]
    if filters:
        found = dated(kind, caller).subquery("readable")
        strange = select(found.c.id).where(_moved(kind, caller, found, since, filters), ~_meets(found, filters))
        out.append(model.id.in_(strange))
    return select(model.id, model.uid).where(or_(*out)).order_by(model.id)


def _meets(found: Any, filters: Sequence[Filter]) -> ColumnElement[bool]:
    """Tell whether a row meets any of the filters, in a form of which the database may take the opposite."""
    ids = [one.ids.subquery() for one in filters]
    return or_(*(exists(select(literal(1)).where(one.c[0] == found.c.id)) for one in ids))


def _moved(kind: Kind, caller: Caller, found: Any, since: datetime, filters: Sequence[Filter]) -> ColumnElement[bool]:
    """Tell whether a row changed since, or may have begun or ceased to meet its filters without changing itself."""
    reach = max((one.reach for one in filters), key=_FARTHEST.index, default="own")
    if reach == "any":
        return true()
    moved = [found.c.updated_at >= since, *_turned(kind, found.c.id, since)]
    if reach == "offer":
        offers = dated("offer", caller).subquery("offers")
        roles = select(Offer.role_id).join(offers, offers.c.id == Offer.id)
        roles = roles.where(Offer.role_id.is_not(None))
        moved.append(found.c.id.in_(roles.where(or_(offers.c.updated_at >= since, *_turned("offer", Offer.id, since)))))
    return or_(*moved)


def _turned(kind: Kind, key: Any, since: datetime) -> list[ColumnElement[bool]]:
    """Tell what a date changed, without anybody writing: an offer that opens again."""
    if kind != "offer":
        return []
    return [key.in_(select(Event.entity_id).where(Event.kind == "offer_day", Event.at >= since))]


def _closed(kind: Kind, caller: Caller, since: datetime) -> Select[Any]:
    """Select what left the directory since."""
    closed = gone(kind, caller).subquery("closed_since")
    moved = closed.c.updated_at >= since
    if kind == "offer":
        # A closing date passes without anybody writing.
        closing = select(Offer.id).where(Offer.closing_on >= (since - timedelta(days=1)).date())
        moved = or_(moved, closed.c.id.in_(closing))
    return select(closed.c.id).where(moved)


def _withdrawn(kind: Kind, caller: Caller, since: datetime) -> Select[Any]:
    """Select what the ledger says was shown to the caller, changed since, and is not shown any more.

    What is still in the directory is told so: an offer that became sensitive, a place that left the zone.
    """
    scope = scope_of(caller)
    level = level_of(caller.level)
    ever = FeedState.ever_1 if level == 1 else FeedState.ever_2
    shown = visible(kind, caller).subquery("shown")
    asked = [FeedState.kind == LEDGER[kind], FeedChange.at >= since, ever.is_not(None)]
    if scope.zone is not None:
        zone = scope.zone.subquery("zone_places")
        asked.append(exists(select(literal(1)).where(zone.c[0] == ever.any_())))
    still = exists(select(literal(1)).where(shown.c.id == FeedState.entity_id))
    return select(FeedState.entity_id).join(FeedChange, change_of(level) == FeedChange.id).where(and_(*asked), ~still)
