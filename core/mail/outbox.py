"""Writing of mails in the outbox, in the transaction of what they announce."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.mail import rendering, waking
from core.mail.addresses import LONGEST_NAME, one_line, valid_address
from core.mail.settings import public_host
from core.models_mail import Mail

KEPT_TRYING: Final = timedelta(days=3)
"""How long the sending of an ordinary mail is tried."""
SECRET_LIFE: Final = timedelta(days=1)
"""How long that of a secret is, unless the caller says."""


async def queue(
    session: AsyncSession,
    *,
    kind: str,
    key: str,
    to: str,
    template: str,
    context: Mapping[str, Any] | None = None,
    to_name: str = "",
    secret: bool = False,
    expires_at: datetime | None = None,
    reply_to: str | None = None,
    unsubscribe: str | None = None,
) -> bool:
    """Write a mail in the outbox; it leaves within a second or two of the caller's commit, and never without it.

    Args:
        session: the caller's unit of work.
        kind: what is announced, such as `accounts.reset`.
        key: which one; asked for again under the same kind and key, it stays one mail.
        to: the address.
        template: name of a pair of templates, such as `accounts/reset`.
        context: what the templates need.
        to_name: the name of the person, for the header.
        secret: the content (a code, a link that opens) is erased from the outbox once sent, and logged nowhere.
        expires_at: the instant after which it is no longer worth sending.
        reply_to: the address that answers go to, instead of the contact of the service.
        unsubscribe: the path of ours where a POST without sign-in stops such mails, for the mail program's own button.

    Returns:
        Whether the mail is new.

    Raises:
        InvalidInput: an address cannot be written to.
    """
    recipient = valid_address(to, field="to")
    drawn = rendering.render(template, context or {})
    now = await clock.now(session)
    uid = uuid.uuid4()
    row = await session.scalar(
        insert(Mail)
        .values(
            uid=uid,
            kind=kind,
            key=key,
            message_id=f"<{uid}@{public_host()}>",
            recipient=recipient,
            recipient_name=one_line(to_name, LONGEST_NAME),
            reply_to=valid_address(reply_to, field="reply_to") if reply_to else None,
            unsubscribe=unsubscribe,
            subject=drawn.subject,
            text=drawn.text,
            html=drawn.html,
            secret=secret,
            history=[{"to": "queued", "at": now.isoformat(), "who": kind}],
            queued_at=now,
            touched_at=now,
            next_at=now,
            give_up_at=expires_at or now + (SECRET_LIFE if secret else KEPT_TRYING),
        )
        .on_conflict_do_nothing(index_elements=["kind", "key"])
        .returning(Mail.id)
    )
    if row is None:
        return False
    waking.at_commit(session, row)
    return True
