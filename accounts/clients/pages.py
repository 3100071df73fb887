"""Pages of administrators: the programs that read the API, their secrets, limits, use and history."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import administration, registry
from accounts.clients import forms, queries, service, usage, views
from accounts.clients.mails import KINDS
from accounts.clients.scopes import SCOPES
from accounts.clients.states import LABELS, TRANSITIONS
from accounts.models_clients import Client
from accounts.pages_administration import AdministratorDep, VersionForm
from accounts.registry import Service, add_service, holder
from accounts.web import NO_STORE
from core import clock
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput
from core.http import public_base
from core.security import FIELDS_MAX, csrf_protected
from core.ui import pages
from core.ui.tables import read_view

router = APIRouter(include_in_schema=False)

PAGE: Final = "/administration/applications"
_DONE: Final = {
    "modifiee": "La fiche est enregistrée ; elle vaut dès la prochaine requête de l’application.",
    "cles": "Les clés publiques sont enregistrées ; elles valent dès la prochaine demande de jeton.",
    "retire": "Cet accès est retiré, avec les jetons qu’il avait obtenus.",
    "suspended": "L’accès est suspendu : les requêtes de l’application sont refusées dès maintenant.",
    "active": "L’accès est rétabli.",
    "closed": "L’application est fermée.",
    "deja": "Ce formulaire avait déjà été envoyé : l’application existe. Si vous n’avez pas noté son accès, "
    "donnez-en un autre.",
}

add_service(
    Service(
        "applications",
        "Accès à l’API",
        "Les applications clientes : leurs clés, leurs limites, leur usage.",
        PAGE,
        "link-45deg",
        holder("administrator"),
        rank=46,
    )
)


@router.get(PAGE)
async def clients(request: Request, session: SessionDep, administrator: AdministratorDep) -> Response:
    """Draw the clients, as the address says."""
    view = read_view(PAGE, request.query_params, queries.COLUMNS, sort="nom", filters=queries.FILTERS)
    view = view.counted(await session.scalar(queries.clients_count(view)) or 0)
    rows = (await session.scalars(queries.clients_page(view))).all()
    today = clock.today(await clock.now(session))
    found = await session.execute(queries.requests_of([row.id for row in rows], today))
    asked = dict(found.all())
    names = await asyncio.to_thread(forms.place_names, sorted({ref for row in rows for ref in row.zone}))
    context = {
        "view": view,
        "clients": rows,
        "asked": asked,
        "names": names,
        "labels": SCOPES,
        "statuses": LABELS,
    }
    return pages.render(request, "accounts/clients.html", context)


@router.get(PAGE + "/nouvelle")
async def new(request: Request, administrator: AdministratorDep) -> Response:
    """Draw the form of a new client."""
    return await _form(request, replace(forms.ClientForm(), request_id=str(uuid.uuid4())))


@router.post(PAGE + "/nouvelle", dependencies=[Depends(csrf_protected)])
async def create(request: Request, administrator: AdministratorDep) -> Response:
    """Make a client and show its first secret, once; a form that was sent already leads to what it made."""
    form, action = await _typed(request)
    if action != "enregistrer":
        return await _form(request, await _searched(form))
    kind: service.Access = "secret" if form.access == "secret" else "jwks" if form.access == "jwks" else "key"
    try:
        async with unit_of_work() as session:
            reference = forms.request_id(form)
            known = await service.made_by(session, reference)
            if known is not None:
                return RedirectResponse(f"{PAGE}/{known.uid}?fait=deja", status_code=303)
            values = await forms.read(form, clock.today(await clock.now(session)))
            client, secret = await service.create(session, values, kind, reference, administrator.actor)
    except InvalidInput as error:
        return await _form(request, form, error=error)
    if kind == "jwks":
        return RedirectResponse(f"{PAGE}/{client.uid}/cles", status_code=303)
    return _secret_shown(request, client, kind, secret)


@router.get(PAGE + "/{uid}")
async def one(
    request: Request, session: SessionDep, administrator: AdministratorDep, uid: uuid.UUID, fait: str = ""
) -> Response:
    """Draw a client: what it may read, its secrets, what it asked, what happened to it."""
    # What this process counted and has not written yet is part of what is shown.
    await usage.flush()
    return await _client(request, session, uid, done=_DONE.get(fait, ""))


@router.get(PAGE + "/{uid}/modifier")
async def editing(request: Request, session: SessionDep, administrator: AdministratorDep, uid: uuid.UUID) -> Response:
    """Draw the form of a client."""
    client = await service.find(session, uid)
    return await _form(request, forms.shown(client), client=client)


@router.post(PAGE + "/{uid}/modifier", dependencies=[Depends(csrf_protected)])
async def edit(request: Request, administrator: AdministratorDep, uid: uuid.UUID) -> Response:
    """Change what a client is and may read."""
    form, action = await _typed(request)
    try:
        async with unit_of_work() as session:
            client = await service.find(session, uid)
            if action != "enregistrer":
                return await _form(request, await _searched(form), client=client)
            values = await forms.read(form, clock.today(await clock.now(session)))
            await service.edit(session, uid, form.version, values, administrator.actor)
    except (InvalidInput, Conflict) as error:
        async with unit_of_work() as session:
            client = await service.find(session, uid)
        return await _form(request, replace(form, version=client.version), client=client, error=error)
    return RedirectResponse(f"{PAGE}/{uid}?fait=modifiee", status_code=303)


@router.post(PAGE + "/{uid}/acces", dependencies=[Depends(csrf_protected)])
async def rotate(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    version: VersionForm,
    sorte: Annotated[str, Form()] = "",
    delai: Annotated[int, Form()] = -1,
) -> Response:
    """Give a client a new secret and show it, once; the former ones end after the chosen delay."""
    try:
        async with unit_of_work() as session:
            client, secret = await service.rotate(session, uid, version, sorte, delai, administrator.actor)
    except (InvalidInput, Conflict) as error:
        async with unit_of_work() as session:
            return await _client(request, session, uid, error=error)
    return _secret_shown(request, client, sorte, secret)


@router.post(PAGE + "/{uid}/acces/retirer", dependencies=[Depends(csrf_protected)])
async def end_secret(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    version: VersionForm,
    acces: Annotated[int, Form(ge=1, le=2**62)],
) -> Response:
    """End a secret at once."""

    async def work(session: AsyncSession) -> None:
        await service.end_secret(session, uid, version, acces, administrator.actor)

    return await _do(request, uid, work, "retire")


@router.post(PAGE + "/{uid}/statut", dependencies=[Depends(csrf_protected)])
async def change_status(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    version: VersionForm,
    statut: Annotated[str, Form()],
    motif: Annotated[str, Form(max_length=500)] = "",
    sur: Annotated[str, Form()] = "",
) -> Response:
    """Suspend a client, let it read again, or close it for ever once the administrator has said so."""

    async def work(session: AsyncSession) -> None:
        if statut == "closed" and sur != "oui":
            message = "Cochez la case pour confirmer : une fermeture ne se défait pas."
            raise InvalidInput(message, fields={"sur": message})
        why = " ".join(motif.split())
        await service.change_status(session, uid, version, statut, why, administrator.actor)

    return await _do(request, uid, work, statut, why=motif)


async def _typed(request: Request) -> tuple[forms.ClientForm, str]:
    form = await request.form(max_fields=FIELDS_MAX)
    read, action = forms.typed(form), form.get("action")
    if action not in ("chercher", "ajouter", "enregistrer"):
        # The return key names no button: in the field of places it searches, elsewhere it saves.
        searching = read.words.strip() not in ("", str(form.get("cherche", "")).strip())
        action = "chercher" if searching else "enregistrer"
    return read, str(action)


async def _searched(form: forms.ClientForm) -> forms.ClientForm:
    return replace(form, found=await forms.places(form.words))


async def _do(
    request: Request,
    uid: uuid.UUID,
    work: Callable[[AsyncSession], Awaitable[None]],
    done: str,
    *,
    why: str = "",
) -> Response:
    try:
        async with unit_of_work() as session:
            await work(session)
    except (InvalidInput, Conflict) as error:
        async with unit_of_work() as session:
            return await _client(request, session, uid, error=error, why=why)
    return RedirectResponse(f"{PAGE}/{uid}?fait={done}", status_code=303)


def _secret_shown(request: Request, client: Client, kind: str, secret: str) -> Response:
    context = {"client": client, "kind": kind, "kinds": KINDS, "secret": secret}
    return pages.render(request, "accounts/client_secret.html", context, headers=NO_STORE)


async def _form(
    request: Request, form: forms.ClientForm, *, client: Client | None = None, error: DomainError | None = None
) -> Response:
    names = await asyncio.to_thread(forms.place_names, form.zone)
    context = {
        "form": form,
        "client": client,
        "names": names,
        "levels": forms.LEVELS,
        "extras": forms.EXTRAS,
        "access": forms.ACCESS,
        "errors": (error.fields or {"": error.detail}) if error else {},
    }
    return pages.render(request, "accounts/client_form.html", context, status=error.status if error else 200)


async def _client(
    request: Request,
    session: AsyncSession,
    uid: uuid.UUID,
    *,
    error: DomainError | None = None,
    done: str = "",
    why: str = "",
) -> Response:
    client = await service.find(session, uid)
    now = await clock.now(session)
    params: Any = {} if error else request.query_params
    view = read_view(f"{PAGE}/{uid}", params, queries.HISTORY, sort="date", filters={})
    view = view.counted(await session.scalar(queries.history_count(client.id)) or 0)
    history = (await session.scalars(queries.history(client.id, view))).all()
    secrets = (await session.scalars(queries.secrets_of(client.id))).all()
    names = dict(await asyncio.to_thread(forms.place_names, views.zones_in(client, history)))
    context = {
        "client": client,
        "secrets": [(secret, views.secret_state(secret, now)) for secret in secrets],
        "kinds": KINDS,
        "keys": await views.keys_of(session, client.id),
        "token_address": public_base(request) + "/oauth/token",
        "use": await views.use_of(session, client.id, clock.today(now)),
        "chart": views.CHART_HEIGHT,
        "history": [(line, views.history_line(line, names)) for line in history],
        "view": view,
        "actors": await administration.actor_names(session, {line.actor for line in history}),
        "names": names,
        "labels": SCOPES,
        "statuses": LABELS,
        "passages": TRANSITIONS[client.status],  # type: ignore[index]
        "graces": service.GRACES,
        "links": [(title, f"{PAGE}/{uid}/{suffix}") for title, suffix in registry.client_pages()],
        "over": client.expires_at is not None and client.expires_at <= now,
        "errors": (error.fields or {"": error.detail}) if error else {},
        "why": why,
        "done": done,
    }
    return pages.render(request, "accounts/client.html", context, status=error.status if error else 200)
