"""The ads of one author: the list with its filters, and what happened to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from modules.ads.labels import ACTIONS, REASONS
from modules.ads.models import Ad, AdHistory
from modules.ads.people import Reader

STATES: Final = ("draft", "pending", "published", "unpublished", "refused")
"""States that an author sees of their ads."""
PAGE: Final = 30


@dataclass(frozen=True, slots=True)
class Line:
    """What happened to an ad, as its author reads it: never the name of a moderator."""

    at: datetime
    action: str
    label: str
    who: str
    reason: str
    to_state: str


def _chosen(author: Reader, state: str, category: str) -> list[ColumnElement[bool]]:
    rules = [Ad.account_id == author.account_id, Ad.state == state if state else Ad.state.in_(STATES)]
    return [*rules, Ad.category == category] if category else rules


async def count(session: AsyncSession, author: Reader, state: str = "", category: str = "") -> int:
    """Count the ads of somebody."""
    return await session.scalar(select(func.count()).select_from(Ad).where(*_chosen(author, state, category))) or 0


async def listing(
    session: AsyncSession, author: Reader, state: str = "", category: str = "", *, offset: int = 0, limit: int = PAGE
) -> list[Ad]:
    """Return the ads of somebody, those that changed last first."""
    wanted = select(Ad).where(*_chosen(author, state, category)).order_by(Ad.updated_at.desc(), Ad.id.desc())
    return list(await session.scalars(wanted.offset(offset).limit(limit)))


async def one(session: AsyncSession, author: Reader, number: int) -> Ad | None:
    """Return an ad of somebody by its number; None when it is not theirs, or is deleted."""
    wanted = select(Ad).where(Ad.number == number, Ad.account_id == author.account_id, Ad.state.in_(STATES))
    found: Ad | None = await session.scalar(wanted.execution_options(populate_existing=True))
    return found


async def history(session: AsyncSession, ad: Ad, *, limit: int = 200) -> list[Line]:
    """Return what happened to an ad of one's own, newest first."""
    rows = await session.scalars(
        select(AdHistory).where(AdHistory.ad_id == ad.id).order_by(AdHistory.id.desc()).limit(limit)
    )
    return [line_of(row) for row in rows]


def line_of(row: AdHistory) -> Line:
    """Return a line of a history as the author of the ad reads it."""
    return Line(
        at=row.at,
        action=row.action,
        label=ACTIONS.get(row.action, row.action),
        who=_who(row),
        reason=REASONS.get(row.reason or "", row.reason or ""),
        to_state=row.to_state,
    )


def _who(row: AdHistory) -> str:
    if row.council is not None:
        return "Niveau national" if row.council == "national" else row.council
    return "Vous" if row.actor.startswith("account:") else "Repère"


async def refusal_reasons(session: AsyncSession, ads: Sequence[Ad]) -> dict[int, str]:
    """Return why ads that are refused were, by key; the empty text when nothing was said."""
    ids = [ad.id for ad in ads if ad.state == "refused"]
    if not ids:
        return {}
    last: Any = (
        select(AdHistory.ad_id, AdHistory.reason)
        .where(AdHistory.ad_id.in_(ids), AdHistory.action == "refuse")
        .order_by(AdHistory.ad_id, AdHistory.id.desc())
        .ext(distinct_on(AdHistory.ad_id))
    )
    return {row.ad_id: row.reason or "" for row in await session.execute(last)}
