"""What searches read of an ad, written in the transaction of every change of what is shown."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import CursorResult, TextClause, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from modules.ads.models import Ad
from modules.ads.models_search import AdPublication
from modules.ads.views import TOWNS

_ROWS: Final = """
SELECT a.id AS ad_id, a.published_at, a.ends_on, a.urgent, p.towns IS NOT NULL AS placed,
       array_remove(ARRAY[a.category, a.side, a.specialty], NULL)::text[] AS tags,
       coalesce(p.towns, '{{}}') AS towns, coalesce(d.periods, '{{}}'::datemultirange) AS periods,
       setweight(to_tsvector('ads.french', a.title), 'A')
       || setweight(to_tsvector('ads.french', a.description || ' ' || a.conditions), 'B') AS words
  FROM ads.ad a
  LEFT JOIN LATERAL (
       SELECT array_agg(pl.place_id ORDER BY pl.place_id) AS towns
         FROM ads.ad_place pl JOIN maps.place m ON m.id = pl.place_id
        WHERE pl.ad_id = a.id AND m.kind = ANY(:towns)) p ON true
  LEFT JOIN LATERAL (
       SELECT range_agg(daterange(e.starts_on, e.ends_on, '[]')) AS periods
         FROM ads.ad_period e WHERE e.ad_id = a.id AND (e.ends_on IS NULL OR e.ends_on >= e.starts_on)) d ON true
 WHERE a.state = 'published' AND a.published_at IS NOT NULL AND a.ends_on IS NOT NULL AND {chosen}
"""
_WRITE: Final = """
INSERT INTO ads.ad_search AS s (ad_id, published_at, ends_on, urgent, placed, tags, towns, periods, words)
{rows}
ON CONFLICT (ad_id) DO UPDATE SET published_at = excluded.published_at, ends_on = excluded.ends_on,
       urgent = excluded.urgent, placed = excluded.placed, tags = excluded.tags, towns = excluded.towns,
       periods = excluded.periods, words = excluded.words
 WHERE (s.published_at, s.ends_on, s.urgent, s.placed, s.tags, s.towns, s.periods, s.words)
       IS DISTINCT FROM (excluded.published_at, excluded.ends_on, excluded.urgent, excluded.placed, excluded.tags,
                         excluded.towns, excluded.periods, excluded.words)
"""
_KEYS: Final = """
SELECT DISTINCT l.ad_id, k.key FROM ads.ad_place l CROSS JOIN LATERAL (
       SELECT l.place_id AS key UNION ALL SELECT -l.place_id
       UNION ALL SELECT -c.container_id FROM maps.place_containment c WHERE c.place_id = l.place_id) k
 WHERE {chosen}
"""
_SPOTS: Final = """
INSERT INTO ads.ad_spot AS s (ad_id, key, specialty, category, side, published_at, ends_on, placed, periods)
SELECT r.ad_id, k.key, a.specialty, a.category, a.side, r.published_at, r.ends_on, r.placed, r.periods
  FROM ({keys}) k JOIN ads.ad_search r ON r.ad_id = k.ad_id JOIN ads.ad a ON a.id = r.ad_id
ON CONFLICT (ad_id, key) DO UPDATE SET specialty = excluded.specialty, category = excluded.category,
       side = excluded.side, published_at = excluded.published_at, ends_on = excluded.ends_on,
       placed = excluded.placed, periods = excluded.periods
 WHERE (s.specialty, s.category, s.side, s.published_at, s.ends_on, s.placed, s.periods)
       IS DISTINCT FROM (excluded.specialty, excluded.category, excluded.side, excluded.published_at,
                         excluded.ends_on, excluded.placed, excluded.periods)
"""
_GONE: Final = "DELETE FROM ads.ad_spot s WHERE s.{chosen} AND (s.ad_id, s.key) NOT IN ({keys})"
_LEFT: Final = """
DELETE FROM ads.ad_search s WHERE s.{chosen} AND NOT EXISTS
    (SELECT FROM ads.ad a WHERE a.id = s.ad_id AND a.state = 'published')
"""


def _statements(one: str) -> tuple[TextClause, ...]:
    """Return what writes the rows of some ads, in order; `one` chooses them by their key."""
    keys = _KEYS.format(chosen=f"l.ad_id {one}")
    return tuple(
        text(statement)
        for statement in (
            _LEFT.format(chosen=f"ad_id {one}"),
            _WRITE.format(rows=_ROWS.format(chosen=f"a.id {one}")),
            _GONE.format(chosen=f"ad_id {one}", keys=keys),
            _SPOTS.format(keys=keys),
        )
    )


_ONE: Final = _statements("= :ad")
_BATCH: Final = _statements("BETWEEN :first AND :last")
_AT_ONCE: Final = 2000
"""Ads written again by one statement: well under the time that a statement is given."""


async def refresh(session: AsyncSession, ad: Ad) -> None:
    """Write what searches read of an ad, or remove it when it is not published; note its publication once."""
    await _run(session, _ONE, {"ad": ad.id})
    if ad.state == "published":
        noted = insert(AdPublication).values(ad_id=ad.id, published_at=ad.published_at)
        await session.execute(noted.on_conflict_do_nothing(index_elements=["ad_id", "published_at"]))


async def refresh_some(session: AsyncSession, after: int) -> tuple[int, int | None]:
    """Write again, of the ads that follow a key, whatever differs from what ads and places say now.

    The places of France change once or twice a year; the ads that name them must follow.

    Returns:
        How many rows were wrong, and the key from which to go on; None at the end.
    """
    batch = select(Ad.id).where(Ad.id > after).order_by(Ad.id).limit(_AT_ONCE).subquery()
    last = await session.scalar(select(func.max(batch.c.id)))
    if last is None:
        return 0, None
    return await _run(session, _BATCH, {"first": after + 1, "last": last}), last


async def _run(session: AsyncSession, statements: Sequence[TextClause], chosen: Mapping[str, int]) -> int:
    written = 0
    for statement in statements:
        values: dict[str, object] = dict(chosen)
        if ":towns" in statement.text:
            values["towns"] = sorted(TOWNS)
        done: CursorResult[object] = await session.execute(statement, values)  # type: ignore[assignment]
        written += done.rowcount
    return written
