"""Use cases of delegations: answering, ending, the right that follows at once; `delegation_states` says what may be."""

import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import delegation_queries as queries
from accounts import delegation_states as states
from accounts.messages import send_message
from accounts.models import Account, Grant
from accounts.models_delegation import Delegation, DelegationPassage
from accounts.person import Person
from accounts.service import give, take_back
from core import clock, mail
from core.errors import Conflict, Forbidden, NotFound
from core.security import digest

PAGE: Final = "/compte/delegations"
_GONE: Final = "Cette délégation n’existe pas, ou ne vous concerne pas."
_OVER: Final = (
    "Cette invitation n’est plus valable : elle a expiré, a reçu sa réponse ou a été retirée. Demandez-en une autre."
)


def rpps_of(person: Person) -> list[str]:
    """Return the RPPS numbers in whose name a person may be written for."""
    return [scope.removeprefix("rpps:") for scope in person.scopes("professional") if scope.startswith("rpps:")]


async def act(session: AsyncSession, uid: uuid.UUID, version: int, action: str, person: Person) -> str:
    """Accept, refuse or cancel what waits, or end what was accepted; return the new state.

    Raises:
        NotFound: the person is on neither side.
        Forbidden: it is for the other side to do.
        Conflict: it changed meanwhile.
    """
    found = await session.scalar(
        select(Delegation).where(Delegation.uid == uid).with_for_update().execution_options(populate_existing=True)
    )
    sides = [] if found is None else await _sides(session, found, person)
    if found is None or not sides:
        raise NotFound(_GONE)
    if found.version != version:
        raise Conflict("Cette délégation a changé entre-temps : rien n’a été modifié. Relisez la page.")
    return await _answer(session, found, action, sides, person)


async def invitation(session: AsyncSession, token: str) -> tuple[Delegation, Account]:
    """Return the invitation that a mail's link holds, and the professional who sent it.

    Raises:
        NotFound: it was answered, withdrawn, or has expired.
    """
    row = (
        await session.execute(
            select(Delegation, Account)
            .join(Account, Account.id == Delegation.professional_id)
            .where(
                Delegation.token == digest(token),
                Delegation.state == "invited",
                Delegation.expires_at > func.core.now(),
                Account.status == "active",
            )
        )
    ).one_or_none()
    if row is None:
        raise NotFound(_OVER)
    return row[0], row[1]


