"""Search projection: one set-based statement, for a bulk load and for one edit alike.

The statement is plain SQL because the same text serves the bulk connection and the async session, and writes
from one to a million rows. What it computes is described on `OfferSearch` and `SearchCard`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from directory import feed
from directory.hours_projection import CHANGED, RULE, ZONES, holidays_table, lateral

_TODAY = "(core.now() AT TIME ZONE 'Europe/Paris')::date"

_INSERT = f"""
WITH source AS MATERIALIZED (__SOURCE__),
base AS MATERIALIZED (
    SELECT o.id, o.site_id, o.role_id, o.kind, o.type_id, o.mode_id, o.field_id, o.activities, o.acts,
           o.outside_acts, o.skills, o.specialisations, o.publics, o.reception, o.age_min, o.age_max,
           o.accepts_new OR coalesce(o.accepts_new_on <= {_TODAY}, false) AS accepts_new,
           o.described, o.sensitive, greatest(o.updated_at, s.updated_at, r.updated_at) AS updated_at,
           coalesce(s.pin, s.position) AS position,
           s.pin IS NOT NULL OR s.position_level IN ('number', 'street', 'place') AS exact,
           s.commune_id, s.category, coalesce(s.sector, r.sector) AS sector, r.convention, r.profession,
           coalesce(r.specialties || p.specialties, '{{}}') AS specialties,
           coalesce(z.code, '') AS zone_code, coalesce(z.name, 'Europe/Paris') AS zone_name, {RULE} AS holiday_rule,
           o.closing_on, o.reopening_on,
           concat_ws(' ', s.name, nullif(s.long_name, s.name), p.last_name, p.first_name) AS names,
           o.uid, o.name, p.title, p.first_name, p.last_name, r.carte_vitale, s.uid AS site_uid, s.name AS site_name,
           s.kind AS site_kind, s.street, s.postal_code, s.town, s.phone
    FROM source
    JOIN directory.offer o ON o.id = source.id
    JOIN directory.site s ON s.id = o.site_id
    LEFT JOIN directory.role r ON r.id = o.role_id
    LEFT JOIN directory.practitioner p ON p.id = r.practitioner_id
    LEFT JOIN maps.place commune ON commune.id = s.commune_id
    LEFT JOIN {ZONES} z ON z.code = commune.departement_code
    WHERE o.closed_on IS NULL AND s.closed_on IS NULL AND r.closed_on IS NULL
      AND o.status = 'published'
      AND NOT (coalesce(o.closing_on <= {_TODAY}, false) AND o.reopening_on IS NULL)
    -- Sites stand in the order of the map (see `publish_entities`): so do the rows of a whole projection.
    ORDER BY s.id, o.id
),
person AS MATERIALIZED (
    SELECT d.profession, d.specialties, array_agg(DISTINCT c.id) AS ids
    FROM (SELECT DISTINCT profession, specialties FROM base WHERE profession IS NOT NULL) d
    CROSS JOIN LATERAL (
        SELECT 'G15' AS system, d.profession AS code
        UNION SELECT split_part(x, '|', 1), split_part(x, '|', 2) FROM unnest(d.specialties) x
    ) k
    JOIN directory.concept c ON c.system = k.system AND c.code = k.code
    GROUP BY d.profession, d.specialties
),
inside AS MATERIALIZED (
    SELECT c.commune_id, array_agg(pc.container_id) AS containers
    FROM (SELECT DISTINCT commune_id FROM base) c
    JOIN maps.place_containment pc ON pc.place_id = c.commune_id
    GROUP BY c.commune_id
),
own AS MATERIALIZED (
    SELECT max(id) FILTER (WHERE system = 'AGE' AND code = 'enfant') AS child,
           max(id) FILTER (WHERE system = 'AGE' AND code = 'adulte') AS adult,
           max(id) FILTER (WHERE system = 'KIND' AND code = 'liberal') AS liberal,
           max(id) FILTER (WHERE system = 'KIND' AND code = 'establishment') AS establishment
    FROM directory.concept WHERE system IN ('AGE', 'KIND')
),
card AS (
    INSERT INTO directory.search_card (
        offer_id, site_id, uid, name, type_id, title, first_name, last_name, convention, carte_vitale, site_uid,
        site_name, site_kind, category, street, postal_code, town, phone, clock, contacts
    )
    SELECT b.id, b.site_id, b.uid, b.name, b.type_id, b.title, b.first_name, b.last_name, b.convention,
           b.carte_vitale, b.site_uid, b.site_name, b.site_kind, b.category, b.street, b.postal_code, b.town, b.phone,
           b.zone_name,
           EXISTS (SELECT FROM directory.contact_point c WHERE c.offer_id = b.id AND c.confidentiality = 1)
           OR EXISTS (SELECT FROM directory.contact_point c WHERE c.site_id = b.site_id AND c.confidentiality = 1)
    FROM base b
)
INSERT INTO directory.offer_search (
    offer_id, site_id, role_id, kind, position, exact, commune_id, places, codes, territory, age_min, age_max,
    accepts_new, open_minutes, names, described, sensitive, updated_at
)
SELECT b.id, b.site_id, b.role_id, b.kind, b.position, b.exact AND b.position IS NOT NULL, b.commune_id,
       array_remove(ARRAY[b.commune_id], NULL) || coalesce(inside.containers, '{{}}'),
       array_remove(
           ARRAY[b.type_id, b.mode_id, b.field_id, convention.id, category.id, sector.id,
                 CASE WHEN b.age_min < 18 THEN own.child END,
                 CASE WHEN b.age_max >= 18 THEN own.adult END,
                 CASE WHEN b.kind = 'liberal' THEN own.liberal ELSE own.establishment END]
           || b.activities || b.acts || b.skills || b.specialisations || b.publics || b.reception
           || coalesce(person.ids, '{{}}') || coalesce(equipment.ids, '{{}}')
           || CASE WHEN b.outside_acts = '{{}}' THEN b.outside_acts
                   ELSE ARRAY(SELECT unnest(b.outside_acts) EXCEPT SELECT unnest(b.acts)) END,
           NULL
       ),
       coalesce(territory.ids, '{{}}'),
       b.age_min, b.age_max, b.accepts_new, hours.minutes,
       to_tsvector('directory.simple_fr', b.names), b.described, b.sensitive, b.updated_at
