"""An offer as its draft would publish it, read without publishing anything."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person
from core.errors import InvalidInput
from directory import offer_draft, offer_values
from directory import offer_steps as steps
from directory.describe import describe_offer, describe_site
from directory.offer_draft import Work
from directory.offer_steps import BY_KEY, Step
from directory.schemas import OfferDescription, OfferSheet, SiteDescription
from directory.sheets import offer_sheet


@dataclass(frozen=True, slots=True)
class Preview:
    """A sheet as its draft would publish it; `wrong`: the steps shown as published, since they cannot be yet."""

    sheet: OfferSheet
    published: bool
    drafted: bool
    wrong: tuple[Step, ...]


@asynccontextmanager
async def as_if_published(session: AsyncSession, person: Person, work: Work) -> AsyncIterator[tuple[Step, ...]]:
    """Have the session read an offer as its draft would publish it, and undo that at the end.

    The draft is really written, by what publishes it, inside a savepoint that never stands: what is shown cannot
    differ from what would be. Gives the steps that break a rule, which are read as they are published.
    """
    offer, place, wrong = _described(work)
    if not offer.model_fields_set:
        yield wrong
        return
    savepoint = await session.begin_nested()
    try:
        try:
            await describe_offer(session, work.offer.uid, offer, person.actor, work.offer.version)
            if place is not None:
                await describe_site(session, work.site.uid, place, person.actor, work.site.version)
        except InvalidInput:
            # A commune that no longer exists, say: only writing finds it.
            await savepoint.rollback()
            savepoint = await session.begin_nested()
            wrong = tuple(BY_KEY[key] for key in _keys(work))
        yield wrong
    finally:
        await savepoint.rollback()
        for row in (work.offer, work.site):
            await session.refresh(row)


def _keys(work: Work) -> list[str]:
    return steps.asked(list(work.draft.data)) if work.draft else []


def _described(work: Work) -> tuple[OfferDescription, SiteDescription | None, tuple[Step, ...]]:
    described: steps.Values = {}
    place, wrong = None, []
    for key in _keys(work):
        problems, found = steps.check(work.values, work.index, [key])
        if problems.fields:
            wrong.append(BY_KEY[key])
            continue
        described |= found
        names = [name for name in offer_values.SITE_FIELDS if steps.STEP_OF[name] == key]
        if any(not offer_values.same(name, work.values[name], work.published[name]) for name in names):
            place = steps.check_place(work.values, work.index, problems)
    return OfferDescription(**described), place, tuple(wrong)


async def offer_preview(session: AsyncSession, person: Person, uid: uuid.UUID, level: int) -> Preview:
    """Return the sheet of an offer as its draft would publish it, for who may edit it (level 1 public, 2 professional).

    Raises:
        NotFound: no such offer, or it is not this person's.
    """
    work = await offer_draft.open_work(session, person, uid)
    published = work.offer.status == "published"
    async with as_if_published(session, person, work) as wrong:
        sheet = await offer_sheet(session, uid, level, hidden=True)
    return Preview(sheet, published, bool(_keys(work)), wrong)
