"""What searches read of an ad, written in the transaction of every change of what is shown."""

from typing import Final

from sqlalchemy import CursorResult, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from modules.ads.models import Ad
from modules.ads.models_search import AdPublication, AdSearch
from modules.ads.views import TOWNS

_ROWS: Final = """
SELECT a.id AS ad_id, a.published_at, a.ends_on, a.urgent, coalesce(p.places, '{{}}') AS places,
       array_remove(ARRAY[a.category, a.side, a.specialty], NULL)::text[] AS tags,
       coalesce(p.towns, '{{}}') AS towns, coalesce(d.periods, '{{}}'::datemultirange) AS periods,
       setweight(to_tsvector('ads.french', a.title), 'A')
       || setweight(to_tsvector('ads.french', a.description || ' ' || a.conditions), 'B') AS words
  FROM ads.ad a
  LEFT JOIN LATERAL (
       SELECT array_agg(DISTINCT k.key ORDER BY k.key) AS places,
              array_agg(DISTINCT pl.place_id) FILTER (WHERE m.kind = ANY(:towns)) AS towns
         FROM ads.ad_place pl
         LEFT JOIN maps.place m ON m.id = pl.place_id
        CROSS JOIN LATERAL (
              SELECT pl.place_id AS key UNION ALL SELECT -pl.place_id
              UNION ALL SELECT -c.container_id FROM maps.place_containment c WHERE c.place_id = pl.place_id
        ) k
        WHERE pl.ad_id = a.id) p ON true
  LEFT JOIN LATERAL (
       SELECT range_agg(daterange(e.starts_on, e.ends_on, '[]')) AS periods
         FROM ads.ad_period e WHERE e.ad_id = a.id AND (e.ends_on IS NULL OR e.ends_on >= e.starts_on)) d ON true
 WHERE a.state = 'published' AND a.published_at IS NOT NULL AND a.ends_on IS NOT NULL {chosen}
"""
_WRITE: Final = """
INSERT INTO ads.ad_search AS s (ad_id, published_at, ends_on, urgent, places, tags, towns, periods, words)
{rows}
ON CONFLICT (ad_id) DO UPDATE SET published_at = excluded.published_at, ends_on = excluded.ends_on,
       urgent = excluded.urgent, places = excluded.places, tags = excluded.tags, towns = excluded.towns,
       periods = excluded.periods, words = excluded.words
 WHERE (s.published_at, s.ends_on, s.urgent, s.places, s.tags, s.towns, s.periods, s.words)
       IS DISTINCT FROM (excluded.published_at, excluded.ends_on, excluded.urgent, excluded.places, excluded.tags,
                         excluded.towns, excluded.periods, excluded.words)
"""
_ONE: Final = text(_WRITE.format(rows=_ROWS.format(chosen="AND a.id = :ad")))
_BATCH: Final = text(_WRITE.format(rows=_ROWS.format(chosen="AND a.id > :after AND a.id <= :last")))
_LEFT: Final = text(
    "DELETE FROM ads.ad_search s WHERE s.ad_id > :after AND s.ad_id <= :last AND NOT EXISTS"
    " (SELECT FROM ads.ad a WHERE a.id = s.ad_id AND a.state = 'published')"
)
_AT_ONCE: Final = 2000
"""Ads written again by one statement: well under the time that a statement is given."""


async def refresh(session: AsyncSession, ad: Ad) -> None:
    """Write what searches read of an ad, or remove it when it is not published; note its publication once."""
    if ad.state != "published":
        await session.execute(delete(AdSearch).where(AdSearch.ad_id == ad.id))
        return
    await session.execute(_ONE, {"ad": ad.id, "towns": sorted(TOWNS)})
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
    values = {"after": after, "last": last}
    written: CursorResult[object] = await session.execute(_BATCH, values | {"towns": sorted(TOWNS)})  # type: ignore[assignment]
    gone: CursorResult[object] = await session.execute(_LEFT, values)  # type: ignore[assignment]
    return written.rowcount + gone.rowcount, last
