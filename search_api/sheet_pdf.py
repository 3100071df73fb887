"""The sheets as PDF: the same addresses and the same rights as the pages, with `/fiche.pdf` behind."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import LevelDep, PersonDep
from core import clock, conditional, pdf
from core.db import SessionDep
from core.errors import NotFound
from core.http import public_base
from directory.api import PROFESSIONAL, PUBLIC, may_edit, offer_sheet, site_sheet
from maps.api import places_version, ready, sketch
from search_api import sheet_documents as documents
from search_api.exports import slug

router = APIRouter(include_in_schema=False)

KEPT: Final = conditional.Answers(16 * 2**20)
"""Documents of the public that this process drew lately; those of professionals are never kept."""


@router.get("/offres/{uid}/fiche.pdf")
async def offer(request: Request, session: SessionDep, level: LevelDep, person: PersonDep, uid: uuid.UUID) -> Response:
    """Draw the sheet of an offer as PDF; one without a page has a document for those who write it only."""
    author = person is not None and await may_edit(session, person, uid)
    level = PROFESSIONAL if author else level
    published = True
    try:
        sheet = await offer_sheet(session, uid, level)
    except NotFound:
        if not author:
            raise
        sheet, published = await offer_sheet(session, uid, level, hidden=True), False
    now = await clock.now(session)
    address = f"{public_base(request)}/offres/{uid}"
    data = documents.offer(sheet, level, clock.local(now).date(), address, published=published)
    await ready()

    async def whole() -> documents.Data:
        point = (sheet.position.lat, sheet.position.lon) if sheet.position else None
        found = await sketch(session, documents.refs(sheet), point) if sheet.territory.places else None
        return data | {"map": documents.territory_map(found, sheet)}

    mark = pdf.mark(documents.OFFER, data, places_version())
    return await _answer(
        request, session, documents.OFFER, whole, mark, data["title"], level, _since(sheet.updated_at, now)
    )


@router.get("/sites/{uid}/fiche.pdf")
async def site(request: Request, session: SessionDep, level: LevelDep, uid: uuid.UUID) -> Response:
    """Draw the sheet of a site as PDF."""
    sheet = await site_sheet(session, uid, level)
    now = await clock.now(session)
    data = documents.site(sheet, level, clock.local(now).date(), f"{public_base(request)}/sites/{uid}")

    async def whole() -> documents.Data:
        return data

    mark = pdf.mark(documents.SITE, data)
    return await _answer(
        request, session, documents.SITE, whole, mark, data["title"], level, _since(sheet.updated_at, now)
    )


def _since(updated_at: datetime, now: datetime) -> datetime:
    """Return since when the document says what it says: it bears the day, so midnight counts as a change."""
    midnight = datetime.combine(clock.local(now).date(), time(), clock.PARIS)
    return max(updated_at, midnight).astimezone(UTC).replace(microsecond=0)


async def _answer(
    request: Request,
    session: AsyncSession,
    template: Path,
    whole: Callable[[], Awaitable[dict[str, Any]]],
    mark: str,
    title: str,
    level: int,
    since: datetime,
) -> Response:
    async def drawn() -> bytes:
        data = await whole()
        # All is read: a drawing that waits its turn must not hold a connection.
        await session.close()
        return await pdf.draw(template, data, made_at=since)

    name = f"repere-{slug(title) or 'fiche'}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Vary": "Cookie"}
    if level > PUBLIC:
        # No copy, and no validator either: it would tell that a restricted field changed.
        headers["Cache-Control"] = "private, no-store"
        return Response(await drawn(), media_type=pdf.MEDIA_TYPE, headers=headers)
    headers |= {"Cache-Control": "public, no-cache", "Last-Modified": format_datetime(since, usegmt=True)}
    return await conditional.answer(
        request, drawn, kept=KEPT, key=mark, media_type=pdf.MEDIA_TYPE, headers=headers, tag=mark
    )
