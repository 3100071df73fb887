"""JSON API of the ads that readers find, and of the searches that they keep; no program reads ads."""

import uuid
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Query, Request, Response

from core.db import SessionDep
from core.errors import InvalidInput
from core.openapi import ERRORS
from maps.api import ready
from modules.ads import saved, search, search_map
from modules.ads.models_saved import SavedSearch
from modules.ads.people import ReaderDep
from modules.ads.reading import open_ad, show_contacts
from modules.ads.schemas_find import (
    AdDetail,
    AdFileOut,
    AdList,
    AdOut,
    AdPlaceOut,
    ContactOut,
    MapOut,
    PeriodOut,
    SavedChange,
    SavedIn,
    SavedOut,
)
from modules.ads.search_query import CAP, NAMES, PAGE_SIZE, AdQuery, parse
from modules.ads.specialties import specialty_names
from modules.ads.views import AdView

_SIGNED_IN: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "Personne n’est connecté : ni clé ni jeton ne lit d’annonce."},
    403: {"description": "Le compte n’est pas celui d’un médecin, d’un docteur junior, d’un interne ou d’un conseil."},
}
router = APIRouter(
    prefix="/api/v1/ads",
    tags=["Annonces"],
    responses=_SIGNED_IN | {code: ERRORS[code] for code in (404, 422)},
)


def _parameters() -> list[dict[str, Any]]:
    texts = {
        "category": ("Catégorie : adjuvat, assistanat, association, collaboration, remplacement, succession.", False),
        "side": ("Côté de l’annonce : `seeks` (elle cherche quelqu’un) ou `offers` (quelqu’un s’y propose).", False),
        "specialty": ("Spécialité de R38 (`SM54`).", False),
        "place": ("Lieux (`commune:78361`, `departement:78`, `region:11`, `france`) ; 10 au plus.", True),
        "radius_km": ("Autour des villes : 5, 10, 20 (par défaut), 50 ou 100.", False),
        "period": ("Périodes (`2026-07-01/2026-07-31`, `2026-07-01/..`) ; 6 au plus.", True),
        "q": ("Mots du titre, de la description ou des conditions.", False),
        "sort": ("`date` (par défaut) ou `distance`, qui demande une ville.", False),
        "page": ("Page de 15 annonces ; 14 au plus.", False),
    }
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": text,
            "schema": {"type": "array", "items": {"type": "string"}} if many else {"type": "string"},
        }
        for name, (text, many) in texts.items()
    ]


async def _query(request: Request, session: SessionDep, reader: ReaderDep) -> AdQuery:
    """Read the search of a request; the reader is known before anything is said of their parameters."""
    await ready()
    unknown = {name[:40]: "Ce paramètre est inconnu." for name in request.query_params if name not in NAMES}
    if unknown:
        raise InvalidInput("Certains paramètres sont inconnus : " + ", ".join(unknown) + ".", fields=unknown)
    return parse(request.query_params.multi_items(), await specialty_names(session))


async def _map_query(request: Request, session: SessionDep, reader: ReaderDep) -> AdQuery:
    await ready()
    return parse(request.query_params.multi_items(), await specialty_names(session))


def _out(view: AdView, metres: int | None = None) -> dict[str, Any]:
    return {
        "number": view.number,
        "url": view.address,
        "category": view.category,
        "category_label": view.category_label,
        "side": view.side,
        "situation": view.situation,
        "specialty": view.specialty,
        "specialty_label": view.specialty_label,
        "title": view.title,
        "badge": view.flag,
        "anonymous": view.anonymous,
        "places": [
            AdPlaceOut(ref=place.ref, name=place.name, kind=place.kind, lat=place.lat, lon=place.lon)
            for place in view.places
        ],
        "periods": [PeriodOut(starts_on=one.starts_on, ends_on=one.ends_on, text=one.text) for one in view.periods],
        "published_at": view.published_at,
        "ends_on": view.ends_on,
        "distance_m": metres,
    }


