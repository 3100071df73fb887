"""Limits on how often something is tried, kept in the database: every process counts together."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models_password import Rate
from core.security import signature


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries at once, then one each time that `every` has passed."""

    kind: str
    burst: int
    every: timedelta


SIGN_IN_ADDRESS: Final = Limit("sign-in-address", 40, timedelta(seconds=15))
"""From one network, whatever the account; a hospital may stand behind one."""
SIGN_IN_PAIR: Final = Limit("sign-in-pair", 6, timedelta(minutes=3))
"""For one account from one network."""
SIGN_IN_ACCOUNT: Final = Limit("sign-in-account", 30, timedelta(minutes=1))
"""For one account from everywhere; a browser that its owner made known does not count, so that nobody can keep them
out by failing in their name."""
CODE_MAIL: Final = Limit("code-mail", 8, timedelta(minutes=5))
LINK_MAIL: Final = Limit("link-mail", 4, timedelta(minutes=15))
"""Mails with a link to one address, and codes to one account."""
COORDINATE_MAIL: Final = Limit("coordinate-mail", 10, timedelta(minutes=15))
"""Addresses that one account asks to prove: nobody writes to strangers through us."""
ASK_ADDRESS: Final = Limit("ask-address", 15, timedelta(minutes=1))
"""Links asked for from one network."""
SIGN_UP_ADDRESS: Final = Limit("sign-up-address", 30, timedelta(seconds=30))
UNPROVEN_ADDRESS: Final = Limit("unproven-address", 4, timedelta(minutes=15))
UNPROVEN_ALL: Final = Limit("unproven-all", 60, timedelta(seconds=30))
"""Sign-ups without a proof of work, from one network and from all."""
PSC_START: Final = Limit("psc-start", 60, timedelta(seconds=5))
"""Sign-ins by card begun from one network; each leaves a row until it is over."""
COUNCIL_NAMED: Final = Limit("council-named", 3, timedelta(days=7))
"""Councils that one account names: each has to look at who it is."""
SECRET_ASKED: Final = Limit("secret-asked", 8, timedelta(minutes=2))
"""Passwords asked again of somebody who is signed in."""


def _subject(limit: Limit, subject: str) -> bytes:
    return bytes.fromhex(signature("rate", f"{limit.kind}\0{subject.lower()}"))


async def take(session: AsyncSession, limit: Limit, subject: str) -> timedelta | None:
    """Count one try; return None when it is allowed, else how long to wait (a refused try counts for nothing)."""
    now = func.core.now()
    slack = limit.every * (limit.burst - 1)
    key = _subject(limit, subject)
    taken = await session.scalar(
        insert(Rate)
        .values(kind=limit.kind, subject=key, due_at=now + limit.every)
        .on_conflict_do_update(
            index_elements=["kind", "subject"],
            set_={"due_at": func.greatest(Rate.due_at, now) + limit.every},
            where=Rate.due_at <= now + slack,
        )
        .returning(Rate.kind)
    )
    if taken is not None:
        return None
    due = select(Rate.due_at, now.label("now")).where(Rate.kind == limit.kind, Rate.subject == key)
    due_at, instant = (await session.execute(due)).one()
    wait: timedelta = due_at - slack - instant
    return max(wait, timedelta(seconds=1))


async def forget(session: AsyncSession, limit: Limit, subject: str) -> None:
    """Forget what was tried: it ended well."""
    await session.execute(delete(Rate).where(Rate.kind == limit.kind, Rate.subject == _subject(limit, subject)))


def waiting(wait: timedelta) -> str:
    """Say how long to wait, in French, rounded up."""
    seconds = int(wait.total_seconds()) + 1
    if seconds <= 90:
        return f"{seconds}\u00a0secondes"
    return f"{-(-seconds // 60)}\u00a0minutes"
