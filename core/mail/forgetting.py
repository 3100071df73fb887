"""Forgetting of people: what the outbox keeps of those who leave."""

from collections.abc import Collection

from sqlalchemy import func, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.models_mail import Mail


async def forget_recipients(session: AsyncSession, emails: Collection[str]) -> None:
    """Erase what was written to these addresses, or in their name.

    What is still to leave is erased with age, like any mail.
    """
    known = [email.lower() for email in emails]
    theirs = or_(func.lower(Mail.recipient).in_(known), func.lower(Mail.reply_to).in_(known))
    await session.execute(
        update(Mail)
        .where(theirs, Mail.state.in_(("sent", "failed")))
        .values(recipient="", recipient_name="", reply_to=None, subject="", text=None, html=None, reason=None)
    )
