"""Figures of moderation: what there is, how long decisions take, how often they are refusals, month by month."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, Date, Select, Subquery, case, cast, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core import clock
from core.errors import Forbidden
from modules.ads.labels import CATEGORIES
from modules.ads.models import Ad, AdHistory
from modules.ads.people import Reader
from modules.ads.schemas_moderation import CategoryCounts, CouncilFigures, Delays, Month, Statistics

MONTHS: Final = 12
_WHOLE, _BY_MONTH, _BY_COUNCIL = 0b11, 0b01, 0b10
"""What `grouping(month, council)` says of a row: a bit for each that it does not name."""
_TOLD: Final = ("pending", "published", "unpublished", "refused")


def asked_council(reader: Reader, asked: str) -> str | None:
    """Return the council whose figures somebody may read; None for all of them together.

    Raises:
        Forbidden: it is not theirs.
    """
    if asked:
        if not reader.moderates_for(asked):
            raise Forbidden("Ces chiffres sont ceux d’un autre conseil.")
        return asked
    return None if reader.national else sorted(reader.councils)[0]


async def statistics(session: AsyncSession, reader: Reader, council: str | None) -> Statistics:
    """Return the figures of a council, or of all; `asked_council` has said that the reader may."""
    now = await clock.now(session)
    first = clock.today(now).replace(day=1) - relativedelta(months=MONTHS - 1)
    since = datetime.combine(first, time(), clock.PARIS)
    of = [Ad.council == council] if council is not None else []
    waiting, oldest = (
        await session.execute(select(func.count(), func.min(Ad.submitted_at)).where(Ad.state == "pending", *of))
    ).one()
    measured = (await session.execute(_measured(_decisions(since, of)))).all()
    year = next((row for row in measured if row.part == _WHOLE), None)
    by_month = {row.month: _delays(row) for row in measured if row.part == _BY_MONTH}
    by_council = {row.council: _delays(row) for row in measured if row.part == _BY_COUNCIL and row.council}
    return Statistics(
        council=council,
        made_at=now,
        waiting=waiting,
        oldest_waiting=oldest,
        categories=await _categories(session, of),
        year=Delays() if year is None else _delays(year),
        refused_later=await _refused_later(session, since, of),
        months=await _months(session, by_month, since, first, of),
        councils=[] if council is not None or not reader.national else await _councils(session, by_council),
    )


async def _categories(session: AsyncSession, of: Sequence[ColumnElement[bool]]) -> list[CategoryCounts]:
    rows = await session.execute(
        select(Ad.category, Ad.state, func.count())
        .where(Ad.state.in_(_TOLD), Ad.submitted_at.is_not(None), *of)
        .group_by(Ad.category, Ad.state)
        .order_by(Ad.category, Ad.state)
    )
    found: dict[str, dict[str, int]] = {category: {} for category in CATEGORIES}
    for category, state, count in rows:
        found.setdefault(category or "", {})[state] = count
    return [
        CategoryCounts(category=category, label=CATEGORIES.get(category, "Sans catégorie"), **counts)
        for category, counts in found.items()
    ]


def _decisions(since: datetime, of: Sequence[ColumnElement[bool]]) -> Subquery:
    """Select the decisions on ads that waited, each with the instant at which the ad had been transmitted."""
    sent = aliased(AdHistory)
    transmitted = (
        select(func.max(sent.at))
        .where(sent.ad_id == AdHistory.ad_id, sent.id < AdHistory.id, sent.action.in_(("submit", "revise")))
        .scalar_subquery()
    )
    return (
        select(
            Ad.council,
            AdHistory.action,
            cast(func.date_trunc("month", func.timezone("Europe/Paris", AdHistory.at)), Date).label("month"),
            (func.extract("epoch", AdHistory.at - transmitted) / 3600).label("hours"),
        )
        .join(Ad, Ad.id == AdHistory.ad_id)
        .where(
            AdHistory.action.in_(("accept", "refuse")), AdHistory.from_state == "pending", AdHistory.at >= since, *of
        )
        .subquery()
    )


def _measured(decisions: Subquery) -> Select[*tuple[Any, ...]]:
    """Measure decisions together, month by month and council by council; `part` says which of these a row is."""
    month, council = decisions.c.month, decisions.c.council

    def share(part: float) -> ColumnElement[float]:
        return func.percentile_cont(part).within_group(decisions.c.hours)

    return select(
        func.grouping(month, council).label("part"),
        month.label("month"),
        council.label("council"),
        func.count(case((decisions.c.action == "accept", 1))).label("accepted"),
        func.count(case((decisions.c.action == "refuse", 1))).label("refused"),
        share(0.5).label("median_hours"),
        share(0.9).label("slowest_hours"),
    ).group_by(func.grouping_sets(tuple_(), tuple_(month), tuple_(council)))


def _delays(row: Any) -> Delays:
    return Delays.model_validate(row, from_attributes=True)


async def _refused_later(session: AsyncSession, since: datetime, of: Sequence[ColumnElement[bool]]) -> int:
    count = await session.scalar(
        select(func.count())
        .select_from(AdHistory)
        .join(Ad, Ad.id == AdHistory.ad_id)
        .where(AdHistory.action == "refuse", AdHistory.from_state == "published", AdHistory.at >= since, *of)
    )
    return count or 0


async def _months(
    session: AsyncSession,
    measured: Mapping[date, Delays],
    since: datetime,
    first: date,
    of: Sequence[ColumnElement[bool]],
) -> list[Month]:
    month = cast(func.date_trunc("month", func.timezone("Europe/Paris", AdHistory.at)), Date)
    sent = await session.execute(
        select(month.label("month"), func.count().label("sent"))
        .join(Ad, Ad.id == AdHistory.ad_id)
        .where(AdHistory.action.in_(("submit", "revise")), AdHistory.at >= since, *of)
        .group_by(month)
        .order_by(month)
    )
    submitted = {row.month: row.sent for row in sent}
    months = [first + relativedelta(months=step) for step in range(MONTHS)]
    return [
        Month(
            month=one,
            submitted=submitted.get(one, 0),
            **measured.get(one, Delays()).model_dump(),
        )
        for one in months
    ]


async def _councils(session: AsyncSession, measured: Mapping[str, Delays]) -> list[CouncilFigures]:
    rows = await session.execute(
        select(Ad.council, Ad.state, func.count())
        .where(Ad.state.in_(("pending", "published")), Ad.council.is_not(None))
        .group_by(Ad.council, Ad.state)
        .order_by(Ad.council, Ad.state)
    )
    found: dict[str, dict[str, Any]] = {}
    for council, state, count in rows:
        found.setdefault(str(council), {})["waiting" if state == "pending" else "published"] = count
    for council, delays in measured.items():
        found.setdefault(council, {}).update(delays.model_dump())
    return [CouncilFigures(council=council, **figures) for council, figures in sorted(found.items())]
