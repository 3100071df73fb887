"""« Modération »: the table of the ads of a council, and its Excel file."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from accounts.api import Service, add_service, holder
from core import clock, sheets
from core.db import SessionDep
from core.errors import InvalidInput
from core.ui import pages
from core.ui.tables import View, read_view
from modules.ads import councils, moderation, moderation_excel, moderation_queries
from modules.ads.labels import CATEGORIES, STATES
from modules.ads.moderation_queries import COLUMNS, EVERYWHERE, Wanted
from modules.ads.people import ModeratorDep

router = APIRouter(include_in_schema=False)

PAGE: Final = "/annonces/moderation"
PRIVATE: Final = {"Cache-Control": "private, no-store"}

add_service(
    Service(
        "annonces-moderation",
        "Modération des annonces",
        "Vérifier les annonces des médecins avant leur publication.",
        PAGE,
        "shield-check",
        holder("moderator", "administrator"),
        rank=28,
    )
)


def view_of(request: Request, typed: dict[str, str]) -> View:
    """Return how the table is looked at.

    Raises:
        InvalidInput: the order or the page is not one of ours.
    """
    params = {name: request.query_params.get(name, "") for name in ("tri", "sens", "page")}
    filters = dict.fromkeys(moderation_queries.FILTERS)
    return read_view(PAGE, params | typed, COLUMNS, sort="maj", filters=filters)


@router.get(PAGE)
async def board(
    request: Request,
    session: SessionDep,
    reader: ModeratorDep,
    fait: Annotated[int, Query(ge=0, le=moderation_queries.LARGEST_NUMBER)] = 0,
    quoi: Annotated[Literal["", "accept", "refuse"], Query()] = "",
) -> Response:
    """Draw the table, as its address says; filters that are refused are shown again as typed.

    After the last decision, the address says which ad it was and what was decided.
    """
    typed = moderation_queries.typed_filters(request.query_params)
    view = view_of(request, typed)
    errors: dict[str, str] = {}
    shown: moderation.Table | None = None
    try:
        wanted = moderation_queries.read_filters(typed)
    except InvalidInput as error:
        errors = error.fields
        shown = await moderation.table(session, reader, Wanted(number=-1), view)
    else:
        shown = await moderation.table(session, reader, wanted, view)
    await councils.ready()
    context = {
        "reader": reader,
        "title": "Modération",
        "view": shown.view,
        "rows": shown.rows,
        "waiting": shown.waiting,
        "escalated": shown.escalated,
        "reported": shown.reported,
        "typed": dict.fromkeys(moderation_queries.FILTERS, "") | typed,
        "chosen": typed.get("statut", "").split(","),
        "everywhere": typed.get("perimetre") == EVERYWHERE,
        "filtered": any(name not in ("perimetre",) for name in typed),
        "errors": errors,
        "done": fait if quoi else 0,
        "done_label": moderation.DONE[quoi] if quoi else "",
        "states": {state: STATES[state] for state in moderation_queries.STATES},
        "categories": CATEGORIES,
        "mine": [councils.title(council) for council in sorted(reader.councils)],
        "short": councils.short,
        "excel": shown.view.href().replace(PAGE, f"{PAGE}.xlsx", 1),
    }
    return pages.render(request, "ads/moderation.html", context, status=422 if errors else 200)


@router.get(PAGE + ".xlsx")
async def excel(request: Request, session: SessionDep, reader: ModeratorDep) -> Response:
    """Download the table with the filters of its address, all pages together."""
    typed = moderation_queries.typed_filters(request.query_params)
    wanted = moderation_queries.read_filters(typed)
    await councils.ready()
    body = await moderation_excel.table(session, reader, wanted, view_of(request, typed))
    day = clock.today(await clock.now(session)).isoformat()
    return excel_answer(body, f"annonces-{day}.xlsx")


def excel_answer(body: bytes, name: str) -> Response:
    """Return an Excel file that is kept by nobody on its way."""
    return Response(
        body,
        media_type=sheets.EXCEL,
        headers={"Content-Disposition": f'attachment; filename="{name}"'} | PRIVATE,
    )
