"""« Statistiques » of moderation: a page, and its Excel file."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from core import clock
from core.db import SessionDep, time_limit
from core.ui import pages
from core.ui.filters import MONTHS, NBSP, number
from modules.ads import councils, moderation_excel
from modules.ads.chart import chart
from modules.ads.pages_moderation import PAGE, excel_answer
from modules.ads.people import ModeratorDep, Reader
from modules.ads.statistics import asked_council, statistics

router = APIRouter(include_in_schema=False)

STATISTICS: Final = PAGE + "/statistiques"
SECONDS: Final = 10
Council = Annotated[str, Query(alias="conseil", max_length=5, pattern=r"^[0-9A-Za-z]*$")]


def duration(hours: float | None) -> str:
    """Write a delay as people say it: « 40 min », « 5 h », « 3 jours »."""
    if hours is None:
        return "–"
    if hours < 1:
        return f"{round(hours * 60)}{NBSP}min"
    if hours < 48:
        return f"{round(hours)}{NBSP}h"
    return f"{number(round(hours / 24))}{NBSP}jours"


def share(part: float | None) -> str:
    """Write a part of a whole: « 12 % »."""
    return "–" if part is None else f"{round(part * 100)}{NBSP}%"


def _choices(reader: Reader) -> list[tuple[str, str]]:
    mine = [(council, councils.title(council)) for council in sorted(reader.councils)]
    return [("", "Tous les conseils"), *mine] if reader.national else mine


@router.get(STATISTICS)
async def show(request: Request, session: SessionDep, reader: ModeratorDep, conseil: Council = "") -> Response:
    """Draw the figures of a council, or of all of them for the national level."""
    await councils.ready()
    council = asked_council(reader, conseil.upper())
    async with time_limit(session, SECONDS):
        found = await statistics(session, reader, council)
    context = {
        "reader": reader,
        "title": "Statistiques de modération",
        "page": STATISTICS,
        "council": council or "",
        "councils": _choices(reader),
        "name": "Tous les conseils" if council is None else councils.title(council),
        "figures": found,
        "month_names": MONTHS,
        "chart": chart(found.months),
        "duration": duration,
        "share": share,
        "council_title": councils.title,
    }
    return pages.render(request, "ads/statistics.html", context)


@router.get(STATISTICS + ".xlsx")
async def excel(session: SessionDep, reader: ModeratorDep, conseil: Council = "") -> Response:
    """Download the figures."""
    await councils.ready()
    council = asked_council(reader, conseil.upper())
    async with time_limit(session, SECONDS):
        found = await statistics(session, reader, council)
    name = "Tous les conseils" if council is None else councils.title(council)
    day = clock.today(found.made_at).isoformat()
    return excel_answer(
        moderation_excel.figures(found, name), f"annonces-statistiques-{council or 'france'}-{day}.xlsx"
    )
