"""What the services of accounts keep of a person beside the account itself, for them to take along."""

from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models_delegation import Delegation
from accounts.models_home import Favourite, Message
from accounts.models_support import SupportEntry, SupportRequest
from core.personal import Subject

_MOST: Final = 10_000


async def export(session: AsyncSession, subject: Subject) -> dict[str, object]:
    """Return favourites, messages, requests for help and delegations, as JSON can say them."""
    mine = subject.account_id
    favourites = await session.scalars(
        select(Favourite).where(Favourite.account_id == mine).order_by(Favourite.position, Favourite.id).limit(_MOST)
    )
    messages = await session.scalars(
        select(Message).where(Message.account_id == mine).order_by(Message.id.desc()).limit(_MOST)
    )
    entries = await session.execute(
        select(SupportEntry.at, SupportEntry.author, SupportEntry.text, SupportRequest.kind, SupportRequest.state)
        .join(SupportRequest, SupportRequest.id == SupportEntry.request_id)
        .where(SupportRequest.account_id == mine, SupportEntry.side != "note")
        .order_by(SupportEntry.id)
        .limit(_MOST)
    )
    delegations = await session.scalars(
        select(Delegation)
        .where(or_(Delegation.delegate_id == mine, Delegation.professional_id == mine))
        .order_by(Delegation.id)
        .limit(_MOST)
    )
    return {
        "favoris": [{"kind": f.kind, "ref": f.ref, "note": f.note, "added_at": f.added_at} for f in favourites],
        "messages": [{"sent_at": m.sent_at, "subject": m.subject, "body": m.body} for m in messages],
        "assistance": [
            {"at": at, "author": author, "text": text, "kind": kind, "state": state}
            for at, author, text, kind, state in entries
        ],
        "delegations": [
            {"rpps": d.rpps, "email": d.email, "state": d.state, "opened_at": d.opened_at} for d in delegations
        ],
    }
