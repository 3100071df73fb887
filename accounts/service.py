"""Use cases of accounts that every way of signing in shares: opening, ending, grants."""

import contextlib
import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import Account, AccountHistory, Grant, SignIn
from accounts.settings import account_settings
from core import clock
from core.security import digest, new_token

DEVICE_MAX = 300
DEMO_ACTOR = "démonstration"
"""Who gives and takes the rights of the demonstration's people."""
ROLES = ("professional", "delegate", "site_manager", "moderator", "coordinator", "agent", "administrator")
"""What a person may be; a portal that reads by program is a client (`accounts/clients`)."""


def note(session: AsyncSession, account_id: int, actor: str, action: str, detail: object = None) -> None:
    """Write a line of an account's history."""
    session.add(AccountHistory(account_id=account_id, actor=actor, action=action, detail=detail))


async def open_sign_in(
    session: AsyncSession, account: Account, method: str, device: str, id_token: str | None = None
) -> str:
    """Sign an account in on a browser; return the token that its cookie must hold, which is kept nowhere.

    Args:
        session: the unit of work, which the caller commits.
        account: an active account.
        method: psc, password or demo.
        device: the browser's User-Agent, for the list of devices.
        id_token: what Pro Santé Connect gave, needed to sign out there too.
    """
    token = new_token()
    now = await clock.now(session)
    session.add(
        SignIn(
            account_id=account.id,
            token=digest(token),
            method=method,
            device=device[:DEVICE_MAX],
            id_token=id_token,
            opened_at=now,
            seen_at=now,
            expires_at=now + timedelta(hours=account_settings().sign_in_hours),
        )
    )
    note(session, account.id, f"account:{account.uid}", "signed_in", {"method": method})
    await session.flush()
    return token


async def end_sign_in(session: AsyncSession, account_id: int, sign_in_id: int) -> None:
    """Sign one browser of an account out; ending it twice changes nothing."""
    await session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.account_id == account_id, SignIn.ended_at.is_(None))
        .values(ended_at=await clock.now(session))
    )


async def end_all(session: AsyncSession, account_id: int, *, but: int | None = None) -> int:
    """Sign every browser of an account out, except one when it is named; return how many were signed in."""
    ended = await session.execute(
        update(SignIn)
        .where(SignIn.account_id == account_id, SignIn.ended_at.is_(None), SignIn.id != (but or 0))
        .values(ended_at=await clock.now(session))
        .returning(SignIn.id)
    )
    return len(ended.all())


async def give(session: AsyncSession, account_id: int, role: str, scope: str, *, origin: str, by: str) -> None:
    """Give an account a role over a scope; giving it twice changes nothing."""
    if role not in ROLES:
        raise ValueError(role)
    given = await session.execute(
        insert(Grant)
        .values(account_id=account_id, role=role, scope=scope, origin=origin, given_by=by)
        .on_conflict_do_nothing()
        .returning(Grant.id)
    )
    if given.first() is not None:
        note(session, account_id, by, "granted", {"role": role, "scope": scope, "origin": origin})


async def take_back(session: AsyncSession, account_id: int, role: str, scope: str, *, by: str) -> None:
    """End a grant; ending what is not held changes nothing."""
    ended = await session.execute(
        update(Grant)
        .where(Grant.account_id == account_id, Grant.role == role, Grant.scope == scope, Grant.ended_at.is_(None))
        .values(ended_at=await clock.now(session), ended_by=by)
        .returning(Grant.id)
    )
    if ended.first() is not None:
        note(session, account_id, by, "grant_ended", {"role": role, "scope": scope})


async def demo_numbers(session: AsyncSession) -> dict[str, str]:
    """Return the RPPS numbers of the personas who have one, by key."""
    rows = await session.execute(
        select(Account.demo, Account.rpps).where(Account.demo.is_not(None), Account.rpps.is_not(None))
    )
    return {demo: rpps for demo, rpps in rows if demo and rpps}


async def demo_account(
    session: AsyncSession,
    key: str,
    *,
    title: str | None,
    first_name: str,
    last_name: str,
    email: str,
    rpps: str | None,
    profession: str | None,
    grants: Sequence[tuple[str, str]],
) -> Account:
    """Make or refresh an invented person of the demonstration, with exactly these grants; idempotent by `key`."""
    account = await session.scalar(select(Account).where(Account.demo == key))
    if account is None:
        account = Account(demo=key, status="active")
        session.add(account)
    account.title, account.first_name, account.last_name = title, first_name, last_name
    account.email, account.rpps, account.profession = email, rpps, profession
    account.psc_subject = f"8{rpps}" if rpps else None
    account.email_confirmed_at = account.email_confirmed_at or await clock.now(session)
    await session.flush()
    wanted = set(grants)
    held = {
        (g.role, g.scope)
        for g in await session.scalars(
            select(Grant).where(Grant.account_id == account.id, Grant.ended_at.is_(None), Grant.origin == "demo")
        )
    }
    for role, scope in sorted(held - wanted):
        await take_back(session, account.id, role, scope, by=DEMO_ACTOR)
    for role, scope in grants:
        await give(session, account.id, role, scope, origin="demo", by=DEMO_ACTOR)
    return account


async def names_of(session: AsyncSession, actors: Collection[str]) -> dict[str, str]:
    """Return the names of those who wrote in a history, by reference (`Person.actor`); others are left out."""
    uids = []
    for actor in actors:
        kind, _, text = actor.partition(":")
        if kind == "account":
            with contextlib.suppress(ValueError):
                uids.append(uuid.UUID(text))
    rows = await session.execute(
        select(Account.uid, Account.first_name, Account.last_name).where(Account.uid.in_(uids)).order_by(Account.id)
    )
    return {f"account:{uid}": f"{first} {last}".strip() or "un compte fermé" for uid, first, last in rows}
