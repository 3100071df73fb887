"""Forgetting of what is over: sign-ups that nobody confirmed, links, codes, known browsers, counts."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import Account, AccountHistory, Grant, SignIn
from accounts.models_clients import CallWindow, ClientAssertion, ClientToken, ClientUsage
from accounts.models_password import KnownDevice, MailLink, Rate, SignInCode, SpentChallenge
from accounts.models_psc import PscAttempt, PscCard
from core import clock

UNCONFIRMED: Final = timedelta(days=7)
"""How long a sign-up waits for its address to be confirmed; the link may be asked for again meanwhile."""
LINKS: Final = timedelta(days=7)
"""How long a link that is over can still say why."""
USAGE: Final = timedelta(days=400)
"""How long what programs asked each day is kept."""
MOST: Final = 5_000


async def tidy(session: AsyncSession) -> dict[str, int]:
    """Erase what is over; return how many rows of each kind."""
    now = await clock.now(session)
    # Nobody ever entered such an account: it has done nothing that a history should remember.
    waiting = (
        await session.scalars(
            select(Account.id)
            .where(
                Account.status == "pending",
                Account.created_at < now - UNCONFIRMED,
                ~exists().where(SignIn.account_id == Account.id),
                ~exists().where(Grant.account_id == Account.id),
            )
            .order_by(Account.id)
            .limit(MOST)
            .with_for_update(skip_locked=True)
        )
    ).all()
    await session.execute(delete(AccountHistory).where(AccountHistory.account_id.in_(waiting)))
    await session.execute(delete(Account).where(Account.id.in_(waiting)))
    over = {
        "links": delete(MailLink).where(MailLink.expires_at < now - LINKS).returning(MailLink.id),
        "codes": delete(SignInCode).where(SignInCode.expires_at < now - timedelta(hours=1)).returning(SignInCode.id),
        "devices": delete(KnownDevice).where(KnownDevice.expires_at < now).returning(KnownDevice.id),
        "attempts": delete(PscAttempt).where(PscAttempt.expires_at < now - timedelta(hours=1)).returning(PscAttempt.id),
        "cards": delete(PscCard).where(PscCard.expires_at < now).returning(PscCard.id),
        "rates": delete(Rate).where(Rate.due_at < now).returning(Rate.kind),
        "tokens": delete(ClientToken).where(ClientToken.expires_at < now - timedelta(days=1)).returning(ClientToken.id),
        "assertions": delete(ClientAssertion)
        .where(ClientAssertion.expires_at < now)
        .returning(ClientAssertion.expires_at),
        "windows": delete(CallWindow).where(CallWindow.ends_at < now).returning(CallWindow.daily),
        "usage": delete(ClientUsage).where(ClientUsage.day < clock.today(now) - USAGE).returning(ClientUsage.client_id),
        "challenges": delete(SpentChallenge)
        .where(SpentChallenge.expires_at < now)
        .returning(SpentChallenge.expires_at),
    }
    erased = {name: len((await session.execute(statement)).all()) for name, statement in over.items()}
    return erased | {"sign_ups": len(waiting)}
