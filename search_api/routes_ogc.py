"""OGC API – Features: the directory as collections that QGIS, GDAL and other GIS software read."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from accounts.api import caller_of
from core import clock
from core.conditional import Answer, has_it, tag_of
from core.db import SessionDep
from core.errors import NotFound
from core.http import public_base
from core.openapi import ERRORS
from search_api import ogc, ogc_documents, ogc_openapi
from search_api.marks import KEPT, data_mark
from search_api.ogc_collections import COLLECTIONS, Collection
from search_api.ogc_documents import GEOJSON, JSON, OPENAPI, SCHEMA
from search_api.ogc_params import Asked, only_format, parse
from search_api.routes import FRESH
from search_api.zones import zone_of

router = APIRouter(prefix="/ogc", tags=["OGC API – Features"], responses={503: ERRORS[503]})

HEADERS: Final = {"Cache-Control": FRESH, "Access-Control-Allow-Origin": "*"}
BAD: Final[dict[int | str, dict[str, Any]]] = {
    400: {**ERRORS[422], "description": "Paramètre refusé ou inconnu, avec un message par champ"},
    404: ERRORS[404],
}
FORMAT: Final[dict[str, Any]] = {"parameters": [ogc_openapi.COMMON["f"]]}
CollectionName = Annotated[str, Path(max_length=40, description="`sites`, `offers` ou `communes`.", examples=["sites"])]


def _collection(name: str) -> Collection:
    found = COLLECTIONS.get(name)
    if found is None:
        raise NotFound(f"Aucune collection ne porte ce nom (collections : {', '.join(COLLECTIONS)}).")
    return found


async def _seen(request: Request, asked: Asked) -> Asked:
    """Return what is asked, limited to what the caller may see."""
    return replace(asked, level=caller_of(request).level, zone=await zone_of(request))


def _answer(request: Request, document: dict[str, Any], media_type: str) -> Response:
    body = ogc_documents.dumps(document)
    headers = HEADERS | {"ETag": tag_of(body)}
    if has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


@router.get("/", include_in_schema=False)
@router.get("", summary="Page d’accueil de l’API", response_class=Response, responses=BAD, openapi_extra=FORMAT)
async def landing(request: Request) -> Response:
    """Renvoie les adresses de la description, des classes de conformité et des collections."""
    only_format(request.query_params.multi_items())
    return _answer(request, ogc_documents.landing(public_base(request)), JSON)


@router.get("/api", summary="Description OpenAPI 3.0", response_class=Response, responses=BAD, openapi_extra=FORMAT)
async def description(request: Request) -> Response:
    """Renvoie la description des collections, de leurs filtres et de leurs pages, en OpenAPI 3.0."""
    only_format(request.query_params.multi_items())
    return _answer(request, ogc_openapi.document(public_base(request)), OPENAPI)


@router.get(
    "/conformance", summary="Classes de conformité", response_class=Response, responses=BAD, openapi_extra=FORMAT
)
async def conformance(request: Request) -> Response:
    """Renvoie les classes de la norme OGC API – Features 1.0 qui sont respectées."""
    only_format(request.query_params.multi_items())
    return _answer(request, ogc_documents.conformance(), JSON)


@router.get("/collections", summary="Collections", response_class=Response, responses=BAD, openapi_extra=FORMAT)
async def collections(request: Request, session: SessionDep) -> Response:
    """Renvoie les collections : lieux, offres, communes."""
    only_format(request.query_params.multi_items())
    mark = await data_mark(session)
    extents = {one.id: await ogc.extent(session, one, mark) for one in COLLECTIONS.values()}
    return _answer(request, ogc_documents.collections(public_base(request), extents), JSON)


@router.get(
    "/collections/{collection}", summary="Une collection", response_class=Response, responses=BAD, openapi_extra=FORMAT
)
async def collection(request: Request, session: SessionDep, collection: CollectionName) -> Response:
    """Renvoie la description d’une collection : étendue, système de coordonnées, adresse des objets."""
    one = _collection(collection)
    only_format(request.query_params.multi_items())
    extent = await ogc.extent(session, one, await data_mark(session))
    return _answer(request, ogc_documents.collection(public_base(request), one, extent), JSON)


@router.get(
    "/collections/{collection}/schema",
    summary="Propriétés d’une collection",
    response_class=Response,
    responses=BAD,
    openapi_extra=FORMAT,
)
async def schema(request: Request, collection: CollectionName) -> Response:
    """Renvoie le schéma JSON des objets d’une collection."""
    one = _collection(collection)
    only_format(request.query_params.multi_items())
    return _answer(request, ogc_documents.schema(public_base(request), one), SCHEMA)


def _shown_parameters() -> list[dict[str, Any]]:
    """Return the parameters of all the collections, each once, for the application's own description."""
    found: dict[str, dict[str, Any]] = {}
    for one in COLLECTIONS.values():
        for parameter in ogc_openapi.item_parameters(one):
            found.setdefault(parameter["name"], parameter)
    # What differs from a collection to another is told in full by the OGC API's own description.
    found["kind"] = {
        **found["kind"],
        "description": "Sorte : practice ou establishment (lieux), liberal ou establishment (offres).",
        "schema": {"type": "string"},
    }
    found["limit"]["description"] = (
        f"Objets par page ; {COLLECTIONS['sites'].largest} au plus ({COLLECTIONS['communes'].largest} communes), même "
        "si l’on en demande davantage."
    )
    return list(found.values())


