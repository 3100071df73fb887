"""Pages of administrators: the webhooks of a client, what was sent, what failed and can be sent again."""

import uuid
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person, Program, add_client_actions, add_client_page, allowed, find_program
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput
from core.security import csrf_protected
from core.ui import pages
from core.ui.tables import PAGE_SIZE, Column, View, read_view
from search_api.fhir.kinds import KINDS_OF_TYPE
from search_api.models_webhooks import WebhookDelivery, WebhookSubscription
from search_api.webhooks import delivery, service
from search_api.webhooks.sending import message_id
from search_api.webhooks.states import DELIVERY_LABELS, SUBSCRIPTION, SUBSCRIPTION_LABELS

router = APIRouter(include_in_schema=False)

PAGE: Final = "/administration/applications/{uid}/webhooks"
AdministratorDep = Annotated[Person, Depends(allowed("administrator"))]
VersionForm = Annotated[int, Form()]
COLUMNS: Final = (
    Column("date", "Date", descending=True),
    Column("message", "Message", sortable=False),
    Column("adresse", "Adresse", sortable=False),
    Column("etat", "État", sortable=False),
    Column("essais", "Essais", sortable=False),
    Column("action", "Action", sortable=False),
)
KINDS: Final = {"directory.changed": "Changements", "ping": "Essai"}
TYPE_LABELS: Final = {
    "Organization": "Structures",
    "Location": "Lieux",
    "HealthcareService": "Offres",
    "Practitioner": "Professionnels",
    "PractitionerRole": "Situations d’exercice",
}
_DONE: Final = {
    "paused": "L’adresse est en pause : rien ne lui est plus envoyé.",
    "active": "L’adresse est reprise : ce qui a changé depuis lui est annoncé.",
    "closed": "L’adresse est supprimée.",
    "essai": "L’essai est fait : son résultat est en haut du tableau des envois.",
    "renvoi": "Le message est renvoyé : son résultat est dans le tableau des envois.",
}

pages.add_templates(Path(__file__).parent.parent / "templates")
add_client_page("Webhooks", "webhooks")
add_client_actions(service.ACTIONS)


@router.get(PAGE)
async def webhooks(
    request: Request, session: SessionDep, administrator: AdministratorDep, uid: uuid.UUID, fait: str = ""
) -> Response:
    """Draw the addresses of a client and what was sent to them."""
    return await _page(request, session, uid, done=_DONE.get(fait, ""))


@router.post(PAGE, dependencies=[Depends(csrf_protected)])
async def add(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    demande: Annotated[uuid.UUID, Form()],
    adresse: Annotated[str, Form()] = "",
    type_: Annotated[list[str] | None, Form(alias="type")] = None,
) -> Response:
    """Add an address and show its secret, once."""
    try:
        async with unit_of_work() as session:
            owner = await find_program(session, uid)
            made, secret = await service.add(session, owner, adresse, type_ or [], demande, administrator.actor)
    except (InvalidInput, Conflict) as error:
        async with unit_of_work() as session:
            return await _page(request, session, uid, error=error, url=adresse, types=type_ or [])
    return _secret_shown(request, owner, made, secret)


@router.post(PAGE + "/{webhook}/secret", dependencies=[Depends(csrf_protected)])
async def rotate(
    request: Request, administrator: AdministratorDep, uid: uuid.UUID, webhook: uuid.UUID, version: VersionForm
) -> Response:
    """Give an address a new secret and show it, once."""
    try:
        async with unit_of_work() as session:
            owner = await find_program(session, uid)
            made, secret = await service.rotate(session, owner, webhook, version, administrator.actor)
    except Conflict as error:
        async with unit_of_work() as session:
            return await _page(request, session, uid, error=error)
    return _secret_shown(request, owner, made, secret)


@router.post(PAGE + "/{webhook}/etat", dependencies=[Depends(csrf_protected)])
async def change_state(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    webhook: uuid.UUID,
    version: VersionForm,
    etat: Annotated[str, Form()],
) -> Response:
    """Pause an address, take it up again, or delete it."""
    try:
        async with unit_of_work() as session:
            owner = await find_program(session, uid)
            await service.change_state(session, owner, webhook, version, etat, administrator.actor)
    except Conflict as error:
        async with unit_of_work() as session:
            return await _page(request, session, uid, error=error)
    return RedirectResponse(_address(uid, etat), status_code=303)


