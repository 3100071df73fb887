"""Page of the search of ads, and the map of its results."""

from collections.abc import Mapping

import psycopg
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import SessionDep, was_stopped
from core.ui import pages
from modules.ads import search, search_view
from modules.ads.labels import CATEGORIES
from modules.ads.people import VisitorDep
from modules.ads.search_form import PLACES_API, Typed, read_form
from modules.ads.search_query import RADII, address, pairs
from modules.ads.specialties import specialty_names
from modules.ads.views import TOWNS
from search_api.api import map_settings

router = APIRouter(include_in_schema=False)


@router.get("/annonces")
async def results(request: Request, session: SessionDep, reader: VisitorDep) -> Response:
    """Draw the ads that answer a search; an address that a form made is first turned into its canonical form."""
    names = await specialty_names(session)
    typed = await read_form(request.query_params.multi_items(), names)
    if typed.query is not None and typed.changed:
        return RedirectResponse(address(pairs(typed.query)), status_code=303)
    view = await _answer(session, typed, names)
    if typed.query is not None and view.found is not None and typed.query.page > view.pages:
        return RedirectResponse(view.page_href(view.pages), status_code=303)
    context = {
        "title": "Trouver une annonce",
        "reader": reader,
        "view": view,
        "categories": list(CATEGORIES.items()),
        "specialties": list(names.items()),
        "radii": RADII,
        "kinds": PLACES_API,
        "towns": sorted(TOWNS),
        "map": map_settings(),
    }
    status = 422 if view.errors else 503 if view.timed_out else 200
    return pages.render(request, "ads/find.html", context, status=status)


async def _answer(session: AsyncSession, typed: Typed, names: Mapping[str, str]) -> search_view.ResultsView:
    if typed.query is None:
        return search_view.build(typed, names)
    try:
        found = await search.search(session, typed.query)
        ads = await search.hydrate(session, found.ads)
    except (DBAPIError, psycopg.Error) as error:
        if not was_stopped(error):
            raise
        await session.rollback()
        view = search_view.build(typed, names)
        view.timed_out = True
        return view
    return search_view.build(typed, names, found, ads)
