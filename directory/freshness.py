"""Sheets that nobody confirmed for long: who is asked, when, and the one click that says that all is still exact."""

import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Holder, holders
from core import clock, mail
from core.db import unit_of_work
from core.errors import NotFound
from core.events import NewEvent, record
from core.security import signature
from directory.models import History, Practitioner, Role, Site
from directory.models_offer import Offer
from directory.projection import refresh_search

STAGES: Final = (12, 6)
"""Months without a word after which a reminder leaves, the longest first."""
BATCH: Final = 500
"""Professionals, or establishments, whose offers are looked at in one reading."""
AUTHORS: Final = {"professional": "rpps", "site_manager": "finess"}
"""Roles whose holders are asked, and what their scopes name."""
LINK_DAYS: Final = 90
"""Days for which the link of a reminder answers."""
_PURPOSE: Final = "offers-exact"


@dataclass(frozen=True, slots=True)
class StaleOffer:
    """An offer to confirm, as the page and the mail name it."""

    id: int
    uid: uuid.UUID
    name: str
    site: str
    updated_at: datetime


def _silent(months: int) -> ColumnElement[bool]:
    return Offer.updated_at < func.core.now() - text(f"interval '{months} months'")


def _described() -> Select[*tuple[Any, ...]]:
    """Select the offers that somebody described and that people see, with their site and professional, if any."""
    return (
        select(Offer.id, Offer.uid, Offer.name, Site.name.label("site"), Offer.updated_at, Practitioner.rpps)
        .join(Site, Site.id == Offer.site_id)
        .outerjoin(Role, Role.id == Offer.role_id)
        .outerjoin(Practitioner, Practitioner.id == Role.practitioner_id)
        .where(
            Offer.described,
            Offer.status == "published",
            Offer.closed_on.is_(None),
            Site.closed_on.is_(None),
            Role.closed_on.is_(None),
            Practitioner.closed_on.is_(None),
        )
    )


def _offer(row: Any) -> StaleOffer:
    return StaleOffer(row.id, row.uid, row.name, row.site, row.updated_at)


async def stale_offers(session: AsyncSession, holder: Holder, months: int) -> list[StaleOffer]:
    """Return the offers of an account that nobody confirmed for some months, oldest first.

    A professional answers for their exercises, a manager for the offers of their establishments, never for the
    practices of liberal professionals inside.
    """
    theirs = or_(
        Practitioner.rpps.in_(holder.numbers("rpps")),
        and_(Site.finess.in_(holder.numbers("finess")), Offer.kind == "establishment"),
    )
    rows = await session.execute(
        _described().where(theirs, _silent(months)).order_by(Offer.updated_at, Offer.id).limit(200)
    )
    return [_offer(row) for row in rows]


async def _authors(session: AsyncSession, uids: Sequence[uuid.UUID]) -> list[Holder]:
    """Return accounts with what they answer for in every role, so that each is asked once."""
    found: dict[int, Holder] = {}
    for role, kind in AUTHORS.items():
        for one in await holders(session, role, uids=uids):
            scopes = tuple(scope for scope in one.scopes if scope.startswith(f"{kind}:"))
            known = found.get(one.account_id)
            found[one.account_id] = replace(one, scopes=(*(known.scopes if known else ()), *scopes))
    return [one for one in found.values() if one.scopes]


async def confirm(session: AsyncSession, offers: Sequence[uuid.UUID], actor: str) -> int | None:
    """Say that offers are still exact: their date moves, nothing else. Saying it twice the same day changes nothing.

    Returns:
        The position of the last event, which the next search must know of; None when nothing changed.
    """
    now = await clock.now(session)
    rows = (
        await session.scalars(
            select(Offer).where(Offer.uid.in_(offers), Offer.closed_on.is_(None)).order_by(Offer.id).with_for_update()
        )
    ).all()
    changed = [offer for offer in rows if clock.today(offer.updated_at) != clock.today(now)]
    for offer in changed:
        session.add(
            History(
                entity="offer",
                entity_id=offer.id,
                actor=actor,
                action="confirmed",
                detail={"updated_at": [offer.updated_at.isoformat(), now.isoformat()]},
            )
        )
        offer.updated_at = now
    await session.flush()
    await refresh_search(session, [offer.id for offer in changed], told=True)
    return await record(session, [NewEvent("offer_confirmed", "offer", offer.id) for offer in changed])


# -- The link of a reminder --------------------------------------------------------------------------------


def link_token(account: uuid.UUID, day: int) -> str:
    """Return what a reminder's link carries: whose offers, since which day (days of the epoch), our signature."""
    value = f"{account}.{day}"
    return f"{value}.{signature(_PURPOSE, value)}"


async def holder_of(session: AsyncSession, token: str) -> Holder:
    """Return whose reminder a link comes from.

    Raises:
        NotFound: nobody signed it, it is too old, or the account no longer answers for an offer.
    """
    gone = NotFound("Ce lien n’est plus valable. Connectez-vous pour vérifier votre offre dans « Mon offre ».")
    value, _, sent = token.rpartition(".")
    uid, _, day = value.partition(".")
    if not day.isascii() or not day.isdigit() or len(token) > 200:
        raise gone
    if not hmac.compare_digest(sent.encode(), signature(_PURPOSE, value).encode()):
        raise gone
    today = (await clock.now(session)).toordinal()
    if not 0 <= today - int(day) <= LINK_DAYS:
        raise gone
    found = await _authors(session, [uuid.UUID(uid)])
    if not found:
        raise gone
    return found[0]


# -- Reminders ---------------------------------------------------------------------------------------------


async def remind() -> int:
    """Write the reminders that are due, in short transactions; return how many mails are new.

    An offer silent for six months gives one mail, for twelve months another, whatever the number of runs: the key
    of a mail is its stage and the date since which nobody confirmed.
    """
    professionals = await _remind_by("professional", Practitioner.rpps)
    return professionals + await _remind_by("site_manager", Site.finess, Offer.kind == "establishment")


async def _remind_by(role: str, number: Any, *more: ColumnElement[bool]) -> int:
    sent, after = 0, ""
    while True:
        async with unit_of_work() as session:
            numbers = (
                await session.scalars(
                    _described()
                    .with_only_columns(number)
                    .where(_silent(STAGES[-1]), number > literal(after), *more)
                    .distinct()
                    .order_by(number)
                    .limit(BATCH)
                )
            ).all()
            if not numbers:
                return sent
            after = str(numbers[-1])
            scopes = [f"{AUTHORS[role]}:{one}" for one in numbers]
            found = await holders(session, role, scopes=scopes)
            for holder in await _authors(session, [one.uid for one in found]):
                sent += await _remind(session, holder)


async def _remind(session: AsyncSession, holder: Holder) -> bool:
    offers = await stale_offers(session, holder, STAGES[-1])
    if not offers or not holder.email:
        return False
    now = await clock.now(session)
    oldest = offers[0].updated_at
    months = next(stage for stage in STAGES if oldest < now - relativedelta(months=stage))
    return await mail.queue(
        session,
        kind="directory.reminder",
        key=f"{holder.uid}:{months}:{oldest:%Y-%m-%d}",
        to=holder.email,
        to_name=holder.name,
        template="directory/reminder",
        context={
            "name": holder.name,
            "months": months,
            "offers": [(offer.name, offer.site, offer.updated_at) for offer in offers[:10]],
            "more": max(0, len(offers) - 10),
            "path": f"/exact/{link_token(holder.uid, now.toordinal())}",
        },
        secret=True,
        expires_at=now + relativedelta(days=7),
    )