@router.post(PAGE + "/{webhook}/essai", dependencies=[Depends(csrf_protected)])
async def ping(request: Request, administrator: AdministratorDep, uid: uuid.UUID, webhook: uuid.UUID) -> Response:
    """Send a message of trial at once."""
    try:
        async with unit_of_work() as session:
            key = await service.ping(session, await find_program(session, uid), webhook)
    except Conflict as error:
        async with unit_of_work() as session:
            return await _page(request, session, uid, error=error)
    await delivery.deliver([key])
    return RedirectResponse(_address(uid, "essai"), status_code=303)


@router.post(PAGE + "/renvoyer", dependencies=[Depends(csrf_protected)])
async def replay(
    request: Request, administrator: AdministratorDep, uid: uuid.UUID, envoi: Annotated[uuid.UUID, Form()]
) -> Response:
    """Send a dead delivery again, at once."""
    try:
        async with unit_of_work() as session:
            key = await service.replay(session, await find_program(session, uid), envoi, administrator.actor)
    except Conflict as error:
        async with unit_of_work() as session:
            return await _page(request, session, uid, error=error)
    await delivery.deliver([key])
    return RedirectResponse(_address(uid, "renvoi"), status_code=303)


def _address(uid: uuid.UUID, done: str) -> str:
    return f"{PAGE.format(uid=uid)}?fait={done}"


def _secret_shown(request: Request, owner: Program, made: WebhookSubscription, secret: str) -> Response:
    context = {"owner": owner, "webhook": made, "secret": secret}
    headers = {"Cache-Control": "private, no-store"}
    return pages.render(request, "search/webhook_secret.html", context, headers=headers)


def _sent(owner: Program, view: View) -> Select[WebhookDelivery, str, str]:
    wanted = (
        select(WebhookDelivery, WebhookSubscription.url, WebhookSubscription.state.label("whose"))
        .join(WebhookSubscription, WebhookSubscription.id == WebhookDelivery.subscription_id)
        .where(WebhookSubscription.client_id == owner.id)
    )
    state = view.filters.get("etat", "")
    return wanted.where(WebhookDelivery.state == state) if state else wanted


async def _page(
    request: Request,
    session: AsyncSession,
    uid: uuid.UUID,
    *,
    error: DomainError | None = None,
    url: str = "",
    types: list[str] | None = None,
    done: str = "",
) -> Response:
    owner = await find_program(session, uid)
    page = PAGE.format(uid=uid)
    params: Any = {} if error else request.query_params
    view = read_view(page, params, COLUMNS, sort="date", filters={"etat": tuple(DELIVERY_LABELS)})
    view = view.counted(await session.scalar(select(func.count()).select_from(_sent(owner, view).subquery())) or 0)
    key = WebhookDelivery.id.desc() if view.descending else WebhookDelivery.id.asc()
    sent = (await session.execute(_sent(owner, view).order_by(key).limit(PAGE_SIZE).offset(view.offset))).all()
    known = (
        await session.scalars(
            select(WebhookSubscription)
            .where(WebhookSubscription.client_id == owner.id, WebhookSubscription.state != "closed")
            .order_by(WebhookSubscription.id)
            .limit(service.MOST)
        )
    ).all()
    context = {
        "owner": owner,
        "page": page,
        "view": view,
        "sent": [(row.WebhookDelivery, row.url, row.whose, message_id(row.WebhookDelivery)) for row in sent],
        "webhooks": known,
        "passages": SUBSCRIPTION,
        "states": SUBSCRIPTION_LABELS,
        "delivery_states": DELIVERY_LABELS,
        "kinds": KINDS,
        "types": {name: TYPE_LABELS.get(name, name) for name in KINDS_OF_TYPE},
        "told": "webhooks" in owner.scopes,
        "reference": uuid.uuid4(),
        "url": url,
        "chosen": list(KINDS_OF_TYPE) if types is None else types,
        "errors": (error.fields or {"": error.detail}) if error else {},
        "done": done,
    }
    return pages.render(request, "search/webhooks.html", context, status=error.status if error else 200)
