"""Who holds a right, for packages that have something to tell them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import Account, Grant

MOST = 5_000


@dataclass(frozen=True, slots=True)
class Holder:
    """An active account and the scopes over which it holds a role. `email` is confirmed, or None."""

    account_id: int
    uid: uuid.UUID
    name: str
    email: str | None
    scopes: tuple[str, ...]

    def numbers(self, kind: str) -> list[str]:
        """Return the values of the scopes of a kind: « 10101010101 » of `rpps:10101010101`."""
        return [scope.partition(":")[2] for scope in self.scopes if scope.startswith(f"{kind}:")]


async def holders(
    session: AsyncSession, role: str, *, scopes: Sequence[str] | None = None, uids: Sequence[uuid.UUID] | None = None
) -> list[Holder]:
    """Return the active accounts that hold a role, in order, with all the scopes over which they do.

    Args:
        session: the unit of work.
        role: such as professional.
        scopes: only those who hold it over one of these.
        uids: only these accounts.
    """
    wanted = select(Grant.account_id).where(Grant.role == role, Grant.ended_at.is_(None))
    if scopes is not None:
        wanted = wanted.where(Grant.scope.in_(scopes))
    statement = (
        select(Account, Grant.scope)
        .join(Grant, Grant.account_id == Account.id)
        .where(Account.id.in_(wanted), Account.status == "active", Grant.role == role, Grant.ended_at.is_(None))
        .order_by(Account.id, Grant.scope, Grant.id)
        .limit(MOST)
    )
    if uids is not None:
        statement = statement.where(Account.uid.in_(uids))
    found: dict[int, tuple[Account, list[str]]] = {}
    for account, scope in await session.execute(statement):
        found.setdefault(account.id, (account, []))[1].append(scope)
    return [
        Holder(
            account.id,
            account.uid,
            f"{account.first_name} {account.last_name}".strip(),
            account.email if account.email_confirmed_at else None,
            tuple(held),
        )
        for account, held in found.values()
    ]
