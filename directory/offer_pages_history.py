"""Page of the history of an offer."""

import uuid
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person, SignedInDep
from core.db import SessionDep
from core.errors import Conflict, InvalidInput
from core.security import csrf_protected
from core.ui import pages
from directory.concepts import concept_index
from directory.offer_history import go_back, is_of_place, offer_history, place_back
from directory.offer_pages_path import written
from directory.offer_rights import editable_offer

router = APIRouter(include_in_schema=False, prefix="/mon-offre")
Protected: Final = [Depends(csrf_protected)]
BIGGEST: Final = 2**63 - 1
"""The largest number that a column of identifiers holds."""


async def _draw(
    request: Request,
    session: AsyncSession,
    person: Person,
    uid: uuid.UUID,
    page: int,
    notice: str = "",
    status: int = 200,
) -> Response:
    row = await editable_offer(session, person, uid)
    found = await offer_history(session, person, row.Offer, row.Site, await concept_index(session), page)
    base = f"/mon-offre/{uid}"
    shown = {
        "offer": row.Offer,
        "site": row.Site,
        "history": found,
        "notice": notice,
        "base": base,
        "page_address": lambda number: f"{base}/historique?page={number}",
    }
    return pages.render(request, "directory/history.html", shown, status=status)


@router.get("/{uid}/historique")
async def show(
    request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID, page: Annotated[int, Query()] = 1
) -> Response:
    """Draw who changed what, latest first."""
    return await _draw(request, session, person, uid, page)


@router.post("/{uid}/historique", dependencies=Protected)
async def back(
    request: Request,
    session: SessionDep,
    person: SignedInDep,
    uid: uuid.UUID,
    ligne: Annotated[int, Form(ge=-BIGGEST, le=BIGGEST)] = 0,
    version: Annotated[int, Form()] = 0,
) -> Response:
    """Write the offer, or its place when the line is about it, again as it stood after a line."""
    row = await editable_offer(session, person, uid)
    index = await concept_index(session)
    place = await is_of_place(session, row.Site, ligne)
    try:
        if place:
            outcome = await place_back(session, person, row.Site, index, ligne, version)
        else:
            outcome = await go_back(session, person, row.Offer, index, ligne, version)
    except Conflict as conflict:
        return await _draw(request, session, person, uid, 1, conflict.detail, 409)
    except InvalidInput as refused:
        return await _draw(request, session, person, uid, 1, refused.detail, 422)
    return written(f"/mon-offre/{uid}?fait={'lieu-revenu' if place else 'revenu'}", outcome)
