"""Vector tiles of places, and their TileJSON."""

import asyncio
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from core import conditional
from core.db import SessionDep, time_limit
from core.errors import NotFound
from core.http import public_base
from core.openapi import ERRORS
from maps import store
from maps.tilejson import document
from maps.tiles import LAYERS, PlaceLayer, contours, draw, tile_at

router = APIRouter(prefix="/tiles", tags=["Tuiles"], responses={n: ERRORS[n] for n in (404, 422, 503)})

MVT: Final = "application/vnd.mapbox-vector-tile"
DAY: Final = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}
SECONDS: Final = 5
FRANCE: Final = (-63.2, -21.4, 55.9, 51.2)
"""West, south, east, north of the départements, overseas included; the collectivities of the Pacific lie beyond."""

_kept = conditional.Answers(16 * 2**20)

LayerName = Annotated[str, Path(max_length=40, description="`communes` ou `departements`.", examples=["communes"])]


def _layer(name: str) -> PlaceLayer:
    found = LAYERS.get(name)
    if found is None:
        raise NotFound(f"Aucune couche ne porte ce nom (couches de lieux : {', '.join(LAYERS)}).")
    return found


async def _validator(*question: object) -> str:
    """Return the validator of an answer about places: their mark is public, and renewed by any change of theirs."""
    version = (await asyncio.to_thread(store.current)).token
    return conditional.tag_of(version, repr(question))


@router.get("/{layer}.json", summary="TileJSON d’une couche de lieux", response_class=Response)
async def describe(request: Request, layer: LayerName) -> Response:
    """Décrit une couche de contours pour les logiciels de carte : adresse des tuiles, zooms, attributs."""
    found = _layer(layer)
    base = public_base(request)
    answer = document(
        base,
        layer,
        title=found.title,
        zooms=(found.first_zoom, found.last_zoom),
        fields=found.fields,
        bounds=FRANCE,
        attribution="Contours : IGN, Insee",
    )

    async def make() -> bytes:
        return orjson.dumps(answer)

    key = (layer, base)
    return await conditional.answer(
        request, make, kept=_kept, key=key, media_type="application/json", headers=DAY, tag=await _validator(key)
    )


_TILE: Final[dict[str, Any]] = {
    "responses": {
        200: {"content": {MVT: {}}, "description": "Tuile vectorielle ; vide là où la couche n’a rien."},
        304: {"description": "La tuile déjà reçue est encore bonne."},
    },
    "response_class": Response,
}


@router.get("/{layer}/{z}/{x}/{y}.mvt", summary="Tuile d’une couche de lieux", **_TILE)
async def place_tile(
    session: SessionDep,
    request: Request,
    layer: LayerName,
    z: Annotated[int, Path(description="Zoom.", examples=[10])],
    x: Annotated[int, Path(description="Colonne, depuis l’ouest.", examples=[516])],
    y: Annotated[int, Path(description="Ligne, depuis le nord.", examples=[352])],
) -> Response:
    """Dessine les contours des communes (à partir du zoom 7) ou des départements, simplifiés selon le zoom."""
    found = _layer(layer)
    at = tile_at(z, x, y, found.first_zoom)

    async def make() -> bytes:
        async with time_limit(session, SECONDS):
            return await draw(session, contours(found, at), layer, at)

    tag = await _validator(layer, at)
    return await conditional.answer(
        request, make, kept=_kept, key=(tag, layer, at), media_type=MVT, headers=DAY, tag=tag
    )
