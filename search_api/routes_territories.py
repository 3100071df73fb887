"""JSON API: where an offer comes to the patient's home, as contours."""

import uuid
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from accounts.api import LevelDep
from core.db import SessionDep
from core.openapi import ERRORS
from directory.api import offer_sheet
from maps.api import outline
from search_api.param_places import place_ref
from search_api.routes import FRESH, only
from search_api.zones import refuse_outside

router = APIRouter(prefix="/api/v1", responses=ERRORS)

GEOJSON = "application/geo+json"
FINE = 0.0005
"""Degrees by which contours are simplified: about 50 m."""
_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {GEOJSON: {}}, "description": "Contours."}}


@router.get(
    "/offers/{uid}/territory.geojson",
    tags=["Fiches"],
    summary="Territoire d’intervention d’une offre",
    response_class=Response,
    responses=_ANSWER,
)
async def territory(
    request: Request,
    session: SessionDep,
    level: LevelDep,
    uid: Annotated[uuid.UUID, Path(description="`offers[].id`")],
) -> Response:
    """Renvoie en GeoJSON les contours des lieux où l’offre se déplace à domicile ; aucun si elle ne l’a pas décrit."""
    only(request)
    await refuse_outside(session, request, offer=uid)
    sheet = await offer_sheet(session, uid, level)
    refs = [place_ref(ref) for ref in sheet.territory.refs]
    shapes = await outline(session, [(ref.kind, ref.code) for ref in refs], tolerance=FINE)
    return Response(orjson.dumps(shapes), media_type=GEOJSON, headers={"Cache-Control": FRESH})