FROM base b
CROSS JOIN own
LEFT JOIN person ON person.profession = b.profession AND person.specialties = b.specialties
LEFT JOIN inside ON inside.commune_id = b.commune_id
LEFT JOIN directory.concept convention ON convention.system = 'R282' AND convention.code = b.convention
LEFT JOIN directory.concept category ON category.system = 'R66' AND category.code = b.category
LEFT JOIN directory.concept sector ON sector.system = 'R02' AND sector.code = b.sector
LEFT JOIN LATERAL (
    SELECT array_agg(e.concept_id) AS ids FROM directory.site_equipment e WHERE e.site_id = b.site_id
) equipment ON true
LEFT JOIN LATERAL (
    SELECT array_agg(t.place_id) AS ids FROM directory.offer_territory t WHERE t.offer_id = b.id
) territory ON true
CROSS JOIN {lateral("b")} hours
"""

_EVERY = "SELECT id FROM directory.offer"
_DELETE = """
WITH source AS MATERIALIZED (__SOURCE__),
card AS (DELETE FROM directory.search_card c USING source WHERE c.offer_id = source.id)
DELETE FROM directory.offer_search s USING source WHERE s.offer_id = source.id
"""


def statements(source: str, now: datetime) -> tuple[str, str]:
    """Return the deletion and the insertion that write again the rows of the offers that `source` selects as `id`.

    Args:
        source: a query of ours.
        now: the database's present instant, which public holidays are close to.
    """
    insert = _INSERT.replace("__HOLIDAYS__", holidays_table(now))
    return _DELETE.replace("__SOURCE__", source), insert.replace("__SOURCE__", source)


def present(conn: psycopg.Connection) -> datetime:
    """Return the database's (possibly shifted) present instant."""
    row = conn.execute("SELECT core.now()").fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has a row
    now: datetime = row[0]
    return now


async def refresh_search(
    session: AsyncSession, offer_ids: Iterable[int], *, sites: Iterable[int] = (), told: bool = False
) -> None:
    """Write again the search rows of offers (internal ids), and what the feed tells, in the caller's transaction.

    Offers that may no longer be found lose their row. The offers are locked first, so that a publication and
    an edit of the same offer follow one another and the last one sees what the other wrote.

    Args:
        session: the unit of work.
        offer_ids: the offers.
        sites: the places that changed too; readers of the feed are told of all that is there.
        told: readers of the feed are told of the offers even where nothing that they read differs.
    """
    ids = sorted(set(offer_ids))
    seeds = [*feed.sites(sites), *feed.offers(ids, forced=told)]
    if not seeds:
        return
    await session.flush()
    parameters = {"ids": ids}
    source = "SELECT unnest(CAST(:ids AS bigint[])) AS id"
    await session.execute(
        text("SELECT id FROM directory.offer WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE"),
        parameters,
    )
    await feed.keep(session, seeds, written=True)
    for statement in statements(source, await clock.now(session)):
        await session.execute(text(statement), parameters)
    await feed.settle(session, seeds)


