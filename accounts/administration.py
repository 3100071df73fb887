"""Use cases of administrators and of the operator's commands: rights, proofs, closing."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import administration_queries as queries
from accounts import delegations, inputs, leaving
from accounts.models import Account, Grant
from accounts.models_delegation import Delegation
from accounts.person import Person
from accounts.scopes import read_scope
from accounts.service import end_all, give, note, take_back
from core import clock, mail
from core.errors import Conflict, InvalidInput, NotFound
from core.ui.tables import View

OPERATOR: Final = "exploitant"
STALE: Final = (
    "Ce compte a changé pendant que vous écriviez : rien n’a été modifié, et ce que vous avez saisi est gardé. "
    "Relisez la page, puis recommencez."
)
_LAST: Final = "C’est le dernier administrateur : donnez d’abord ce droit à quelqu’un d’autre."
_OWN: Final = "Vous ne pouvez pas vous retirer le droit d’administrer : demandez-le à un autre administrateur."


@dataclass(frozen=True, slots=True)
class Listed:
    """An account, as the command line lists it."""

    email: str | None
    name: str
    status: str
    rights: list[str]


async def find(session: AsyncSession, uid: uuid.UUID) -> Account:
    """Return an account, closed ones included.

    Raises:
        NotFound: nobody has this identifier.
    """
    account = await session.scalar(select(Account).where(Account.uid == uid))
    if account is None:
        raise NotFound("Ce compte n’existe pas.")
    return account


async def give_role(
    session: AsyncSession, uid: uuid.UUID, version: int, role: str, scope: str, administrator: Person
) -> None:
    """Give an account a role over a scope that an administrator wrote.

    Raises:
        InvalidInput: the role or its scope is refused.
        Conflict: the account changed meanwhile, or is closed.
    """
    read = await read_scope(role, scope)
    account = await _lock(session, uid, version)
    await give(session, account.id, role, read, origin="administrator", by=administrator.actor)
    account.version += 1


async def take_role(session: AsyncSession, uid: uuid.UUID, version: int, grant_id: int, administrator: Person) -> None:
    """Take a right back from an account; what it had given to others ends with it.

    Raises:
        InvalidInput: it is one's own right to administer, or the last one.
        Conflict: the account changed meanwhile.
        NotFound: the account has no such right.
    """
    account = await _lock(session, uid, version)
    grant = await session.get(Grant, grant_id)
    if grant is None or grant.account_id != account.id:
        raise NotFound("Ce droit n’existe pas.")
    if grant.role == "administrator":
        if account.id == administrator.account_id:
            raise InvalidInput(_OWN)
        await keep_one(session, account.id)
    await _take(session, account.id, grant.role, grant.scope, administrator.actor)
    account.version += 1


async def judge_rpps(
    session: AsyncSession, uid: uuid.UUID, version: int, administrator: Person, *, confirmed: bool
) -> None:
    """Confirm the RPPS that an account only said, which makes it a professional, or set it aside.

    Raises:
        InvalidInput: nothing is claimed, or another account has this number.
        Conflict: the account changed meanwhile.
    """
    account = await _lock(session, uid, version)
    claimed = account.rpps_claimed
    if not claimed:
        raise InvalidInput("Ce compte ne déclare aucun numéro RPPS.")
    if confirmed:
        number = inputs.needed_rpps(claimed)
        if account.rpps not in (None, number):
            raise InvalidInput(f"Ce compte a déjà un numéro RPPS prouvé, {account.rpps} : retirez-lui d’abord.")
        taken = await session.scalar(select(Account.uid).where(Account.rpps == number, Account.id != account.id))
        if taken is not None:
            raise InvalidInput("Un autre compte a déjà ce numéro RPPS, prouvé : il ne peut être à deux personnes.")
        account.rpps = number
        await give(
            session, account.id, "professional", f"rpps:{number}", origin="administrator", by=administrator.actor
        )
    account.rpps_claimed = None
    account.version += 1
    note(
        session,
        account.id,
        administrator.actor,
        "rpps_confirmed" if confirmed else "rpps_refused",
        {"rpps": claimed},
    )


async def end_sign_ins(session: AsyncSession, uid: uuid.UUID, administrator: Person) -> int:
    """Sign an account out everywhere, but where its own administrator stands; return how many browsers that was."""
    account = await find(session, uid)
    kept = administrator.sign_in_id if account.id == administrator.account_id else None
    ended = await end_all(session, account.id, but=kept)
    note(session, account.id, administrator.actor, "sign_ins_ended", {"count": ended})
    return ended


async def close(session: AsyncSession, uid: uuid.UUID, version: int, administrator: Person) -> None:
    """Close somebody's account for ever.

    Raises:
        InvalidInput: it is one's own, or the last administrator's.
        Conflict: the account changed meanwhile, or is closed.
    """
    account = await _lock(session, uid, version)
    if account.id == administrator.account_id:
        raise InvalidInput("Vous ne pouvez pas fermer votre compte d’ici : demandez-le à un autre administrateur.")
    held = await session.scalar(
        select(Grant.id).where(Grant.account_id == account.id, Grant.role == "administrator", Grant.ended_at.is_(None))
    )
    if held is not None:
        await keep_one(session, account.id)
    await leaving.close(session, account, administrator.actor)


async def operator_grant(
    session: AsyncSession, email: str, role: str, scope: str, *, create: bool, first_name: str, last_name: str
) -> bool:
    """Give a role from the command line, to an account that exists or that is made; tell whether it was made.

    Raises:
        InvalidInput: the address, the role or the scope is refused.
        NotFound: nobody has this address, and nobody is to be made.
    """
    address = mail.valid_address(email)
    read = await read_scope(role, scope)
    account = await session.scalar(queries.with_email(address))
    made = account is None
    if account is None:
        if not create:
            raise NotFound(f"Aucun compte n’a l’adresse {address}. Ajoutez --create pour le créer.")
        now = await clock.now(session)
        account = Account(
            status="active",
            email=address,
            email_confirmed_at=now,
            first_name=inputs.line(first_name)[:120],
            last_name=inputs.line(last_name)[:120],
        )
        session.add(account)
        await session.flush()
        note(session, account.id, OPERATOR, "created")
    await give(session, account.id, role, read, origin="operator", by=OPERATOR)
    return made


async def operator_revoke(session: AsyncSession, email: str, role: str, scope: str, *, last: bool) -> None:
    """Take a role back from the command line; the last administrator only when it is asked for.

    Raises:
        InvalidInput: the address, the role or the scope is refused, or it is the last administrator.
        NotFound: nobody has this address, or this right.
    """
    address = mail.valid_address(email)
    read = await read_scope(role, scope)
    account = await session.scalar(queries.with_email(address))
    if account is None:
        raise NotFound(f"Aucun compte n’a l’adresse {address}.")
    held = await session.scalar(
        select(Grant.id).where(
            Grant.account_id == account.id, Grant.role == role, Grant.scope == read, Grant.ended_at.is_(None)
        )
    )
    if held is None:
        raise NotFound(f"Le compte {address} n’a pas ce droit.")
    if role == "administrator" and not last:
        await keep_one(session, account.id)
    await _take(session, account.id, role, read, OPERATOR)


async def listed(session: AsyncSession, words: str, role: str | None, limit: int) -> tuple[list[Listed], int]:
    """Return the first accounts that hold these words or this role, by name, and how many there are."""
    if role is not None and role not in queries.FILTERS["role"]:  # type: ignore[operator]
        raise InvalidInput(f"Le droit « {role} » est inconnu.")
    view = View("", queries.COLUMNS, "nom", False, {"texte": words, "role": role or ""}, usual_sort="nom")
    total = await session.scalar(queries.accounts_count(view)) or 0
    rows = (await session.scalars(queries.accounts_page(view).limit(limit))).all()
    grants = await session.scalars(
        select(Grant)
        .where(Grant.account_id.in_([row.id for row in rows]), Grant.ended_at.is_(None))
        .order_by(Grant.role, Grant.scope, Grant.id)
    )
    rights: dict[int, list[str]] = {}
    for grant in grants:
        rights.setdefault(grant.account_id, []).append(f"{grant.role} {grant.scope}".strip())
    return [
        Listed(row.email, f"{row.first_name} {row.last_name}".strip(), row.status, rights.get(row.id, []))
        for row in rows
    ], total


async def actor_names(session: AsyncSession, actors: Collection[str]) -> dict[str, str]:
    """Return the names behind the references of histories; those of closed accounts are not known any more."""
    uids = []
    for actor in actors:
        try:
            uids.append(uuid.UUID(actor.removeprefix("account:")))
        except ValueError:
            continue
    rows = await session.execute(
        select(Account.uid, func.concat_ws(" ", Account.first_name, Account.last_name), Account.status).where(
            Account.uid.in_(uids)
        )
    )
    names = {
        f"account:{uid}": "Compte fermé" if status == "closed" else (name.strip() or "Compte sans nom")
        for uid, name, status in rows
    }
    return {actor: names.get(actor, actor[:1].upper() + actor[1:]) for actor in actors}


async def _take(session: AsyncSession, account_id: int, role: str, scope: str, by: str) -> None:
    await take_back(session, account_id, role, scope, by=by)
    rpps = scope.removeprefix("rpps:")
    if role == "delegate":
        await delegations.close_rows(session, Delegation.delegate_id == account_id, rpps, by)
    elif role == "professional":
        await session.flush()
        await delegations.end_all_over(session, rpps, by)


async def keep_one(session: AsyncSession, account_id: int) -> None:
    """Refuse to leave the site without administrator, even when two of them take each other's right at once."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('accounts:administrators', 0))"))
    if await session.scalar(queries.administrators(account_id)) is None:
        raise InvalidInput(_LAST)


async def _lock(session: AsyncSession, uid: uuid.UUID, version: int) -> Account:
    account = await session.scalar(
        select(Account).where(Account.uid == uid).with_for_update().execution_options(populate_existing=True)
    )
    if account is None:
        raise NotFound("Ce compte n’existe pas.")
    if account.status == "closed":
        raise Conflict("Ce compte est fermé : il ne peut plus changer.")
    if account.version != version:
        raise Conflict(STALE)
    return account
