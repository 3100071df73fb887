"""Use cases of councils and administrators: giving a standing, ending it, changing a council."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import service
from accounts.coordinates.service import file_of, lock
from accounts.labels import STANDINGS
from accounts.messages import send_message
from accounts.models import Account
from accounts.models_coordinates import GivenStanding, OrdinalFile
from accounts.person import Person
from accounts.standings import councils, queries
from accounts.standings.followers import tell_followers
from accounts.standings.known import known_person, specialties
from core import clock
from core.errors import Conflict, Forbidden, InvalidInput, NotFound

KINDS: Final = STANDINGS
NAMES: Final = {"doctor": "Médecin (registre)"} | KINDS
LONGEST_LICENCE: Final = 10
"""Years for which a licence may be given."""
STALE: Final = (
    "Cette situation a changé pendant que vous écriviez : rien n’a été enregistré, et ce que vous avez saisi est "
    "gardé. Relisez la page, puis recommencez."
)
LONGEST_REASON: Final = 500
_UNKNOWN: Final = "Ce compte n’existe pas, ou dépend d’un autre conseil."
_OWN: Final = "Vous ne pouvez pas changer votre propre situation : demandez-le à un autre gestionnaire."
_DOCTOR: Final = "Le registre connaît cette personne comme médecin : aucune situation n’est à donner."


@dataclass(frozen=True, slots=True)
class Seen:
    """An account, what it was given, and its council."""

    account: Account
    given: GivenStanding | None
    file: OrdinalFile | None


async def find(session: AsyncSession, person: Person, uid: uuid.UUID) -> Seen:
    """Return an account that somebody may see.

    Raises:
        NotFound: it is closed, or depends on a council that they do not moderate.
    """
    row = (await session.execute(queries.one(person, uid))).one_or_none()
    if row is None:
        raise NotFound(_UNKNOWN)
    return Seen(*row)


async def _lock(session: AsyncSession, person: Person, uid: uuid.UUID) -> Account:
    seen = await find(session, person, uid)
    account = await lock(session, seen.account.id)
    # The council may have changed while the lock was waited for.
    await find(session, person, uid)
    if account.id == person.account_id:
        raise Forbidden(_OWN)
    return account


async def version_of(session: AsyncSession, account_id: int) -> int:
    """Return what a change of standing starts from; 0 before the first one."""
    version = await session.scalar(select(GivenStanding.version).where(GivenStanding.account_id == account_id))
    return version or 0


def _read_date(given: str, today: date) -> date | None:
    if not given.strip():
        return None
    try:
        read = date.fromisoformat(given.strip())
    except ValueError:
        raise InvalidInput("Écrivez une date, par exemple 31/10/2027.") from None
    if read < today:
        raise InvalidInput("Cette date est passée : la licence ne vaudrait déjà plus.")
    if read.year > today.year + LONGEST_LICENCE:
        raise InvalidInput(f"Une licence est donnée pour {LONGEST_LICENCE} ans au plus.")
    return read


async def give(session: AsyncSession, person: Person, uid: uuid.UUID, typed: Mapping[str, str]) -> None:
    """Say what somebody is; giving again replaces.

    Raises:
        InvalidInput: a field is refused, or the register knows a doctor.
        Conflict: it changed meanwhile.
        Forbidden: it is one's own.
        NotFound: the account is not theirs to see.
    """
    account = await _lock(session, person, uid)
    if typed.get("version", "") != str(await version_of(session, account.id)):
        raise Conflict(STALE)
    known = await known_person(session, account.rpps)
    if known is not None and known.kind == "doctor":
        raise InvalidInput(_DOCTOR)
    now = await clock.now(session)
    refused: dict[str, str] = {}
    kind, specialty = typed.get("situation", ""), typed.get("specialite", "")
    if kind not in KINDS:
        refused["situation"] = "Choisissez une situation."
    until = None
    if kind == "licensed":
        try:
            until = _read_date(typed.get("licence", ""), clock.today(now))
        except InvalidInput as error:
            refused["licence"] = error.detail
    if specialty and specialty not in await specialties(session):
        refused["specialite"] = "Choisissez une spécialité dans la liste."
    if refused:
        raise InvalidInput("Certaines réponses sont à corriger.", fields=refused)
    row = await session.get(GivenStanding, account.id)
    if row is None:
        row = GivenStanding(account_id=account.id, kind=kind, given_by=person.actor, version=0)
        session.add(row)
    row.kind, row.licence_until, row.specialty = kind, until, specialty or None
    row.given_by, row.given_at, row.ended_at = person.actor, now, None
    row.version += 1
    detail = {"standing": kind, "until": until.isoformat() if until else None, "specialty": specialty or None}
    service.note(session, account.id, person.actor, "standing_given", detail)
    await session.flush()
    await send_message(
        session,
        account.id,
        kind="standing.given",
        key=str(row.version),
        subject=f"Votre situation est enregistrée\u00a0: {KINDS[kind].lower()}",
        body="Votre conseil, ou un administrateur, vient de l’enregistrer. Indiquez comment vous joindre.",
        link="/coordonnees",
    )
    await tell_followers(session, account.id)


async def end(session: AsyncSession, person: Person, uid: uuid.UUID, version: str) -> None:
    """End what was given to somebody.

    Raises:
        Conflict: it changed meanwhile.
        Forbidden: it is one's own.
        NotFound: the account is not theirs to see, or was given nothing.
    """
    account = await _lock(session, person, uid)
    row = await session.get(GivenStanding, account.id)
    if row is None or version != str(row.version):
        raise Conflict(STALE)
    if row.ended_at is not None:
        raise NotFound("Cette situation a déjà pris fin.")
    row.ended_at = await clock.now(session)
    row.version += 1
    service.note(session, account.id, person.actor, "standing_ended", {"standing": row.kind})
    await send_message(
        session,
        account.id,
        kind="standing.ended",
        key=str(row.version),
        subject="Votre situation d’interne ou de docteur junior a pris fin",
        body="Si c’est une erreur, écrivez à votre conseil départemental.",
    )
    await tell_followers(session, account.id)


async def refuse_council(session: AsyncSession, person: Person, uid: uuid.UUID, typed: Mapping[str, str]) -> None:
    """Send back somebody who named a council that is not theirs: they read why, and name another.

    Raises:
        InvalidInput: the reason is missing or too long.
        Conflict: it changed meanwhile, or the council gave them a standing.
        Forbidden: it is one's own.
        NotFound: the account is not theirs to see, or depends on no council.
    """
    account = await _lock(session, person, uid)
    file = await file_of(session, account.id)
    if typed.get("version", "") != str(file.version):
        raise Conflict(STALE)
    if file.council is None:
        raise NotFound("Ce compte ne dépend d’aucun conseil.")
    given = await session.get(GivenStanding, account.id)
    if given is not None and given.ended_at is None:
        raise Conflict("Une situation a été donnée à cette personne : mettez-y fin d’abord. Rien n’a été modifié.")
    reason = " ".join(typed.get("motif", "").replace("\x00", "").split())
    wrong = "" if reason else "Dites pourquoi : la personne le lit."
    if len(reason) > LONGEST_REASON:
        wrong = f"Le motif compte {LONGEST_REASON} caractères au plus ({len(reason)} pour le moment)."
    if wrong:
        raise InvalidInput("Certaines réponses sont à corriger.", fields={"motif": wrong})
    refused, file.council = file.council, None
    file.council_confirmed_at = file.visited_at = None
    file.version += 1
    service.note(session, account.id, person.actor, "council_refused", {"council": refused, "reason": reason})
    await send_message(
        session,
        account.id,
        kind="council.refused",
        key=str(file.version),
        subject=f"Votre rattachement au conseil départemental {refused} est refusé",
        body=f"Motif\u00a0: {reason}\n\nIndiquez le conseil dont vous dépendez.",
        link="/coordonnees/premiere-visite",
    )


async def change_council(
    session: AsyncSession, administrator: Person, uid: uuid.UUID, typed: Mapping[str, str]
) -> None:
    """Attach somebody to another council; only an administrator does.

    Raises:
        InvalidInput: it is no council.
        Conflict: it changed meanwhile.
        Forbidden: who asks does not administer.
        NotFound: the account is closed.
    """
    if not administrator.has("administrator"):
        raise Forbidden("Seul un administrateur change le conseil d’un compte.")
    seen = await find(session, administrator, uid)
    account = await lock(session, seen.account.id)
    file = await file_of(session, account.id)
    if typed.get("version", "") != str(file.version):
        raise Conflict(STALE)
    council = councils.read(typed.get("conseil", ""))
    if council == file.council and file.council_confirmed_at is not None:
        return
    former, file.council = file.council, council
    file.council_confirmed_at = await clock.now(session)
    file.version += 1
    service.note(session, account.id, administrator.actor, "council_changed", {"council": council, "from": former})
