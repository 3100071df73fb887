"""The clock of the tests of ads: set to an instant, in Paris."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from core import clock, db

At = Callable[[datetime], Awaitable[None]]


@pytest.fixture
async def at(clean_database: object) -> AsyncIterator[At]:
    """Set the clock of the database, and so of every deadline, to an instant."""
    shift = "0 seconds"

    def move(connection: Any, _record: Any, _proxy: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT set_config('repere.clock_shift', %s, false)", (shift,))
        cursor.close()

    async def go(instant: datetime) -> None:
        nonlocal shift
        await db.dispose()
        # In UTC: two hours of Paris subtract as if its clocks never changed.
        shift = f"{(instant.astimezone(UTC) - datetime.now(UTC)).total_seconds()} seconds"
        event.listen(db.engine().sync_engine, "checkout", move)

    yield go
    await db.dispose()


def paris(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    """Return an instant by the clocks of Paris."""
    return datetime(year, month, day, hour, minute, tzinfo=clock.PARIS)
