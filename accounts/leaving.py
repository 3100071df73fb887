"""Leaving: all that we keep of a person, given to them or erased."""

from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import delegations, links, own, service, states, support, traces
from accounts.models import Account, AccountHistory, Grant, SignIn
from accounts.models_home import Favourite, Message
from accounts.models_password import KnownDevice, MailLink, SignInCode
from accounts.models_psc import PscCard
from accounts.person import Person
from core import clock, personal
from core.mail.forgetting import forget_recipients

EXPORTED_LINES: Final = 10_000


async def close(session: AsyncSession, account: Account, by: str) -> None:
    """Close an account for ever: who it was is erased everywhere; what was done keeps a reference without a name."""
    emails = tuple(address for address in (account.email, account.email_wanted) if address)
    subject = personal.Subject(account.id, account.uid, account.rpps, emails)
    if account.email:
        await links.tell(session, account, "closed", str(account.uid))
    await service.end_all(session, account.id)
    grants = await session.scalars(select(Grant).where(Grant.account_id == account.id, Grant.ended_at.is_(None)))
    held = [(grant.role, grant.scope) for grant in grants]
    await delegations.end_all_of(session, account, by)
    for role, scope in held:
        await service.take_back(session, account.id, role, scope, by=by)
    await session.flush()
    for role, scope in held:
        if role == "professional":
            await delegations.end_all_over(session, scope.removeprefix("rpps:"), by)
    await support.erase(session, account)
    await session.execute(delete(Favourite).where(Favourite.account_id == account.id))
    await session.execute(delete(Message).where(Message.account_id == account.id))
    await personal.erase(session, subject)
    await session.execute(delete(PscCard).where(PscCard.subject == account.psc_subject))
    await forget_recipients(session, emails)
    await session.execute(delete(MailLink).where(MailLink.account_id == account.id))
    await session.execute(delete(SignInCode).where(SignInCode.account_id == account.id))
    await session.execute(delete(KnownDevice).where(KnownDevice.account_id == account.id))
    await session.execute(update(SignIn).where(SignIn.account_id == account.id).values(device="", id_token=None))
    states.pass_to(account, "closed")
    for name in _ERASED:
        setattr(account, name, None)
    account.last_name = account.first_name = ""
    account.closed_at = await clock.now(session)
    account.version += 1
    service.note(session, account.id, by, "closed")


_ERASED = (
    "title",
    "email",
    "email_wanted",
    "email_confirmed_at",
    "password_hash",
    "phone",
    "phone_fixed",
    "profession",
    "specialty",
    "psc_subject",
    "rpps",
    "rpps_claimed",
    "identifier_claimed",
    "comment",
    "demo",
)


async def exported(session: AsyncSession, person: Person) -> dict[str, Any]:
    """Return all that we keep of a person, as JSON can say it; no secret is part of it."""
    account = await own.mine(session, person)
    subject = personal.Subject(account.id, account.uid, account.rpps, tuple(filter(None, (account.email,))))
    shown = ("uid", "status", *(name for name in _ERASED if name != "password_hash"), "last_name", "first_name")
    grants = await session.scalars(select(Grant).where(Grant.account_id == account.id).order_by(Grant.id))
    history = await session.scalars(
        select(AccountHistory)
        .where(AccountHistory.account_id == account.id)
        .order_by(AccountHistory.id.desc())
        .limit(EXPORTED_LINES)
    )
    signs = await session.scalars(
        select(SignIn).where(SignIn.account_id == account.id).order_by(SignIn.id.desc()).limit(EXPORTED_LINES)
    )
    return {
        "compte": {name: getattr(account, name) for name in shown}
        | {"created_at": account.created_at, "terms_accepted_at": account.terms_accepted_at},
        "droits": [
            {"role": g.role, "scope": g.scope, "origin": g.origin, "given_at": g.given_at, "ended_at": g.ended_at}
            for g in grants
        ],
        "connexions": [
            {"method": s.method, "device": s.device, "opened_at": s.opened_at, "ended_at": s.ended_at} for s in signs
        ],
        "historique": [{"at": h.at, "actor": h.actor, "action": h.action, "detail": h.detail} for h in history],
        **await traces.export(session, subject),
        **await personal.export(session, subject),
    }
