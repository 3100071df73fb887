"""Signing up: what the form says, read and refused field by field, then the account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import links, passwords, texts
from accounts.models import Account
from accounts.professions import matched, professions
from accounts.service import note
from core import clock, mail
from core.errors import InvalidInput

TITLES: Final = ("Madame", "Monsieur", "Docteur", "Professeur")
FIELDS: Final = (
    "title",
    "last_name",
    "first_name",
    "email",
    "email_again",
    "profession",
    "specialty",
    "identifier",
    "phone",
    "phone_fixed",
    "comment",
    "password",
    "password_again",
    "terms",
)
"""Names of the form's fields, in its order."""
SAME_RPPS: Final = (
    "Un compte utilisateur semble déjà exister à partir de vos informations (même numéro RPPS). Connectez-vous à ce "
    "compte, choisissez un nouveau mot de passe si vous l’avez oublié, ou contactez l’assistance."
)
DIFFERENT_PASSWORDS: Final = "Les deux mots de passe ne sont pas les mêmes."
MISSING: Final = {
    "last_name": "Indiquez votre nom.",
    "first_name": "Indiquez votre prénom.",
    "email": "Indiquez votre adresse mail.",
    "email_again": "Saisissez votre adresse mail une seconde fois.",
    "password": "Choisissez un mot de passe.",
}
"""What is said of a field that was left empty: each sentence of a summary must name its field."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An identity that Pro Santé Connect proved: it replaces what the form would say, and the password."""

    psc_subject: str
    rpps: str | None
    last_name: str
    first_name: str


class SignUp(BaseModel):
    """What a person says of themselves, read and found sound."""

    model_config = ConfigDict(frozen=True)

    title: str
    last_name: str
    first_name: str
    email: str
    profession: str | None
    specialty: str | None
    rpps_claimed: str | None
    identifier_claimed: str | None
    phone: str | None
    phone_fixed: str | None
    comment: str | None
    password: SecretStr | None


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a sign-up. `account` is None when the address is already somebody's: they were written to."""

    account: Account | None
    state: Literal["created", "address_known"]


