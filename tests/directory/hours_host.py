"""A page that hosts the editor of hours, for tests only: the guided path of offers is one, this is the smallest."""

import uuid
from pathlib import Path
from typing import Any

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from core.db import SessionDep
from core.errors import Conflict
from core.security import csrf_protected
from core.ui import pages
from directory.api import HoursEditor, HoursRound, Offer, describe_offer, draft_to_description, hours_draft, hours_round
from web.app import create_app

pages.add_templates(Path(__file__).parent / "templates")
app = create_app()


def _draw(request: Request, editor: HoursEditor, version: int, status: int = 200, **more: Any) -> Response:
    context = {"hours_editor": editor, "version": version, "saved": None, "stale": None, **more}
    return pages.render(request, "tests/hours_host.html", context, status=status)


@app.get("/essai/horaires/{uid}")
async def show(request: Request, session: SessionDep, uid: uuid.UUID) -> Response:
    from sqlalchemy import select

    version = await session.scalar(select(Offer.version).where(Offer.uid == uid))
    return _draw(request, HoursEditor(await hours_draft(session, uid)), version or 0)


async def _round(request: Request) -> tuple[HoursRound, int]:
    form = await request.form()
    return hours_round(form), int(str(form.get("version", "0")))


def _again(request: Request, taken: HoursRound, version: int) -> Response:
    editor = HoursEditor(taken.draft, taken.errors, taken.focus)
    return _draw(request, editor, version, 422 if taken.errors and not taken.acted else 200)


@app.post("/essai/horaires/{uid}", dependencies=[Depends(csrf_protected)])
async def save(request: Request, session: SessionDep, uid: uuid.UUID) -> Response:
    taken, version = await _round(request)
    if taken.acted or taken.errors:
        return _again(request, taken, version)
    try:
        await describe_offer(session, uid, draft_to_description(taken.draft), "essai", version)
    except Conflict as error:
        return _draw(request, HoursEditor(taken.draft), version, 409, stale=error.detail)
    return RedirectResponse(f"/offres/{uid}/horaires", status_code=303)


@app.get("/essai/brouillon")
async def blank(request: Request) -> Response:
    return _draw(request, HoursEditor(hours_round([]).draft), 1)


@app.post("/essai/brouillon", dependencies=[Depends(csrf_protected)])
async def keep(request: Request) -> Response:
    """Write nothing, show what would be."""
    taken, version = await _round(request)
    if taken.acted or taken.errors:
        return _again(request, taken, version)
    saved = draft_to_description(taken.draft).model_dump_json(exclude_unset=True)
    return _draw(request, HoursEditor(taken.draft), version, saved=saved)
