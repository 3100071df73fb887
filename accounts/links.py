"""Links sent by mail that open once: to confirm an address, to choose a new password."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import limits, states
from accounts.models import Account
from accounts.models_password import MailLink
from accounts.service import note
from core import clock, mail
from core.security import digest, new_token

Purpose = Literal["confirm", "address", "reset", "coordinate"]
State = Literal["live", "used", "expired", "replaced", "unknown", "taken"]

LIVES: Final[dict[Purpose, timedelta]] = {
    "confirm": timedelta(hours=24),
    "address": timedelta(hours=24),
    "reset": timedelta(hours=1),
    "coordinate": timedelta(hours=24),
}
PATHS: Final[dict[Purpose, str]] = {
    "confirm": "/inscription/valider",
    "address": "/compte/adresse/valider",
    "reset": "/mot-de-passe/nouveau",
    "coordinate": "/coordonnees/valider",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link is worth now. `account` is who it was made for, unless it is unknown."""

    state: State
    account: Account | None = None
    email: str = ""


async def cancel(session: AsyncSession, account_id: int, *purposes: Purpose, email: str | None = None) -> None:
    """Have the links that were sent for some purposes, to one address or to any, open nothing any more."""
    sent = update(MailLink).where(
        MailLink.account_id == account_id,
        MailLink.purpose.in_(purposes),
        MailLink.used_at.is_(None),
        MailLink.cancelled_at.is_(None),
    )
    if email is not None:
        sent = sent.where(func.lower(MailLink.email) == email.lower())
    await session.execute(sent.values(cancelled_at=await clock.now(session)))


async def send(session: AsyncSession, account: Account, purpose: Purpose) -> bool:
    """Send a link to the address that it concerns; the former ones for the same purpose open nothing any more.

    Returns:
        False when this address was written to too often: nothing is sent, and pages must not tell.
    """
    to = account.email if purpose == "reset" else account.email_wanted
    if to is None or await limits.take(session, limits.LINK_MAIL, to) is not None:
        return False
    await cancel(session, account.id, purpose)
    await _send(session, account, purpose, to)
    return True


async def send_coordinate(session: AsyncSession, account: Account, to: str) -> bool:
    """Send the link that proves a further address of somebody; the former ones to it open nothing any more.

    Returns:
        False when this address, or in the name of this account, too many were written to: nothing is sent.
    """
    if await limits.take(session, limits.COORDINATE_MAIL, str(account.uid)) is not None:
        return False
    if await limits.take(session, limits.LINK_MAIL, to) is not None:
        return False
    await cancel(session, account.id, "coordinate", email=to)
    await _send(session, account, "coordinate", to)
    return True


async def _send(session: AsyncSession, account: Account, purpose: Purpose, to: str) -> None:
    now = await clock.now(session)
    token = new_token()
    link = MailLink(
        account_id=account.id,
        purpose=purpose,
        token=digest(token),
        email=to,
        sent_at=now,
        expires_at=now + LIVES[purpose],
    )
    session.add(link)
    await session.flush()
    await mail.queue(
        session,
        kind=f"accounts.{purpose}",
        key=str(link.id),
        to=to,
        to_name=_name(account),
        template=f"accounts/{purpose}",
        context={"name": _name(account), "path": f"{PATHS[purpose]}?jeton={token}"},
        secret=True,
        expires_at=link.expires_at,
    )


def _name(account: Account) -> str:
    return f"{account.first_name} {account.last_name}".strip()


async def tell(session: AsyncSession, account: Account, what: str, key: str, to: str | None = None) -> None:
    """Tell somebody by mail what happened to their account (`accounts/<what>`); one without address hears nothing."""
    address = to or account.email
    if address is not None:
        await mail.queue(
            session,
            kind=f"accounts.{what}",
            key=key,
            to=address,
            to_name=_name(account),
            template=f"accounts/{what}",
            context={"name": _name(account)},
        )


async def tell_known(session: AsyncSession, account: Account, what: str = "known") -> None:
    """Tell the owner of an address that somebody signed up with it, or asked for a password that they have not."""
    if account.email and await limits.take(session, limits.LINK_MAIL, account.email) is None:
        await tell(session, account, what, new_token())


async def look(session: AsyncSession, token: str, purpose: Purpose, *, lock: bool = False) -> Opened:
    """Return what a link is worth, without using it: programs that read mails open every address."""
    asked = (
        select(MailLink, Account)
        .join(Account, Account.id == MailLink.account_id)
        .where(MailLink.token == digest(token), MailLink.purpose == purpose, Account.status != "closed")
    )
    row = (await session.execute(asked.with_for_update() if lock else asked)).one_or_none()
    if row is None:
        return Opened("unknown")
    link, account = row
    state: State = "live"
    if link.used_at is not None:
        state = "used"
    elif link.cancelled_at is not None:
        state = "replaced"
    elif link.expires_at <= await clock.now(session):
        state = "expired"
    return Opened(state, account, link.email)


async def use(session: AsyncSession, token: str, purpose: Purpose) -> Opened:
    """Use a link; only a live one can be, and once, whoever else uses it at the same time."""
    opened = await look(session, token, purpose, lock=True)
    if opened.state == "live":
        await session.execute(
            update(MailLink).where(MailLink.token == digest(token)).values(used_at=await clock.now(session))
        )
    return opened


async def confirm_address(session: AsyncSession, token: str, purpose: Purpose) -> Opened:
    """Use a link that proves an address: it becomes the account's, and an account that waited for it opens.

    Returns:
        `live` when this did it, `taken` when somebody else proved the same address meanwhile; else why nothing changed.
    """
    opened = await use(session, token, purpose)
    account = opened.account
    if opened.state != "live" or account is None:
        return opened
    former = account.email
    try:
        async with session.begin_nested():
            account.email, account.email_wanted = opened.email, None
            account.email_confirmed_at = await clock.now(session)
            account.version += 1
            if account.status == "pending":
                states.pass_to(account, "active")
            await session.flush()
    except IntegrityError:
        return Opened("taken", None, opened.email)
    # Whoever reads the former address must not set a password through it.
    await cancel(session, account.id, "reset", "confirm", "address")
    note(session, account.id, f"account:{account.uid}", "address_confirmed")
    if former is not None and former.lower() != opened.email.lower():
        await tell(session, account, "address_changed", f"{account.uid}:{account.version}", to=former)
    return opened
