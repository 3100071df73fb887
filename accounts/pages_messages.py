"""Pages of the messages that a person was sent."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import messages
from accounts.person import SignedInDep
from core.db import SessionDep
from core.security import csrf_protected
from core.ui import pages
from core.ui.tables import Column, read_view

router = APIRouter(include_in_schema=False)

_COLUMNS = (Column("date", "Date", descending=True),)
_FILTERS = {"montrer": ("non-lus",)}


@router.get("/messages")
async def listed(request: Request, session: SessionDep, person: SignedInDep) -> Response:
    """Draw the messages of a person, the latest first."""
    view = read_view("/messages", request.query_params, _COLUMNS, sort="date", filters=_FILTERS)
    unread = view.filters["montrer"] == "non-lus"
    view = view.counted(await messages.count(session, person.account_id, unread=unread))
    rows = await messages.messages(session, person.account_id, page=view.page, unread=unread)
    return pages.render(request, "accounts/messages.html", {"view": view, "messages": rows, "only_unread": unread})


@router.post("/messages/lus", dependencies=[Depends(csrf_protected)])
async def read_all(session: SessionDep, person: SignedInDep) -> Response:
    """Mark every message as read."""
    await messages.read_all(session, person.account_id)
    return RedirectResponse("/messages", status_code=303)


@router.post("/messages/{uid}/lu", dependencies=[Depends(csrf_protected)])
async def read(
    session: SessionDep, person: SignedInDep, uid: uuid.UUID, ouvrir: Annotated[str, Form()] = ""
) -> Response:
    """Mark a message as read, and go where it leads when that was asked for."""
    link = await messages.read(session, person.account_id, uid)
    return RedirectResponse(link if ouvrir and link else "/messages", status_code=303)
