"""The page where an administrator gives a client its public keys."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.clients import forms_keys, service, views
from accounts.clients.forms_keys import KeysForm
from accounts.clients.keys import ALGORITHMS
from accounts.clients.pages import PAGE
from accounts.pages_administration import AdministratorDep, VersionForm
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput
from core.http import public_base
from core.security import csrf_protected
from core.ui import pages

router = APIRouter(include_in_schema=False)


@router.get(PAGE + "/{uid}/cles")
async def keys(request: Request, session: SessionDep, administrator: AdministratorDep, uid: uuid.UUID) -> Response:
    """Draw the form of a client's public keys."""
    return await _page(request, session, uid, KeysForm())


@router.post(PAGE + "/{uid}/cles", dependencies=[Depends(csrf_protected)])
async def give(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    version: VersionForm,
    cles: Annotated[str, Form()] = "",
    adresse: Annotated[str, Form()] = "",
    delai: Annotated[int, Form()] = -1,
) -> Response:
    """Take the keys; the former ones end after the chosen delay."""
    form = KeysForm(cles, adresse, delai)
    try:
        # An address is read before anything is locked.
        given = await forms_keys.read(form)
        async with unit_of_work() as session:
            await service.give_keys(session, uid, version, given, delai, administrator.actor)
    except (InvalidInput, Conflict) as error:
        async with unit_of_work() as session:
            return await _page(request, session, uid, form, error)
    return RedirectResponse(f"{PAGE}/{uid}?fait=cles", status_code=303)


async def _page(
    request: Request, session: AsyncSession, uid: uuid.UUID, form: KeysForm, error: DomainError | None = None
) -> Response:
    client = await service.find(session, uid)
    context = {
        "client": client,
        "form": form,
        "known": bool(await views.keys_of(session, client.id)),
        "graces": service.GRACES,
        "algorithms": ALGORITHMS,
        "token_address": public_base(request) + "/oauth/token",
        "errors": (error.fields or {"": error.detail}) if error else {},
    }
    return pages.render(request, "accounts/client_keys.html", context, status=error.status if error else 200)