@router.get("", summary="Trouver une annonce", openapi_extra={"parameters": _parameters()})
async def find(session: SessionDep, reader: ReaderDep, query: Annotated[AdQuery, Depends(_query)]) -> AdList:
    """Renvoie les annonces publiées qui répondent à une recherche, 15 par page, 200 au plus."""
    found = await search.search(session, query)
    metres = {one.ad_id: one.metres for one in found.ads}
    return AdList(
        total=found.total,
        capped_at=CAP,
        page=query.page,
        pages=max(1, -(-min(found.total, CAP) // PAGE_SIZE)),
        without_town=found.unplaced,
        items=[AdOut(**_out(view, metres[view.id])) for view in await search.hydrate(session, found.ads)],
    )


@router.get("/map", summary="Annonces sur une carte", openapi_extra={"parameters": _parameters()[:-2]})
async def on_map(
    session: SessionDep,
    reader: ReaderDep,
    query: Annotated[AdQuery, Depends(_map_query)],
    view: Annotated[str, Query(max_length=100, description="Vue : ouest,sud,est,nord.")] = "",
    zoom: Annotated[int, Query(ge=0, le=19)] = 5,
) -> MapOut:
    """Renvoie les villes des annonces, groupées selon l’échelle ; les annonces d’une zone entière n’y sont pas."""
    return await search_map.features(session, query, view, zoom)


@router.get("/searches", summary="Mes recherches enregistrées")
async def searches(session: SessionDep, reader: ReaderDep) -> list[SavedOut]:
    """Renvoie les recherches enregistrées de la personne connectée, 20 au plus."""
    return [_saved(one) for one in await saved.mine(session, reader.account_id)]


@router.post("/searches", summary="Enregistrer une recherche", status_code=201)
async def save(session: SessionDep, reader: ReaderDep, sent: SavedIn) -> SavedOut:
    """Enregistre une recherche ; la même, enregistrée deux fois, n’en fait qu’une."""
    await ready()
    query = parse(parse_qsl(sent.query.lstrip("?")), await specialty_names(session))
    return _saved(await saved.save(session, reader, query, sent.name, sent.frequency))


@router.put("/searches/{uid}", summary="Modifier une recherche enregistrée")
async def change(session: SessionDep, reader: ReaderDep, uid: uuid.UUID, sent: SavedChange) -> SavedOut:
    """Renomme une recherche, ou change quand elle écrit ; 409 si elle a changé depuis `version`."""
    found = await saved.find(session, reader.account_id, uid, sent.version)
    await saved.change(session, found, sent.name, sent.frequency)
    return _saved(found)


@router.delete("/searches/{uid}", summary="Supprimer une recherche enregistrée", status_code=204)
async def remove(session: SessionDep, reader: ReaderDep, uid: uuid.UUID) -> Response:
    """Supprime une recherche."""
    await saved.remove(session, await saved.find(session, reader.account_id, uid))
    return Response(status_code=204)


@router.get("/{number:int}", summary="Lire une annonce")
async def read(session: SessionDep, reader: ReaderDep, number: int) -> AdDetail:
    """Renvoie une annonce entière, sans les coordonnées de son auteur ; 410 si elle n’est plus publiée."""
    view = (await open_ad(session, reader, number)).view
    files = [
        AdFileOut(kind=file.kind, name=file.name, url=file.address, thumbnail_url=file.thumb, size=file.size)
        for file in view.files
    ]
    return AdDetail(
        **_out(view), state=view.state, description=view.description, conditions=view.conditions, files=files
    )


@router.get("/{number:int}/contact", summary="Coordonnées d’une annonce")
async def contact(session: SessionDep, reader: ReaderDep, number: int) -> ContactOut:
    """Renvoie comment joindre l’auteur ; compté, et refusé (429) à qui en demande trop."""
    view = (await show_contacts(session, reader, number)).view
    reached = view.contact
    if reached is None:
        return ContactOut(anonymous=view.anonymous)
    return ContactOut(
        anonymous=view.anonymous,
        email=reached.email,
        mobile=reached.mobile,
        phone=reached.phone,
        address=reached.address,
    )


def _saved(one: SavedSearch) -> SavedOut:
    return SavedOut.model_validate(
        {
            "id": one.uid,
            "name": one.name,
            "query": one.query,
            "frequency": one.frequency,
            "created_at": one.created_at,
            "version": one.version,
        }
    )
