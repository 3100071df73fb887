"""HTML pages of the search: results. They call services, never routes."""

from pathlib import Path
from typing import Any

import psycopg
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import LevelDep, Service, add_service, everybody
from core import clock
from core.db import was_stopped
from core.errors import InvalidInput, Unavailable
from core.ui import assets, pages
from directory.api import ConceptIndex, concept_index
from search_api import engines, page_places, page_view, service, ways
from search_api.addresses import AROUND_ME, SearchBox, address, without
from search_api.compare import MOST
from search_api.engine import SearchEngine
from search_api.explain import PLAN
from search_api.labels import BOUNDARY_KINDS, CENTRE_KINDS
from search_api.moments import open_choices
from search_api.page_query import Typed, read_form
from search_api.page_view import ResultsView
from search_api.param_places import ref_text
from search_api.params import parse_query
from search_api.resolve import CONCEPTS_SECONDS
from search_api.schemas import SearchAnswer, SearchQuery
from search_api.settings import map_settings

router = APIRouter(include_in_schema=False)

pages.add_templates(Path(__file__).parent / "templates")
assets.add_folder("search", Path(__file__).parent / "static")

add_service(
    Service(
        "rechercher",
        "Rechercher une offre",
        "Professionnels, établissements, actes et équipements, du plus proche au plus lointain.",
        "/recherche",
        "search",
        everybody,
        rank=10,
    )
)

FIELD_IDS = {"q": "q", "code": "q", "scope": "scope", "where": "lieu", "lat": "lieu", "lon": "lieu", "lieu": "lieu",
             "origin": "origin_lieu", "visits": "visits_lieu"}  # fmt: skip
"""Where a page shows the error of a parameter."""
BOX_FIELDS = {"q": "q", "code": "q", "where": "lieu", "lat": "lieu", "lon": "lieu", "lieu": "lieu"}


@router.get("/recherche")
async def results(
    request: Request, session: engines.SearchSessionDep, engine: engines.EngineDep, level: LevelDep
) -> Response:
    """Draw the results of a search; an address that a form made is first turned into its canonical form."""
    typed = await read_form(request.query_params.multi_items())
    enhanced = request.headers.get("HX-Request") == "true"
    if typed.changed and not typed.errors and not enhanced:
        return RedirectResponse(address(typed.pairs), status_code=303)
    query, answer, view = await _answer(session, typed, engine, level)
    if query is not None and answer is not None and answer.total and query.page > view.pages:
        # An old address, or fewer results than when its page was drawn.
        return RedirectResponse(view.page_href(view.pages), status_code=303)
    headers = {"Cache-Control": "private, no-cache", engines.HEADER: engine.name}
    if enhanced:
        headers["HX-Push-Url"] = address(typed.pairs)
    status = 422 if view.errors else 503 if view.timed_out else 200
    # htmx draws nothing of an error answer; a refused filter must still show its reason.
    context = {"view": view, "answer": answer, "query": query, "plan_prefix": PLAN, "compared": MOST}
    return pages.render(request, "search/results.html", context, status=200 if enhanced else status, headers=headers)


async def _answer(
    session: AsyncSession, typed: Typed, engine: SearchEngine, level: int
) -> tuple[SearchQuery | None, SearchAnswer | None, ResultsView]:
    errors = dict(typed.errors)
    query: SearchQuery | None = None
    answer: SearchAnswer | None = None
    timed_out = False
    try:
        query = parse_query(typed.pairs)
        if typed.pairs and not errors:
            answer = await service.search(session, query, level, engine)
    except InvalidInput as error:
        errors |= error.fields or {"": error.detail}
    except Unavailable:
        timed_out = True
    except (DBAPIError, psycopg.Error) as error:
        if not was_stopped(error):
            raise
        await session.rollback()
        timed_out = True
    index = await concept_index(session, within=CONCEPTS_SECONDS)
    view = await _view(session, typed, query, answer, index, errors)
    view.timed_out = timed_out
    if answer is not None and not answer.total:
        offered = [*ways.fewer_words(typed.pairs), *page_view.widen(typed.pairs, view.chips)]
        if len(view.chips) > 1:
            offered.append(("Retirer tous les filtres", view.clear_href))
        view.widen = await ways.finding(session, offered, level, engine)
    return query, answer, view


