"""Time that passes: deadlines of the database, moved for the length of a test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import URL

from core import db

Later = Callable[[str], Awaitable[None]]


@pytest.fixture
async def later(clean_database: URL) -> AsyncIterator[Later]:
    """Move the clock of the database by an interval from now (« 25 hours »)."""

    async def move(interval: str) -> None:
        await db.dispose()

        @event.listens_for(db.engine().sync_engine, "checkout")
        def shift(connection: Any, _record: Any, _proxy: Any) -> None:
            cursor = connection.cursor()
            cursor.execute("SELECT set_config('repere.clock_shift', %s, false)", (interval,))
            cursor.close()

    yield move
    await db.dispose()
