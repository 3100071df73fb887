"""Signing in with an address and a password, then a code sent by mail unless the browser is known."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final, Literal

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import limits, passwords
from accounts.models import Account
from accounts.models_password import KnownDevice, SignInCode
from accounts.service import DEVICE_MAX, note
from accounts.signup import owner_of
from core import clock, mail
from core.security import digest, new_token, signature

CODE_LIFE: Final = timedelta(minutes=10)
TRIES: Final = 5
RESEND_AFTER: Final = timedelta(seconds=60)
SENDINGS: Final = 4
KNOWN_FOR: Final = timedelta(days=30)
KNOWN_AFTER_RESET: Final = timedelta(minutes=15)
"""Who just used a link that we sent has shown that the address is theirs: the next sign-in asks for no code."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a try may compare itself with; `stored` is None for nobody, and `wait` says that it came too often."""

    account_id: int | None
    stored: str | None
    wait: timedelta | None = None


async def look(session: AsyncSession, email: str, origin: str, device_token: str | None) -> Found:
    """Count a try and return what to compare the password with; unknown addresses are counted like the others."""
    limits_met = [(limits.SIGN_IN_ADDRESS, origin), (limits.SIGN_IN_PAIR, f"{email}\0{origin}")]
    account = await owner_of(session, email)
    if account is None or await known_device(session, account.id, device_token) is None:
        limits_met.append((limits.SIGN_IN_ACCOUNT, email))
    for limit, subject in limits_met:
        wait = await limits.take(session, limit, subject)
        if wait is not None:
            return Found(None, None, wait)
    if account is None or account.status != "active":
        return Found(None, None)
    return Found(account.id, account.password_hash)


async def pass_password(session: AsyncSession, found: Found, password: str, email: str, origin: str) -> Account | None:
    """Return the account whose password was found right; None when it changed in between."""
    account = await session.get(Account, found.account_id, with_for_update=True)
    if account is None or account.status != "active" or account.password_hash != found.stored:
        return None
    if passwords.outdated(account.password_hash or ""):
        account.password_hash = await passwords.hashed(password)
    await limits.forget(session, limits.SIGN_IN_PAIR, f"{email}\0{origin}")
    return account


async def known_device(session: AsyncSession, account_id: int, token: str | None) -> KnownDevice | None:
    """Return the known browser that a cookie's token stands for, if it is this account's."""
    if not token:
        return None
    return await session.scalar(
        select(KnownDevice).where(
            KnownDevice.token == digest(token),
            KnownDevice.account_id == account_id,
            KnownDevice.ended_at.is_(None),
            KnownDevice.expires_at > func.core.now(),
        )
    )


async def remember(session: AsyncSession, account: Account, device: str, life: timedelta = KNOWN_FOR) -> str:
    """Make a browser known; return the token that its cookie must hold."""
    token = new_token()
    now = await clock.now(session)
    session.add(
        KnownDevice(
            account_id=account.id,
            token=digest(token),
            device=device[:DEVICE_MAX],
            known_at=now,
            seen_at=now,
            expires_at=now + life,
        )
    )
    if life == KNOWN_FOR:
        note(session, account.id, f"account:{account.uid}", "device_known")
    await session.flush()
    return token


async def forget_devices(session: AsyncSession, account_id: int, uid: object = None) -> None:
    """Forget the known browsers of an account, or one of them."""
    statement = update(KnownDevice).where(KnownDevice.account_id == account_id, KnownDevice.ended_at.is_(None))
    if uid is not None:
        statement = statement.where(KnownDevice.uid == uid)
    await session.execute(statement.values(ended_at=await clock.now(session)))


def _signed(token: bytes, code: str) -> str:
    return signature("sign-in-code", f"{token.hex()}.{code}")


async def _write(session: AsyncSession, row: SignInCode, account: Account) -> None:
    now = await clock.now(session)
    code = f"{secrets.randbelow(1_000_000):06d}"
    row.code, row.sent_at, row.expires_at = _signed(row.token, code), now, now + CODE_LIFE
    session.add(row)
    await session.flush()
    assert account.email is not None  # noqa: S101 - nobody signs in without one
    await mail.queue(
        session,
        kind="accounts.code",
        key=f"{row.id}:{row.sent}",
        to=account.email,
        template="accounts/code",
        context={"name": f"{account.first_name} {account.last_name}".strip(), "code": code},
        secret=True,
        expires_at=row.expires_at,
    )


async def ask_code(session: AsyncSession, account: Account) -> tuple[str | None, timedelta | None]:
    """Send a code; return the token that the browser must hold, or how long to wait when too many were sent."""
    wait = await limits.take(session, limits.CODE_MAIL, str(account.uid))
    if wait is not None:
        return None, wait
    token = new_token()
    await _write(session, SignInCode(account_id=account.id, token=digest(token), tries=0, sent=1), account)
    return token, None


def _waiting(token: str) -> Select[SignInCode, Account]:
    return (
        select(SignInCode, Account)
        .join(Account, Account.id == SignInCode.account_id)
        .where(SignInCode.token == digest(token), SignInCode.used_at.is_(None), Account.status == "active")
        .with_for_update()
    )


@dataclass(frozen=True, slots=True)
class Step:
    """Where a second step is. `left` tries remain; `wait` before another code; `account` once the code is right."""

    state: Literal["none", "waiting", "wrong", "expired", "worn", "right"]
    left: int = 0
    wait: timedelta | None = None
    account: Account | None = None


def _step(row: SignInCode, now: datetime) -> Literal["waiting", "expired", "worn"]:
    if row.tries >= TRIES:
        return "worn"
    return "expired" if row.expires_at <= now else "waiting"


async def second_step(session: AsyncSession, token: str | None, code: str | None = None) -> Step:
    """Return where the second step of a browser is, after trying a code when there is one."""
    row = (await session.execute(_waiting(token))).one_or_none() if token else None
    if row is None:
        return Step("none")
    asked, account = row
    now = await clock.now(session)
    state = _step(asked, now)
    if state != "waiting" or code is None:
        return Step(state, TRIES - asked.tries)
    if compare_digest(asked.code, _signed(asked.token, code)):
        asked.used_at = now
        return Step("right", account=account)
    asked.tries += 1
    return Step("worn" if asked.tries >= TRIES else "wrong", TRIES - asked.tries)


async def send_again(session: AsyncSession, token: str | None) -> Step:
    """Send another code in place of the former one; `wait` says that it is too soon or too much."""
    row = (await session.execute(_waiting(token))).one_or_none() if token else None
    if row is None:
        return Step("none")
    asked, account = row
    now = await clock.now(session)
    if asked.tries >= TRIES or asked.sent >= SENDINGS:
        return Step("worn")
    if now - asked.sent_at < RESEND_AFTER:
        return Step("waiting", TRIES - asked.tries, RESEND_AFTER - (now - asked.sent_at))
    wait = await limits.take(session, limits.CODE_MAIL, str(account.uid))
    if wait is None:
        asked.sent += 1
        await _write(session, asked, account)
    return Step("waiting", TRIES - asked.tries, wait)
