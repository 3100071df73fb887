"""Pages « Internes et docteurs juniors »: what councils and administrators say that people are."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import administration, labels, web
from accounts.pages_account import draw
from accounts.person import Person, allowed
from accounts.standings import councils, queries, service
from accounts.standings.known import specialties
from accounts.standings.reading import standings_of
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, Forbidden, InvalidInput
from core.security import csrf_protected
from core.ui.tables import read_view

router = APIRouter(include_in_schema=False)

PAGE: Final = "/moderation/internes"
MANAGERS: Final = ("moderator", "administrator")
ManagerDep = Annotated[Person, Depends(allowed(*MANAGERS))]
_DONE: Final = {
    "donnee": "La situation est enregistrée ; elle vaut dès la prochaine page que cette personne ouvre.",
    "finie": "La situation a pris fin.",
    "conseil": "Le compte dépend désormais de ce conseil.",
    "refusee": "Le rattachement est refusé : la personne lit le motif et peut indiquer un autre conseil.",
}


@router.get(PAGE)
async def accounts(request: Request, session: SessionDep, person: ManagerDep) -> Response:
    """Draw the accounts of the councils that a person moderates, or of all."""
    view = read_view(PAGE, request.query_params, queries.COLUMNS, sort="nom", filters=queries.FILTERS)
    view = view.counted(await session.scalar(queries.count(person, view)) or 0)
    rows = (await session.execute(queries.page(person, view))).all()
    everywhere = person.has("administrator")
    held = [scope.removeprefix("council:") for scope in person.scopes("moderator")]
    names = await councils.names()
    context = {
        "view": view,
        "rows": rows,
        "standings": await standings_of(session, [account.id for account, _, _ in rows]),
        "names": service.NAMES,
        "kinds": service.KINDS,
        "specialties": await specialties(session),
        "councils": names,
        "offered": list(names.items()) if everywhere else [(code, names[code]) for code in held if code in names],
        "everywhere": everywhere,
        "done": _DONE["refusee"] if request.query_params.get("fait") == "refusee" else "",
    }
    return draw(request, "accounts/standings.html", context)


async def _one(
    request: Request,
    session: AsyncSession,
    person: Person,
    uid: uuid.UUID,
    *,
    error: DomainError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    seen = await service.find(session, person, uid)
    account, given, file = seen.account, seen.given, seen.file
    lines = (await session.scalars(queries.history(account.id))).all()
    standing = (await standings_of(session, [account.id])).get(account.id)
    usual = {
        "situation": given.kind if given else "",
        "licence": given.licence_until.isoformat() if given and given.licence_until else "",
        "specialite": (given.specialty if given else None) or (standing.specialty if standing else None) or "",
        "conseil": (file.council if file else None) or (standing.council if standing else None) or "",
        "motif": "",
    }
    authors = {line.actor for line in lines} | ({given.given_by} if given else set())
    context = {
        "account": account,
        "own": account.id == person.account_id,
        "given": given,
        "file": file,
        "standing": standing,
        "names": service.NAMES,
        "kinds": service.KINDS,
        "specialties": await specialties(session),
        "councils": await councils.names(),
        "typed": usual | {name: text for name, text in (typed or {}).items() if name in usual},
        "version": await service.version_of(session, account.id),
        "file_version": file.version if file else 0,
        "administrator": person.has("administrator"),
        "lines": [(line, labels.happening(line.action, line.detail)) for line in lines],
        "authors": await administration.actor_names(session, authors),
        "done": "" if error else _DONE.get(request.query_params.get("fait", ""), ""),
    }
    refused = (error.fields or {"": error.detail}) if error else {}
    return draw(request, "accounts/standing.html", context, refused, error.status if error else 0)


@router.get(PAGE + "/{uid}")
async def one(request: Request, session: SessionDep, person: ManagerDep, uid: uuid.UUID) -> Response:
    """Draw what somebody is, and the form that says it."""
    return await _one(request, session, person, uid)


async def _do(
    request: Request,
    person: Person,
    uid: uuid.UUID,
    target: str,
    work: Callable[[AsyncSession, Mapping[str, str]], Awaitable[None]],
) -> Response:
    typed = await web.fields(request)
    try:
        async with unit_of_work() as session:
            await work(session, typed)
    except (InvalidInput, Conflict, Forbidden) as refused:
        async with unit_of_work() as session:
            return await _one(request, session, person, uid, error=refused, typed=typed)
    return RedirectResponse(f"{PAGE}{target}", status_code=303, headers=web.NO_STORE)


@router.post(PAGE + "/{uid}", dependencies=[Depends(csrf_protected)])
async def give(request: Request, person: ManagerDep, uid: uuid.UUID) -> Response:
    """Say what somebody is."""

    async def work(session: AsyncSession, typed: Mapping[str, str]) -> None:
        await service.give(session, person, uid, typed)

    return await _do(request, person, uid, f"/{uid}?fait=donnee", work)


@router.post(PAGE + "/{uid}/fin", dependencies=[Depends(csrf_protected)])
async def end(request: Request, person: ManagerDep, uid: uuid.UUID) -> Response:
    """End what was given to somebody."""

    async def work(session: AsyncSession, typed: Mapping[str, str]) -> None:
        await service.end(session, person, uid, typed.get("version", ""))

    return await _do(request, person, uid, f"/{uid}?fait=finie", work)


@router.post(PAGE + "/{uid}/conseil", dependencies=[Depends(csrf_protected)])
async def council(request: Request, person: ManagerDep, uid: uuid.UUID) -> Response:
    """Attach somebody to another council."""

    async def work(session: AsyncSession, typed: Mapping[str, str]) -> None:
        await service.change_council(session, person, uid, typed)

    return await _do(request, person, uid, f"/{uid}?fait=conseil", work)


@router.post(PAGE + "/{uid}/refus", dependencies=[Depends(csrf_protected)])
async def refuse(request: Request, person: ManagerDep, uid: uuid.UUID) -> Response:
    """Send back somebody who named a council that is not theirs."""

    async def work(session: AsyncSession, typed: Mapping[str, str]) -> None:
        await service.refuse_council(session, person, uid, typed)

    # A council sees them no more.
    return await _do(request, person, uid, "?fait=refusee", work)
