"""Use cases of delegations: a professional invites by mail, a delegate asks by RPPS.

Nothing here tells whether an address or a RPPS has an account: what is answered is the same, mails apart.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import inputs
from accounts.delegations import PAGE, passes, professionals, rpps_of, tell
from accounts.messages import send_message
from accounts.models import Account
from accounts.models_delegation import Delegation, DelegationPassage
from accounts.person import Person
from core import clock, mail
from core.errors import Forbidden, InvalidInput, TooMany
from core.security import digest, new_token

LIFE: Final = timedelta(days=30)
"""How long an invitation or a demand waits for its answer."""
WAITING_MAX: Final = 20
"""Invitations or demands of one person that wait at once."""
PER_DAY: Final = 20


async def invite(session: AsyncSession, person: Person, given: str) -> None:
    """Invite somebody to write for a professional, by mail; whether they have an account shows nowhere.

    Raises:
        Forbidden: the person is no professional.
        InvalidInput: the address is refused, is theirs, or was already invited.
        TooMany: too many invitations wait, or were sent today.
    """
    mine = rpps_of(person)
    if not mine:
        raise Forbidden("Seul un professionnel de santé reconnu par son RPPS invite un délégué.")
    errors = inputs.Errors()
    email = errors.check("email", inputs.needed_email, given)
    if person.email and email.lower() == person.email.lower():
        errors.refuse("email", "Cette adresse est la vôtre : écrivez celle de la personne que vous invitez.")
    errors.stop()
    rpps = mine[0]
    await _expire(session, Delegation.rpps == rpps)
    await _bound(session, Delegation.rpps == rpps, "invited")
    known = await session.scalar(
        select(Delegation.id).where(
            Delegation.rpps == rpps, Delegation.state == "invited", func.lower(Delegation.email) == email.lower()
        )
    )
    if known is not None:
        message = "Une invitation attend déjà sa réponse à cette adresse : retirez-la pour en envoyer une autre."
        raise InvalidInput(message, fields={"email": message})
    token = new_token()
    made = await _open(session, person, rpps, "invited", email=email, token=token)
    await mail.queue(
        session,
        kind="accounts.delegation_invited",
        key=str(made.id),
        to=email,
        template="accounts/delegation_invited",
        context={"who": person.name, "path": f"{PAGE}/invitation/{token}", "until": made.expires_at},
        secret=True,
        expires_at=made.expires_at,
    )
    known_account = await session.scalar(
        select(Account).where(
            func.lower(Account.email) == email.lower(),
            Account.email_confirmed_at.is_not(None),
            Account.status == "active",
        )
    )
    if known_account is not None:
        await send_message(
            session,
            known_account.id,
            kind="delegation.invited",
            key=str(made.id),
            subject=f"{person.name} vous invite à tenir sa fiche à jour",
            body="Acceptez ou refusez cette invitation parmi vos délégations.",
            link=PAGE,
        )


async def ask(session: AsyncSession, person: Person, given: str) -> None:
    """Ask a professional to write for them; whether anybody has this RPPS shows nowhere.

    Raises:
        InvalidInput: the number is refused, is theirs, or they already write for it.
        TooMany: too many demands wait, or were made today.
    """
    errors = inputs.Errors()
    rpps = errors.check("rpps", inputs.needed_rpps, given)
    if rpps == person.rpps or rpps in rpps_of(person):
        errors.refuse("rpps", "Ce numéro est le vôtre : vous n’avez besoin de personne pour votre propre fiche.")
    elif person.has("delegate", f"rpps:{rpps}"):
        errors.refuse("rpps", "Vous tenez déjà à jour la fiche de ce professionnel.")
    errors.stop()
    mine = Delegation.delegate_id == person.account_id
    await _expire(session, mine)
    known = await session.scalar(
        select(Delegation.id).where(mine, Delegation.rpps == rpps, Delegation.state == "requested")
    )
    if known is not None:
        message = "Votre demande à ce professionnel attend déjà sa réponse."
        raise InvalidInput(message, fields={"rpps": message})
    await _bound(session, mine, "requested")
    made = await _open(session, person, rpps, "requested")
    for account in await professionals(session, rpps):
        await tell(
            session,
            account,
            made,
            "requested",
            f"{person.name} demande à tenir votre fiche à jour",
            "Acceptez ou refusez cette demande parmi vos délégations.",
            {"who": person.name, "email": person.email or ""},
        )


async def _open(
    session: AsyncSession,
    person: Person,
    rpps: str,
    state: str,
    *,
    email: str | None = None,
    token: str | None = None,
) -> Delegation:
    invited = state == "invited"
    now = await clock.now(session)
    made = Delegation(
        rpps=rpps,
        professional_id=person.account_id if invited else None,
        delegate_id=None if invited else person.account_id,
        email=email,
        state=state,
        token=digest(token) if token else None,
        opened_at=now,
        expires_at=now + LIFE,
        version=1,
    )
    session.add(made)
    await session.flush()
    action = "invite" if invited else "request"
    session.add(
        DelegationPassage(delegation_id=made.id, actor=person.actor, action=action, from_state=None, to_state=state)
    )
    return made


async def _expire(session: AsyncSession, side: ColumnElement[bool]) -> None:
    """Note what waited too long, so that it can be asked again."""
    rows = await session.scalars(
        select(Delegation)
        .where(
            side,
            Delegation.state.in_(("invited", "requested")),
            Delegation.expires_at <= func.core.now(),
        )
        .with_for_update()
    )
    for row in rows:
        passes(session, row, "expire", "échéance")
    await session.flush()


async def _bound(session: AsyncSession, side: ColumnElement[bool], state: str) -> None:
    since = await clock.now(session) - timedelta(days=1)
    initiated = Delegation.email.is_not(None) if state == "invited" else Delegation.email.is_(None)
    waiting, today = (
        await session.execute(
            select(
                func.count().filter(Delegation.state == state), func.count().filter(Delegation.opened_at > since)
            ).where(side, initiated)
        )
    ).one()
    if waiting >= WAITING_MAX or today >= PER_DAY:
        raise TooMany(
            "Trop d’invitations ou de demandes attendent déjà, ou ont été faites aujourd’hui : celle-ci n’est pas "
            "envoyée. Retirez-en, ou réessayez demain."
        )
