"""How much a caller may still ask, in a minute and in a day: every process counts together, none writes each time.

A process takes requests out of what is left in the database a few at a time, ever fewer as the end comes near, and
serves them without asking again. What all processes serve together never exceeds the limit; what one has taken and
not served when the window ends is lost to the others.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text

from core import db

MINUTE: Final = 60.0
SHARE: Final = 50
"""A process takes a fiftieth of a limit at once."""
MOST: Final = 500
"""Requests that it takes at once at most."""
CALLERS: Final = 50_000
"""Callers that a process remembers; those not heard of lately leave first."""

_TAKE: Final = text(
    """
    INSERT INTO accounts.call_window AS known (subject, daily, ends_at, taken)
    SELECT :subject, wanted.daily,
           CASE WHEN wanted.daily
                THEN (date_trunc('day', core.now() AT TIME ZONE 'Europe/Paris') + interval '1 day')
                     AT TIME ZONE 'Europe/Paris'
                ELSE core.now() + interval '1 minute' END,
           wanted.number
    FROM unnest(CAST(:daily AS boolean[]), CAST(:number AS bigint[])) AS wanted (daily, number)
    ORDER BY wanted.daily
    ON CONFLICT (subject, daily) DO UPDATE SET
        taken = CASE WHEN known.ends_at > core.now() THEN known.taken ELSE 0 END + excluded.taken,
        ends_at = CASE WHEN known.ends_at > core.now() THEN known.ends_at ELSE excluded.ends_at END
    RETURNING daily, taken, extract(epoch FROM ends_at - core.now())
    """
)


@dataclass(slots=True)
class Window:
    """What this process knows of a caller's minute or day: requests in hand, requests left to take."""

    limit: int
    daily: bool
    hand: int = 0
    rest: int = 0
    ends: float = 0.0
    lent: int = 0
    """Served without having been taken: the next taking pays for them."""

    def over(self, now: float, limit: int) -> bool:
        """Tell whether nothing is known of the present window."""
        return self.ends <= now or self.limit != limit

    @property
    def spent(self) -> bool:
        """Tell whether nothing is left, in hand or elsewhere."""
        return not self.hand and not self.rest

    def left(self) -> int:
        """Return how many requests remain, as far as this process knows."""
        return self.hand + self.rest

    def wait(self, now: float) -> int:
        """Return the seconds until a new window begins."""
        return max(1, int(self.ends - now) + 1)


@dataclass(slots=True)
class _Caller:
    windows: list[Window] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Known:
    callers: OrderedDict[bytes, _Caller] = OrderedDict()
    loop: asyncio.AbstractEventLoop | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is served, and what to say of the limits."""

    allowed: bool
    windows: tuple[Window, ...]
    wait: int = 0

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers that tell the limits (draft-ietf-httpapi-ratelimit-headers, and the usual ones)."""
        now = time.monotonic()
        names = ["day" if window.daily else "minute" for window in self.windows]
        policies = [
            f'"{name}";q={window.limit};w={86400 if window.daily else 60}'
            for name, window in zip(names, self.windows, strict=True)
        ]
        states = [
            f'"{name}";r={window.left()};t={window.wait(now)}' for name, window in zip(names, self.windows, strict=True)
        ]
        tightest = min(self.windows, key=lambda window: (window.left() / window.limit, -window.ends))
        found = [
            ("RateLimit-Policy", ", ".join(policies)),
            ("RateLimit", ", ".join(states)),
            ("X-RateLimit-Limit", str(tightest.limit)),
            ("X-RateLimit-Remaining", str(tightest.left())),
            ("X-RateLimit-Reset", str(tightest.wait(now))),
        ]
        return found if self.allowed else [*found, ("Retry-After", str(self.wait))]


def forget() -> None:
    """Forget what this process has in hand."""
    _Known.callers.clear()


async def take(subject: bytes, per_minute: int, per_day: int | None = None, *, lend: int = 0) -> Verdict:
    """Count a request of a caller, and tell whether it is served; a refused one counts for nothing.

    Args:
        subject: whose limit it is.
        per_minute: requests in a minute, which begins with the first of them.
        per_day: requests in a day of Paris; None without limit.
        lend: requests of a new window that are served before the database is asked, for callers who are many and
            ask little.
    """
    caller = _caller(subject)
    limits = [(False, per_minute)] + ([(True, per_day)] if per_day is not None else [])
    if not _ready(caller, limits, lend):
        async with caller.lock:
            if not _ready(caller, limits, lend):
                await _replenish(subject, caller)
    windows = tuple(caller.windows)
    now = time.monotonic()
    spent = [window for window in windows if not window.hand]
    if spent:
        return Verdict(False, windows, max(window.wait(now) for window in spent))
    for window in windows:
        window.hand -= 1
    return Verdict(True, windows)


def _caller(subject: bytes) -> _Caller:
    loop = asyncio.get_running_loop()
    if _Known.loop is not loop:
        # Locks belong to a loop.
        _Known.callers.clear()
        _Known.loop = loop
    found = _Known.callers.get(subject)
    if found is None:
        found = _Known.callers[subject] = _Caller()
        if len(_Known.callers) > CALLERS:
            _Known.callers.popitem(last=False)
    else:
        _Known.callers.move_to_end(subject)
    return found


def _ready(caller: _Caller, limits: list[tuple[bool, int]], lend: int) -> bool:
    """Bring the windows up to the present; tell whether the answer is known without asking."""
    now = time.monotonic()
    known = {window.daily: window for window in caller.windows}
    caller.windows = [_present(known.get(daily), daily, limit, lend, now) for daily, limit in limits]
    return any(window.spent and window.ends for window in caller.windows) or all(w.hand for w in caller.windows)


def _present(window: Window | None, daily: bool, limit: int, lend: int, now: float) -> Window:
    if window is not None and not window.over(now, limit):
        return window
    if not lend or daily:
        return Window(limit, daily)
    lent = min(lend, limit)
    return Window(limit, daily, hand=lent, rest=limit - lent, ends=now + MINUTE, lent=lent)


async def _replenish(subject: bytes, caller: _Caller) -> None:
    short = [window for window in caller.windows if not window.hand]
    wanted = [_batch(window) + window.lent for window in short]
    async with db.unit_of_work() as session:
        rows = await session.execute(
            _TAKE, {"subject": subject, "daily": [window.daily for window in short], "number": wanted}
        )
        found: dict[bool, Any] = {row[0]: row for row in rows}
    now = time.monotonic()
    for window, number in zip(short, wanted, strict=True):
        _, taken, seconds = found[window.daily]
        got = max(0, number - max(0, taken - window.limit))
        window.hand = max(0, got - window.lent)
        window.rest = max(0, window.limit - taken)
        window.ends = now + float(seconds)
        window.lent = 0


def _batch(window: Window) -> int:
    share = min(MOST, max(1, window.limit // SHARE))
    # Near the end, little is taken at once: what one process keeps, the others cannot serve.
    return share if not window.ends else min(share, max(1, window.rest // 4))
