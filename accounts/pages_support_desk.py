"""Pages of support on the side of those who answer: the queue, a request with its thread and its notes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import registry, support, support_queries, support_states
from accounts.administration import actor_names
from accounts.labels import SUPPORT_ACTIONS, SUPPORT_KINDS, SUPPORT_STATES
from accounts.models import Account
from accounts.models_support import SupportPassage
from accounts.pages_support import RequestId
from accounts.person import Person, allowed
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput
from core.security import csrf_protected
from core.ui import pages
from core.ui.tables import read_view

router = APIRouter(include_in_schema=False)

OPERATORS = ("administrator", "agent")
OperatorDep = Annotated[Person, Depends(allowed(*OPERATORS))]
QUEUE = "/assistance/demandes"


@router.get(QUEUE)
async def queue(request: Request, session: SessionDep, operator: OperatorDep) -> Response:
    """Draw the queue, as its address says."""
    filters = {**support_queries.FILTERS, "objet": tuple(SUPPORT_KINDS)}
    view = read_view(QUEUE, request.query_params, support_queries.COLUMNS, sort="activite", filters=filters)
    view = view.counted(await session.scalar(support_queries.queue_count(view)) or 0)
    rows = (await session.execute(support_queries.queue_page(view))).all()
    context = {
        "view": view,
        "rows": [(row[0], f"{row.handler_first or ''} {row.handler_last or ''}".strip()) for row in rows],
        "kinds": SUPPORT_KINDS,
        "states": SUPPORT_STATES,
    }
    return pages.render(request, "accounts/support_queue.html", context)


@router.get(QUEUE + "/{request_id}")
async def one(request: Request, session: SessionDep, operator: OperatorDep, request_id: RequestId) -> Response:
    """Draw a request: who asks, about what, the thread, what may be done."""
    return await _request(request, session, request_id, operator)


@router.post(QUEUE + "/{request_id}", dependencies=[Depends(csrf_protected)])
async def write(
    request: Request,
    operator: OperatorDep,
    request_id: RequestId,
    action: Annotated[str, Form()],
    version: Annotated[int, Form()],
    reponse: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Answer, note, take charge, close or open again; a stale or refused form is shown again as it was typed."""
    try:
        async with unit_of_work() as session:
            if action == "answer":
                await support.answer(session, request_id, version, reponse, operator)
            elif action == "note":
                await support.annotate(session, request_id, note, operator)
            elif support_states.WHO.get(action) == support_states.OPERATOR:
                await support.act(session, request_id, version, action, operator)
            else:
                raise InvalidInput("Cette action est inconnue.")
    except (InvalidInput, Conflict) as error:
        async with unit_of_work() as session:
            return await _request(request, session, request_id, operator, error, answer=reponse, note=note)
    return RedirectResponse(f"{QUEUE}/{request_id}#fin", status_code=303)


async def _request(
    request: Request,
    session: AsyncSession,
    request_id: int,
    operator: Person,
    error: DomainError | None = None,
    *,
    answer: str = "",
    note: str = "",
) -> Response:
    found = await support.find(session, request_id)
    passages = (
        await session.scalars(
            select(SupportPassage)
            .where(SupportPassage.request_id == found.id)
            .order_by(SupportPassage.id.desc())
            .limit(100)
        )
    ).all()
    asker = await session.get(Account, found.account_id) if found.account_id else None
    handler = await session.get(Account, found.handler_id) if found.handler_id else None
    context = {
        "asked": found,
        "number": support.number(found),
        "entries": await support.thread(session, found, notes=True),
        "passages": passages,
        "names": await actor_names(session, {passage.actor for passage in passages}),
        "about": await registry.reference(session, found.ref_entity, found.ref_uid, operator.level),
        "kind": SUPPORT_KINDS[found.kind],
        "states": SUPPORT_STATES,
        "done": SUPPORT_ACTIONS,
        "asker": asker,
        "handler": handler,
        "mine": found.handler_id == operator.account_id,
        "may": support_states.actions(found.state, support_states.OPERATOR),
        "administrator": operator.has("administrator"),
        "answer": answer,
        "note": note,
        "errors": (error.fields or {"": error.detail}) if error else {},
    }
    return pages.render(request, "accounts/support_request.html", context, status=error.status if error else 200)
