"""Vector tiles of the offers that answer a search, and their TileJSON."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from accounts.api import LevelDep
from core import conditional
from core.db import SessionDep, time_limit
from core.http import public_base
from core.openapi import ERRORS
from maps.api import tile, tile_at, tilejson
from search_api import service, tiles
from search_api.engines import EngineDep
from search_api.marks import KEPT, data_mark
from search_api.openapi import search_parameters
from search_api.params import parse_query, query_params
from search_api.routes import FRESH, MAP_SECONDS
from search_api.schemas import SearchQuery
from search_api.zones import zoned

router = APIRouter(prefix="/tiles", tags=["Tuiles"], responses={422: ERRORS[422], 503: ERRORS[503]})

MVT: Final = "application/vnd.mapbox-vector-tile"
OPEN: Final = {"Cache-Control": FRESH, "Access-Control-Allow-Origin": "*"}
WORLD: Final = (-180.0, -85.0511, 180.0, 85.0511)
ABOUT: Final = (
    f"Lieux qui ont des offres répondant à la recherche. Avant le zoom {tiles.POINTS_ZOOM}, les lieux voisins sont "
    "groupés et comptés ; ensuite chacun est un point. Les lieux sans position connue n’y sont pas."
)


async def tile_query(request: Request) -> SearchQuery:
    """Read the search of a tile: the parameters of any search, of which page and order change nothing."""
    return zoned(request, parse_query(request.query_params.multi_items()))


TileQueryDep = Annotated[SearchQuery, Depends(tile_query)]
_OPERATION: Final[dict[str, Any]] = {
    "response_class": Response,
    "openapi_extra": {"parameters": search_parameters()},
}


@router.get("/offers.json", summary="TileJSON des offres", **_OPERATION)
async def describe(request: Request, session: SessionDep, query: TileQueryDep, level: LevelDep) -> Response:
    """Décrit la couche des offres qui répondent à une recherche, pour les logiciels de carte.

    L’adresse des tuiles garde les paramètres de la recherche.
    """
    # A place or a code that does not exist is told here rather than at every tile.
    await service.prepare(session, query, level)
    answer = tilejson(
        public_base(request),
        tiles.LAYER,
        title="Offres de santé",
        description=ABOUT,
        zooms=(0, tiles.POINTS_ZOOM),
        fields=tiles.FIELDS,
        bounds=WORLD,
        query=urlencode(query_params(query)),
    )
    body = orjson.dumps(answer)
    headers = OPEN | {"ETag": conditional.tag_of(body)}
    if conditional.has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get(
    "/offers/{z}/{x}/{y}.mvt",
    summary="Tuile des offres",
    responses={
        200: {"content": {MVT: {}}, "description": "Tuile vectorielle ; vide là où rien ne répond."},
        304: {"description": "La tuile déjà reçue est encore bonne."},
    },
    **_OPERATION,
)
async def offer_tile(
    request: Request,
    session: SessionDep,
    engine: EngineDep,
    query: TileQueryDep,
    level: LevelDep,
    z: Annotated[int, Path(description="Zoom.", examples=[12])],
    x: Annotated[int, Path(description="Colonne, depuis l’ouest.", examples=[2067])],
    y: Annotated[int, Path(description="Ligne, depuis le nord.", examples=[1406])],
) -> Response:
    """Dessine les lieux dont des offres répondent à la recherche, avec leurs nombres.

    Les paramètres sont ceux de la recherche. Avant le zoom 14, les lieux voisins sont groupés : `sites` et
    `offers` les comptent tous. Ensuite chaque lieu est un point, avec `uid` et `name`.
    """
    at = tile_at(z, x, y)
    async with time_limit(session, MAP_SECONDS):
        mark = await data_mark(session)
        wanted = await service.matched(session, query, level, engine)

        async def make() -> bytes:
            shapes = await tiles.shapes(session, engine, wanted, at)
            return await tile(session, shapes, tiles.LAYER, at, clip=False)

        key = ("tile", mark, at, wanted)
        return await conditional.answer(request, make, kept=KEPT, key=key, media_type=MVT, headers=OPEN)
