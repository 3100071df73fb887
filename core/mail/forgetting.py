"""Forgetting of people: what the outbox keeps of those who leave."""

from collections.abc import Collection

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.models_mail import Mail


async def forget_recipients(session: AsyncSession, emails: Collection[str]) -> None:
    """Erase what was written to these addresses; what is still to leave is erased with age, like any mail."""
    await session.execute(
        update(Mail)
        .where(func.lower(Mail.recipient).in_([email.lower() for email in emails]), Mail.state.in_(("sent", "failed")))
        .values(recipient="", recipient_name="", subject="", text=None, html=None, reason=None)
    )
