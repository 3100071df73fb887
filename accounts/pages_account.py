"""Page « Mon compte » and what its owner may do there: identity, password, devices, journal, leaving."""

import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import administration, labels, leaving, limits, own, queries, service, sign_in_password, web
from accounts.models import Account, AccountHistory
from accounts.models_coordinates import Coordinate
from accounts.pages_sign_up import form_lists
from accounts.person import Person, SignedInDep
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, InvalidInput, NotFound
from core.security import csrf_protected
from core.ui import pages

router = APIRouter(include_in_schema=False)

JOURNAL_PAGE = 30
MESSAGES = {
    "identite": "Vos informations sont enregistrées.",
    "adresse": "Un mail vient de partir à votre nouvelle adresse : elle comptera une fois validée.",
    "adresse-gardee": "Vous gardez votre adresse actuelle.",
    "renvoye": "Un nouveau mail est parti. Le lien du précédent ne sert plus.",
    "attendez": "Plusieurs mails viennent déjà de partir : attendez un quart d’heure avant d’en demander un autre.",
    "mot-de-passe": "Votre mot de passe est changé. Vos autres appareils sont déconnectés.",
    "appareil": "Cet appareil est déconnecté.",
    "appareils": "Tous vos autres appareils sont déconnectés.",
    "carte-liee": "Votre carte est liée à ce compte : elle suffit pour vous connecter.",
    "carte-deliee": "Votre carte est déliée de ce compte.",
    "oublie": "Un code sera de nouveau demandé sur cet appareil.",
}
"""What the page may be asked to say first."""


def draw(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    errors: Mapping[str, str] | None = None,
    status: int = 0,
) -> Response:
    """Draw a page of the account, with what was refused."""
    values = {"errors": dict(errors or {})} | dict(context)
    return pages.render(request, template, values, status=status or (422 if errors else 200), headers=web.NO_STORE)


def to_account(info: str) -> Response:
    """Go back to the account, which says what was done."""
    return RedirectResponse(f"/compte?info={info}", status_code=303, headers=web.NO_STORE)


async def check_secret(person: Person, typed: str, error_field: str = "current") -> None:
    """Ask who is signed in for the password of their account, when it has one; tries are counted.

    Raises:
        InvalidInput: it is wrong, or was tried too often.
    """
    async with unit_of_work() as session:
        account = await own.mine(session, person)
        wait = await limits.take(session, limits.SECRET_ASKED, str(account.uid)) if account.password_hash else None
    if wait is not None:
        message = f"Trop d’essais : attendez {limits.waiting(wait)}."
        raise InvalidInput(message, fields={error_field: message})
    await own.check_password(account, typed)


@router.get("/compte")
async def account(request: Request, session: SessionDep, person: SignedInDep) -> Response:
    """Draw the account of who is signed in."""
    mine = await own.mine(session, person)
    signs = await own.devices(session, person)
    context = {
        "account": mine,
        "who": person,
        "rights": [labels.right(right.role, right.scope) for right in person.grants],
        "devices": [(row, labels.device(row.device), labels.METHODS[row.method]) for row in signs],
        "known": [(row, labels.device(row.device)) for row in await own.known_devices(session, person)],
        "method": labels.METHODS[person.method],
        "coordinates": await session.scalar(select(func.count()).where(Coordinate.account_id == person.account_id)),
        "message": MESSAGES.get(request.query_params.get("info", "")),
    }
    return draw(request, "accounts/account.html", context)


@router.get("/compte/identite")
async def identity_form(request: Request, session: SessionDep, person: SignedInDep) -> Response:
    """Draw the form of what a person says of themselves."""
    mine = await own.mine(session, person)
    names = ("title", "last_name", "first_name", "profession", "specialty", "phone", "phone_fixed", "version")
    typed = {name: str(getattr(mine, name) or "") for name in names}
    return await _identity(request, session, mine, typed)


async def _identity(
    request: Request,
    session: AsyncSession,
    mine: Account,
    typed: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    status: int = 0,
) -> Response:
    lists = await form_lists(session)
    # A title that a register or a card gave stays a choice.
    kept = () if not mine.title or mine.title in lists["titles"] else (mine.title,)
    context = lists | {
        "titles": (*kept, *lists["titles"]),
        "typed": dict(typed),
        "version": mine.version,
        "proven": mine.rpps is not None or mine.psc_subject is not None,
    }
    return draw(request, "accounts/account_identity.html", context, errors, status)


@router.post("/compte/identite", dependencies=[Depends(csrf_protected)])
async def identity(request: Request, person: SignedInDep) -> Response:
    """Change what a person says of themselves."""
    typed = await web.fields(request)
    try:
        async with unit_of_work() as session:
            await own.edit_identity(session, person, typed)
    except (InvalidInput, Conflict) as refused:
        async with unit_of_work() as session:
            mine = await own.mine(session, person)
            errors = refused.fields or {"": refused.detail}
            return await _identity(request, session, mine, typed, errors, refused.status)
    return to_account("identite")


@router.get("/compte/mot-de-passe")
async def password_form(request: Request, session: SessionDep, person: SignedInDep) -> Response:
    """Draw the form that changes the password."""
    mine = await own.mine(session, person)
    return draw(request, "accounts/account_password.html", {"has_one": mine.password_hash is not None, "mine": mine})


