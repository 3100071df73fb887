"""What a person takes along of their home: favourites, messages, requests for help, delegations."""

from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models_delegation import Delegation
from accounts.models_home import Favourite, Message
from accounts.models_support import SupportEntry, SupportRequest
from core import personal

_LINES: Final = 10_000


async def _kept(session: AsyncSession, subject: personal.Subject) -> object:
    favourites = await session.scalars(
        select(Favourite).where(Favourite.account_id == subject.account_id).order_by(Favourite.id).limit(_LINES)
    )
    messages = await session.scalars(
        select(Message).where(Message.account_id == subject.account_id).order_by(Message.id.desc()).limit(_LINES)
    )
    return {
        "favoris": [{"kind": f.kind, "ref": f.ref, "note": f.note, "added_at": f.added_at} for f in favourites],
        "messages": [
            {"subject": m.subject, "body": m.body, "sent_at": m.sent_at, "read_at": m.read_at} for m in messages
        ],
    }


async def _asked(session: AsyncSession, subject: personal.Subject) -> object:
    """Return their requests with their threads; the operators' notes are not addressed to them."""
    requests = (
        await session.scalars(
            select(SupportRequest)
            .where(SupportRequest.account_id == subject.account_id)
            .order_by(SupportRequest.id)
            .limit(_LINES)
        )
    ).all()
    entries = await session.scalars(
        select(SupportEntry)
        .join(SupportRequest, SupportRequest.id == SupportEntry.request_id)
        .where(SupportRequest.account_id == subject.account_id, SupportEntry.side != "note")
        .order_by(SupportEntry.id)
        .limit(_LINES)
    )
    threads: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        threads.setdefault(entry.request_id, []).append({"at": entry.at, "side": entry.side, "text": entry.text})
    return [
        {
            "number": f"A-{one.id}",
            "kind": one.kind,
            "state": one.state,
            "name": one.name,
            "email": one.email,
            "phone": one.phone,
            "page": one.page,
            "opened_at": one.opened_at,
            "thread": threads.get(one.id, []),
        }
        for one in requests
    ]


async def _delegations(session: AsyncSession, subject: personal.Subject) -> object:
    mine = (Delegation.professional_id == subject.account_id, Delegation.delegate_id == subject.account_id)
    rows = await session.scalars(select(Delegation).where(or_(*mine)).order_by(Delegation.id).limit(_LINES))
    return [{"rpps": d.rpps, "email": d.email, "state": d.state, "opened_at": d.opened_at} for d in rows]


def register() -> None:
    """Give these to whoever downloads what is kept of them."""
    personal.register("accueil", export=_kept)
    personal.register("assistance", export=_asked)
    personal.register("delegations", export=_delegations)
