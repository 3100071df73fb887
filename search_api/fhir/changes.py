"""What changed since a position, as a history: resources created, changed, withdrawn, in the order of the events.

The ledger (`directory.feed_state`) holds the last change of each entity for each level: an entity that changed several
times is told once, as it stands, and comes again later if it changes meanwhile. What a level was never shown has no
place in what it is told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, any_, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from accounts.api import Caller
from directory.api import FeedChange, FeedState
from search_api.fhir import positions
from search_api.fhir.kinds import KINDS, LEDGER, MODELS, RESOURCE_TYPES, Kind
from search_api.fhir.outcome import instant
from search_api.fhir.positions import Position
from search_api.fhir.render import render
from search_api.fhir.visible import scope_of

DEFAULT_COUNT: Final = 200
MOST_COUNT: Final = 1_000
SCANNED: Final = 5_000
"""Rows of the ledger looked at for a page; a caller limited to a zone is told of few of them."""
POSITION, HEAD = "urn:repere:fhir:position", "urn:repere:fhir:head"
"""Systems of the tags that hold where to read on, and how far the feed goes."""

_TOLD: Final[Mapping[int, tuple[Kind, ...]]] = {
    number: tuple(kind for kind in KINDS if LEDGER[kind] == number) for number in sorted(set(LEDGER.values()))
}
_WORDS: Final = {"POST": "201 Created", "PUT": "200 OK", "DELETE": "204 No Content"}


@dataclass(slots=True)
class Changes:
    """A page of changes, where to read on, whether there is more now, and how far the feed goes."""

    position: Position
    head: int
    entries: list[dict[str, Any]] = field(default_factory=list)
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """An entity of a page: the resource that it became, and whether its reader had it or may have had it."""

    row: Any
    kind: Kind
    created: bool


def _columns(level: int) -> list[Any]:
    began = aliased(FeedChange)
    begun = select(began.position).where(began.id == getattr(FeedState, f"began_{level}")).scalar_subquery()
    return [
        FeedState.kind,
        FeedState.entity_id.label("id"),
        getattr(FeedState, f"ever_{level}").label("ever"),
        getattr(FeedState, f"version_{level}").label("version"),
        begun.label("began"),
    ]


def _kinds(kinds: Collection[Kind]) -> ColumnElement[bool]:
    wanted = sorted({LEDGER[kind] for kind in kinds})
    return FeedState.kind == any_(literal(wanted, ARRAY(Integer)))


def _rest(level: int, since: Position, kinds: Collection[Kind], limit: int) -> Select[Any]:
    """Select what a change still holds after a row of it."""
    return (
        select(FeedChange.position, FeedChange.at, *_columns(level))
        .join(FeedState, positions.change_of(level) == FeedChange.id)
        .where(FeedChange.position == since.event, _kinds(kinds))
        .where(tuple_(FeedState.kind, FeedState.entity_id) > tuple_(literal(since.kind), literal(since.id)))
        .order_by(FeedState.kind, FeedState.entity_id)
        .limit(limit)
    )


def _after(level: int, event: int, kinds: Collection[Kind], limit: int) -> Select[Any]:
    """Select what the changes after an event hold, one change after the other."""
    inside = (
        select(*_columns(level))
        .where(positions.change_of(level) == FeedChange.id, _kinds(kinds))
        .correlate(FeedChange)
        .order_by(FeedState.kind, FeedState.entity_id)
        .limit(limit)
        .lateral("inside")
    )
    return (
        select(FeedChange.position, FeedChange.at, inside)
        .join(inside, literal(True))
        .where(FeedChange.position > event)
        .order_by(FeedChange.position, inside.c.kind, inside.c.id)
        .limit(limit)
    )


async def _rows(
    session: AsyncSession, level: int, since: Position, kinds: Collection[Kind], limit: int
) -> Sequence[Any]:
    rows: list[Any] = []
    if since.kind:
        rows += (await session.execute(_rest(level, since, kinds, limit))).all()
    if len(rows) < limit:
        rows += (await session.execute(_after(level, since.event, kinds, limit - len(rows)))).all()
    return rows


async def read(
    session: AsyncSession, caller: Caller, since: Position, kinds: Collection[Kind], count: int, base: str
) -> Changes:
    """Return a page of what changed for a caller since a position.

    Args:
        session: a unit of work.
        caller: who reads: its level and zone decide what it is told.
        since: where it stands.
        kinds: which kinds it follows.
        count: entries wanted; a site is told as an organization and a place, never on two pages.
        base: what links of the feed begin with.

    Raises:
        FhirError: 410, the position is too old or unknown.
    """
    level = positions.level_of(caller.level)
    await positions.check(session, since, level)
    # Before the rows: what comes meanwhile is after it.
    found = Changes(position=since, head=await positions.head(session, level))
    zone = set(await session.scalars(scope.zone)) if (scope := scope_of(caller)).zone is not None else None
    limit = SCANNED if zone is not None else min(count + 1, SCANNED)
    rows = await _rows(session, level, since, kinds, limit)
    told: list[_Told] = []
    for row in rows:
        if _ever(row, zone):
            resources = [kind for kind in _TOLD[row.kind] if kind in kinds]
            if told and len(told) + len(resources) > count:
                found.more = True
                break
            created = row.began is not None and (row.began, row.kind, row.id) > since
            told += [_Told(row, kind, created) for kind in resources]
        found.position = Position(row.position, row.kind, row.id)
    found.more = found.more or len(rows) == limit
    if not found.more:
        # Nothing else was there for this reader: it need not look at these changes again.
        found.position = Position(max(found.head, found.position.event))
    found.entries = await _entries(session, caller, told, base)
    return found


def _ever(row: Any, zone: set[int] | None) -> bool:
    """Tell whether a caller was ever shown an entity, now included."""
    return row.ever is not None and (zone is None or not zone.isdisjoint(row.ever))


async def _entries(session: AsyncSession, caller: Caller, told: Sequence[_Told], base: str) -> list[dict[str, Any]]:
    resources: dict[tuple[Kind, int], dict[str, Any]] = {}
    uids: dict[tuple[Kind, int], str] = {}
    for kind in dict.fromkeys(one.kind for one in told):
        ids = [one.row.id for one in told if one.kind == kind]
        for key, resource in (await render(session, kind, ids, caller)).items():
            resources[kind, key] = resource
        missing = [key for key in ids if (kind, key) not in resources]
        if missing:
            model = MODELS[kind]
            gone = await session.execute(select(model.id, model.uid).where(model.id.in_(missing)))
            uids |= {(kind, key): str(uid) for key, uid in gone}
    return [_entry(one, resources.get((one.kind, one.row.id)), uids, base) for one in told]


def _entry(
    one: _Told, resource: dict[str, Any] | None, uids: Mapping[tuple[Kind, int], str], base: str
) -> dict[str, Any]:
    type_ = RESOURCE_TYPES[one.kind]
    if resource is None:
        uid = uids[one.kind, one.row.id]
        address, method, version, at = f"{type_}/{uid}", "DELETE", str(one.row.version), instant(one.row.at)
    else:
        uid = resource["id"]
        method = "POST" if one.created else "PUT"
        address = type_ if one.created else f"{type_}/{uid}"
        version, at = resource["meta"]["versionId"], resource["meta"]["lastUpdated"]
    entry: dict[str, Any] = {"fullUrl": f"{base}/{type_}/{uid}"}
    if resource is not None:
        entry["resource"] = resource
    return entry | {
        "request": {"method": method, "url": address},
        "response": {"status": _WORDS[method], "etag": f'W/"{version}"', "lastModified": at},
    }


def bundle(page: Changes, made_at: str, self_link: str, next_link: str) -> dict[str, Any]:
    """Return a page as a Bundle of the type history; `next` is there only while there is more to read now."""
    links = [{"relation": "self", "url": self_link}]
    if page.more:
        links.append({"relation": "next", "url": next_link})
    return {
        "resourceType": "Bundle",
        "meta": {
            "lastUpdated": made_at,
            "tag": [
                {"system": POSITION, "code": str(page.position)},
                {"system": HEAD, "code": str(page.head)},
            ],
        },
        "type": "history",
        "link": links,
        "entry": page.entries,
    }
