"""Offers that people keep at hand, each with a note that they alone read."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import (
    Kept,
    LevelDep,
    Person,
    Service,
    SignedInDep,
    add_favourite,
    add_service,
    everybody,
    favourites,
    note_favourite,
    remove_favourite,
    safe_target,
)
from core.db import SessionDep
from core.errors import InvalidInput, NotFound
from core.security import csrf_protected
from core.ui import pages
from directory.api import OfferSheet, offer_sheet
from search_api.compare import MOST
from search_api.schemas import PAGE_SIZE

router = APIRouter(include_in_schema=False)
KIND = "offer"

add_service(
    Service("favoris", "Mes favoris", "Les offres que vous gardez, vos notes.", "/favoris", "star", everybody, rank=15)
)


async def _sheet(session: AsyncSession, ref: str, level: int) -> tuple[OfferSheet | None, str]:
    """Return the sheet of a kept offer, or why it has none any more."""
    try:
        return await offer_sheet(session, uuid.UUID(ref), level), ""
    except NotFound as error:
        return None, error.detail


def _page_of(kept: Sequence[Kept], ref: str) -> int:
    """Return the page where a favourite stands; the list may have moved since the browser's page was drawn."""
    return next((place // PAGE_SIZE + 1 for place, one in enumerate(kept) if one.ref == ref), 1)


async def _draw(
    request: Request,
    session: AsyncSession,
    person: Person,
    level: int,
    page: int,
    typed: dict[str, str] | None = None,
    error: InvalidInput | None = None,
) -> Response:
    kept = await favourites(session, person.account_id, KIND)
    pages_count = max(1, -(-len(kept) // PAGE_SIZE))
    page = min(max(1, page), pages_count)
    first = (page - 1) * PAGE_SIZE
    shown = [(one, *await _sheet(session, one.ref, level)) for one in kept[first : first + PAGE_SIZE]]
    context = {
        "shown": shown,
        "typed": typed or {},
        "error": error.detail if error else "",
        "page": page,
        "pages": pages_count,
        "first": first + 1,
        "total": len(kept),
        "compared": MOST,
        "page_link": lambda wanted: f"/favoris?page={wanted}",
    }
    return pages.render(request, "search/favourites.html", context, status=error.status if error else 200)


@router.get("/favoris")
async def listing(
    request: Request,
    session: SessionDep,
    person: SignedInDep,
    level: LevelDep,
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    """Draw the offers that a person keeps."""
    return await _draw(request, session, person, level, page)


@router.post("/favoris/ajouter", dependencies=[Depends(csrf_protected)])
async def add(
    session: SessionDep,
    person: SignedInDep,
    level: LevelDep,
    offre: Annotated[uuid.UUID, Form()],
    suite: Annotated[str, Form()] = "",
) -> Response:
    """Keep an offer that the person may read; keeping it twice changes nothing."""
    await offer_sheet(session, offre, level)
    await add_favourite(session, person.account_id, KIND, str(offre))
    return RedirectResponse(safe_target(suite, "/favoris"), status_code=303)


@router.post("/favoris/retirer", dependencies=[Depends(csrf_protected)])
async def remove(
    session: SessionDep, person: SignedInDep, offre: Annotated[uuid.UUID, Form()], suite: Annotated[str, Form()] = ""
) -> Response:
    """Stop keeping an offer; its note goes too."""
    await remove_favourite(session, person.account_id, KIND, str(offre))
    return RedirectResponse(safe_target(suite, "/favoris"), status_code=303)


@router.post("/favoris/note", dependencies=[Depends(csrf_protected)])
async def note(
    request: Request,
    session: SessionDep,
    person: SignedInDep,
    level: LevelDep,
    offre: Annotated[uuid.UUID, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Write the private note of an offer that is kept."""
    try:
        await note_favourite(session, person.account_id, KIND, str(offre), note)
        refused = None
    except InvalidInput as error:
        refused = error
    page = _page_of(await favourites(session, person.account_id, KIND), str(offre))
    if refused is not None:
        return await _draw(request, session, person, level, page, {str(offre): note}, refused)
    return RedirectResponse(f"/favoris?page={page}#note-{offre}", status_code=303)
