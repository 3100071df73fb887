"""Use cases of one's coordinates: adding, changing, deleting them, saying what each serves for."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import links, service
from accounts.coordinates.reach import KINDS, USES
from accounts.coordinates.reading import MOST, NAMES, read, used_for
from accounts.models import Account
from accounts.models_coordinates import Coordinate, CoordinateUse, OrdinalFile
from accounts.person import Person
from core import clock
from core.errors import Conflict, InvalidInput, NotFound

STALE: Final = (
    "Vos coordonnées ont été modifiées entre-temps, dans un autre onglet ou sur un autre appareil : rien n’a été "
    "enregistré. Ce que vous avez saisi est gardé ci-dessous ; vérifiez-le, puis enregistrez à nouveau."
)
_GONE: Final = "Cette coordonnée n’existe plus : elle a été supprimée, ou n’a jamais été la vôtre."


@dataclass(frozen=True, slots=True)
class Mine:
    """The coordinates of a person, by kind, and what each serves for."""

    rows: list[Coordinate]
    uses: dict[tuple[str, str], int]
    """Keys of coordinates by (use, kind)."""
    version: int
    """What a change of uses starts from; 0 before the first one."""

    def of(self, kind: str) -> list[Coordinate]:
        """Return those of a kind, the first added first."""
        return [row for row in self.rows if row.kind == kind]

    def uses_of(self, row: Coordinate) -> list[str]:
        """Return what a coordinate serves for, in the order of the table."""
        return [use for use in USES if self.uses.get((use, row.kind)) == row.id]

    def waits(self, row: Coordinate) -> bool:
        """Tell whether an e-mail must be confirmed before it can serve."""
        return waits(row)


def waits(row: Coordinate) -> bool:
    """Tell whether a coordinate cannot serve yet: an e-mail that somebody typed and has not confirmed."""
    return row.kind == "email" and row.origin == "self" and row.confirmed_at is None


async def mine(session: AsyncSession, account_id: int) -> Mine:
    """Return the coordinates of somebody."""
    rows = await session.scalars(
        select(Coordinate)
        .where(Coordinate.account_id == account_id)
        .order_by(Coordinate.kind, Coordinate.id)
        .limit(MOST * len(KINDS))
    )
    uses = await session.execute(
        select(CoordinateUse.use, CoordinateUse.kind, CoordinateUse.coordinate_id)
        .where(CoordinateUse.account_id == account_id)
        .order_by(CoordinateUse.use, CoordinateUse.kind)
    )
    version = await session.scalar(select(OrdinalFile.version).where(OrdinalFile.account_id == account_id))
    return Mine(list(rows), {(use, kind): at for use, kind, at in uses}, version or 0)


async def lock(session: AsyncSession, account_id: int) -> Account:
    """Return an account that nobody else changes the coordinates of meanwhile.

    Raises:
        Conflict: it is closed.
    """
    account = await session.scalar(
        select(Account)
        .where(Account.id == account_id, Account.status == "active")
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if account is None:
        raise Conflict("Ce compte n’existe plus.")
    return account


async def own(session: AsyncSession, account_id: int, uid: uuid.UUID) -> Coordinate:
    """Return one of somebody's coordinates.

    Raises:
        NotFound: it is not theirs, or has gone.
    """
    row = await session.scalar(select(Coordinate).where(Coordinate.uid == uid, Coordinate.account_id == account_id))
    if row is None:
        raise NotFound(_GONE)
    return row


async def file_of(session: AsyncSession, account_id: int) -> OrdinalFile:
    """Return the row of the Ordre's services for an account, made when there is none; the account is locked."""
    await session.execute(insert(OrdinalFile).values(account_id=account_id, version=0).on_conflict_do_nothing())
    return (await session.scalars(select(OrdinalFile).where(OrdinalFile.account_id == account_id))).one()


async def _check_new(session: AsyncSession, account_id: int, kind: str, value: str, but: int = 0) -> None:
    same = await session.scalar(
        select(Coordinate.id).where(
            Coordinate.account_id == account_id,
            Coordinate.kind == kind,
            func.lower(Coordinate.value) == value.lower(),
            Coordinate.id != but,
        )
    )
    if same is not None:
        message = "Vous avez déjà cette coordonnée."
        raise InvalidInput(message, fields={kind: message})


async def _prove(session: AsyncSession, account: Account, row: Coordinate) -> bool:
    """Confirm an e-mail that the account proved already, else send its link; tell whether a mail left."""
    if account.email_confirmed_at is not None and (account.email or "").lower() == row.value.lower():
        row.confirmed_at = await clock.now(session)
        return False
    return await links.send_coordinate(session, account, row.value)


async def add(session: AsyncSession, person: Person, kind: str, given: str) -> Coordinate:
    """Add a coordinate; an e-mail waits for its link to be opened.

    Raises:
        InvalidInput: it is refused, known already, or one too many.
    """
    if kind not in KINDS:
        raise InvalidInput("Choisissez une adresse, un mail, un mobile ou un fixe.")
    value = read(kind, given)
    account = await lock(session, person.account_id)
    await _check_new(session, account.id, kind, value)
    held = await session.scalar(
        select(func.count()).where(Coordinate.account_id == account.id, Coordinate.kind == kind)
    )
    if (held or 0) >= MOST:
        message = f"Vous avez déjà {MOST} coordonnées de cette sorte : supprimez-en une d’abord."
        raise InvalidInput(message, fields={kind: message})
    row = Coordinate(account_id=account.id, kind=kind, value=value, origin="self")
    session.add(row)
    await session.flush()
    if kind == "email":
        await _prove(session, account, row)
    service.note(session, account.id, person.actor, "coordinate_added", {"kind": kind})
    return row


