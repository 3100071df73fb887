"""Closing of an account: what it may do ends, who it was is erased, what it did keeps its reference."""

from collections.abc import Awaitable, Callable

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import delegations, support
from accounts.models import Account, Grant
from accounts.models_home import Favourite, Message
from accounts.service import end_all, note, take_back
from core import clock

Eraser = Callable[[AsyncSession, Account], Awaitable[None]]
_erasers: list[Eraser] = []


def add_eraser(eraser: Eraser) -> None:
    """Add what a package erases of an account that closes, in the same transaction."""
    if eraser not in _erasers:
        _erasers.append(eraser)


async def close_account(session: AsyncSession, account: Account, by: str) -> None:
    """Close an account for ever: sign-ins, rights and delegations end, names and addresses go.

    Args:
        session: the unit of work, which the caller commits.
        account: an account that the caller has locked.
        by: who closes it, for the histories.
    """
    await end_all(session, account.id)
    grants = await session.scalars(select(Grant).where(Grant.account_id == account.id, Grant.ended_at.is_(None)))
    held = [(grant.role, grant.scope) for grant in grants]
    await delegations.end_all_of(session, account, by)
    for role, scope in held:
        await take_back(session, account.id, role, scope, by=by)
    await session.flush()
    for role, scope in held:
        if role == "professional":
            await delegations.end_all_over(session, scope.removeprefix("rpps:"), by)
    await support.erase(session, account)
    await session.execute(delete(Favourite).where(Favourite.account_id == account.id))
    await session.execute(delete(Message).where(Message.account_id == account.id))
    for eraser in _erasers:
        await eraser(session, account)
    account.status = "closed"
    account.closed_at = await clock.now(session)
    account.title = account.email = account.email_wanted = account.password_hash = account.phone = None
    account.profession = account.specialty = account.psc_subject = account.rpps = account.rpps_claimed = None
    account.demo = None
    account.last_name = account.first_name = ""
    account.version += 1
    note(session, account.id, by, "closed")
