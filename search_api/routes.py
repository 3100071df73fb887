"""JSON API of the search, version 1."""

import uuid
from contextlib import nullcontext
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from accounts.api import LevelDep, caller_of, level_for
from core.conditional import answer
from core.db import SessionDep, time_limit
from core.errors import InvalidInput
from core.openapi import ERRORS
from directory.api import OfferSheet, SiteSheet, offer_sheet, site_sheet
from search_api import engines, service
from search_api.columns.engine import ColumnsEngine
from search_api.engines import HEADER, EngineDep, SearchSessionDep
from search_api.marks import KEPT, map_mark
from search_api.openapi import search_parameters
from search_api.param_places import bounding_box, place_group, place_ref
from search_api.params import MAX_TEXT, ONCE, parse_query
from search_api.schemas import Point, SearchAnswer, SearchQuery, SuggestionGroup, WhereRef
from search_api.schemas_map import MapAnswer
from search_api.zones import refuse_outside, zoned

router = APIRouter(prefix="/api/v1", responses=ERRORS)

FRESH = "public, max-age=30, stale-while-revalidate=60"
"""Public answers may be reused for half a minute: registers change once a day."""
LAST_ZOOM = 19
MAP_SECONDS = 5
"""A map that takes longer is of no use: its statements are stopped, and the answer says so."""


def search_query(request: Request) -> SearchQuery:
    """Read the search of a request; unknown parameters are refused."""
    return zoned(request, parse_query(request.query_params.multi_items()))


def map_query(request: Request) -> SearchQuery:
    """Read the search of a map request, beside the viewport and zoom.

    Raises:
        InvalidInput: a parameter is refused, or the viewport or the zoom given twice.
    """
    twice = [name for name in ("view", "zoom") if len(request.query_params.getlist(name)) > 1]
    if twice:
        raise InvalidInput(f"Donné plusieurs fois : {', '.join(twice)}.", fields=dict.fromkeys(twice, ONCE))
    return zoned(request, parse_query(request.query_params.multi_items(), ignore=frozenset(["view", "zoom"])))


MAX_REFS = 2000
"""Characters of a list of places."""


def limits(within: str | None) -> tuple[WhereRef, ...]:
    """Read the places that limit suggestions; none when nothing is given.

    Raises:
        InvalidInput: they are not understood.
    """
    try:
        return place_group(within) if within and within.strip() else ()
    except ValueError as error:
        raise InvalidInput(str(error), fields={"within": str(error)}) from None


def only(request: Request, *names: str) -> None:
    """Refuse parameters that an address does not take.

    Raises:
        InvalidInput: naming them.
    """
    unknown = {name[:40]: "Ce paramètre est inconnu." for name in request.query_params if name not in names}
    if unknown:
        raise InvalidInput("Certains paramètres sont inconnus : " + ", ".join(unknown) + ".", fields=unknown)


@router.get(
    "/search",
    tags=["Recherche"],
    summary="Rechercher une offre de santé",
    response_model=SearchAnswer,
    openapi_extra={"parameters": search_parameters()},
)
async def search(request: Request) -> Response:
    """Renvoie les lieux qui répondent, 15 par page et 200 au plus, avec leurs offres et les facettes.

    `total` compte les lieux et `total_offers` les offres, sans plafond ; les facettes comptent les offres.
    Une commune, un code postal ou un point est un centre : rien n’est exclu sans `radius_km`. Un EPCI, un
    département, une région, un territoire ou la France est une limite.
    """
    # What dependencies add to each request takes longer than an index needs to find the offers.
    query = search_query(request)
    engine = await engines.of(request)
    async with engines.session_for(engine) as session:
        found = await service.search(session, query, level_for(request), engine)
    body = found.model_dump_json()
    return Response(body, media_type="application/json", headers={"Cache-Control": FRESH, HEADER: engine.name})


