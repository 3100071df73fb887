"""Proof of work of the sign-up form: our own host asks, the browser computes, nobody else is told.

The ticket (a number used once, the instant, our signature) is in the page. A browser with scripts adds the solution of
the challenge made of that number; one without waits a little, and such sign-ups are counted.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any, Final

from altcha.v1 import ChallengeOptions, create_challenge, verify_solution
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import limits
from accounts.models_password import SpentChallenge
from core import clock
from core.errors import InvalidInput
from core.security import digest, new_token, signature

WORK: Final = 60_000
"""Hashes that the longest solution takes: a second or two on a telephone."""
LIFE: Final = timedelta(hours=2)
WITHOUT_SCRIPT: Final = timedelta(seconds=20)
"""How long a form without solution must have been open; filling it takes longer."""

_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the page carries: `text` for its form, `challenge` for its script."""

    text: str
    challenge: str


def _sign(nonce: str, issued: str) -> str:
    return signature("sign-up-ticket", f"{nonce}.{issued}")


def _key() -> str:
    return signature("sign-up-challenge", "key")


def _ticket(text: str) -> Ticket:
    nonce = text.partition(".")[0]
    challenge = create_challenge(ChallengeOptions(salt=nonce, max_number=WORK, hmac_key=_key()))
    return Ticket(
        text,
        json.dumps(
            {
                "algorithm": challenge.algorithm,
                "challenge": challenge.challenge,
                "salt": challenge.salt,
                "signature": challenge.signature,
                "max": WORK,
            }
        ),
    )


async def issue(session: AsyncSession) -> Ticket:
    """Make a new ticket."""
    nonce = new_token()
    issued = str(int((await clock.now(session)).timestamp()))
    return _ticket(f"{nonce}.{issued}.{_sign(nonce, issued)}")


async def issue_again(session: AsyncSession, text: str) -> Ticket:
    """Return the ticket of a form that comes back to be corrected; a new one when it is worth nothing any more."""
    read = await _read(session, text)
    return _ticket(text) if read is not None else await issue(session)


async def _read(session: AsyncSession, text: str) -> tuple[str, timedelta] | None:
    """Return the number of a ticket of ours and its age; None when it is foreign or too old."""
    parts = text.split(".")
    if len(text) > _LONGEST or len(parts) != 3 or not parts[1].isascii() or not parts[1].isdigit():
        return None
    nonce, issued, signed = parts
    if not compare_digest(signed.encode(), _sign(nonce, issued).encode()):
        return None
    age = await clock.now(session) - datetime.fromtimestamp(int(issued), UTC)
    return (nonce, age) if timedelta() - timedelta(seconds=2) <= age <= LIFE else None


def _solved(nonce: str, solution: str) -> bool:
    try:
        payload: Any = json.loads(base64.b64decode(solution, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return False
    if not isinstance(payload, dict) or payload.get("salt") != f"{nonce}&":
        return False
    number = payload.get("number")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= WORK:
        return False
    if not all(isinstance(payload.get(name), str) for name in ("algorithm", "challenge", "signature")):
        return False
    wanted: Any = {name: payload[name] for name in ("algorithm", "challenge", "number", "salt", "signature")}
    solved, _ = verify_solution(wanted, _key(), check_expires=False)
    return solved


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, fields={"challenge": message})


async def check(session: AsyncSession, text: str, solution: str, origin: str) -> str:
    """Return the number of a ticket that may be used, without using it.

    Args:
        session: a unit of work that is committed whatever happens: tries without a solution are counted.
        text: the ticket.
        solution: what the browser computed; empty without scripts.
        origin: the network it comes from.

    Raises:
        InvalidInput: the ticket is foreign or too old, or the form came too fast or too often without a solution.
    """
    read = await _read(session, text) if len(solution) <= _LONGEST else None
    if read is None:
        raise _refused("Cette page est restée ouverte trop longtemps. Vérifiez vos réponses, puis renvoyez-la.")
    nonce, age = read
    if solution and _solved(nonce, solution):
        return nonce
    if age < WITHOUT_SCRIPT:
        rest = limits.waiting(WITHOUT_SCRIPT - age)
        raise _refused(f"Votre navigateur n’a pas fait la vérification : attendez {rest}, puis renvoyez la page.")
    for limit, subject in ((limits.UNPROVEN_ADDRESS, origin), (limits.UNPROVEN_ALL, "")):
        wait = await limits.take(session, limit, subject)
        if wait is not None:
            raise _refused(
                "Trop d’inscriptions sans vérification viennent d’être envoyées. "
                f"Attendez {limits.waiting(wait)} puis renvoyez la page, ou activez JavaScript."
            )
    return nonce


async def spend(session: AsyncSession, nonce: str) -> None:
    """Use a ticket; it serves once, whatever happens at the same time.

    Raises:
        InvalidInput: it was used already.
    """
    spent = await session.scalar(
        insert(SpentChallenge)
        .values(challenge=digest(nonce), expires_at=await clock.now(session) + LIFE)
        .on_conflict_do_nothing()
        .returning(SpentChallenge.challenge)
    )
    if spent is None:
        raise _refused("Cette page a déjà été envoyée. Si vous n’avez rien reçu, renvoyez-la.")


async def is_spent(session: AsyncSession, text: str) -> bool:
    """Tell whether a form was already sent."""
    return await session.get(SpentChallenge, digest(text.partition(".")[0])) is not None
