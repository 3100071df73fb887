"""Pages of the hours of an offer: by week, by month, as a file for calendars."""

import uuid
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from accounts.api import LevelDep
from core.conditional import has_it, tag_of
from core.db import SessionDep
from core.ui import assets, pages
from directory import hours_views

router = APIRouter(include_in_schema=False)

pages.add_templates(Path(__file__).parent / "templates")
assets.add_folder("directory", Path(__file__).parent / "static")

CACHE = {"Cache-Control": "private, no-cache"}
VIEWS: dict[str, hours_views.View] = {"semaine": "week", "mois": "month"}


@router.get("/offres/{uid}/horaires")
async def hours(
    request: Request, session: SessionDep, level: LevelDep, uid: uuid.UUID, vue: str = "semaine", date: str = ""
) -> Response:
    """Draw a week or a month of an offer as it really is, exceptions and public holidays applied."""
    found = await hours_views.offer_hours(session, uid, level, VIEWS.get(vue, "week"), date)
    view = "mois" if found.calendar.view == "month" else "semaine"
    context = {
        "offer": found,
        "calendar": found.calendar,
        "legend": hours_views.legend_of(found.calendar),
        "base": f"/offres/{uid}/horaires",
        "view": view,
    }
    return pages.render(request, "directory/hours.html", context, headers=CACHE)


@router.get("/offres/{uid}/horaires.ics")
async def calendar(request: Request, session: SessionDep, level: LevelDep, uid: uuid.UUID) -> Response:
    """Send the hours of an offer to a calendar program, which may ask again as often as it likes."""
    body = await hours_views.offer_ics(session, uid, level)
    tag = tag_of(body)
    headers = {**CACHE, "ETag": tag, "Content-Disposition": f'attachment; filename="horaires-{str(uid)[:8]}.ics"'}
    if has_it(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)