async def answer_invitation(session: AsyncSession, token: str, action: str, person: Person) -> str:
    """Accept or refuse the invitation of a mail's link: holding it proves that the address is theirs.

    Raises:
        NotFound: the invitation is over.
        Forbidden: the person is the professional who sent it.
    """
    found, _ = await invitation(session, token)
    locked = await session.scalar(
        select(Delegation)
        .where(Delegation.id == found.id, Delegation.state == "invited")
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if locked is None:
        raise NotFound(_OVER)
    if locked.rpps in rpps_of(person):
        raise Forbidden("Cette invitation est la vôtre : c’est à la personne invitée d’y répondre.")
    return await _answer(session, locked, action, [states.DELEGATE], person)


async def end_grant(session: AsyncSession, grant_id: int, person: Person) -> None:
    """End a delegation by the right that it gave; ending it twice changes nothing.

    Raises:
        NotFound: the right is neither the person's nor over their RPPS.
    """
    grant = await session.get(Grant, grant_id)
    if grant is None or grant.role != "delegate":
        raise NotFound(_GONE)
    rpps = grant.scope.removeprefix("rpps:")
    if grant.account_id != person.account_id and rpps not in rpps_of(person):
        raise NotFound(_GONE)
    if grant.ended_at is not None:
        return
    await take_back(session, grant.account_id, "delegate", grant.scope, by=person.actor)
    await close_rows(session, Delegation.delegate_id == grant.account_id, rpps, person.actor)
    others = (
        await professionals(session, rpps)
        if grant.account_id == person.account_id
        else [await session.get_one(Account, grant.account_id)]
    )
    for account in others:
        await send_message(
            session,
            account.id,
            kind="delegation.ended",
            key=str(grant.id),
            subject=f"{person.name} a mis fin à une délégation",
            body="Le droit d’écrire qu’elle donnait est retiré dès maintenant.",
            link=PAGE,
        )


async def close_rows(session: AsyncSession, side: ColumnElement[bool], rpps: str, actor: str) -> None:
    """Note that what was accepted over a RPPS has ended, the right being taken back elsewhere."""
    rows = await session.scalars(
        select(Delegation).where(side, Delegation.rpps == rpps, Delegation.state == "accepted").with_for_update()
    )
    for row in rows:
        passes(session, row, "end", actor)


async def end_all_of(session: AsyncSession, account: Account, actor: str) -> None:
    """End every delegation of an account that closes, on both sides, and take back the rights that they gave."""
    rows = await session.scalars(
        select(Delegation)
        .where(
            (Delegation.delegate_id == account.id) | (Delegation.professional_id == account.id),
            Delegation.state.in_(("invited", "requested", "accepted")),
        )
        .with_for_update()
    )
    for row in rows:
        if row.state == "accepted" and row.delegate_id is not None:
            await take_back(session, row.delegate_id, "delegate", f"rpps:{row.rpps}", by=actor)
        passes(session, row, "end" if row.state == "accepted" else "cancel", actor)
        if row.email is not None and row.delegate_id == account.id:
            row.email = None


async def end_all_over(session: AsyncSession, rpps: str, actor: str) -> None:
    """End every delegation over a RPPS that nobody holds any more."""
    if await professionals(session, rpps):
        return
    grants = await session.scalars(
        select(Grant).where(Grant.role == "delegate", Grant.scope == f"rpps:{rpps}", Grant.ended_at.is_(None))
    )
    for grant in grants:
        await take_back(session, grant.account_id, "delegate", grant.scope, by=actor)
    rows = await session.scalars(
        select(Delegation)
        .where(Delegation.rpps == rpps, Delegation.state.in_(("invited", "accepted")))
        .with_for_update()
    )
    for row in rows:
        passes(session, row, "end" if row.state == "accepted" else "cancel", actor)


async def _sides(session: AsyncSession, found: Delegation, person: Person) -> list[str]:
    if found.rpps in rpps_of(person):
        return [states.PROFESSIONAL]
    if found.delegate_id == person.account_id:
        return [states.DELEGATE]
    invited = await session.scalar(queries.invited(person.account_id).where(Delegation.id == found.id))
    return [states.DELEGATE] if invited is not None else []


async def _answer(session: AsyncSession, found: Delegation, action: str, sides: Sequence[str], person: Person) -> str:
    if found.state in ("invited", "requested") and found.expires_at <= await clock.now(session):
        raise Conflict(_OVER)
    if not any(states.may(found.state, action, side) for side in sides):
        if any(states.may(found.state, action, side) for side in (states.PROFESSIONAL, states.DELEGATE)):
            raise Forbidden("C’est à l’autre personne de répondre.")
        states.next_state(found.state, action)
        raise Forbidden("Cette action n’est pas possible.")
    invited = found.state == "invited"
    if action == "accept":
        await _accept(session, found, person)
    elif action == "end" and found.delegate_id is not None:
        await take_back(session, found.delegate_id, "delegate", f"rpps:{found.rpps}", by=person.actor)
    passes(session, found, action, person.actor)
    found.token = None
    await session.flush()
    if action in ("accept", "refuse"):
        await _tell_answer(session, found, action, person, invited=invited)
    return found.state


async def _accept(session: AsyncSession, found: Delegation, person: Person) -> None:
    """Give the right; what else waited or stood between the same two people gives way."""
    if found.state == "invited":
        others = await session.scalars(
            select(Delegation)
            .where(
                Delegation.rpps == found.rpps,
                Delegation.delegate_id == person.account_id,
                Delegation.state.in_(("requested", "accepted")),
            )
            .with_for_update()
        )
        for other in others:
            passes(session, other, "cancel" if other.state == "requested" else "end", person.actor)
        await session.flush()
        found.delegate_id = person.account_id
    else:
        found.professional_id = person.account_id
    giver = await session.get(Account, found.professional_id) if found.professional_id else None
    assert found.delegate_id is not None  # noqa: S101 - set at the demand, or just above
    await give(
        session,
        found.delegate_id,
        "delegate",
        f"rpps:{found.rpps}",
        origin="professional",
        by=f"account:{giver.uid}" if giver else person.actor,
    )


async def _tell_answer(session: AsyncSession, found: Delegation, action: str, person: Person, *, invited: bool) -> None:
    told = found.professional_id if invited else found.delegate_id
    account = await session.get(Account, told) if told else None
    if account is None or account.status != "active":
        return
    if invited:
        what = (
            "tient désormais votre fiche à jour" if action == "accept" else "ne souhaite pas tenir votre fiche à jour"
        )
    else:
        what = "accepte que vous teniez sa fiche à jour" if action == "accept" else "n’accepte pas votre demande"
    await tell(
        session,
        account,
        found,
        "accepted" if action == "accept" else "refused",
        f"{person.name} {what}",
        "Vous pouvez y mettre fin à tout moment, parmi vos délégations." if action == "accept" else "",
        {"who": person.name, "what": what, "accepted": action == "accept"},
    )


async def tell(
    session: AsyncSession,
    account: Account,
    about: Delegation,
    what: str,
    subject: str,
    body: str,
    context: dict[str, object],
) -> None:
    """Tell somebody by a message, and by mail when they have an address."""
    await send_message(
        session, account.id, kind=f"delegation.{what}", key=str(about.id), subject=subject, body=body, link=PAGE
    )
    if account.email and account.email_confirmed_at is not None:
        await mail.queue(
            session,
            kind=f"accounts.delegation_{what}",
            key=f"{about.id}:{account.id}",
            to=account.email,
            to_name=f"{account.first_name} {account.last_name}",
            template="accounts/delegation_requested" if what == "requested" else "accounts/delegation_answered",
            context={"path": PAGE, **context},
        )


async def professionals(session: AsyncSession, rpps: str) -> Sequence[Account]:
    """Return the active accounts that stand for a RPPS."""
    rows = await session.scalars(
        select(Account)
        .join(Grant, Grant.account_id == Account.id)
        .where(
            Grant.role == "professional",
            Grant.scope == f"rpps:{rpps}",
            Grant.ended_at.is_(None),
            Account.status == "active",
        )
        .order_by(Account.id)
        .limit(10)
    )
    return rows.all()


def passes(session: AsyncSession, row: Delegation, action: str, actor: str) -> None:
    """Make a passage, and keep it."""
    after = states.next_state(row.state, action)
    session.add(
        DelegationPassage(delegation_id=row.id, actor=actor, action=action, from_state=row.state, to_state=after)
    )
    row.state = after
    row.version += 1
