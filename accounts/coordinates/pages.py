"""Pages « Mes coordonnées »: the list, what each coordinate serves for, the link that confirms an e-mail."""

import uuid
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import links, web
from accounts.coordinates import reading, service
from accounts.coordinates.reach import KINDS, USES, reach
from accounts.pages_account import draw
from accounts.person import Person, SignedInDep
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput
from core.security import csrf_protected

router = APIRouter(include_in_schema=False)

PAGE = "/coordonnees"
_DONE = {
    "ajoutee": "La coordonnée est ajoutée. Choisissez plus bas à quoi elle sert.",
    "mail": "L’adresse est ajoutée. Ouvrez le lien du mail qui vient d’y partir : elle pourra servir ensuite.",
    "modifiee": "La coordonnée est modifiée.",
    "supprimee": "La coordonnée est supprimée.",
    "usages": "L’affectation de vos coordonnées est enregistrée.",
    "renvoye": "Un nouveau mail est parti. Le lien du précédent ne sert plus.",
    "attendez": "Plusieurs mails viennent déjà de partir : attendez un quart d’heure avant d’en demander un autre.",
}


def _to_list(done: str, lost: list[str] | None = None) -> Response:
    said = urlencode({"fait": done} | ({"usages": ",".join(lost)} if lost else {}))
    return RedirectResponse(f"{PAGE}?{said}", status_code=303, headers=web.NO_STORE)


def _said(request: Request) -> str:
    text = _DONE.get(request.query_params.get("fait", ""), "")
    lost = [use for use in request.query_params.get("usages", "").split(",") if use in USES]
    return f"{text} Elle ne sert plus pour\u00a0: {reading.used_for(lost)}." if text and lost else text


async def _list(
    request: Request,
    session: AsyncSession,
    person: Person,
    *,
    error: DomainError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    kept = await service.mine(session, person.account_id)
    uids = {row.id: str(row.uid) for row in kept.rows}
    chosen = {f"{use}-{kind}": uids.get(kept.uses.get((use, kind), 0), "") for use in USES for kind in KINDS}
    given = typed or {}
    refused = (error.fields or {"": error.detail}) if error else {}
    context = {
        "mine": kept,
        "kinds": {kind: reading.NAMES[kind] for kind in KINDS},
        "uses": reading.USE_NAMES,
        "use_help": reading.USE_HELP,
        "used_for": reading.used_for,
        "most": reading.MOST,
        "chosen": {field: given.get(field, uid) for field, uid in chosen.items()},
        "version": kept.version,
        "typed": {kind: given.get(kind, "") for kind in KINDS},
        "ordre": await reach(session, person.account_id, "ordre"),
        "message": "" if error else _said(request),
    }
    return draw(request, "accounts/coordinates.html", context, refused, error.status if error else 0)


@router.get(PAGE)
async def coordinates(request: Request, session: SessionDep, person: SignedInDep) -> Response:
    """Draw one's coordinates, and what each serves for."""
    return await _list(request, session, person)


@router.post(PAGE + "/ajouter", dependencies=[Depends(csrf_protected)])
async def add(request: Request, person: SignedInDep, type: Annotated[str, Form()] = "") -> Response:
    """Add a coordinate of a kind."""
    typed = await web.fields(request)
    try:
        async with unit_of_work() as session:
            row = await service.add(session, person, type, typed.get(type, ""))
            waiting = service.waits(row)
    except (InvalidInput, Conflict) as refused:
        async with unit_of_work() as session:
            return await _list(request, session, person, error=refused, typed={type: typed.get(type, "")})
    return _to_list("mail" if waiting else "ajoutee")


@router.post(PAGE + "/usages", dependencies=[Depends(csrf_protected)])
async def assign(request: Request, person: SignedInDep) -> Response:
    """Say what each coordinate serves for."""
    typed = await web.fields(request)
    try:
        async with unit_of_work() as session:
            await service.assign(session, person, typed)
    except (InvalidInput, Conflict) as refused:
        async with unit_of_work() as session:
            return await _list(request, session, person, error=refused, typed=typed)
    return _to_list("usages")


@router.get(PAGE + "/valider")
async def look(request: Request, session: SessionDep, jeton: str = "") -> Response:
    """Show what a link is worth; opening it changes nothing."""
    return _link_page(request, await links.look(session, jeton, "coordinate"), jeton)


@router.post(PAGE + "/valider", dependencies=[Depends(csrf_protected)])
async def confirm(request: Request, jeton: Annotated[str, Form()] = "") -> Response:
    """Confirm an e-mail."""
    async with unit_of_work() as session:
        opened = await service.confirm(session, jeton)
    return _link_page(request, opened, jeton, done=opened.state == "live")


def _link_page(request: Request, opened: links.Opened, token: str, *, done: bool = False) -> Response:
    return web.link_page(request, "accounts/coordinates_link.html", opened, token, done=done)


async def _one(
    request: Request,
    session: AsyncSession,
    person: Person,
    uid: uuid.UUID,
    *,
    removing: bool = False,
    error: DomainError | None = None,
    typed: str | None = None,
) -> Response:
    row = await service.own(session, person.account_id, uid)
    kept = await service.mine(session, person.account_id)
    serves = kept.uses_of(row)
    context = {
        "row": row,
        "label": reading.NAMES[row.kind],
        "serves": serves,
        "serves_text": reading.used_for(serves),
        "value": row.value if typed is None else typed,
    }
    refused = (error.fields or {"": error.detail}) if error else {}
    name = "accounts/coordinate_remove.html" if removing else "accounts/coordinate.html"
    return draw(request, name, context, refused, error.status if error else 0)


@router.get(PAGE + "/{uid}")
async def form(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Draw the form that changes a coordinate."""
    return await _one(request, session, person, uid)


@router.post(PAGE + "/{uid}", dependencies=[Depends(csrf_protected)])
async def edit(request: Request, person: SignedInDep, uid: uuid.UUID, version: Annotated[str, Form()] = "") -> Response:
    """Change a coordinate."""
    typed = await web.fields(request)
    given = next((typed[kind] for kind in KINDS if kind in typed), "")
    try:
        async with unit_of_work() as session:
            lost = await service.edit(session, person, uid, version, given)
    except (InvalidInput, Conflict) as refused:
        async with unit_of_work() as session:
            return await _one(request, session, person, uid, error=refused, typed=given)
    return _to_list("modifiee", lost)


@router.get(PAGE + "/{uid}/supprimer")
async def ask_removal(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Ask before a coordinate is deleted, and say which uses lose it."""
    return await _one(request, session, person, uid, removing=True)


@router.post(PAGE + "/{uid}/supprimer", dependencies=[Depends(csrf_protected)])
async def remove(
    request: Request,
    person: SignedInDep,
    uid: uuid.UUID,
    version: Annotated[str, Form()] = "",
    usages: Annotated[str, Form()] = "",
) -> Response:
    """Delete a coordinate."""
    try:
        async with unit_of_work() as session:
            lost = await service.remove(session, person, uid, version, usages.split(","))
    except Conflict as refused:
        async with unit_of_work() as session:
            return await _one(request, session, person, uid, removing=True, error=refused)
    return _to_list("supprimee", lost)


@router.post(PAGE + "/{uid}/renvoyer", dependencies=[Depends(csrf_protected)])
async def again(person: SignedInDep, uid: uuid.UUID) -> Response:
    """Send again the link that confirms an e-mail."""
    async with unit_of_work() as session:
        sent = await service.send_again(session, person, uid)
    return _to_list("renvoye" if sent else "attendez")
