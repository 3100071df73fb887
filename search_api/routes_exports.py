"""Downloads of the 200 results: the same parameters as the search, three formats."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import LevelDep
from core.clock import now
from core.openapi import ERRORS
from core.settings import core_settings
from core.sheets import EXCEL
from directory.api import concept_index
from search_api import exports, service
from search_api.engine import SearchEngine
from search_api.engines import HEADER, EngineDep, SearchSessionDep
from search_api.openapi import search_parameters
from search_api.param_places import ref_text
from search_api.params import parse_query
from search_api.resolve import facet_ref, find_place
from search_api.schemas import SearchAnswer, SearchQuery, WhereRef
from search_api.zones import zoned

router = APIRouter(prefix="/api/v1", tags=["Exports"], responses={422: ERRORS[422], 503: ERRORS[503]})

Writer = Callable[[SearchAnswer, exports.Question], bytes]


async def export_query(request: Request) -> SearchQuery:
    """Read the search of an export; the page is without effect, since all results are given."""
    return zoned(request, parse_query(request.query_params.multi_items()))


QueryDep = Annotated[SearchQuery, Depends(export_query)]


def _described(media_type: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {
        "response_class": Response,
        "openapi_extra": {"parameters": search_parameters()},
        "responses": {200: {"description": "Fichier", "content": content}},
    }


async def _labels(session: AsyncSession, query: SearchQuery) -> dict[str, str]:
    concepts = await concept_index(session)
    labels: dict[str, str] = {}
    for ref in query.where:
        labels[f"where:{ref_text(ref)}"] = find_place(ref, "where").label
    for ref in (one for group in query.within for one in group):
        labels[ref_text(ref)] = find_place(ref, "within").label
    for code in query.codes:
        labels[code] = concepts.label(code) or code
    for key, values in query.facets.items():
        for value in values:
            labels[value] = concepts.label(facet_ref(key, value)) or value
    if query.visits:
        labels[f"commune:{query.visits}"] = find_place(WhereRef(kind="commune", code=query.visits), "visits").label
    return labels


async def _export(
    session: AsyncSession,
    engine: SearchEngine,
    query: SearchQuery,
    level: int,
    write: Writer,
    media_type: str,
    extension: str,
) -> Response:
    answer, asked = await service.all_results(session, query, level, engine)
    question = exports.Question(
        query=asked,
        asked_at=await now(session),
        labels=await _labels(session, asked),
        public_url=core_settings().public_url.rstrip("/"),
    )
    # Writing a sheet takes some 30 ms of pure computation: it must not hold the other requests.
    body = await asyncio.to_thread(write, answer, question)
    name = exports.filename(question, extension)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"}
    headers[HEADER] = engine.name
    return Response(body, media_type=media_type, headers=headers)


@router.get("/search.xlsx", summary="Exporter en Excel", **_described(EXCEL))
async def xlsx(query: QueryDep, session: SearchSessionDep, engine: EngineDep, level: LevelDep) -> Response:
    """Télécharge les 200 premiers lieux en Excel : une ligne par offre, la requête sur une seconde feuille."""
    return await _export(session, engine, query, level, exports.excel, EXCEL, "xlsx")


@router.get("/search.csv", summary="Exporter en CSV", **_described("text/csv"))
async def text_csv(query: QueryDep, session: SearchSessionDep, engine: EngineDep, level: LevelDep) -> Response:
    """Télécharge les 200 premiers lieux en CSV (UTF-8, point-virgule, virgule décimale)."""
    return await _export(session, engine, query, level, exports.comma_separated, "text/csv; charset=utf-8", "csv")


@router.get("/search.geojson", summary="Exporter en GeoJSON", **_described("application/geo+json"))
async def geo(query: QueryDep, session: SearchSessionDep, engine: EngineDep, level: LevelDep) -> Response:
    """Télécharge les 200 premiers lieux en GeoJSON, avec leurs offres."""
    return await _export(session, engine, query, level, exports.geojson, "application/geo+json", "geojson")
