"""« Complétude » : the dashboard of coordinators, agents and administrators, and its Excel file."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from accounts.api import Person, Service, add_service, allowed, holder
from core import clock, sheets
from core.db import SessionDep, time_limit
from core.errors import InvalidInput
from core.ui import pages
from core.ui.filters import number
from directory import dashboard

router = APIRouter(include_in_schema=False)
ROLES = ("coordinator", "agent", "administrator")
SECONDS = 20
ReaderDep = Annotated[Person, Depends(allowed(*ROLES))]
Text = Annotated[str, Query(max_length=200)]

add_service(
    Service(
        "completude",
        "Complétude des fiches",
        "Par profession et par commune : ce qui est décrit, ce qui vieillit.",
        "/completude",
        "check-circle",
        holder(*ROLES),
        rank=25,
    )
)

COLUMNS = (
    ("nom", "Commune"),
    ("offres", "Offres"),
    ("decrites", "Décrites"),
    ("score", "Complétude moyenne"),
    ("anciennes", "Sans nouvelle depuis un an"),
)


def _query(**values: str) -> str:
    return "?" + urlencode({name: value for name, value in values.items() if value})


@router.get("/completude")
async def show(
    request: Request,
    session: SessionDep,
    person: ReaderDep,
    territoire: Text = "",
    profession: Annotated[str, Query(max_length=4)] = "",
    tri: Text = "offres",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Draw the figures of a territory; filters and order stay in the address."""
    sort = tri if tri in dashboard.SORTS else "offres"
    shown: dict[str, object] = {
        "territories": dashboard.territories(person),
        "free": dashboard.types_a_place(person),
        "typed": territoire,
        "profession": profession,
        "sort": sort,
        "columns": COLUMNS,
        "errors": [],
        "board": None,
        "place": None,
    }
    try:
        place = dashboard.territory_of(person, territoire)
    except InvalidInput as error:
        shown["errors"] = [("territoire", error.detail)]
        return pages.render(request, "directory/dashboard.html", shown, status=error.status)
    if place is not None:
        async with time_limit(session, SECONDS):
            shown["board"] = await dashboard.board(session, place, profession, sort, page)
        shown["place"] = place
        shown["page_link"] = lambda wanted: _query(
            territoire=place.ref, profession=profession, tri=sort, page=str(wanted)
        )
        shown["link"] = lambda **more: _query(
            **{"territoire": place.ref, "profession": profession, "tri": sort} | {k: str(v) for k, v in more.items()}
        )
    return pages.render(request, "directory/dashboard.html", shown)


@router.get("/completude.xlsx")
async def excel(
    session: SessionDep,
    person: ReaderDep,
    territoire: Text = "",
    profession: Annotated[str, Query(max_length=4)] = "",
) -> Response:
    """Download the figures of every commune of a territory."""
    place = dashboard.territory_of(person, territoire)
    if place is None:
        message = "Choisissez un territoire."
        raise InvalidInput(message, fields={"territoire": message})
    async with time_limit(session, SECONDS):
        board = await dashboard.board(session, place, profession, "nom", 1, everything=True)
    formats = {"nom": None, "score": "0\u00a0%"}
    titles = [sheets.Column(label, 26, formats.get(key, "#,##0")) for key, label in COLUMNS]
    rows = [(line.label, line.offers, line.described, line.score / 100, line.old) for line in board.communes]
    named = next((line.label for line in board.professions if line.key == profession), "toutes")
    about = [
        ("Territoire", place.name),
        ("Profession", named),
        ("Offres", number(board.total.offers)),
        ("Décrites", f"{number(board.total.described)} ({board.total.share} %)"),
        ("Complétude moyenne", f"{board.total.score} %"),
    ]
    body = sheets.texts("Communes", titles, rows, about, made_at=await clock.now(session))
    name = f"completude-{place.ref.replace(':', '-')}.xlsx"
    return Response(
        body,
        media_type=sheets.EXCEL,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
    )
