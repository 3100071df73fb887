"""Pages that drop the draft of an offer, once it is sure which draft."""

import uuid
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from accounts.api import Person, SignedInDep, names_of
from core.db import SessionDep
from core.security import csrf_protected
from core.ui import pages
from directory import offer_draft
from directory.offer_draft import Work
from directory.offer_pages_path import number

router = APIRouter(include_in_schema=False, prefix="/mon-offre")


def _page(request: Request, work: Work, *, status: int = 200, writer: str = "") -> Response:
    shown: dict[str, Any] = {"work": work, "base": f"/mon-offre/{work.offer.uid}", "writer": writer}
    return pages.render(request, "directory/drop.html", shown, status=status)


@router.get("/{uid}/annuler")
async def ask_drop(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Ask before a draft is dropped."""
    work = await offer_draft.open_work(session, person, uid)
    if work.draft is None:
        return RedirectResponse(f"/mon-offre/{uid}", status_code=303)
    return _page(request, work)


@router.post("/{uid}/annuler", dependencies=[Depends(csrf_protected)])
async def drop(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Drop the draft that was shown; what is published stays. One written since is shown again with its writer."""
    version = number(await request.form(), "version")
    work = await offer_draft.open_work(session, person, uid)
    if not await offer_draft.abandon(session, work, version):
        assert work.draft is not None  # noqa: S101 - only a draft can have been written
        name = await _writer(session, person, work.draft.updated_by)
        return _page(request, work, status=409, writer=name)
    done = "abandonne" if work.draft is not None else "plus-de-brouillon"
    return RedirectResponse(f"/mon-offre/{uid}?fait={done}", status_code=303)


async def _writer(session: SessionDep, person: Person, actor: str) -> str:
    if actor == person.actor:
        return "vous, dans un autre onglet"
    return (await names_of(session, {actor})).get(actor, "une autre personne")
