"""What people do with their own account: identity, address, password, devices."""

import uuid
from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import limits, links, passwords, service, sign_in_password, signup, texts
from accounts.models import Account, SignIn
from accounts.models_password import KnownDevice, MailLink, SignInCode
from accounts.person import Person
from accounts.professions import matched, professions
from accounts.queries import live_sign_ins
from core import clock
from core.errors import Conflict, InvalidInput

WRONG_PASSWORD = "Ce n’est pas votre mot de passe actuel."  # noqa: S105 - a message
NO_ADDRESS = "Validez d’abord une adresse mail : elle sert à vous connecter avec un mot de passe."
STALE = (
    "Votre compte a été modifié entre-temps, dans un autre onglet ou sur un autre appareil : rien n’a été enregistré. "
    "Ce que vous avez saisi est gardé ci-dessous ; vérifiez-le, puis enregistrez à nouveau."
)


async def mine(session: AsyncSession, person: Person, version: str | None = None) -> Account:
    """Return the account of who is signed in, locked when it is about to change.

    Args:
        session: the unit of work.
        person: who is signed in.
        version: what the form was drawn from; None only reads.

    Raises:
        Conflict: the account changed since (`STALE`).
    """
    account = await session.get(Account, person.account_id, with_for_update=version is not None)
    if account is None or account.status != "active":
        raise Conflict("Ce compte n’existe plus.")
    if version is not None and version != str(account.version):
        raise Conflict(STALE)
    return account


async def edit_identity(session: AsyncSession, person: Person, typed: Mapping[str, str]) -> None:
    """Change what a person says of themselves; a name that was proven is not theirs to change.

    Raises:
        Conflict: the account changed since the form was drawn.
        InvalidInput: a field is refused.
    """
    account = await mine(session, person, typed.get("version", ""))
    lists = await professions(session)
    proven = account.rpps is not None or account.psc_subject is not None
    read = signup.Reading(typed)
    title = read("title", lambda text: texts.line(text, 20))
    if title not in signup.TITLES and title != (account.title or ""):
        read.refused["title"] = "Choisissez un titre dans la liste."
    last_name = account.last_name if proven else read("last_name", texts.name)
    first_name = account.first_name if proven else read("first_name", texts.name)
    profession = matched(read("profession", lambda text: texts.line(text, 120)), lists.professions)
    specialty = matched(read("specialty", lambda text: texts.line(text, 160)), lists.specialties)
    phone, phone_fixed = read("phone", texts.telephone), read("phone_fixed", texts.telephone)
    read.raise_refused()
    account.title, account.last_name, account.first_name = title or None, last_name, first_name
    account.profession, account.specialty = profession or None, specialty or None
    account.phone, account.phone_fixed = phone or None, phone_fixed or None
    account.version += 1
    service.note(session, account.id, person.actor, "identity_changed")


async def wish_address(session: AsyncSession, person: Person, typed: Mapping[str, str]) -> None:
    """Ask for a new address; it counts once its owner has confirmed it.

    Raises:
        Conflict: the account changed since the form was drawn.
        InvalidInput: a field is refused.
    """
    account = await mine(session, person, typed.get("version", ""))
    read = signup.Reading(typed)
    email = read("email", signup.address)
    if email and typed.get("email_again", "").strip().casefold() != typed.get("email", "").strip().casefold():
        read.refused["email_again"] = "Les deux adresses ne sont pas les mêmes."
    if email and account.email and email.lower() == account.email.lower():
        read.refused["email"] = "C’est déjà l’adresse de votre compte."
    read.raise_refused()
    account.version += 1
    known = await signup.owner_of(session, email)
    account.email_wanted = email
    await links.cancel(session, account.id, "confirm", "address")
    await session.flush()
    service.note(session, account.id, person.actor, "address_asked")
    if known is not None:
        await links.tell_known(session, known, "address_known")
        return
    await links.send(session, account, address_purpose(account))


