"""Page of the first visit to the Ordre's services: what may be shown on ads, and the council."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import web
from accounts.coordinates import visit
from accounts.coordinates.reading import NAMES
from accounts.models import Account
from accounts.models_coordinates import OrdinalFile
from accounts.pages_account import draw
from accounts.person import Person, SignedInDep
from accounts.standings import councils
from accounts.standings.known import known_person
from accounts.standings.reading import standing_of
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput, TooMany
from core.security import csrf_protected

router = APIRouter(include_in_schema=False)

PAGE = "/coordonnees/premiere-visite"


def _target(given: str) -> str:
    return web.safe_target(given, default="/coordonnees")


async def _page(
    request: Request,
    session: AsyncSession,
    person: Person,
    target: str,
    *,
    error: DomainError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    account = await session.get_one(Account, person.account_id)
    kept = await session.get(OrdinalFile, person.account_id)
    known = await known_person(session, account.rpps)
    proposed = (kept.council if kept else None) or (known.departement if known else None) or ""
    confirmed = kept is not None and kept.council_confirmed_at is not None
    context = {
        "known": visit.coordinates_of(known),
        "kinds": NAMES,
        "standing": await standing_of(session, person.account_id),
        "councils": list((await councils.names()).items()),
        "council": (typed or {}).get("conseil", proposed),
        "confirmed": councils.name(proposed) if confirmed else "",
        "target": target,
        "done": kept is not None and kept.visited_at is not None,
    }
    refused = (error.fields or {"": error.detail}) if error else {}
    return draw(request, "accounts/first_visit.html", context, refused, error.status if error else 0)


@router.get(PAGE)
async def ask(request: Request, session: SessionDep, person: SignedInDep, suite: str = "") -> Response:
    """Ask what may be shown, and the council; whoever answered goes on."""
    if await visit.first_visit_done(session, person.account_id):
        return RedirectResponse(_target(suite), status_code=303, headers=web.NO_STORE)
    return await _page(request, session, person, _target(suite))


@router.post(PAGE, dependencies=[Depends(csrf_protected)])
async def answer(request: Request, person: SignedInDep) -> Response:
    """Keep the answers."""
    typed = await web.fields(request)
    target = _target(typed.get("suite", ""))
    try:
        async with unit_of_work() as session:
            await visit.answer(session, person, typed)
    except (InvalidInput, Conflict, TooMany) as refused:
        async with unit_of_work() as session:
            return await _page(request, session, person, target, error=refused, typed=typed)
    return RedirectResponse(target, status_code=303, headers=web.NO_STORE)