@router.get(
    "/collections/{collection}/items",
    summary="Objets d’une collection",
    response_class=Response,
    responses={**BAD, 200: {"content": {GEOJSON: {}}, "description": "Objets (FeatureCollection)."}},
    openapi_extra={"parameters": _shown_parameters()},
)
async def items(request: Request, session: SessionDep, collection: CollectionName) -> Response:
    """Renvoie une page d’objets en GeoJSON ; le lien `next` mène à la suivante, tant qu’il y en a une.

    `numberMatched` compte tous les objets qui répondent. Sans clé, seules les informations publiques y sont.
    """
    one = _collection(collection)
    params = request.query_params.multi_items()
    asked = await _seen(request, parse(one, params))
    base = public_base(request)
    mark = await data_mark(session)
    key = ("items", mark, base, one.id, asked.level, asked.zone, tuple(params))
    known = KEPT.find(key)
    if known is not None and has_it(request, known.tag):
        return Response(status_code=304, headers=HEADERS | {"ETag": known.tag})
    page = await ogc.page(session, one, asked, mark, base)
    document = ogc_documents.items(base, one, params, page.features, page.next, page.matched, page.reasons)
    body = await asyncio.to_thread(ogc_documents.dumps, document)
    # Weak: the hour of the answer, which the standard wants, changes without the features.
    tag = f"W/{tag_of(body)}"
    KEPT.keep(key, Answer(tag, None))
    headers = HEADERS | {"ETag": tag}
    if has_it(request, tag):
        return Response(status_code=304, headers=headers)
    stamp = ogc_documents.dumps(await clock.now(session))
    return Response(b'{"timeStamp":' + stamp + b"," + body[1:], media_type=GEOJSON, headers=headers)


@router.get(
    "/collections/{collection}/items/{feature}",
    summary="Un objet",
    response_class=Response,
    responses={**BAD, 200: {"content": {GEOJSON: {}}, "description": "Objet (Feature)."}},
    openapi_extra=FORMAT,
)
async def item(
    request: Request,
    session: SessionDep,
    collection: CollectionName,
    feature: Annotated[str, Path(max_length=60, description="Identifiant de l’objet.")],
) -> Response:
    """Renvoie un objet en GeoJSON."""
    one = _collection(collection)
    only_format(request.query_params.multi_items())
    base = public_base(request)
    found = await ogc.one(session, one, feature, await _seen(request, Asked()), base)
    return _answer(request, ogc_documents.item(base, one, found), GEOJSON)
