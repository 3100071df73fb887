"""Comparison of the index with the database, row by row: equal, or what differs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg

from core.db import connect_direct
from core.errors import Unavailable
from search_api.columns import batch, changes
from search_api.columns.bitmaps import members
from search_api.columns.build import digests
from search_api.columns.follower import CHUNK, Follower
from search_api.columns.state import State

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between the index and the database: offers by id, `SHOWN` of each kind at most."""

    offers: int
    position: int
    snapshot: str
    missing: int
    superfluous: int
    different: int
    examples: dict[str, list[int]]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.missing or self.superfluous or self.different)


def verify(root: Path) -> Difference:
    """Open the node's snapshot, take in the events, and compare every row with the database's.

    Raises:
        Unavailable: there is no snapshot that can be used.
    """
    follower = Follower(root)
    with connect_direct() as picture, connect_direct(autocommit=True) as conn:
        picture.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        picture.read_only = True
        row = picture.execute("SELECT coalesce(max(position), 0) FROM core.event").fetchone()
        position = int(row[0]) if row else 0
        follower.catch_up(conn)
        state = follower.state
        if state is None:
            raise Unavailable(follower.health.problem or "Il n’y a pas encore d’index : lancez ./repere index build.")
        rows = batch.read_all(picture)
        # What changed after the picture was taken is in the index and not in the picture.
        later = _later(conn, position, state)
    mine = _rows(state)
    theirs = dict(zip(rows.offer.tolist(), zip(digests(rows).tolist(), rows.site.tolist(), strict=True), strict=True))
    missing = [key for key, (_, site) in theirs.items() if key not in mine and site not in later]
    superfluous = [key for key, (_, site) in mine.items() if key not in theirs and site not in later]
    different = [
        key
        for key, (digest, site) in mine.items()
        if key in theirs and theirs[key][0] != digest and not {site, theirs[key][1]} & later
    ]
    return Difference(
        offers=len(mine),
        position=state.position,
        snapshot=state.snapshot,
        missing=len(missing),
        superfluous=len(superfluous),
        different=len(different),
        examples={
            name: sorted(ids)[:SHOWN]
            for name, ids in (("missing", missing), ("superfluous", superfluous), ("different", different))
            if ids
        },
    )


def _later(conn: psycopg.Connection, position: int, state: State) -> frozenset[int]:
    sites: set[int] = set()
    while position < state.position:
        events = changes.since(conn, position, CHUNK)
        if not events:
            break
        found = changes.touched(conn, events)
        sites |= found.sites | state.sites_of_offers(found.offers)
        position = events[-1].position
    return frozenset(sites)


def _rows(state: State) -> dict[int, tuple[int, int]]:
    """Return the digest and the site of each offer that lives in the index."""
    found: dict[int, tuple[int, int]] = {}
    for part in state.parts:
        segment = part.segment
        rows = members(part.every)
        sites = segment.site[segment.site_of[rows]]
        pairs = zip(segment.digest[rows].tolist(), sites.tolist(), strict=True)
        found.update(zip(np.asarray(segment.offer[rows]).tolist(), pairs, strict=True))
    return found
