"""What people keep at hand: services, offers and whatever a package keeps under a kind of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models_home import Favourite
from core.errors import InvalidInput, NotFound

LIMIT = 500
"""Favourites of one kind."""
LONGEST_REF = 200
LONGEST_NOTE = 2000
_GONE = "Ce favori n’existe plus."


@dataclass(frozen=True, slots=True)
class Kept:
    """A favourite, as its owner reads it."""

    ref: str
    note: str
    added_at: datetime


async def add_favourite(session: AsyncSession, account_id: int, kind: str, ref: str) -> bool:
    """Keep something, last of its kind; return whether it is new. Keeping it twice changes nothing.

    Raises:
        InvalidInput: the account keeps as many as it may, or the reference is not one.
    """
    if not ref or len(ref) > LONGEST_REF:
        raise InvalidInput("Ce favori n’a pas la bonne forme.")
    await _lock(session, account_id, kind)
    count, last = (
        await session.execute(
            select(func.count(), func.coalesce(func.max(Favourite.position), 0)).where(
                Favourite.account_id == account_id, Favourite.kind == kind
            )
        )
    ).one()
    if count >= LIMIT and not await is_favourite(session, account_id, kind, ref):
        raise InvalidInput(f"Vous gardez déjà {LIMIT} favoris : retirez-en un pour en ajouter un autre.")
    added = await session.execute(
        insert(Favourite)
        .values(account_id=account_id, kind=kind, ref=ref, position=last + 1)
        .on_conflict_do_nothing()
        .returning(Favourite.id)
    )
    return added.first() is not None


async def remove_favourite(session: AsyncSession, account_id: int, kind: str, ref: str) -> None:
    """Stop keeping something, with its note; removing what is not kept changes nothing."""
    await session.execute(
        delete(Favourite).where(Favourite.account_id == account_id, Favourite.kind == kind, Favourite.ref == ref)
    )


async def is_favourite(session: AsyncSession, account_id: int, kind: str, ref: str) -> bool:
    """Tell whether an account keeps something."""
    found = await session.scalar(
        select(Favourite.id).where(Favourite.account_id == account_id, Favourite.kind == kind, Favourite.ref == ref)
    )
    return found is not None


async def favourites(session: AsyncSession, account_id: int, kind: str) -> list[Kept]:
    """Return what an account keeps of a kind, in its owner's order."""
    rows = await session.execute(
        select(Favourite.ref, Favourite.note, Favourite.added_at)
        .where(Favourite.account_id == account_id, Favourite.kind == kind)
        .order_by(Favourite.position, Favourite.id)
        .limit(LIMIT)
    )
    return [Kept(row.ref, row.note, row.added_at) for row in rows]


async def note_favourite(session: AsyncSession, account_id: int, kind: str, ref: str, note: str) -> None:
    """Write the private note of a favourite.

    Raises:
        InvalidInput: the note is too long.
        NotFound: it is no longer kept.
    """
    if len(note) > LONGEST_NOTE:
        message = f"Cette note est trop longue ({LONGEST_NOTE} caractères au plus)."
        raise InvalidInput(message, fields={"note": message})
    written = await session.execute(
        update(Favourite)
        .where(Favourite.account_id == account_id, Favourite.kind == kind, Favourite.ref == ref)
        .values(note=note.replace("\x00", "").strip())
        .returning(Favourite.id)
    )
    if written.first() is None:
        raise NotFound(_GONE)


async def raise_favourite(session: AsyncSession, account_id: int, kind: str, ref: str) -> None:
    """Move a favourite one rank up; the first one stays where it is, and so does what is no longer kept."""
    await _lock(session, account_id, kind)
    refs = [kept.ref for kept in await favourites(session, account_id, kind)]
    rank = refs.index(ref) if ref in refs else 0
    if rank == 0:
        return
    refs[rank - 1], refs[rank] = refs[rank], refs[rank - 1]
    await _arrange(session, account_id, kind, refs)


async def place_favourite(session: AsyncSession, account_id: int, kind: str, ref: str, before: str) -> None:
    """Keep something, and put it before another favourite; last when that one is not kept.

    Raises:
        InvalidInput: the account keeps as many as it may, or the reference is not one.
    """
    if ref == before:
        return
    await add_favourite(session, account_id, kind, ref)
    refs = [kept.ref for kept in await favourites(session, account_id, kind) if kept.ref != ref]
    refs.insert(refs.index(before) if before in refs else len(refs), ref)
    await _arrange(session, account_id, kind, refs)


async def _arrange(session: AsyncSession, account_id: int, kind: str, refs: Sequence[str]) -> None:
    for position, one in enumerate(refs, start=1):
        await session.execute(
            update(Favourite)
            .where(Favourite.account_id == account_id, Favourite.kind == kind, Favourite.ref == one)
            .values(position=position)
        )


async def _lock(session: AsyncSession, account_id: int, kind: str) -> None:
    """Take turns between the tabs of one person, so that two favourites never get one position."""
    key = f"favourite:{account_id}:{kind}"
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
