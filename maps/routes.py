"""JSON API of the location index: contours for the basemap and for territories."""

import asyncio
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from core.db import SessionDep
from core.errors import InvalidInput
from maps import basemap
from maps.outlines import outline
from maps.schemas import KINDS, REF_NAMES
from maps.store import current

router = APIRouter(prefix="/api/v1/outlines", tags=["Lieux"])

MAX_REFS: Final = 300
DAY: Final = "public, max-age=86400"


class _Kept:
    """Contours of the country, the same for everyone until places change."""

    token: str | None = None
    departements: dict[str, Any] | None = None


def _view(value: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in value.split(","))
    except ValueError:
        message = "Quatre nombres sont attendus : ouest,sud,est,nord."
        raise InvalidInput(message, fields={"bbox": message}) from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        message = "L’ouest doit précéder l’est et le sud le nord, en degrés."
        raise InvalidInput(message, fields={"bbox": message})
    return west, south, east, north


def _ref(value: str) -> tuple[str, str]:
    kind, _, code = value.partition(":")
    known = REF_NAMES.get(kind, kind)
    if known not in KINDS or not code:
        message = "Un lieu s’écrit sorte:code, par exemple commune:78361."
        raise InvalidInput(message, fields={"refs": message})
    return known, code


@router.get("", summary="Contours de lieux")
async def of_places(
    session: SessionDep,
    response: Response,
    refs: Annotated[str, Query(max_length=8000, description="Lieux, séparés par des virgules : commune:78361,…")],
) -> dict[str, Any]:
    """Renvoie en GeoJSON les contours des lieux nommés ; 300 au plus."""
    wanted = [_ref(value) for value in refs.split(",") if value]
    if len(wanted) > MAX_REFS:
        message = f"Trop de lieux ({MAX_REFS} au plus)."
        raise InvalidInput(message, fields={"refs": message})
    response.headers["Cache-Control"] = DAY
    return await outline(session, wanted, tolerance=0.0005)


@router.get("/departements", summary="Contours des départements")
async def departements(session: SessionDep, request: Request) -> Response:
    """Renvoie en GeoJSON les contours simplifiés des départements, fond de carte du pays."""
    token = (await asyncio.to_thread(current)).token
    if _Kept.departements is None or _Kept.token != token:
        _Kept.departements, _Kept.token = await basemap.departements(session), token
    headers = {"Cache-Control": DAY, "ETag": f'"{token}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(orjson.dumps(_Kept.departements), media_type="application/geo+json", headers=headers)


@router.get("/communes", summary="Contours des communes d’une zone")
async def communes(
    session: SessionDep,
    response: Response,
    bbox: Annotated[str, Query(max_length=200, description="Zone : ouest,sud,est,nord en degrés.")],
) -> dict[str, Any]:
    """Renvoie en GeoJSON les communes que touche une zone, les plus peuplées d’abord ; 600 au plus."""
    response.headers["Cache-Control"] = DAY
    return await basemap.communes(session, _view(bbox))
