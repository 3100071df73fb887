"""From events to the sites that they touch: what a follower reads again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import psycopg

HEAVY = 20_000
"""Rows of a load's change table from which a new snapshot costs less than patching."""
REBUILD_KINDS = frozenset({"published_full", "places_refreshed"})
"""Events after which everything may have changed."""

_EVENTS = (
    "SELECT position, kind, entity, entity_id, load_id FROM core.event WHERE position > %s ORDER BY position LIMIT %s"
)

_LOAD_SIZE = "SELECT count(*) FROM (SELECT FROM directory.load_change WHERE load_id = %s LIMIT %s) few"

_LOAD_SITES = """
SELECT entity_id FROM directory.load_change WHERE load_id = %(load)s AND entity = 'site'
UNION SELECT o.site_id FROM directory.load_change c JOIN directory.offer o ON o.id = c.entity_id
      WHERE c.load_id = %(load)s AND c.entity = 'offer'
UNION SELECT r.site_id FROM directory.load_change c JOIN directory.role r ON r.id = c.entity_id
      WHERE c.load_id = %(load)s AND c.entity = 'role'
UNION SELECT r.site_id FROM directory.load_change c JOIN directory.role r ON r.practitioner_id = c.entity_id
      WHERE c.load_id = %(load)s AND c.entity = 'practitioner'
"""

_LOAD_OFFERS = "SELECT entity_id FROM directory.load_change WHERE load_id = %s AND entity = 'offer'"

_PEOPLE = """
SELECT practitioner_id FROM directory.role WHERE site_id = ANY(%(sites)s)
UNION SELECT r.practitioner_id FROM directory.offer o JOIN directory.role r ON r.id = o.role_id
      WHERE o.id = ANY(%(offers)s)
UNION SELECT r.practitioner_id FROM directory.load_change c JOIN directory.role r ON r.id = c.entity_id
      WHERE c.load_id = ANY(%(loads)s) AND c.entity = 'role'
UNION SELECT entity_id FROM directory.load_change WHERE load_id = ANY(%(loads)s) AND entity = 'practitioner'
"""

_SITES_OF_OFFERS = "SELECT DISTINCT site_id FROM directory.offer WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as the follower reads it."""

    position: int
    kind: str
    entity: str
    entity_id: int | None
    load_id: int | None


@dataclass(frozen=True, slots=True)
class Touched:
    """Sites to read again, and offers whose former sites count too. `rebuild`: only a snapshot can follow."""

    sites: frozenset[int]
    offers: frozenset[int]
    rebuild: bool


def since(conn: psycopg.Connection, position: int, limit: int) -> list[Seen]:
    """Return the events after a position, in order: positions commit in order, so none comes later before them."""
    return [Seen(*row) for row in conn.execute(_EVENTS, (position, limit)).fetchall()]


def touched(conn: psycopg.Connection, events: Sequence[Seen]) -> Touched:
    """Return what some events touch."""
    sites = {event.entity_id for event in events if event.entity == "site" and event.entity_id is not None}
    offers = {event.entity_id for event in events if event.entity == "offer" and event.entity_id is not None}
    rebuild = any(event.kind in REBUILD_KINDS for event in events)
    for load in _loads(events):
        if _is_heavy(conn, load):
            rebuild = True
            continue
        sites |= {row[0] for row in conn.execute(_LOAD_SITES, {"load": load}).fetchall()}
        offers |= {row[0] for row in conn.execute(_LOAD_OFFERS, (load,)).fetchall()}
    sites |= _sites_of(conn, offers)
    return Touched(frozenset(sites), frozenset(offers), rebuild)


def heavy(conn: psycopg.Connection, events: Sequence[Seen]) -> bool:
    """Tell whether some events change so much that only a snapshot can follow."""
    return any(event.kind in REBUILD_KINDS for event in events) or any(_is_heavy(conn, load) for load in _loads(events))


def people(conn: psycopg.Connection, events: Sequence[Seen], found: Touched) -> frozenset[int]:
    """Return the practitioners at the other end of what some events touch."""
    values = {"sites": sorted(found.sites), "offers": sorted(found.offers), "loads": sorted(_loads(events))}
    return frozenset(row[0] for row in conn.execute(_PEOPLE, values).fetchall())


def _loads(events: Sequence[Seen]) -> set[int]:
    return {event.load_id for event in events if event.kind == "published" and event.load_id is not None}


def _is_heavy(conn: psycopg.Connection, load: int) -> bool:
    size = conn.execute(_LOAD_SIZE, (load, HEAVY)).fetchone()
    return size is not None and size[0] >= HEAVY


def _sites_of(conn: psycopg.Connection, offers: Collection[int]) -> set[int]:
    """Return the ids of the sites of offers, closed ones included."""
    if not offers:
        return set()
    return {row[0] for row in conn.execute(_SITES_OF_OFFERS, (sorted(offers),)).fetchall()}
