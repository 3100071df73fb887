"""Pages of the comparator, for people who are signed in."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Annotated, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from accounts.api import LevelDep, Service, SignedInDep, add_service, everybody, safe_target
from core.db import SessionDep
from core.errors import InvalidInput
from core.http import public_base
from core.security import csrf_protected, set_cookie
from core.ui import pages
from core.ui.filters import calm, distance
from directory.api import offer_sheet
from search_api import compare, compare_table
from search_api.addresses import Pair, address
from search_api.sheet_pages import distance_from, place_given

router = APIRouter(include_in_schema=False)

add_service(
    Service(
        "comparer",
        "Comparateur",
        "Lire des offres côte à côte : ce qu’elles font, leurs horaires, leurs tarifs.",
        "/comparer",
        "layout-three-columns",
        everybody,
        rank=16,
    )
)


BACK: Final = ("/recherche", "/favoris")
"""Pages on which offers are ticked."""


def _address(uids: Iterable[uuid.UUID], place: Sequence[Pair]) -> str:
    return address([*(("o", str(uid)) for uid in uids), *place], "/comparer")


def _before(request: Request) -> SplitResult:
    """Return the address of the page of ours that led here, empty when another one did.

    The form beside the results knows neither the search nor its place: the page on which it stands does.
    """
    said = request.headers.get("referer", "")
    own = f"{public_base(request)}/"
    try:
        return urlsplit("/" + said.removeprefix(own).lstrip("/") if said.startswith(own) else "")
    except ValueError:
        return urlsplit("")


def _kept(target: str, uids: list[uuid.UUID]) -> Response:
    answer = RedirectResponse(target, status_code=303)
    set_cookie(answer.headers, compare.COOKIE, compare.cookie_value(uids), seconds=None if uids else 0)
    return answer


@router.get("/comparer")
async def comparison(
    request: Request,
    session: SessionDep,
    person: SignedInDep,
    level: LevelDep,
    o: Annotated[list[str] | None, Query(max_length=500)] = None,
) -> Response:
    """Draw the offers side by side: those of the address, else those that this browser chose."""
    try:
        uids = [uuid.UUID(one) for one in dict.fromkeys(o or ())] or compare.chosen(request)
    except ValueError:
        message = "Cette adresse désigne une offre qui n’existe pas."
        raise InvalidInput(message, fields={"o": message}) from None
    found = await compare.read(uids, lambda uid: offer_sheet(session, uid, level))
    before = _before(request)
    place = place_given(request.query_params.multi_items()) or place_given(parse_qsl(before.query))
    apart = [await distance_from(place, sheet.position) for sheet in found.sheets]
    distances = [f"{distance(one.metres)} {calm(one.place)}" if one else None for one in apart]
    context = {
        "chosen": found,
        "sheets": found.sheets,
        "without": {uid: _address(found.without(uid), place) for uid in uids} if o else {},
        "rows": compare_table.table(found.sheets, distances),
        "most": compare.MOST,
        "link": _address((sheet.uid for sheet in found.sheets), place),
        "here": address(place, "/comparer"),
        "back": before.geturl() if before.path in BACK else "",
    }
    return pages.render(request, "search/compare.html", context)


@router.post("/comparer/ajouter", dependencies=[Depends(csrf_protected)])
async def add(
    request: Request, person: SignedInDep, offre: Annotated[uuid.UUID, Form()], suite: Annotated[str, Form()] = ""
) -> Response:
    """Add an offer to the comparator, which says when there are more than it can show; far beyond, the oldest leave."""
    uids = [uid for uid in compare.chosen(request) if uid != offre]
    return _kept(safe_target(suite, "/comparer"), [*uids, offre][-compare.LISTED :])


@router.post("/comparer/retirer", dependencies=[Depends(csrf_protected)])
async def remove(
    request: Request, person: SignedInDep, offre: Annotated[uuid.UUID, Form()], suite: Annotated[str, Form()] = ""
) -> Response:
    """Take an offer out of the comparator."""
    return _kept(safe_target(suite, "/comparer"), [uid for uid in compare.chosen(request) if uid != offre])


@router.post("/comparer/vider", dependencies=[Depends(csrf_protected)])
async def empty(person: SignedInDep) -> Response:
    """Empty the comparator."""
    return _kept("/comparer", [])