@router.get("/suggest", tags=["Recherche"], summary="Suggestions « Qui, quoi ? »")
async def suggest(
    request: Request,
    session: SearchSessionDep,
    response: Response,
    engine: EngineDep,
    level: LevelDep,
    q: Annotated[
        str, Query(max_length=MAX_TEXT, description="Texte en cours de saisie.", examples=["rééducation pelvi"])
    ],
    where: Annotated[
        list[str] | None,
        Query(max_length=20, description="Lieux près desquels compter les offres.", examples=[["commune:78361"]]),
    ] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False, description="Point, avec `lon`.")] = None,
    lon: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False, description="Point, avec `lat`.")] = None,
    within: Annotated[
        str | None,
        Query(
            max_length=MAX_REFS,
            description="Compte dans ces lieux, séparés par des virgules, et ne nomme personne d’ailleurs.",
            examples=["departement:78"],
        ),
    ] = None,
) -> list[SuggestionGroup]:
    """Renvoie des suggestions groupées, chacune avec son nombre d’offres près du lieu choisi.

    Le nombre est celui du département d’une commune ou d’un code postal, ou celui de l’EPCI, du département,
    de la région ou du territoire choisi ; autour d’un point, à 20 km. Un code
    sans offre est proposé après les autres, avec 0.
    """
    only(request, "q", "where", "lat", "lon", "within")
    response.headers["Cache-Control"] = FRESH
    try:
        refs = tuple(place_ref(value) for value in where or () if value.strip())
    except ValueError as error:
        raise InvalidInput(str(error), fields={"where": str(error)}) from None
    if (lat is None) != (lon is None):
        message = "Un point a une latitude et une longitude."
        raise InvalidInput(message, fields={"lat" if lat is None else "lon": message})
    point = Point(lat=lat, lon=lon) if lat is not None and lon is not None else None
    zone = caller_of(request).zone
    return await service.suggest(session, q, refs, point, level, engine, within=limits(within), zone=zone)


@router.get("/sites/{uid}", tags=["Fiches"], summary="Fiche d’un lieu")
async def site(
    request: Request,
    session: SessionDep,
    response: Response,
    level: LevelDep,
    uid: Annotated[uuid.UUID, Path(description="`site.id`")],
) -> SiteSheet:
    """Renvoie la fiche publique d’un lieu : identité, adresse, contacts publics, offres, sources."""
    only(request)
    response.headers["Cache-Control"] = FRESH
    await refuse_outside(session, request, site=uid)
    return await site_sheet(session, uid, level)


@router.get("/offers/{uid}", tags=["Fiches"], summary="Fiche d’une offre")
async def offer(
    request: Request,
    session: SessionDep,
    response: Response,
    level: LevelDep,
    uid: Annotated[uuid.UUID, Path(description="`offers[].id`")],
) -> OfferSheet:
    """Renvoie la fiche publique d’une offre : activités, actes, horaires, territoire, contacts publics."""
    only(request)
    response.headers["Cache-Control"] = FRESH
    await refuse_outside(session, request, offer=uid)
    return await offer_sheet(session, uid, level)


@router.get(
    "/map",
    tags=["Recherche"],
    summary="Points de la carte",
    response_model=MapAnswer,
    openapi_extra={"parameters": search_parameters()},
)
async def map_points(
    request: Request,
    zoom: Annotated[int, Query(ge=0, le=LAST_ZOOM, description="Niveau de zoom de la carte.")],
    view: Annotated[
        str, Query(description="Zone visible : ouest,sud,est,nord en degrés.", examples=["1.6,48.9,1.9,49.1"])
    ],
) -> Response:
    """Renvoie en GeoJSON les lieux de la zone visible qui répondent à la recherche, groupés selon le zoom.

    500 points au plus, comptes exacts. Les positions approximatives sont groupées par commune.
    """
    try:
        box = bounding_box(view)
    except ValueError as error:
        raise InvalidInput(str(error), fields={"view": str(error)}) from None
    query = map_query(request)
    engine = await engines.of(request)
    # An index has a limit of its own, and leaves the database a few names to read.
    limited = engine.name != ColumnsEngine.name
    async with (
        engines.session_for(engine) as session,
        time_limit(session, MAP_SECONDS) if limited else nullcontext(),
    ):
        mark = await map_mark(session, engine)
        wanted = await service.matched(session, query, level_for(request), engine)

        async def make() -> bytes:
            return (await service.map_features(session, engine, wanted, box, zoom)).model_dump_json().encode()

        headers = {"Cache-Control": FRESH, HEADER: engine.name}
        key = ("map", mark, wanted, box, zoom)
        return await answer(request, make, kept=KEPT, key=key, media_type="application/json", headers=headers)
