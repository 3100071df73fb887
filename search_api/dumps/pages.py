"""« Données à télécharger »: the files of the whole directory, and the dictionary of their columns."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from accounts.api import CallerDep
from core.db import SessionDep
from core.ui import pages
from directory.api import PROFESSIONAL
from search_api.dumps import service
from search_api.dumps.catalogue import DATASETS, LEVELS, ORIGINS

router = APIRouter(include_in_schema=False)

_HEADERS = {"Cache-Control": "private, no-cache"}


@router.get("/donnees")
async def downloads(request: Request, session: SessionDep, caller: CallerDep) -> Response:
    """Draw the page of the files."""
    found = await service.present(session, caller)
    groups = [
        (level, [(one, files) for one in DATASETS if (files := _of(found, one.name, level))])
        for level in LEVELS
        if any(one.level == level for one in found)
    ]
    context = {
        "groups": groups,
        "made_at": found[0].made_at if found else None,
        "position": found[0].position if found else None,
        "limited": caller.level >= PROFESSIONAL and bool(caller.zone),
    }
    return pages.render(request, "search/dumps.html", context, headers=_HEADERS)


def _of(found: list[service.DumpFile], dataset: str, level: int) -> list[service.DumpFile]:
    return [one for one in found if one.dataset == dataset and one.level == level]


@router.get("/donnees/dictionnaire")
async def dictionary(request: Request) -> Response:
    """Draw the dictionary of the columns."""
    context = {"datasets": DATASETS, "origins": ORIGINS}
    return pages.render(request, "search/dumps_dictionary.html", context, headers=_HEADERS)