def write_selected(conn: psycopg.Connection, source: str) -> None:
    """Write again the search rows of the offers that a query of ours selects as `id`, locking them first."""
    conn.execute(f"SELECT id FROM directory.offer WHERE id IN ({source}) ORDER BY id FOR UPDATE")
    for statement in statements(source, present(conn)):
        conn.execute(statement)


def refresh_selected(conn: psycopg.Connection, source: str, sites: str = "") -> None:
    """Do as `write_selected`, and write what the feed tells of these offers and of the `sites` that changed."""
    seed = feed.selected(source, sites)
    conn.execute(f"SELECT id FROM directory.offer WHERE id IN ({source}) ORDER BY id FOR UPDATE")
    feed.keep_selected(conn, seed)
    for statement in statements(source, present(conn)):
        conn.execute(statement)
    feed.settle_selected(conn, seed)


def write_first(conn: psycopg.Connection) -> None:
    """Write the projection of a directory that has none yet, in the caller's transaction."""
    with _in_order(conn):
        conn.execute(statements(_EVERY, present(conn))[1])


def rebuild(conn: psycopg.Connection) -> None:
    """Write the whole projection again, in the caller's transaction; searches keep reading the former one."""
    with _in_order(conn):
        write_selected(conn, _EVERY)


@contextmanager
def _in_order(conn: psycopg.Connection) -> Iterator[None]:
    """Have joins keep the order of the sites: merging would sort every row by profession on the way."""
    conn.execute("SET LOCAL enable_mergejoin = off")
    yield
    conn.execute("SET LOCAL enable_mergejoin = on")


_PLACES = """
WITH inside AS MATERIALIZED (
    SELECT c.commune_id, array_agg(pc.container_id) FILTER (WHERE pc.container_id IS NOT NULL) || c.commune_id AS ids
    FROM (SELECT DISTINCT commune_id FROM directory.offer_search WHERE commune_id IS NOT NULL) c
    LEFT JOIN maps.place_containment pc ON pc.place_id = c.commune_id
    GROUP BY c.commune_id
)
UPDATE directory.offer_search s SET places = inside.ids
FROM inside
WHERE s.commune_id = inside.commune_id AND NOT (s.places @> inside.ids AND s.places <@ inside.ids)
"""


async def refresh_places(session: AsyncSession) -> bool:
    """Write again what contains each offer where the places changed since its row was written; the caller commits.

    Returns:
        Whether any row changed.
    """
    changed = text(f"WITH changed AS ({_PLACES} RETURNING 1) SELECT EXISTS (SELECT FROM changed)")
    return bool(await session.scalar(changed))


def refresh_due(conn: psycopg.Connection) -> list[int]:
    """Write again the rows that a date changes: hours in force, closing dates, acceptance dates of the last week.

    Returns:
        The offers concerned.
    """
    # A week back rather than a day, so that a scheduler that was down misses nothing.
    week = f"BETWEEN {_TODAY} - 7 AND {_TODAY}"
    conn.execute(
        f"""
        CREATE TEMP TABLE due_offer ON COMMIT DROP AS
        {CHANGED.replace("__HOLIDAYS__", holidays_table(present(conn)))}
        UNION SELECT id FROM directory.offer
        WHERE closing_on {week} OR reopening_on {week} OR accepts_new_on {week}
        """
    )
    conn.execute("ANALYZE due_offer")
    # Whoever follows changes by their dates must hear of an offer that a date takes away.
    conn.execute(
        f"""
        UPDATE directory.offer o SET updated_at = now()
        FROM due_offer d JOIN directory.offer_search s ON s.offer_id = d.id
        WHERE o.id = d.id AND o.closing_on <= {_TODAY} AND o.reopening_on IS NULL
        """
    )
    refresh_selected(conn, "SELECT id FROM due_offer")
    return [int(row[0]) for row in conn.execute("SELECT id FROM due_offer ORDER BY id").fetchall()]