@router.post("/compte/mot-de-passe", dependencies=[Depends(csrf_protected)])
async def password(request: Request, person: SignedInDep) -> Response:
    """Change the password: this browser goes on under a new token, every other one is signed out."""
    typed = await web.fields(request)
    try:
        async with unit_of_work() as session:
            mine = await own.mine(session, person)
        await check_secret(person, typed.get("current", ""))
        chosen = await own.read_password(typed, own.words_of(mine))
        async with unit_of_work() as session:
            mine = await own.mine(session, person, typed.get("version", ""))
            if mine.email is None:
                raise InvalidInput(own.NO_ADDRESS, fields={"": own.NO_ADDRESS})
            await own.set_password(session, mine, chosen)
            token = await service.open_sign_in(session, mine, person.method, web.device(request))
    except (InvalidInput, Conflict) as refused:
        async with unit_of_work() as session:
            mine = await own.mine(session, person)
        context = {"has_one": mine.password_hash is not None, "mine": mine}
        errors = refused.fields or {"": refused.detail}
        return draw(request, "accounts/account_password.html", context, errors, refused.status)
    return web.signed_in("/compte?info=mot-de-passe", token)


@router.post("/compte/appareils", dependencies=[Depends(csrf_protected)])
async def end_device(person: SignedInDep, appareil: Annotated[uuid.UUID, Form()]) -> Response:
    """Sign one browser out; this one included."""
    async with unit_of_work() as session:
        here = await own.end_device(session, person, appareil)
    return web.signed_out() if here else to_account("appareil")


@router.post("/compte/appareils/autres", dependencies=[Depends(csrf_protected)])
async def end_others(person: SignedInDep) -> Response:
    """Sign every other browser out."""
    async with unit_of_work() as session:
        if await service.end_all(session, person.account_id, but=person.sign_in_id):
            service.note(session, person.account_id, person.actor, "devices_ended")
    return to_account("appareils")


@router.post("/compte/appareils/oublier", dependencies=[Depends(csrf_protected)])
async def forget_device(person: SignedInDep, appareil: Annotated[uuid.UUID, Form()]) -> Response:
    """Ask for a code again on a browser that was known."""
    async with unit_of_work() as session:
        await sign_in_password.forget_devices(session, person.account_id, appareil)
        service.note(session, person.account_id, person.actor, "device_forgotten")
    return to_account("oublie")


@router.get("/compte/journal")
async def journal(request: Request, session: SessionDep, person: SignedInDep, page: int = 1) -> Response:
    """Draw what happened to the account, thirty lines a page."""
    total = await session.scalar(
        select(func.count()).select_from(AccountHistory).where(AccountHistory.account_id == person.account_id)
    )
    count = total or 0
    last = max(1, -(-count // JOURNAL_PAGE))
    if not 1 <= page <= last:
        raise NotFound("Le journal de votre compte n’a pas cette page.")
    skipped = (page - 1) * JOURNAL_PAGE
    rows = await session.scalars(queries.journal(person.account_id).offset(skipped).limit(JOURNAL_PAGE))
    lines = [
        (row.at, labels.happening(row.action, row.detail), labels.author(row.actor, person.uid)) for row in rows.all()
    ]
    context = {
        "lines": lines,
        "page": page,
        "pages": last,
        "first": skipped + 1 if count else 0,
        "last": skipped + len(lines),
        "total": count,
    }
    return draw(request, "accounts/account_journal.html", context)


@router.get("/compte/donnees.json")
async def data(person: SignedInDep) -> Response:
    """Give all that we keep of who is signed in."""
    async with unit_of_work() as session:
        kept = await leaving.exported(session, person)
        service.note(session, person.account_id, person.actor, "exported")
    text = json.dumps(jsonable_encoder(kept), ensure_ascii=False, indent=2)
    headers = web.NO_STORE | {"Content-Disposition": 'attachment; filename="repere-mes-donnees.json"'}
    return Response(text, media_type="application/json", headers=headers)


@router.get("/compte/suppression")
async def leave_form(request: Request, session: SessionDep, person: SignedInDep) -> Response:
    """Ask before the account is erased."""
    return draw(request, "accounts/account_leave.html", {"mine": await own.mine(session, person)})


@router.post("/compte/suppression", dependencies=[Depends(csrf_protected)])
async def leave(request: Request, person: SignedInDep) -> Response:
    """Erase the account."""
    typed = await web.fields(request)
    try:
        if not typed.get("sure"):
            message = "Cochez cette case pour confirmer."
            raise InvalidInput(message, fields={"sure": message})
        await check_secret(person, typed.get("current", ""))
        async with unit_of_work() as session:
            mine = await own.mine(session, person, typed.get("version", ""))
            if person.has("administrator"):
                await administration.keep_one(session, mine.id)
            await leaving.close(session, mine, person.actor)
    except (InvalidInput, Conflict) as refused:
        async with unit_of_work() as session:
            context = {"mine": await own.mine(session, person)}
        return draw(
            request, "accounts/account_leave.html", context, refused.fields or {"": refused.detail}, refused.status
        )
    return web.signed_out("/connexion?info=supprime")
