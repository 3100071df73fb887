"""Pages of signing in and out; the ways of signing in each have a module of their own."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import (
    pages_administration,
    pages_delegations,
    pages_messages,
    pages_support,
    pages_support_desk,
    service,
    web,
)
from accounts.person import Identity, PersonDep, SignInNeeded, ask_to_sign_in
from accounts.personas import PERSONAS, persona_account, present
from accounts.registry import Service, add_service, everybody, holder
from core import mail
from core.db import SessionDep
from core.errors import NotFound
from core.security import FormCookie, csrf_protected
from core.settings import core_settings
from core.ui import assets, pages

router = APIRouter(include_in_schema=False)

pages.add_templates(Path(__file__).parent / "templates")
mail.add_templates(Path(__file__).parent / "templates")
assets.add_folder("accounts", Path(__file__).parent / "static")

add_service(
    Service(
        "delegations",
        "Délégations",
        "Qui tient une fiche à jour pour qui : inviter, accepter, mettre fin.",
        pages_delegations.PAGE,
        "people",
        everybody,
        rank=60,
    )
)
add_service(
    Service(
        "mes-demandes",
        "Mes demandes d’assistance",
        "Suivre les réponses, en demander une autre.",
        "/assistance/mes-demandes",
        "life-preserver",
        everybody,
        rank=80,
    )
)
add_service(
    Service(
        "demandes",
        "Demandes d’assistance",
        "Répondre aux personnes qui demandent de l’aide.",
        pages_support_desk.QUEUE,
        "inbox",
        holder(*pages_support_desk.OPERATORS),
        rank=40,
    )
)
add_service(
    Service(
        "comptes",
        "Comptes et droits",
        "Chercher un compte, donner ou retirer un droit.",
        pages_administration.PAGE,
        "person-gear",
        holder("administrator"),
        rank=45,
    )
)


def install(app: FastAPI) -> None:
    """Give an application the identity of its requests, and the pages of signing in."""
    app.add_middleware(Identity)
    app.add_middleware(FormCookie)
    app.add_exception_handler(SignInNeeded, ask_to_sign_in)
    for one in (
        router,
        pages_messages.router,
        pages_support_desk.router,
        pages_support.router,
        pages_delegations.router,
        pages_administration.router,
    ):
        app.include_router(one)


@router.get("/connexion")
async def sign_in(request: Request, session: SessionDep, person: PersonDep, suite: str = "") -> Response:
    """Draw the ways of signing in."""
    target = web.safe_target(suite)
    if person is not None:
        return RedirectResponse(target, status_code=303)
    personas = await present(session) if core_settings().demo else {}
    context = {"target": target, "personas": [(p, personas[p.key]) for p in PERSONAS if p.key in personas]}
    return pages.render(request, "accounts/sign_in.html", context, headers={"Cache-Control": "private, no-store"})


@router.post("/demo/connexion", dependencies=[Depends(csrf_protected)])
async def become(
    request: Request, session: SessionDep, persona: Annotated[str, Form()], suite: Annotated[str, Form()] = ""
) -> Response:
    """Sign in as a persona; only a demonstration has any."""
    if not core_settings().demo:
        raise NotFound("Cette adresse ne mène à rien, ou ce contenu n’existe plus.")
    account = await persona_account(session, persona)
    token = await service.open_sign_in(session, account, "demo", web.device(request))
    return web.signed_in(web.safe_target(suite), token)


@router.post("/deconnexion", dependencies=[Depends(csrf_protected)])
async def sign_out(session: SessionDep, person: PersonDep) -> Response:
    """Sign this browser out."""
    if person is not None:
        await service.end_sign_in(session, person.account_id, person.sign_in_id)
    return web.signed_out()
