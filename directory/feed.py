"""The ledger of what readers of the feed were shown, kept in the transaction of every change.

`projection.py` calls it around the writing of search rows, so that whoever changes what may be found keeps it, and
the publication does around its own writes. What a row means is described on `FeedState`; a trigger gives a change the
position of the event that announces it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from directory.feed_sql import CLOSURE, KEEP, KEEP_WRITTEN, LOCK, SETTLE, SETTLE_NOW, state
from directory.models_feed import LEGAL_ENTITY, OFFER, PRACTITIONER, ROLE, SITE

KEPT_DAYS = 400
"""Days for which closures and withdrawals are told; a year is promised."""

_GIVEN = (
    "SELECT k::smallint AS kind, i AS id, f AS forced"
    " FROM unnest(CAST(:kinds AS int[]), CAST(:ids AS bigint[]), CAST(:forced AS bool[])) g(k, i, f)"
)


@dataclass(frozen=True, slots=True)
class Seed:
    """What a change writes. `forced`: told again even when nothing of an offer's content differs."""

    kind: int
    id: int
    forced: bool = True


def offers(ids: Iterable[int], *, forced: bool = False) -> list[Seed]:
    """Return the seeds of offers."""
    return [Seed(OFFER, one, forced) for one in ids]


def sites(ids: Iterable[int]) -> list[Seed]:
    """Return the seeds of places; what is there follows."""
    return [Seed(SITE, one) for one in ids]


def selected(offers_query: str, sites_query: str = "") -> str:
    """Return the query of the seeds of what queries of ours select as `id`."""
    found = f"SELECT {OFFER} AS kind, x.id, false AS forced FROM ({offers_query}) x"
    return found + (f" UNION ALL SELECT {SITE}, x.id, true FROM ({sites_query}) x" if sites_query else "")


def _values(seeds: Sequence[Seed]) -> dict[str, list[int] | list[bool]]:
    return {
        "kinds": [one.kind for one in seeds],
        "ids": [one.id for one in seeds],
        "forced": [one.forced for one in seeds],
    }


async def keep(session: AsyncSession, seeds: Sequence[Seed], *, written: bool = False) -> None:
    """Note what is shown of what a change touches, before the change, and lock it.

    Args:
        session: the unit of work.
        seeds: what the change writes.
        written: the tables are written already and only the projection is not: what was shown is still known, but
            no longer what it held, so that it passes for changed.
    """
    for statement in (KEEP_WRITTEN if written else KEEP, LOCK):
        await session.execute(text(statement.replace("__SEED__", _GIVEN)), _values(seeds))


async def settle(session: AsyncSession, seeds: Sequence[Seed]) -> None:
    """Write what is shown from now on, once the projection is written."""
    await session.execute(text(SETTLE.replace("__SEED__", _GIVEN)), _values(seeds))


def keep_selected(conn: psycopg.Connection, seed: str) -> None:
    """Do as `keep`, once the tables are written, for what a query of ours selects as (kind, id, forced)."""
    conn.execute(KEEP_WRITTEN.replace("__SEED__", seed))
    _lock(conn, f"WITH {CLOSURE}".replace("__SEED__", seed), "touched")


def _lock(conn: psycopg.Connection, ctes: str, touched: str) -> None:
    # Counted, so that the rows themselves do not travel.
    conn.execute(
        f"{ctes} SELECT count(*) FROM (SELECT FROM directory.feed_state f"
        f" JOIN {touched} t ON t.kind = f.kind AND t.id = f.entity_id"
        " ORDER BY f.kind, f.entity_id FOR UPDATE OF f) locked"
    )


def settle_selected(conn: psycopg.Connection, seed: str) -> None:
    """Do as `settle` for what a query of ours selects as (kind, id, forced)."""
    conn.execute(SETTLE.replace("__SEED__", seed))


def tell_again(conn: psycopg.Connection, seed: str) -> None:
    """Have told again what a query of ours selects as (kind, id, forced), though nothing in its tables changed."""
    conn.execute(KEEP.replace("__SEED__", seed))
    _lock(conn, f"WITH {CLOSURE}".replace("__SEED__", seed), "touched")
    conn.execute(SETTLE.replace("__SEED__", seed))


# -- Publications ------------------------------------------------------------------------------------------

_PUBLISHED = " UNION ALL ".join(
    f"SELECT {kind} AS kind, id, true AS forced FROM {table} WHERE id IS NOT NULL"
    for kind, table in (
        (LEGAL_ENTITY, "diff_legal_entity"),
        (SITE, "diff_site"),
        (PRACTITIONER, "diff_practitioner"),
        (ROLE, "diff_role"),
    )
)


