"""Use cases of signing in by Pro Santé Connect: attempts, cards that wait for an account, linking and unlinking."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import delegations
from accounts.models import Account, Grant, SignIn
from accounts.models_psc import PscAttempt, PscCard
from accounts.psc import Proof
from accounts.psc_errors import PscRefused
from accounts.service import DEMO_ACTOR, give, note, take_back
from accounts.signup import Proven, SignUp, register
from core import clock
from core.errors import Conflict
from core.security import digest, new_token

ATTEMPT: Final = timedelta(minutes=10)
CARD: Final = timedelta(minutes=30)
PROFESSIONAL: Final = "professional"


@dataclass(frozen=True, slots=True)
class Begun:
    """What goes along with the browser: nothing of it is kept but digests and the secrets of the exchange."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Returned:
    """An attempt that came back. `again` says that it had already served: nothing more can be done with it."""

    nonce: str
    verifier: str
    target: str
    account_id: int | None
    again: bool


async def begin(session: AsyncSession, browser: str, target: str, account_id: int | None = None) -> Begun:
    """Remember that a browser is sent to Pro Santé Connect."""
    begun = Begun(new_token(), new_token(), secrets.token_urlsafe(48))
    session.add(
        PscAttempt(
            state=digest(begun.state),
            browser=digest(browser),
            nonce=begun.nonce,
            verifier=begun.verifier,
            target=target,
            account_id=account_id,
            expires_at=await clock.now(session) + ATTEMPT,
        )
    )
    await session.flush()
    return begun


async def take(session: AsyncSession, state: str, browser: str) -> Returned:
    """Take an attempt back, once.

    Raises:
        PscRefused: it expired, never was, or is another browser's.
    """
    mine = (PscAttempt.state == digest(state), PscAttempt.browser == digest(browser))
    taken = await session.scalar(
        update(PscAttempt)
        .where(*mine, PscAttempt.used_at.is_(None), PscAttempt.expires_at > func.core.now())
        .values(used_at=func.core.now())
        .returning(PscAttempt)
    )
    attempt = taken or await session.scalar(select(PscAttempt).where(*mine, PscAttempt.used_at.is_not(None)))
    if attempt is None:
        raise PscRefused("expired")
    return Returned(attempt.nonce, attempt.verifier, attempt.target, attempt.account_id, again=taken is None)


async def holder(session: AsyncSession, subject: str) -> Account | None:
    """Return the account to which a card is linked.

    Raises:
        PscRefused: that account is closed.
    """
    account = await session.scalar(select(Account).where(Account.psc_subject == subject))
    if account is not None and account.status == "closed":
        raise PscRefused("closed")
    return account


async def keep_card(session: AsyncSession, proof: Proof, browser: str, target: str) -> uuid.UUID:
    """Have a proven identity wait for its holder's choice; return its public reference."""
    who = proof.identity
    card = PscCard(
        browser=digest(browser),
        subject=who.subject,
        rpps=who.rpps,
        title=who.title,
        last_name=who.last_name,
        first_name=who.first_name,
        profession=who.profession,
        specialty=who.specialty,
        id_token=proof.id_token,
        target=target,
        expires_at=await clock.now(session) + CARD,
    )
    session.add(card)
    await session.flush()
    await session.refresh(card)
    return card.uid


async def find_card(session: AsyncSession, uid: uuid.UUID, browser: str | None, *, lock: bool = False) -> PscCard:
    """Return an identity that waits, to the browser that presented the card.

    Raises:
        PscRefused: it expired, served, or is another browser's.
    """
    query = select(PscCard).where(
        PscCard.uid == uid, PscCard.browser == digest(browser or ""), PscCard.expires_at > func.core.now()
    )
    card = await session.scalar(query.with_for_update() if lock else query)
    if card is None:
        raise PscRefused("identity_expired")
    return card


async def same_rpps(session: AsyncSession, card: PscCard) -> Account | None:
    """Return another account that has already proven the card's RPPS number, linked to a card or not."""
    return await session.scalar(
        select(Account)
        .where(or_(Account.rpps == card.rpps, Account.psc_subject == card.subject), Account.status != "closed")
        .order_by(Account.id)
        .limit(1)
    )


