"""Pages of support on the side of who asks: the form, one's requests, the thread, the link of a mail."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import messages, registry, support, support_asking, support_queries
from accounts.labels import SUPPORT_KINDS, SUPPORT_OFFERED, SUPPORT_STATES
from accounts.models_support import SupportRequest
from accounts.person import Person, PersonDep, SignedInDep, current, level_of
from accounts.web import ours
from core.db import SessionDep, unit_of_work
from core.errors import DomainError, InvalidInput, NotFound, TooMany
from core.security import csrf_protected, digest, new_token
from core.ui import pages
from core.ui.tables import PAGE_SIZE, Column, read_view

router = APIRouter(include_in_schema=False)

RequestId = Annotated[int, Path(ge=1, le=2**62)]
_NO_STORE = {"Cache-Control": "private, no-store"}
_COLUMNS = (
    Column("numero", "Numéro", descending=True),
    Column("objet", "Objet", sortable=False),
    Column("etat", "État", sortable=False),
    Column("activite", "Dernière activité", descending=True),
)
_ORDER: dict[str, Any] = {"numero": SupportRequest.id, "activite": SupportRequest.touched_at}


@router.get("/assistance")
async def form(request: Request, person: PersonDep, objet: str = "", page: str = "") -> Response:
    """Draw the form of support; a page leads here with its subject and its own address."""
    asked = support_asking.Asked(
        kind=objet if objet in SUPPORT_OFFERED else "",
        name=person.name if person else "",
        email=(person.email or "") if person else "",
        page=page if ours(page) else "",
    )
    return _form(request, asked, {})


@router.post("/assistance", dependencies=[Depends(csrf_protected)])
async def ask(
    request: Request,
    person: PersonDep,
    objet: Annotated[str, Form()] = "",
    texte: Annotated[str, Form()] = "",
    nom: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    telephone: Annotated[str, Form()] = "",
    page: Annotated[str, Form()] = "",
    cle: Annotated[str, Form()] = "",
) -> Response:
    """Send a request; a refused one is shown again as it was typed."""
    asked = support_asking.Asked(objet, texte, nom, email, telephone, page, cle or new_token())
    try:
        if objet not in SUPPORT_OFFERED:
            asked = support_asking.Asked("", texte, nom, email, telephone, page, asked.key)
        ready = support_asking.read_form(asked)
        async with unit_of_work() as session:
            source = support_asking.source_of(request.client.host if request.client else None)
            made = await support_asking.open_request(session, ready, person=person, source=source)
    except (InvalidInput, TooMany) as error:
        return _form(request, asked, error.fields or {"": error.detail}, error.status)
    if person is not None:
        return RedirectResponse(f"/assistance/mes-demandes/{made.id}?envoyee=1", status_code=303)
    return RedirectResponse(f"/assistance/envoyee?numero={made.id}", status_code=303)


@router.get("/assistance/envoyee")
async def sent(request: Request, numero: Annotated[int, Query(ge=1, le=2**62)]) -> Response:
    """Say that a request has arrived, and what follows."""
    return pages.render(request, "accounts/support_sent.html", {"number": f"A-{numero}"}, headers=_NO_STORE)


@router.get("/assistance/mes-demandes")
async def mine(request: Request, session: SessionDep, person: SignedInDep) -> Response:
    """Draw the requests of a person."""
    view = read_view("/assistance/mes-demandes", request.query_params, _COLUMNS, sort="activite", filters={})
    wanted = support_queries.of_account(person.account_id)
    view = view.counted(await session.scalar(select(func.count()).select_from(wanted.subquery())) or 0)
    key = _ORDER[view.sort]
    rows = await session.scalars(
        wanted.order_by(key.desc() if view.descending else key.asc(), SupportRequest.id)
        .limit(PAGE_SIZE)
        .offset(view.offset)
    )
    context = {"view": view, "requests": rows.all(), "kinds": SUPPORT_KINDS, "states": SUPPORT_STATES}
    return pages.render(request, "accounts/support_mine.html", context)


@router.get("/assistance/mes-demandes/{request_id}")
async def my_request(
    request: Request, session: SessionDep, person: SignedInDep, request_id: RequestId, envoyee: str = ""
) -> Response:
    """Draw the thread of one of a person's requests."""
    found = await _mine(session, person, request_id)
    await messages.read_about(session, person.account_id, [f"/assistance/mes-demandes/{found.id}"])
    return await _thread(request, session, found, request.url.path, just_sent=bool(envoyee))