def remember(conn: psycopg.Connection) -> None:
    """Note aside what is shown of what a publication is about to write; it locks nobody's rows meanwhile."""
    _put_aside(
        conn, "feed_seen", f"WITH {CLOSURE} SELECT kind, id, forced FROM touched".replace("__SEED__", _PUBLISHED)
    )
    found = (
        f"WITH {state(offers=False, touched='feed_seen')} SELECT kind, id, at_1, at_2, digest_1, digest_2 FROM state"
    )
    _put_aside(conn, "feed_before", found)


def _put_aside(conn: psycopg.Connection, name: str, query: str) -> None:
    conn.execute(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {query}")
    conn.execute(f"CREATE INDEX ON {name} (kind, id); ANALYZE {name}")


def settle_publication(conn: psycopg.Connection) -> None:
    """Write what is shown after a publication of what it touched, before or after."""
    seed = f"{_PUBLISHED} UNION ALL SELECT {OFFER}, id, true FROM diff_offer"
    _put_aside(
        conn,
        "feed_touched",
        f"WITH {CLOSURE} SELECT kind, id, bool_or(forced) AS forced FROM ("
        " SELECT kind, id, forced FROM touched UNION ALL SELECT kind, id, false FROM feed_seen"
        ") x GROUP BY kind, id".replace("__SEED__", seed),
    )
    conn.execute(
        """
        INSERT INTO directory.feed_state (kind, entity_id, at_1, at_2, ever_1, ever_2, digest_1, digest_2)
        SELECT t.kind, t.id, b.at_1, b.at_2, b.at_1, b.at_2, b.digest_1, b.digest_2
        FROM feed_touched t LEFT JOIN feed_before b ON b.kind = t.kind AND b.id = t.id
        WHERE NOT EXISTS (SELECT FROM directory.feed_state f WHERE f.kind = t.kind AND f.entity_id = t.id)
        ORDER BY t.kind, t.id
        ON CONFLICT (kind, entity_id) DO NOTHING
        """
    )
    _lock(conn, "", "feed_touched")
    # Only once the rows are locked: what others wrote of the same people is then seen.
    _put_aside(conn, "feed_now", f"WITH {state(touched='feed_touched')} SELECT * FROM state")
    conn.execute(SETTLE_NOW)


# -- Keeping -----------------------------------------------------------------------------------------------


def restart(conn: psycopg.Connection, position: int) -> None:
    """Tell nothing from before a position: readers who stopped earlier take everything again."""
    conn.execute(
        """
        INSERT INTO directory.feed_floor (id, position) VALUES (1, %s)
        ON CONFLICT (id) DO UPDATE SET position = greatest(feed_floor.position, excluded.position)
        """,
        (position,),
    )


@dataclass(frozen=True, slots=True)
class Tidied:
    """What a tidying took away: changes that nothing refers to, and entities gone for long."""

    changes: int
    gone: int


def tidy(conn: psycopg.Connection, days: int = KEPT_DAYS) -> Tidied:
    """Forget what left more than some days ago, and the changes that later ones replaced; the caller commits."""
    old = conn.execute(
        "SELECT max(position) FROM directory.feed_change WHERE at < core.now() - %s * interval '1 day'",
        (days,),
    ).fetchone()
    gone = 0
    if old is not None and old[0] is not None:
        gone = conn.execute(
            """
            DELETE FROM directory.feed_state f
            WHERE f.at_1 IS NULL AND f.at_2 IS NULL AND f.ever_2 IS NOT NULL AND NOT EXISTS (
                SELECT FROM directory.feed_change c WHERE c.id IN (f.change_1, f.change_2) AND c.position > %s)
            """,
            (old[0],),
        ).rowcount
        if gone:
            restart(conn, int(old[0]))
    # Counted since a burst, or not: a plan made for a few changes compares each of fifty thousand with each other.
    conn.execute("ANALYZE directory.feed_change, directory.feed_state")
    # The newest one stays: it tells how far the ledger goes.
    changes = conn.execute(
        """
        DELETE FROM directory.feed_change WHERE id IN (
            SELECT id FROM directory.feed_change WHERE position < (SELECT max(position) FROM directory.feed_change)
            EXCEPT SELECT unnest(ARRAY[change_1, change_2, began_1, began_2]) FROM directory.feed_state
        )
        """
    ).rowcount
    return Tidied(changes, gone)
