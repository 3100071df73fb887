"""Who calls the API: a program that shows a key or a token, a person who is signed in, or anybody."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from accounts.person import PUBLIC_LEVEL, current, level_of


@dataclass(frozen=True, slots=True)
class Caller:
    """A reader of the API and what it may read.

    `level` is the confidentiality (1 public, 2 professionals). `zone` holds the references of the places to which its
    answers are limited (`departement:78`); empty, they cover everything. `client_id` names a registered program.
    """

    level: int = PUBLIC_LEVEL
    zone: tuple[str, ...] = ()
    client_id: int | None = None
    name: str | None = None


# A dependency that is not async is run in a thread, which takes longer than this reading.
async def _caller(request: Request) -> Caller:
    person = current(request)
    return Caller(level=level_of(person), name=person.name if person else None)


CallerDep = Annotated[Caller, Depends(_caller)]
"""FastAPI dependency: who calls, and what they may read."""