async def edit(session: AsyncSession, person: Person, uid: uuid.UUID, version: str, given: str) -> list[str]:
    """Change a coordinate. A new e-mail must be confirmed again: until then it serves for nothing.

    Returns:
        The uses that lost it.

    Raises:
        InvalidInput: it is refused, or known already.
        Conflict: it changed meanwhile.
        NotFound: it has gone.
    """
    account = await lock(session, person.account_id)
    row = await own(session, account.id, uid)
    if version != str(row.version):
        raise Conflict(STALE)
    value = read(row.kind, given)
    if value == row.value:
        return []
    await _check_new(session, account.id, row.kind, value, but=row.id)
    lost: list[str] = []
    if row.kind == "email":
        await links.cancel(session, account.id, "coordinate", email=row.value)
    row.value, row.origin, row.confirmed_at = value, "self", None
    row.version += 1
    await session.flush()
    if row.kind == "email":
        await _prove(session, account, row)
        if waits(row):
            lost = await _free(session, row)
    service.note(session, account.id, person.actor, "coordinate_changed", {"kind": row.kind})
    return lost


async def _free(session: AsyncSession, row: Coordinate) -> list[str]:
    freed = await session.scalars(
        delete(CoordinateUse).where(CoordinateUse.coordinate_id == row.id).returning(CoordinateUse.use)
    )
    lost = list(freed)
    if lost:
        (await file_of(session, row.account_id)).version += 1
    return lost


async def remove(
    session: AsyncSession, person: Person, uid: uuid.UUID, version: str, told: Collection[str]
) -> list[str]:
    """Delete a coordinate, once its owner was told which uses lose it.

    Returns:
        These uses.

    Raises:
        Conflict: it changed meanwhile, or serves for something that they were not told.
        NotFound: it has gone.
    """
    account = await lock(session, person.account_id)
    row = await own(session, account.id, uid)
    serves = (await session.scalars(select(CoordinateUse.use).where(CoordinateUse.coordinate_id == row.id))).all()
    if version != str(row.version) or not set(serves) <= set(told):
        raise Conflict("Cette coordonnée a changé pendant que vous lisiez : rien n’a été supprimé. Relisez la page.")
    lost = await _free(session, row)
    if row.kind == "email":
        await links.cancel(session, account.id, "coordinate", email=row.value)
    await session.delete(row)
    service.note(
        session,
        account.id,
        person.actor,
        "coordinate_removed",
        {"kind": row.kind, "uses": [use for use in USES if use in lost]},
    )
    return [use for use in USES if use in lost]


async def send_again(session: AsyncSession, person: Person, uid: uuid.UUID) -> bool:
    """Send again the link that confirms an e-mail, one of the register's too; tell whether it left."""
    account = await lock(session, person.account_id)
    row = await own(session, account.id, uid)
    if row.kind != "email" or row.confirmed_at is not None:
        return True
    return await _prove(session, account, row) or row.confirmed_at is not None


async def confirm(session: AsyncSession, token: str) -> links.Opened:
    """Use a link that proves a further address: it can serve from now on."""
    opened = await links.look(session, token, "coordinate")
    if opened.account is None:
        return opened
    account = await lock(session, opened.account.id)
    opened = await links.use(session, token, "coordinate")
    if opened.state != "live":
        return opened
    row = await session.scalar(
        select(Coordinate).where(
            Coordinate.account_id == account.id,
            Coordinate.kind == "email",
            func.lower(Coordinate.value) == opened.email.lower(),
        )
    )
    if row is None:
        return links.Opened("unknown")
    if row.confirmed_at is None:
        row.confirmed_at = await clock.now(session)
        service.note(session, account.id, f"account:{account.uid}", "coordinate_confirmed", {"kind": "email"})
    return opened


async def assign(session: AsyncSession, person: Person, typed: Mapping[str, str]) -> None:
    """Say which coordinates serve for what: fields `<use>-<kind>` hold their identifiers, or nothing.

    Raises:
        InvalidInput: a coordinate is not theirs, or not confirmed.
        Conflict: coordinates or uses changed meanwhile.
    """
    account = await lock(session, person.account_id)
    kept = await mine(session, account.id)
    if typed.get("version", "") != str(kept.version):
        raise Conflict(STALE)
    refused: dict[str, str] = {}
    wanted: dict[tuple[str, str], int] = {}
    for use in USES:
        for kind in KINDS:
            field = f"{use}-{kind}"
            given = typed.get(field, "")
            row = next((row for row in kept.of(kind) if str(row.uid) == given), None)
            if row is not None and not waits(row):
                wanted[use, kind] = row.id
            elif row is not None:
                refused[field] = f"{used_for([use])} : confirmez d’abord cette adresse par le lien du mail reçu."
            elif given:
                refused[field] = f"{used_for([use])}, {NAMES[kind].lower()} : cette coordonnée a été supprimée."
    if refused:
        raise InvalidInput("Certains choix sont à corriger. Rien n’a été enregistré.", fields=refused)
    if wanted == kept.uses:
        return
    await session.execute(delete(CoordinateUse).where(CoordinateUse.account_id == account.id))
    session.add_all(
        CoordinateUse(account_id=account.id, use=use, kind=kind, coordinate_id=at) for (use, kind), at in wanted.items()
    )
    (await file_of(session, account.id)).version += 1
    service.note(session, account.id, person.actor, "coordinates_assigned")
