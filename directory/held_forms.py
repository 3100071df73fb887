"""Forms sent after a sign-in had ended: kept for their browser, so that signing in again loses nothing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import InvalidInput
from directory.models_draft import HeldForm

HELD_FOR: Final = timedelta(hours=1)
HELD_MOST: Final = 2000
"""Forms held at once for everybody: a flood must not fill the disk."""
HELD_BYTES: Final = 64_000


async def hold_form(session: AsyncSession, holder: bytes, address: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Keep for an hour what a browser sent after its sign-in had ended; one form by address and browser.

    Raises:
        InvalidInput: it is far longer than any form of ours.
    """
    if sum(len(name) + len(value) for name, value in pairs) > HELD_BYTES:
        raise InvalidInput("Ce formulaire est trop long pour être gardé. Connectez-vous, puis envoyez-le à nouveau.")
    await session.execute(delete(HeldForm).where(HeldForm.held_at < func.core.now() - HELD_FOR))
    if (await session.scalar(select(func.count()).select_from(HeldForm)) or 0) >= HELD_MOST:
        return
    fields = [[name.replace("\x00", ""), value.replace("\x00", "")] for name, value in pairs]
    await session.execute(
        insert(HeldForm)
        .values(holder=holder, address=address, fields=fields, held_at=func.core.now())
        .on_conflict_do_update(
            index_elements=["holder", "address"], set_={"fields": fields, "held_at": func.core.now()}
        )
    )


async def held_form(session: AsyncSession, holder: bytes, address: str) -> list[tuple[str, str]] | None:
    """Return what was kept for a browser at an address, within the hour."""
    fields = await session.scalar(
        select(HeldForm.fields).where(
            HeldForm.holder == holder, HeldForm.address == address, HeldForm.held_at >= func.core.now() - HELD_FOR
        )
    )
    return [(name, value) for name, value in fields] if fields is not None else None


async def release_form(session: AsyncSession, holder: bytes, address: str) -> None:
    """Forget a form that was sent again."""
    await session.execute(delete(HeldForm).where(HeldForm.holder == holder, HeldForm.address == address))
