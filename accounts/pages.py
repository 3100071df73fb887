"""Pages of signing in and out; the ways of signing in each have a module of their own."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import Response

from accounts import (
    pages_account,
    pages_address,
    pages_password,
    pages_sign_in,
    pages_sign_up,
    passwords,
    service,
    web,
)
from accounts.person import Identity, PersonDep, SignInNeeded, ask_to_sign_in
from accounts.personas import persona_account
from core.db import unit_of_work
from core.errors import NotFound
from core.mail import add_templates
from core.security import BoundedForms, FormCookie, csrf_protected
from core.settings import core_settings
from core.ui import assets, pages

router = APIRouter(include_in_schema=False)

pages.add_templates(Path(__file__).parent / "templates")
add_templates(Path(__file__).parent / "templates")
pages.environment.globals["password_rules"] = passwords.RULES
assets.add_folder("accounts", Path(__file__).parent / "static")


def install(app: FastAPI) -> None:
    """Give an application the identity of its requests, and the pages of signing in."""
    app.add_middleware(Identity)
    app.add_middleware(FormCookie)
    app.add_middleware(BoundedForms)
    app.add_exception_handler(SignInNeeded, ask_to_sign_in)
    for own in (pages_sign_in, pages_sign_up, pages_password, pages_account, pages_address):
        app.include_router(own.router)
    app.include_router(router)


@router.post("/demo/connexion", dependencies=[Depends(csrf_protected)])
async def become(request: Request, persona: Annotated[str, Form()], suite: Annotated[str, Form()] = "") -> Response:
    """Sign in as a persona; only a demonstration has any."""
    if not core_settings().demo:
        raise NotFound("Cette adresse ne mène à rien, ou ce contenu n’existe plus.")
    # Committed before the answer leaves: the browser's next request must find the sign-in.
    async with unit_of_work() as session:
        account = await persona_account(session, persona)
        token = await service.open_sign_in(session, account, "demo", web.device(request))
    return web.signed_in(web.safe_target(suite), token)


@router.post("/deconnexion", dependencies=[Depends(csrf_protected)])
async def sign_out(person: PersonDep) -> Response:
    """Sign this browser out."""
    if person is not None:
        async with unit_of_work() as session:
            await service.end_sign_in(session, person.account_id, person.sign_in_id)
    return web.signed_out()
