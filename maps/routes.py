"""JSON of the location index: contours for the basemap, for places and for territories."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from core.conditional import has_it, tag_of
from core.db import SessionDep
from core.errors import InvalidInput, NotFound
from core.openapi import ERRORS
from maps import basemap, outlines, store
from maps.schemas import KINDS, REF_NAMES

router = APIRouter(prefix="/api/v1/outlines", tags=["Lieux"], responses={n: ERRORS[n] for n in (404, 422)})

MAX_REFS: Final = 300
DAY: Final = "public, max-age=86400"
GEOJSON: Final = "application/geo+json"
FINE: Final = 0.0005
"""Degrees by which the contour of a place is simplified: about 50 m."""

_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {GEOJSON: {}}, "description": "Contours (FeatureCollection)."},
    304: {"description": "Les contours déjà reçus sont encore bons."},
}
_DOOR: dict[str, Any] = {"responses": _ANSWER, "response_class": Response}


class _Kept:
    """Contours of the country, the same for everyone until places change."""

    departements: tuple[str, list[basemap.Shape]] | None = None


async def _answer(request: Request, name: str, make: Callable[[], Awaitable[dict[str, Any] | bytes]]) -> Response:
    """Return contours with validators; 304 when the caller has them already."""
    version = (await asyncio.to_thread(store.current)).token
    tag = tag_of(version, name)
    headers = {"ETag": tag, "Cache-Control": DAY}
    if has_it(request, tag):
        return Response(status_code=304, headers=headers)
    document = await make()
    content = document if isinstance(document, bytes) else orjson.dumps(document)
    return Response(content, media_type=GEOJSON, headers=headers)


def _view(value: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in value.split(","))
    except ValueError:
        message = "Quatre nombres sont attendus : ouest,sud,est,nord."
        raise InvalidInput(message, fields={"bbox": message}) from None
    # Written so that NaN is refused too.
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        message = "L’ouest doit précéder l’est et le sud le nord, en degrés."
        raise InvalidInput(message, fields={"bbox": message})
    return west, south, east, north


def _ref(value: str) -> tuple[str, str]:
    kind, _, code = value.partition(":")
    known = REF_NAMES.get(kind, kind)
    # A control character is in no code, and the database refuses to compare it.
    if known not in KINDS or not code or not code.isprintable():
        message = "Un lieu s’écrit sorte:code, par exemple commune:78361."
        raise InvalidInput(message, fields={"refs": message})
    return known, code


@router.get("", summary="Contours de lieux", **_DOOR)
async def of_places(
    session: SessionDep,
    request: Request,
    refs: Annotated[str, Query(max_length=8000, description="Lieux, séparés par des virgules : commune:78361,…")],
) -> Response:
    """Renvoie en GeoJSON les contours des lieux nommés ; 300 au plus."""
    wanted = [_ref(value) for value in refs.split(",") if value]
    if len(wanted) > MAX_REFS:
        message = f"Trop de lieux ({MAX_REFS} au plus)."
        raise InvalidInput(message, fields={"refs": message})

    async def make() -> dict[str, Any]:
        return await outlines.outline(session, wanted, tolerance=FINE)

    return await _answer(request, f"refs {wanted}", make)


@router.get("/departements.geojson", include_in_schema=False)
@router.get("/departements", summary="Contours des départements", **_DOOR)
async def departements(
    session: SessionDep,
    request: Request,
    bbox: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Seulement ceux que touche la zone : ouest,sud,est,nord en degrés.",
            examples=["1,48,3,50"],
        ),
    ] = None,
) -> Response:
    """Renvoie en GeoJSON les contours simplifiés des départements, fond de carte du pays."""
    view = _view(bbox) if bbox is not None else None

    async def make() -> bytes:
        version = store.current().token
        held = _Kept.departements
        if held is None or held[0] != version:
            held = _Kept.departements = (version, await basemap.departements(session))
        return basemap.written(shape for shape in held[1] if view is None or shape.touches(view))

    return await _answer(request, f"departements {view}", make)


@router.get("/communes.geojson", include_in_schema=False)
@router.get("/communes", summary="Contours des communes d’une zone ou d’un département", **_DOOR)
async def communes(
    session: SessionDep,
    request: Request,
    bbox: Annotated[
        str | None,
        Query(max_length=200, description="Zone : ouest,sud,est,nord en degrés.", examples=["1.6,48.9,1.9,49.1"]),
    ] = None,
    departement: Annotated[
        str | None, Query(max_length=3, description="Numéro d’un département.", examples=["78"])
    ] = None,
) -> Response:
    """Renvoie en GeoJSON les communes d’un département, ou les 600 plus peuplées que touche une zone."""
    if bbox is not None:
        view = _view(bbox)

        async def make() -> dict[str, Any]:
            return await basemap.communes(session, view)

        return await _answer(request, f"bbox {view}", make)
    if departement is None:
        either = "Donnez « bbox » ou « departement »."
        raise InvalidInput("Indiquez une zone ou un département.", fields={"bbox": either, "departement": either})
    code = departement.upper()
    if not code.isprintable():
        message = "Un numéro de département est attendu, par exemple 78."
        raise InvalidInput(message, fields={"departement": message})

    async def make_departement() -> dict[str, Any]:
        document = await outlines.communes_of(session, code, tolerance=FINE)
        if not document["features"]:
            raise NotFound(f"Aucun contour de commune pour le département « {code} ».")
        return document

    return await _answer(request, f"departement {code}", make_departement)


@router.get("/place/{kind}/{code}.geojson", summary="Contour d’un lieu", **_DOOR)
async def place(
    session: SessionDep,
    request: Request,
    kind: Annotated[str, Path(max_length=20, examples=["epci"])],
    code: Annotated[str, Path(max_length=40, examples=["200059889"])],
) -> Response:
    """Renvoie en GeoJSON le contour d’un lieu : commune, intercommunalité, département, région, territoire."""
    places = await asyncio.to_thread(store.current)
    row = places.find(kind, code)
    if row is None:
        raise NotFound("Ce lieu est inconnu.")
    ref = (places.kinds[row], places.codes[row])

    async def make() -> dict[str, Any]:
        document = await outlines.outline(session, [ref], tolerance=FINE / 2)
        if not document["features"]:
            raise NotFound("Aucun contour n’est connu pour ce lieu.")
        return document

    return await _answer(request, f"{ref[0]}:{ref[1]}", make)
