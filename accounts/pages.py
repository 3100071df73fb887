"""Pages of signing in and out; the ways of signing in each have a module of their own."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import Response

from accounts import (
    home_export,
    pages_account,
    pages_address,
    pages_administration,
    pages_delegations,
    pages_messages,
    pages_password,
    pages_sign_in,
    pages_sign_up,
    pages_support,
    pages_support_desk,
    passwords,
    psc,
    psc_card_pages,
    psc_pages,
    psc_service,
    service,
    web,
)
from accounts.clients import oauth as client_oauth
from accounts.clients import pages as client_pages
from accounts.clients import pages_keys as client_pages_keys
from accounts.clients.gate import Gate
from accounts.coordinates import pages as coordinates_pages
from accounts.coordinates import pages_visit as visit_pages
from accounts.coordinates import personal as coordinates_personal
from accounts.person import Identity, PersonDep, SignInNeeded, ask_to_sign_in
from accounts.personas import persona_account
from accounts.registry import Service, add_service, everybody, holder, practising
from accounts.standings import pages as standing_pages
from core import mail
from core.db import unit_of_work
from core.errors import NotFound
from core.security import BoundedForms, FormCookie, csrf_protected
from core.settings import core_settings
from core.ui import assets, pages

router = APIRouter(include_in_schema=False)

pages.add_templates(Path(__file__).parent / "templates")
mail.add_templates(Path(__file__).parent / "templates")
pages.environment.globals["password_rules"] = passwords.RULES
pages.environment.globals["psc_start"] = psc_pages.offered_start
assets.add_folder("accounts", Path(__file__).parent / "static")
home_export.register()
coordinates_personal.register()

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
        "compte",
        "Mon compte",
        "Vos informations, vos appareils, votre journal, vos données.",
        "/compte",
        "person",
        everybody,
        rank=70,
    )
)
add_service(
    Service(
        "coordonnees",
        "Mes coordonnées",
        "Où vous joindre, et ce que montrent vos annonces.",
        coordinates_pages.PAGE,
        "envelope",
        practising,
        rank=65,
    )
)
add_service(
    Service(
        "internes",
        "Internes et docteurs juniors",
        "Dire qui est interne, qui a une licence de remplacement, qui est docteur junior.",
        standing_pages.PAGE,
        "person-badge",
        holder(*standing_pages.MANAGERS),
        rank=42,
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
    app.add_middleware(Gate)
    app.add_middleware(Identity)
    app.add_middleware(FormCookie)
    app.add_middleware(BoundedForms)
    app.add_exception_handler(SignInNeeded, ask_to_sign_in)
    app.include_router(router)
    for own in (
        pages_sign_in,
        pages_sign_up,
        pages_password,
        pages_account,
        pages_address,
        psc_pages,
        psc_card_pages,
        pages_messages,
        pages_support_desk,
        pages_support,
        pages_delegations,
        pages_administration,
        visit_pages,
        coordinates_pages,
        standing_pages,
        client_pages,
        client_pages_keys,
        client_oauth,
    ):
        app.include_router(own.router)


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
async def sign_out(request: Request, person: PersonDep) -> Response:
    """Sign this browser out, of Pro Santé Connect too when it opened the sign-in."""
    if person is None:
        return web.signed_out()
    async with unit_of_work() as session:
        id_token = await psc_service.take_id_token(session, person.sign_in_id)
        await service.end_sign_in(session, person.account_id, person.sign_in_id)
    elsewhere = await psc.end_session_address(id_token) if id_token else None
    if elsewhere is None:
        return web.signed_out()
    request.state.person = None
    return web.forgotten(pages.render(request, "accounts/psc_leaving.html", {"address": elsewhere}), refresh=elsewhere)