async def link(session: AsyncSession, account_id: int, card: PscCard) -> Account:
    """Link a card to an account: its RPPS becomes proven, with the right that follows; doing it twice changes nothing.

    Raises:
        PscRefused: the number is another account's, or the account already bears another one.
    """
    account = await session.scalar(select(Account).where(Account.id == account_id).with_for_update())
    if account is None or account.status == "closed":
        raise PscRefused("closed")
    other = await same_rpps(session, card)
    if other is not None and other.id != account.id:
        raise PscRefused("linked_elsewhere")
    if account.rpps not in (None, card.rpps) or account.psc_subject not in (None, card.subject):
        raise PscRefused("other_identity")
    if account.psc_subject is None:
        account.psc_subject, account.rpps = card.subject, card.rpps
        account.version += 1
        try:
            async with session.begin_nested():
                await session.flush()
        except IntegrityError as error:
            # Another tab linked the same card to another account a moment ago.
            raise PscRefused("linked_elsewhere") from error
        note(session, account.id, f"account:{account.uid}", "psc_linked")
    await prove(session, account)
    await session.execute(delete(PscCard).where(PscCard.id == card.id))
    return account


async def prove(session: AsyncSession, account: Account) -> None:
    """Give the right of a professional over their own sheets, by the rule that a proven RPPS gives it.

    A right that somebody else withdrew stays withdrawn, whichever account presents the card: only an administrator
    gives it again.
    """
    if account.rpps and not await _withdrawn(session, account.rpps):
        await give(session, account.id, PROFESSIONAL, f"rpps:{account.rpps}", origin="rule", by="Pro Santé Connect")


async def _withdrawn(session: AsyncSession, rpps: str) -> bool:
    """Tell whether the last right over a number was ended by somebody other than its holder."""
    last = await session.execute(
        select(Grant.ended_by, Account.uid)
        .join(Account, Account.id == Grant.account_id)
        .where(Grant.role == PROFESSIONAL, Grant.scope == f"rpps:{rpps}")
        .order_by(Grant.id.desc())
        .limit(1)
    )
    row = last.one_or_none()
    return row is not None and row.ended_by is not None and row.ended_by not in (f"account:{row.uid}", DEMO_ACTOR)


async def unlink(session: AsyncSession, account_id: int, sign_in_id: int) -> bool:
    """Take a card away from an account, with the right that it gave; return False when none was linked.

    The browsers that the card signed in are signed out, but the one that asks. A number that an administrator proved
    stays proven.

    Raises:
        Conflict: the card is the only way of signing in.
    """
    account = await session.scalar(select(Account).where(Account.id == account_id).with_for_update())
    if account is None or account.psc_subject is None:
        return False
    if not keeps_access(account):
        raise Conflict(
            "Votre carte est votre seul moyen de vous connecter : validez une adresse mail et choisissez un"
            " mot de passe avant de la délier. Rien n’a été modifié."
        )
    actor = f"account:{account.uid}"
    rpps = account.rpps
    account.psc_subject = None
    account.version += 1
    if rpps and not await _given_otherwise(session, account.id, rpps):
        account.rpps, account.rpps_claimed = None, rpps
        await take_back(session, account.id, PROFESSIONAL, f"rpps:{rpps}", by=actor)
        await session.flush()
        # Nobody writes for somebody who can no longer stop them.
        await delegations.end_all_over(session, rpps, actor)
    await session.execute(
        update(SignIn)
        .where(
            SignIn.account_id == account.id,
            SignIn.method == "psc",
            SignIn.id != sign_in_id,
            SignIn.ended_at.is_(None),
        )
        .values(ended_at=func.core.now(), id_token=None)
    )
    note(session, account.id, actor, "psc_unlinked")
    await session.flush()
    return True


async def _given_otherwise(session: AsyncSession, account_id: int, rpps: str) -> bool:
    found = await session.scalar(
        select(Grant.id).where(
            Grant.account_id == account_id,
            Grant.role == PROFESSIONAL,
            Grant.scope == f"rpps:{rpps}",
            Grant.origin != "rule",
            Grant.ended_at.is_(None),
        )
    )
    return found is not None


def keeps_access(account: Account) -> bool:
    """Tell whether an account could still be signed in to without its card."""
    return bool(account.password_hash and account.email and account.email_confirmed_at)


async def take_id_token(session: AsyncSession, sign_in_id: int) -> str | None:
    """Return the token with which a browser signs out at Pro Santé Connect, and forget it."""
    found = await session.scalar(select(SignIn.id_token).where(SignIn.id == sign_in_id))
    if found is not None:
        await session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(id_token=None))
    return found


async def open_account(session: AsyncSession, card: PscCard, wanted: SignUp, proven: Proven) -> Account:
    """Open the account of a card that waits, with the right that its number gives; the card waits no more.

    Raises:
        InvalidInput: another account has proven the number meanwhile.
    """
    registered = await register(session, wanted, proven)
    assert registered.account is not None  # noqa: S101 - a proven identity always gets its account
    await prove(session, registered.account)
    await session.execute(delete(PscCard).where(PscCard.id == card.id))
    return registered.account
