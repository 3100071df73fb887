"""Mails of saved searches: each publication is matched once, and told once to each search.

`match` turns publications into lines of `SearchAlert`, which keeps (search, publication) apart for ever; `tell` writes
the mails of the lines that wait. A line and its mail are written in one transaction, so that whatever dies, a
publication is told once or is still to be told.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import standings_of
from core import clock, mail
from core.db import unit_of_work
from core.errors import InvalidInput
from modules.ads import saved as searches
from modules.ads import search, search_view
from modules.ads.models import Ad
from modules.ads.models_saved import SavedSearch, SearchAlert
from modules.ads.models_search import AdPublication
from modules.ads.people import shown
from modules.ads.reading import address_of
from modules.ads.specialties import specialty_names
from modules.ads.views import views

log = structlog.get_logger("repere.ads")
mail.add_templates(Path(__file__).parent / "templates")

DIGEST_HOUR: Final = 7
PUBLICATIONS: Final = 500
"""Publications matched at once."""
NAMED: Final = 15
"""Ads that one mail names."""
KEPT_DAYS: Final = 400
"""Days during which a handled publication is remembered: longer than any ad is published without passing again."""


async def run() -> tuple[int, int]:
    """Match what was published since the last run, and write the mails that are due.

    Returns:
        How many publications were matched, and how many mails were written.
    """
    matched = 0
    while True:
        async with unit_of_work() as session:
            done = await match(session)
        matched += done
        if done < PUBLICATIONS:
            break
    written = 0
    async with unit_of_work() as session:
        waiting = await due(session)
    for search_id in waiting:
        async with unit_of_work() as session:
            written += await tell(session, search_id)
    return matched, written


async def match(session: AsyncSession) -> int:
    """Match the publications that wait with every saved search that writes; return how many they were."""
    waiting = (
        await session.execute(
            select(AdPublication.id, AdPublication.ad_id, Ad.account_id)
            .join(Ad, Ad.id == AdPublication.ad_id)
            .where(AdPublication.handled_at.is_(None))
            .order_by(AdPublication.id)
            .limit(PUBLICATIONS)
            .with_for_update(of=AdPublication, skip_locked=True)
        )
    ).all()
    if not waiting:
        return 0
    by_ad = {row.ad_id: row for row in waiting}
    names = await specialty_names(session)
    told = select(SavedSearch).where(SavedSearch.frequency != "none").order_by(SavedSearch.id)
    for saved in await session.scalars(told):
        query = searches.read(saved, names)
        if query is None:
            continue
        found = await search.matching(session, query, by_ad)
        rows = [
            {"search_id": saved.id, "publication_id": by_ad[ad_id].id}
            for ad_id in sorted(found)
            # Nobody is told of what they wrote themselves.
            if by_ad[ad_id].account_id != saved.account_id
        ]
        if rows:
            await session.execute(insert(SearchAlert).on_conflict_do_nothing(), rows)
    await session.execute(
        update(AdPublication)
        .where(AdPublication.id.in_([row.id for row in waiting]))
        .values(handled_at=func.core.now())
    )
    return len(waiting)


async def due(session: AsyncSession) -> Sequence[int]:
    """Return the searches that have something to say: at once, or once the hour of the day's mail has come."""
    now = await clock.now(session)
    waits = exists().where(SearchAlert.search_id == SavedSearch.id, SearchAlert.told_at.is_(None))
    frequencies = [SavedSearch.frequency == "now"]
    if clock.local(now).hour >= DIGEST_HOUR:
        late = or_(SavedSearch.digest_on.is_(None), SavedSearch.digest_on < clock.today(now))
        frequencies.append(and_(SavedSearch.frequency == "daily", late))
    wanted = select(SavedSearch.id).where(or_(*frequencies), waits).order_by(SavedSearch.id)
    return (await session.scalars(wanted)).all()


async def tell(session: AsyncSession, search_id: int) -> int:
    """Write the mail of a saved search about all that waits; return how many mails that makes (0 or 1).

    Nothing is written to somebody whose standing ended, nor of an ad that is no longer shown or was published again.
    """
    saved = await session.scalar(
        select(SavedSearch).where(SavedSearch.id == search_id).with_for_update(skip_locked=True)
    )
    if saved is None or saved.frequency == "none":
        return 0
    today = clock.today(await clock.now(session))
    if saved.frequency == "daily" and saved.digest_on is not None and saved.digest_on >= today:
        return 0
    lines = (
        await session.execute(
            select(SearchAlert.publication_id, Ad)
            .join(AdPublication, AdPublication.id == SearchAlert.publication_id)
            .outerjoin(Ad, and_(Ad.id == AdPublication.ad_id, Ad.published_at == AdPublication.published_at, shown()))
            .where(SearchAlert.search_id == saved.id, SearchAlert.told_at.is_(None))
            .order_by(SearchAlert.publication_id.desc())
        )
    ).all()
    saved.digest_on = today
    await session.execute(
        update(SearchAlert)
        .where(SearchAlert.search_id == saved.id, SearchAlert.publication_id.in_([line[0] for line in lines]))
        .values(told_at=func.core.now())
    )
    ads = [line[1] for line in lines if line[1] is not None]
    return int(bool(ads) and await _write(session, saved, ads, lines[0][0]))


async def _write(session: AsyncSession, saved: SavedSearch, ads: Sequence[Ad], last: int) -> bool:
    standing = (await standings_of(session, (saved.account_id,))).get(saved.account_id)
    to = await address_of(session, saved.account_id)
    names = await specialty_names(session)
    query = searches.read(saved, names)
    if standing is None or to is None or query is None:
        return False
    stop = searches.stop_path(saved.uid)
    try:
        return await mail.queue(
            session,
            kind="ads.alert",
            key=f"{saved.uid}:{last}",
            to=to,
            to_name=standing.name,
            template="ads/alert",
            context={
                "name": saved.name,
                "summary": search_view.summary(query, names),
                "ads": await views(session, ads[:NAMED]),
                "count": len(ads),
                "more": max(0, len(ads) - NAMED),
                "daily": saved.frequency == "daily",
                "path": f"/annonces/{ads[0].number}" if len(ads) == 1 else _address(saved),
                "stop": stop,
            },
            unsubscribe=stop,
        )
    except InvalidInput:
        # Nobody can be written to at this address any longer: the search goes on in the site.
        log.warning("ads_alert_address_refused", search=saved.id)
        return False


def _address(saved: SavedSearch) -> str:
    return "/annonces" + (f"?{saved.query}" if saved.query else "")


async def tidy(session: AsyncSession) -> int:
    """Forget the publications that were handled long ago, with what was told of them."""
    old = func.core.now() - func.make_interval(0, 0, 0, KEPT_DAYS)
    gone = await session.execute(
        delete(AdPublication)
        .where(AdPublication.handled_at < old)
        .where(~exists().where(Ad.id == AdPublication.ad_id, Ad.published_at == AdPublication.published_at))
        .returning(AdPublication.id)
    )
    return len(gone.all())
