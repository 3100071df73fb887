"""How people are reached for a use: what other packages may show or write to."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import Account
from accounts.models_coordinates import Coordinate, CoordinateUse

USES: Final = ("ordre", "rpps", "domicile", "annonces")
KINDS: Final = ("address", "email", "mobile", "phone")
"""In the order of the table of « Mes coordonnées »."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How somebody is reached for a use."""

    address: str | None = None
    email: str | None = None
    mobile: str | None = None
    phone: str | None = None

    @property
    def reachable(self) -> bool:
        """Whether somebody who reads it can answer by mail or by telephone."""
        return bool(self.email or self.mobile or self.phone)


async def reaches(session: AsyncSession, account_ids: Collection[int], use: str) -> dict[int, Reach]:
    """Return how several people are reached for a use, by account; those of closed accounts are left out.

    Mails are sent to the use `ordre`: its e-mail is always one that its owner confirmed, that of the account when no
    other serves. The e-mail of another use may come from a register: it may be shown, not written to.

    Raises:
        ValueError: the use is not one of `USES`.
    """
    if use not in USES:
        raise ValueError(use)
    rows = await session.execute(
        select(Account.id, Account.email, Account.email_confirmed_at, Coordinate.kind, Coordinate.value)
        .select_from(Account)
        .outerjoin(CoordinateUse, and_(CoordinateUse.account_id == Account.id, CoordinateUse.use == use))
        .outerjoin(
            Coordinate,
            and_(
                Coordinate.id == CoordinateUse.coordinate_id,
                (Coordinate.kind != "email") | Coordinate.confirmed_at.is_not(None) | (CoordinateUse.use != "ordre"),
            ),
        )
        .where(Account.id.in_(account_ids), Account.status == "active")
        .order_by(Account.id, Coordinate.kind)
    )
    found: dict[int, dict[str, str]] = {}
    for account_id, email, confirmed_at, kind, value in rows:
        held = found.setdefault(account_id, {})
        if use == "ordre" and email is not None and confirmed_at is not None:
            held.setdefault("email", email)
        if kind is not None:
            held[kind] = value
    return {account_id: Reach(**held) for account_id, held in found.items()}


async def reach(session: AsyncSession, account_id: int, use: str) -> Reach:
    """Return how somebody is reached for a use; nothing for a closed account.

    Raises:
        ValueError: the use is not one of `USES`.
    """
    return (await reaches(session, (account_id,), use)).get(account_id, Reach())
