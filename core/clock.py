"""Time: deadlines compare with SQL `core.now()`, which tests can shift; people read Europe/Paris."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

PARIS = ZoneInfo("Europe/Paris")


async def now(session: AsyncSession) -> datetime:
    """Return the database's (possibly shifted) present instant, in UTC."""
    value = await session.scalar(select(func.core.now()))
    assert isinstance(value, datetime)  # noqa: S101 - core.now() never returns NULL
    return value.astimezone(UTC)


def local(instant: datetime) -> datetime:
    """Return the instant on the wall clock of Paris."""
    return instant.astimezone(PARIS)


def today(instant: datetime | None = None) -> date:
    """Return the civil day in Paris of an instant, of the present one by default."""
    return local(instant or datetime.now(UTC)).date()
