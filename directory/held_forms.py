"""Forms sent after a sign-in had ended: kept for their browser, so that signing in again loses nothing."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from fastapi import Request
from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Limit, take
from core.errors import InvalidInput
from core.security import FORM_COOKIE, digest
from directory.models_draft import HeldForm

HELD_FOR: Final = timedelta(hours=1)
HELD_MOST: Final = 2000
"""Forms held at once for everybody, the oldest leave first: a flood must not fill the disk."""
HELD_BYTES: Final = 64_000
HOLDING: Final = Limit("held-form", 60, timedelta(seconds=30))
"""Forms kept from one network, a hospital perhaps: in an hour, far fewer than are held for everybody."""


def holder_of(request: Request) -> bytes:
    """Return what tells a browser from others, signed in or not."""
    return digest(f"held:{request.cookies.get(FORM_COOKIE, '')}")


async def hold_form(
    session: AsyncSession, holder: bytes, network: str, address: str, pairs: Sequence[tuple[str, str]]
) -> bool:
    """Keep for an hour what a browser sent after its sign-in had ended; one form by address and browser.

    Return whether it is kept: one network may not send too many.

    Raises:
        InvalidInput: it is far longer than any form of ours.
    """
    if sum(len(name) + len(value) for name, value in pairs) > HELD_BYTES:
        raise InvalidInput("Ce formulaire est trop long pour être gardé. Connectez-vous, puis envoyez-le à nouveau.")
    if await take(session, HOLDING, network) is not None:
        return False
    fields = [[name.replace("\x00", ""), value.replace("\x00", "")] for name, value in pairs]
    await session.execute(
        insert(HeldForm)
        .values(holder=holder, address=address, fields=fields, held_at=func.core.now())
        .on_conflict_do_update(
            index_elements=["holder", "address"], set_={"fields": fields, "held_at": func.core.now()}
        )
    )
    await _tidy(session)
    return True


async def _tidy(session: AsyncSession) -> None:
    oldest = select(HeldForm.id).order_by(HeldForm.held_at.desc(), HeldForm.id.desc()).offset(HELD_MOST)
    gone = or_(HeldForm.held_at < func.core.now() - HELD_FOR, HeldForm.id.in_(oldest))
    # Two that tidy at once would otherwise wait for each other.
    free = select(HeldForm.id).where(gone).with_for_update(skip_locked=True)
    await session.execute(delete(HeldForm).where(HeldForm.id.in_(free)))


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