@router.post("/assistance/mes-demandes/{request_id}", dependencies=[Depends(csrf_protected)])
async def my_reply(
    request: Request, person: SignedInDep, request_id: RequestId, reponse: Annotated[str, Form()] = ""
) -> Response:
    """Add to the thread of one of a person's requests."""

    async def found(session: AsyncSession) -> SupportRequest:
        return await _mine(session, person, request_id)

    return await _reply(request, found, reponse, actor=person.actor, author=person.name)


@router.get("/assistance/suivi/{token}")
async def followed(request: Request, session: SessionDep, token: str) -> Response:
    """Draw the thread that a mail's link leads to."""
    return await _thread(request, session, await _linked(session, token), request.url.path)


@router.post("/assistance/suivi/{token}", dependencies=[Depends(csrf_protected)])
async def followed_reply(request: Request, token: str, reponse: Annotated[str, Form()] = "") -> Response:
    """Add to the thread that a mail's link leads to."""

    async def found(session: AsyncSession) -> SupportRequest:
        return await _linked(session, token)

    return await _reply(request, found, reponse, actor=support_asking.ANONYMOUS, author="")


def _form(request: Request, asked: support_asking.Asked, errors: dict[str, str], status: int = 200) -> Response:
    context = {
        "asked": asked,
        "errors": errors,
        "kinds": [(key, SUPPORT_KINDS[key]) for key in SUPPORT_OFFERED],
        "longest": support.LONGEST_TEXT,
    }
    return pages.render(request, "accounts/support_form.html", context, status=status, headers=_NO_STORE)


async def _mine(session: AsyncSession, person: Person, request_id: int) -> SupportRequest:
    found = await session.scalar(support_queries.of_account(person.account_id).where(SupportRequest.id == request_id))
    if found is None:
        raise NotFound("Cette demande n’existe pas, ou n’est pas à vous.")
    return found


async def _linked(session: AsyncSession, token: str) -> SupportRequest:
    found = await session.scalar(support_queries.of_link(digest(token)))
    if found is None:
        raise NotFound("Ce lien n’est plus valable. Écrivez à nouveau à l’assistance, en rappelant votre numéro.")
    return found


async def _reply(request: Request, find: Any, given: str, *, actor: str, author: str) -> Response:
    try:
        async with unit_of_work() as session:
            found = await find(session)
            await support.reply(session, found, given, actor=actor, author=author or found.name or "Demandeur")
    except (InvalidInput, TooMany) as error:
        async with unit_of_work() as session:
            found = await find(session)
            return await _thread(request, session, found, request.url.path, typed=given, error=error)
    return RedirectResponse(f"{request.url.path}#fin", status_code=303)


async def _thread(
    request: Request,
    session: AsyncSession,
    found: SupportRequest,
    path: str,
    *,
    typed: str = "",
    error: DomainError | None = None,
    just_sent: bool = False,
) -> Response:
    context = {
        "asked": found,
        "number": support.number(found),
        "entries": await support.thread(session, found, notes=False),
        "about": await registry.reference(session, found.ref_entity, found.ref_uid, level_of(current(request))),
        "kind": SUPPORT_KINDS[found.kind],
        "state": SUPPORT_STATES[found.state],
        "action": path,
        "typed": typed,
        "errors": (error.fields or {"": error.detail}) if error else {},
        "just_sent": just_sent,
    }
    status = error.status if error else 200
    return pages.render(request, "accounts/support_thread.html", context, status=status, headers=_NO_STORE)
