"""What the index of texts reads of the directory, streamed: names, places, counts and words."""

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

import psycopg

from maps.api import containers_of
from search_api.engine import PUBLIC
from search_api.predicates import seen_sql
from search_api.texts.schema import Entity

BATCH = 5_000
_COMMUNES = 50_000
FREQUENT = 1_000
"""Offers from which a word's number is left to the next build: one more does not change its rank."""

# The public's own sheet comes first: a practitioner may have a sensitive offer beside it.
_PEOPLE = """
SELECT p.id, p.first_name || ' ' || p.last_name, core.fold(p.first_name || ' ' || p.last_name), NULL::text,
       p.profession, e.town, e.commune_id, o.uid::text, a.offers, a.offers_pro, a.communes, a.communes_pro
FROM (
    SELECT r.practitioner_id AS id, count(*) FILTER (WHERE {public}) AS offers, count(*) AS offers_pro,
           coalesce(min(s.offer_id) FILTER (WHERE {public}), min(s.offer_id)) AS first,
           string_agg(s.commune_id::text, ' ') FILTER (WHERE {public}) AS communes,
           string_agg(s.commune_id::text, ' ') FILTER (WHERE NOT ({public})) AS communes_pro
    FROM {rows}
    GROUP BY r.practitioner_id
) a
JOIN directory.practitioner p ON p.id = a.id
JOIN directory.offer o ON o.id = a.first
JOIN directory.site e ON e.id = o.site_id
"""
# The offers of a site are where it is.
_SITES = """
SELECT e.id, e.name, core.fold(e.name), core.fold(nullif(e.long_name, e.name)),
       e.category, e.town, e.commune_id, e.uid::text, a.offers, a.offers_pro,
       CASE WHEN a.offers > 0 THEN e.commune_id::text END,
       CASE WHEN a.offers_pro > a.offers THEN e.commune_id::text END
FROM (
    SELECT s.site_id AS id, count(*) FILTER (WHERE {public}) AS offers, count(*) AS offers_pro
    FROM {rows}
    GROUP BY s.site_id
) a
JOIN directory.site e ON e.id = a.id
"""
_STATEMENTS = {"practitioner": _PEOPLE, "site": _SITES}
_ALL = {
    "practitioner": "directory.offer_search s JOIN directory.role r ON r.id = s.role_id",
    "site": "directory.offer_search s",
}
# The projection is not indexed by role: some practitioners are reached through their offers.
_SOME = {
    "practitioner": (
        "directory.role r JOIN directory.offer f ON f.role_id = r.id"
        " JOIN directory.offer_search s ON s.offer_id = f.id WHERE r.practitioner_id = ANY(CAST(%(ids)s AS bigint[]))"
    ),
    "site": "directory.offer_search s WHERE s.site_id = ANY(CAST(%(ids)s AS bigint[]))",
}

_WORDS = """
SELECT word, coalesce(a.ndoc, 0)
FROM ts_stat($$SELECT names FROM directory.offer_search s WHERE {public}$$) a
FULL JOIN ts_stat($$SELECT names FROM directory.offer_search s WHERE NOT ({public})$$) b USING (word)
WHERE word ~ '^[a-z0-9]+$'
"""

# Words are letters and digits: between quotes they are a query of themselves.
_RECOUNT = """
SELECT t.word,
       (SELECT count(*) FROM (
           SELECT 1 FROM directory.offer_search s
           WHERE {public} AND s.names @@ CAST('''' || t.word || '''' AS tsquery) LIMIT {most}) each),
       EXISTS (SELECT 1 FROM directory.offer_search s WHERE s.names @@ CAST('''' || t.word || '''' AS tsquery))
FROM unnest(CAST(%(words)s AS text[])) t (word)
"""


def prepare(conn: psycopg.Connection) -> None:
    """Give the caller's transaction what long readings need."""
    for name, value in (
        ("statement_timeout", "0"),
        ("work_mem", "128MB"),
        # The stream is read to its end.
        ("cursor_tuple_fraction", "1"),
    ):
        conn.execute("SELECT set_config(%s, %s, true)", (name, value))


def entities(conn: psycopg.Connection, kind: str, ids: Collection[int] | None = None) -> Iterator[Entity]:
    """Read the practitioners or sites that someone may find; all of them, or those of `ids`."""
    values = {"ids": sorted(ids)} if ids is not None else None
    statement = _STATEMENTS[kind].format(public=seen_sql(PUBLIC), rows=(_ALL if ids is None else _SOME)[kind])
    inside = lru_cache(_COMMUNES)(_inside)
    for row in _stream(conn, statement, values):
        *known, communes, communes_pro = row
        entity: tuple[Any, ...] = (kind, *known, inside(communes), inside(communes_pro))
        yield Entity(*entity)


def _inside(communes: str | None) -> str:
    """Return the communes and all that contains them, as the places of an offer are written."""
    ids = {int(one) for one in (communes or "").split()}
    return " ".join(map(str, sorted(ids.union(*containers_of(ids).values()))))


def words(conn: psycopg.Connection) -> Iterator[tuple[str, int]]:
    """Read every word of the names of offers, and how many offers the public may find by it."""
    return _stream(conn, _WORDS.format(public=seen_sql(PUBLIC)))


def recount(conn: psycopg.Connection, some: Collection[str]) -> list[tuple[str, int | None]]:
    """Count again the public offers of some words, up to `FREQUENT` + 1; None for a word that no offer has any more."""
    if not some:
        return []
    # Each word is found by the index or not at all; the planner cannot know how rare it is.
    conn.execute("SELECT set_config('enable_seqscan', 'off', true)")
    statement = _RECOUNT.format(public=seen_sql(PUBLIC), most=FREQUENT + 1)
    rows = conn.execute(statement, {"words": sorted(some)}).fetchall()
    conn.execute("SELECT set_config('enable_seqscan', 'on', true)")
    return [(word, number if there else None) for word, number, there in rows]


def _stream(conn: psycopg.Connection, statement: str, values: dict[str, Any] | None = None) -> Iterator[Any]:
    with conn.cursor(name="texts") as cursor:
        cursor.itersize = BATCH
        yield from cursor.execute(statement, values)