def address_purpose(account: Account) -> links.Purpose:
    """Return what a link to the wanted address is for: the first one, or a new one."""
    return "confirm" if account.email is None else "address"


async def send_address_again(session: AsyncSession, person: Person) -> bool:
    """Send again the link to the address that is wanted; tell whether it left."""
    account = await mine(session, person)
    if account.email_wanted is None:
        return False
    if await signup.owner_of(session, account.email_wanted) is not None:
        # The same limit as for an address that nobody has: the answers must not differ.
        return await limits.take(session, limits.LINK_MAIL, account.email_wanted) is None
    return await links.send(session, account, address_purpose(account))


async def forget_wish(session: AsyncSession, person: Person, version: str) -> None:
    """Keep the present address after all; the link that was sent opens nothing any more."""
    account = await mine(session, person, version)
    account.email_wanted = None
    await links.cancel(session, account.id, "confirm", "address")
    account.version += 1


async def set_password(session: AsyncSession, account: Account, password: str) -> None:
    """Replace a password: every sign-in and every known browser ends, and the owner is told."""
    account.password_hash = await passwords.hashed(password)
    account.version += 1
    await service.end_all(session, account.id)
    await sign_in_password.forget_devices(session, account.id)
    now = await clock.now(session)
    await session.execute(
        update(SignInCode).where(SignInCode.account_id == account.id, SignInCode.used_at.is_(None)).values(used_at=now)
    )
    await session.execute(
        update(MailLink)
        .where(MailLink.account_id == account.id, MailLink.purpose == "reset", MailLink.used_at.is_(None))
        .values(cancelled_at=now)
    )
    service.note(session, account.id, f"account:{account.uid}", "password_changed")
    await links.tell(session, account, "password_changed", f"{account.uid}:{account.version}")


async def read_password(typed: Mapping[str, str], personal_words: tuple[str, ...]) -> str:
    """Read a new password and its repetition.

    Raises:
        InvalidInput: it is too weak, or the two differ.
    """
    read = signup.Reading(typed)
    await signup.read_password(read, typed.get("password", ""), personal_words)
    read.raise_refused()
    return typed.get("password", "")


def words_of(account: Account) -> tuple[str, ...]:
    """Return what the password of an account must not contain."""
    return (account.last_name, account.first_name, account.email or "", account.email_wanted or "")


async def devices(session: AsyncSession, person: Person) -> list[SignIn]:
    """Return the browsers where a person is signed in now, this one first, then the last used."""
    rows = await session.scalars(live_sign_ins(person.account_id))
    return sorted(rows, key=lambda row: row.id != person.sign_in_id)


async def end_device(session: AsyncSession, person: Person, uid: uuid.UUID) -> bool:
    """Sign one of one's browsers out; tell whether it is the very one that asks. Another's changes nothing."""
    row = await session.scalar(
        select(SignIn).where(SignIn.uid == uid, SignIn.account_id == person.account_id, SignIn.ended_at.is_(None))
    )
    if row is None:
        return False
    await service.end_sign_in(session, person.account_id, row.id)
    service.note(session, person.account_id, person.actor, "device_ended")
    return row.id == person.sign_in_id


async def known_devices(session: AsyncSession, person: Person) -> list[KnownDevice]:
    """Return the browsers that ask for no code, the latest first."""
    now = await clock.now(session)
    rows = await session.scalars(
        select(KnownDevice)
        .where(
            KnownDevice.account_id == person.account_id, KnownDevice.ended_at.is_(None), KnownDevice.expires_at > now
        )
        .order_by(KnownDevice.id.desc())
        .limit(100)
    )
    return list(rows)


async def check_password(account: Account, password: str) -> None:
    """Check that who is signed in knows the password of their account.

    Raises:
        InvalidInput: they do not.
    """
    if account.password_hash is not None and not await passwords.verify(account.password_hash, password):
        raise InvalidInput(WRONG_PASSWORD, fields={"current": WRONG_PASSWORD})
