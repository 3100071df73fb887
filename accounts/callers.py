"""Who calls the API: a program that shows a key or a token, a person who is signed in, or anybody."""

import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from accounts.person import PUBLIC_LEVEL, current, level_of
from core.errors import DomainError, Forbidden

MISSING_SCOPE: Final = "Cette clé ou ce jeton n’ouvre pas cette adresse : il y faut la portée « {scope} »."
NOBODY: Final = "Cette adresse est réservée aux applications enregistrées : montrez une clé ou un jeton."


@dataclass(frozen=True, slots=True)
class Caller:
    """A reader of the API and what it may read.

    `level` is the confidentiality (1 public, 2 professionals). `zone` holds the references of the places to which its
    answers are limited (`departement:78`); empty, they cover everything. `client_id` and `uid` name a registered
    program, `scopes` what its key or its token opens.
    """

    level: int = PUBLIC_LEVEL
    zone: tuple[str, ...] = ()
    client_id: int | None = None
    name: str | None = None
    uid: uuid.UUID | None = None
    scopes: frozenset[str] = frozenset()


class KeyNeeded(DomainError):
    """No program is known to call, and this is for them only."""

    status = 401
    code = "cle-necessaire"
    title = "Authentification nécessaire"


class MissingScope(Forbidden):
    """The program is known, and its key or token does not open this."""

    code = "portee-insuffisante"


def caller_of(request: Request) -> Caller:
    """Return who calls: the program that showed a key or a token, else the person who is signed in, else anybody."""
    program: Caller | None = getattr(request.state, "caller", None)
    if program is not None:
        return program
    person = current(request)
    return Caller(level=level_of(person), name=person.name if person else None)


# A dependency that is not async is run in a thread, which takes longer than this reading.
async def _caller(request: Request) -> Caller:
    return caller_of(request)


CallerDep = Annotated[Caller, Depends(_caller)]
"""FastAPI dependency: who calls, and what they may read."""


def scoped(scope: str) -> Callable[[Request], Coroutine[Any, Any, Caller]]:
    """Return a dependency that gives the caller when it is a program whose key or token opens a scope.

    Raises:
        KeyNeeded: no program showed a key or a token.
        MissingScope: it does not open the scope; the answer names it in `WWW-Authenticate`.
    """

    async def check(request: Request) -> Caller:
        caller = caller_of(request)
        if caller.client_id is None:
            raise KeyNeeded(NOBODY)
        if scope not in caller.scopes:
            request.state.missing_scope = scope
            raise MissingScope(MISSING_SCOPE.format(scope=scope))
        return caller

    return check


def program_scope(scope: str) -> Callable[[Request], Coroutine[Any, Any, None]]:
    """Return a dependency that refuses a program whose key or token does not open a scope; others pass.

    Raises:
        MissingScope: the program's key or token does not open it.
    """

    async def check(request: Request) -> None:
        caller = caller_of(request)
        if caller.client_id is not None and scope not in caller.scopes:
            request.state.missing_scope = scope
            raise MissingScope(MISSING_SCOPE.format(scope=scope))

    return check