class Reading:
    """Reads fields of a form one by one and keeps what was refused of each."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.refused: dict[str, str] = {}

    def __call__(self, field: str, read: Callable[[str], object]) -> str:
        """Return what a field says, or nothing when it is refused."""
        try:
            return str(read(self.values.get(field, "")) or "")
        except texts.Refused as error:
            empty = not self.values.get(field, "").strip()
            self.refused[field] = MISSING[field] if empty and field in MISSING else str(error)
        except InvalidInput as error:
            self.refused[field] = error.detail
        return ""

    def raise_refused(self) -> None:
        """Refuse the form when a field was refused.

        Raises:
            InvalidInput: `fields` says what is wrong, in the order of the form.
        """
        if self.refused:
            ordered: dict[str, str] = {field: self.refused[field] for field in FIELDS if field in self.refused}
            raise InvalidInput("Certains champs sont à corriger. Rien n’a été enregistré.", fields=ordered)


async def read_sign_up(session: AsyncSession, values: Mapping[str, str], proven: Proven | None = None) -> SignUp:
    """Read the sign-up form; with a proven identity, neither names, identifier nor password are asked.

    Raises:
        InvalidInput: `fields` says what is wrong with each field.
    """
    read = Reading(values)
    title = read("title", lambda text: texts.line(text, 20))
    if title not in TITLES:
        read.refused["title"] = "Choisissez un titre dans la liste."
    last_name = proven.last_name if proven else read("last_name", texts.name)
    first_name = proven.first_name if proven else read("first_name", texts.name)
    email = read("email", address)
    again = values.get("email_again", "").strip()
    if email and again.casefold() != values.get("email", "").strip().casefold():
        read.refused["email_again"] = "Les deux adresses ne sont pas les mêmes." if again else MISSING["email_again"]
    lists = await professions(session)
    profession = matched(read("profession", lambda text: texts.line(text, 120)), lists.professions)
    specialty = matched(read("specialty", lambda text: texts.line(text, 160)), lists.specialties)
    rpps, other = (None, None) if proven else _identifier(read)
    phone = read("phone", texts.telephone)
    phone_fixed = read("phone_fixed", texts.telephone)
    comment = read("comment", lambda text: texts.paragraph(text, 1000))
    password = None if proven else values.get("password", "")
    if password is not None:
        await read_password(read, password, (last_name, first_name, email))
    if not values.get("terms"):
        read.refused["terms"] = "Lisez les conditions d’utilisation, puis cochez cette case pour les accepter."
    read.raise_refused()
    return SignUp(
        title=title,
        last_name=last_name,
        first_name=first_name,
        email=email,
        profession=profession or None,
        specialty=specialty or None,
        rpps_claimed=rpps,
        identifier_claimed=other,
        phone=phone or None,
        phone_fixed=phone_fixed or None,
        comment=comment or None,
        password=None if password is None else SecretStr(password),
    )


def address(text: str) -> str:
    """Return the address that a person typed.

    Raises:
        Refused: there is none.
        InvalidInput: nobody can be written to there.
    """
    if not text.strip():
        raise texts.Refused(MISSING["email"])
    return mail.valid_address(text)


def _identifier(read: Reading) -> tuple[str | None, str | None]:
    try:
        return texts.identifier(read.values.get("identifier", ""))
    except texts.Refused as error:
        read.refused["identifier"] = str(error)
        return None, None


async def read_password(read: Reading, password: str, personal: tuple[str, ...]) -> None:
    """Read a new password and its repetition; `personal` holds what it must not contain."""
    weakness = await passwords.weakness(password, personal) if password else MISSING["password"]
    if weakness:
        read.refused["password"] = weakness
    elif passwords.normal(password) != passwords.normal(read.values.get("password_again", "")):
        read.refused["password_again"] = DIFFERENT_PASSWORDS


async def owner_of(session: AsyncSession, email: str) -> Account | None:
    """Return the account whose confirmed address this is, whatever its capitals."""
    return await session.scalar(
        select(Account).where(func.lower(Account.email) == email.lower(), Account.status != "closed")
    )


async def register(session: AsyncSession, wanted: SignUp, proven: Proven | None = None) -> Registered:
    """Open an account, and write to the address that it names.

    With a password the account waits for the link of that mail. With a proven identity it is active at once: the
    link only confirms the address, and `open_sign_in` may follow. An address that is already somebody's is answered
    the same way in the page; its owner is told by mail. Two people who name the same address each get an account that
    waits: it belongs to whoever opens their own link.

    Raises:
        InvalidInput: the proven RPPS, or the claimed one, is already proven by another account (`SAME_RPPS`).
    """
    await refuse_same_rpps(session, proven.rpps if proven else wanted.rpps_claimed)
    known = await owner_of(session, wanted.email)
    if known is not None:
        # As long as for a new account: how long an answer takes must not tell whose addresses are known.
        if wanted.password is not None:
            await passwords.hashed(wanted.password.get_secret_value())
        await links.tell_known(session, known)
        if proven is None:
            return Registered(None, "address_known")
    now = await clock.now(session)
    account = Account(
        status="active" if proven else "pending",
        title=wanted.title,
        last_name=wanted.last_name,
        first_name=wanted.first_name,
        email_wanted=None if known else wanted.email,
        profession=wanted.profession,
        specialty=wanted.specialty,
        rpps=proven.rpps if proven else None,
        psc_subject=proven.psc_subject if proven else None,
        rpps_claimed=wanted.rpps_claimed,
        identifier_claimed=wanted.identifier_claimed,
        phone=wanted.phone,
        phone_fixed=wanted.phone_fixed,
        comment=wanted.comment,
        password_hash=await passwords.hashed(wanted.password.get_secret_value()) if wanted.password else None,
        terms_accepted_at=now,
        created_at=now,
    )
    try:
        async with session.begin_nested():
            session.add(account)
            await session.flush()
    except IntegrityError as error:
        # Two tabs, or a double click: the other one was first.
        raise InvalidInput(SAME_RPPS, fields={"identifier": SAME_RPPS}) from error
    await session.refresh(account)
    note(session, account.id, f"account:{account.uid}", "signed_up", {"method": "psc" if proven else "password"})
    if known is None:
        await links.send(session, account, "confirm")
    return Registered(account, "address_known" if known else "created")


async def refuse_same_rpps(session: AsyncSession, rpps: str | None) -> None:
    """Refuse an RPPS that another account has proven.

    Raises:
        InvalidInput: `SAME_RPPS`, at the field `identifier`.
    """
    if rpps is None:
        return
    if await session.scalar(select(Account.id).where(Account.rpps == rpps, Account.status != "closed")):
        raise InvalidInput(SAME_RPPS, fields={"identifier": SAME_RPPS})
