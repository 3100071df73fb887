"""The page behind a reminder: one button says that all is exact, without signing in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from core.db import SessionDep
from core.security import csrf_protected
from core.ui import pages
from directory import freshness
from directory.offer_pages_path import remember

router = APIRouter(include_in_schema=False)
PRIVATE = {"Cache-Control": "private, no-store"}


@router.get("/exact/{token}")
async def ask(request: Request, session: SessionDep, token: str) -> Response:
    """Draw what is to be confirmed; mail programs open links by themselves, so that opening changes nothing."""
    holder = await freshness.holder_of(session, token)
    offers = await freshness.stale_offers(session, holder.numbers("rpps"), freshness.STAGES[-1])
    context = {"holder": holder, "offers": offers, "token": token, "done": False}
    return pages.render(request, "directory/exact.html", context, headers=PRIVATE)


@router.post("/exact/{token}", dependencies=[Depends(csrf_protected)])
async def say(
    request: Request, session: SessionDep, token: str, seule: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """Confirm the offers that the page showed, or one of them."""
    holder = await freshness.holder_of(session, token)
    offers = await freshness.stale_offers(session, holder.numbers("rpps"), freshness.STAGES[-1])
    chosen = [offer for offer in offers if not seule or str(offer.uid) == seule]
    position = await freshness.confirm(session, [offer.uid for offer in chosen], f"account:{holder.uid}")
    left = [offer for offer in offers if offer not in chosen]
    context = {"holder": holder, "offers": left, "token": token, "done": True}
    answer = pages.render(request, "directory/exact.html", context, headers=PRIVATE)
    return remember(answer, position)
