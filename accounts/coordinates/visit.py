"""The first visit of somebody to the Ordre's services: what may be shown of them, and their council."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import service
from accounts.coordinates import reading
from accounts.coordinates.reach import KINDS
from accounts.coordinates.service import file_of, lock, mine
from accounts.limits import COUNCIL_NAMED, take
from accounts.models_coordinates import Coordinate, CoordinateUse, OrdinalFile
from accounts.person import Person
from accounts.standings import councils
from accounts.standings.known import KnownPerson, known_person
from core import clock
from core.errors import Conflict, InvalidInput, TooMany

ANSWERS: Final = {"accepter": "accepted", "refuser": "refused", "continuer": None}
SHOWN: Final = ("annonces", "ordre", "rpps")
"""Uses that the register's coordinates serve for once they are accepted, where nothing else does."""
MANY: Final = (
    "Vous avez déjà indiqué plusieurs conseils ces derniers jours, qui ne vous ont pas rattaché à eux. Rien n’est "
    "enregistré : réessayez dans une semaine, ou écrivez à l’assistance."
)
DONE: Final = (
    "Vous avez déjà répondu, dans un autre onglet ou sur un autre appareil : votre première réponse est gardée. Pour "
    "la changer, ouvrez « Mes coordonnées »."
)


async def first_visit_done(session: AsyncSession, account_id: int) -> bool:
    """Tell whether somebody has answered what the first visit asks."""
    visited = await session.scalar(select(OrdinalFile.visited_at).where(OrdinalFile.account_id == account_id))
    return visited is not None


def coordinates_of(known: KnownPerson | None) -> dict[str, str]:
    """Return the coordinates of a register that can be kept, by kind; those that nobody could use are left out."""
    found: dict[str, str] = {}
    for kind in KINDS:
        given: str | None = getattr(known, kind, None)
        if given:
            try:
                found[kind] = reading.read(kind, given)
            except InvalidInput:
                continue
    return found


async def answer(session: AsyncSession, person: Person, typed: Mapping[str, str]) -> None:
    """Keep what somebody answers at their first visit; the same answer twice is one.

    Raises:
        InvalidInput: no council, or no answer.
        Conflict: they answered something else before.
        TooMany: councils sent them back, and they named several lately.
    """
    account = await lock(session, person.account_id)
    known = coordinates_of(await known_person(session, account.rpps))
    kept = await file_of(session, account.id)
    given = typed.get("reponse", "")
    council = kept.council if kept.council_confirmed_at else councils.read(typed.get("conseil", ""))
    if given not in ANSWERS or (ANSWERS[given] is None) == bool(known):
        raise InvalidInput("Acceptez ou refusez d’afficher ces coordonnées.")
    consent = ANSWERS[given]
    if kept.visited_at is not None:
        if kept.ads_consent == consent and typed.get("conseil", "") in ("", kept.council):
            return
        raise Conflict(DONE)
    now = await clock.now(session)
    if kept.council_confirmed_at is None:
        if await take(session, COUNCIL_NAMED, str(account.id)) is not None:
            raise TooMany(MANY)
        kept.council, kept.council_confirmed_at = council, now
        service.note(session, account.id, person.actor, "council_confirmed", {"council": council})
    kept.visited_at = now
    if consent is not None:
        kept.ads_consent, kept.ads_consent_at = consent, now
        service.note(session, account.id, person.actor, f"ads_{consent}")
    kept.version += 1
    if consent == "accepted":
        await _show(session, account.id, known)


async def _show(session: AsyncSession, account_id: int, known: Mapping[str, str]) -> None:
    """Keep the register's coordinates, where there is room, and have them serve where nothing does."""
    held = await mine(session, account_id)
    for kind, value in known.items():
        row = next((row for row in held.of(kind) if row.value.lower() == value.lower()), None)
        if row is None and len(held.of(kind)) >= reading.MOST:
            continue
        if row is None:
            row = Coordinate(account_id=account_id, kind=kind, value=value, origin="register")
            session.add(row)
            await session.flush()
        for use in SHOWN:
            if (use, kind) not in held.uses:
                session.add(CoordinateUse(account_id=account_id, use=use, kind=kind, coordinate_id=row.id))