async def _view(
    session: AsyncSession,
    typed: Typed,
    query: SearchQuery | None,
    answer: SearchAnswer | None,
    index: ConceptIndex,
    errors: dict[str, str],
) -> ResultsView:
    given = dict(reversed(typed.pairs))
    refs = [value for name, value in typed.pairs if name == "where"]
    limits = [ref for name, value in typed.pairs if name == "within" for ref in value.split(",")]
    origin = given.get("origin", "")
    names = await page_places.labels([*refs, *limits, *([origin] if origin else [])])
    visits = given.get("visits", "").removeprefix("commune:")
    visits_name = (await page_places.labels([f"commune:{visits}"])).get(f"commune:{visits}", "") if visits else ""
    box = _box(typed, query, names, index, errors)
    what = box.q if box.q else ""
    place = box.place_label or (typed.place_text if errors else "")
    heading, summary = page_view.headings(query, what, place)
    facets = answer.facets if answer else []
    view = ResultsView(
        box=box,
        title=heading,
        heading=heading,
        summary=summary,
        pairs=typed.pairs,
        facets=facets,
        errors=[
            (FIELD_IDS.get(name, name if name in page_view.OWN_FIELDS else None), text) for name, text in errors.items()
        ],
        places=[(hit.label, address([*without(typed.pairs, "where"), ("where", hit.ref)])) for hit in typed.places],
        age=given.get("age", ""),
        radius=given.get("radius_km", "").replace(",", "."),
        accepts_new=bool(given.get("accepts_new")),
        scope=given.get("scope", ""),
        bbox=given.get("bbox", ""),
    )
    view.chips = page_view.chips(
        typed.pairs, facets, index.label, visits_name, {r: names.get(r, r) for r in (*refs[1:], *limits)}, box.codes[:1]
    )
    if errors.keys() == {"lieu"} and box.q:
        view.anywhere = address([*without(typed.pairs, "where", "lat", "lon", "radius_km"), ("where", "france")])
    page_view.fill_town(view.visits, visits, visits_name, typed.towns)
    page_view.fill_town(view.origin, origin, names.get(origin, origin), typed.towns)
    view.open_value, view.open_options = open_choices(await clock.now(session), given.get("open_at", ""))
    if query is not None:
        view.sort = query.sort
        view.centred = query.point is not None or any(ref.kind in CENTRE_KINDS for ref in query.where)
    if answer is not None:
        view.pages, view.first, view.last = page_view.paging(answer)
        view.centre = answer.centre if answer.centre and answer.centre.lat is not None else None
        if view.centre and view.centre.kind in BOUNDARY_KINDS:
            view.measured_from = await page_places.measured_from(session, view.centre)
        elif view.centre and origin:
            view.measured_from = view.centre.name
        elif view.bbox and not view.centre:
            view.measured_from = "le milieu de la carte"
    base = map_settings()
    view.tiles_url, view.tiles_attribution = base.tiles_url, base.tiles_attribution
    return view


def _box(
    typed: Typed,
    query: SearchQuery | None,
    names: dict[str, str],
    index: ConceptIndex,
    errors: dict[str, str],
) -> SearchBox:
    given: dict[str, Any] = dict(reversed(typed.pairs))
    codes = [value for name, value in typed.pairs if name == "code"]
    q = given.get("q", "")
    box = SearchBox(q=q, errors={BOX_FIELDS[n]: text for n, text in errors.items() if n in BOX_FIELDS})
    if codes and not q:
        box.q = box.code_label = index.label(codes[0]) or codes[0]
        box.codes = codes
    elif codes:
        box.codes = codes
    box.where = [value for name, value in typed.pairs if name == "where"]
    if query is not None and query.point is not None:
        box.lat, box.lon = given["lat"], given["lon"]
        box.place = box.place_label = AROUND_ME
    elif box.where:
        box.place = box.place_label = names.get(box.where[0], box.where[0])
    if typed.errors.get("lieu"):
        box.place, box.place_label, box.where = typed.place_text, "", ()
    box.kept = [(name, value) for name, value in typed.pairs if name in ("sort", "radius_km")]
    if query is not None and query.where:
        box.where = [ref_text(ref) for ref in query.where]
    return box
