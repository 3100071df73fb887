"""JSON of the coverage reports: ask for one, follow it, take its files."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from accounts.api import CallerDep
from core.db import SessionDep, unit_of_work
from core.openapi import ERRORS
from core.sheets import EXCEL
from maps import api as maps
from search_api.coverage import doors, service, territories
from search_api.coverage.schemas import CoverageAsk, CoverageStatus
from search_api.params import MAX_TEXT
from search_api.routes import FRESH, only
from search_api.schemas import PlaceOut

router = APIRouter(prefix="/api/v1/coverage", tags=["Couverture du territoire"], responses=ERRORS)

Uid = Annotated[uuid.UUID, Path(description="`id` du rapport")]


def _file(media_type: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"response_class": Response, "responses": {200: {"description": "Fichier", "content": content}}}


@router.post(
    "",
    summary="Demander un rapport de couverture",
    responses={202: {"model": CoverageStatus, "description": "Rapport demandé, pas encore prêt"}},
)
async def ask(asked: CoverageAsk, response: Response, caller: CallerDep) -> CoverageStatus:
    """Établit la couverture d’un territoire par ce que la question décrit, commune par commune.

    Un territoire d’au plus 300 communes est mesuré aussitôt (200) ; un plus grand l’est en tâche de fond (202) :
    relisez alors l’adresse donnée par `Location`. La même question sur les mêmes données rend le même rapport. Une
    commune ou un code postal désigne son intercommunalité.

    Pour une application limitée à une zone, seules les communes et les offres de cette zone comptent, distances et
    totaux compris ; un territoire qui n’y touche pas est refusé, et le rapport d’une autre zone n’existe pas pour elle.
    """
    if caller.zone:
        await maps.ready()
    uid = await doors.ask(asked.pairs(), caller.zone)
    async with unit_of_work() as session:
        found = await service.status(session, await service.find(session, uid, caller.zone))
    response.status_code = 200 if found.state in ("ready", "failed") else 202
    response.headers["Location"] = f"/api/v1/coverage/{uid}"
    response.headers["Cache-Control"] = "no-store"
    return found


@router.get("/territories", summary="Suggestions de territoires")
async def suggest_territories(
    request: Request,
    response: Response,
    q: Annotated[str, Query(max_length=MAX_TEXT, description="Nom, numéro, commune…", examples=["mantes"])],
) -> list[PlaceOut]:
    """Renvoie les territoires qui répondent à une saisie ; une commune y est suivie de son intercommunalité."""
    only(request, "q")
    response.headers["Cache-Control"] = FRESH
    return await territories.suggest(q)


@router.get("/{uid}", summary="Suivre un rapport de couverture")
async def follow(
    request: Request, session: SessionDep, response: Response, caller: CallerDep, uid: Uid
) -> CoverageStatus:
    """Renvoie l’état du rapport, son avancement et, une fois prêt, ses totaux et l’adresse de ses fichiers."""
    only(request)
    response.headers["Cache-Control"] = "no-store"
    return await service.status(session, await service.find(session, uid, caller.zone))


@router.get("/{uid}/map.html", summary="Carte autonome d’un rapport", **_file("text/html"))
async def standalone_map(
    request: Request,
    session: SessionDep,
    caller: CallerDep,
    uid: Uid,
    view: Annotated[bool, Query(description="Afficher au lieu de télécharger.")] = False,
) -> Response:
    """Télécharge la carte : une page HTML qui contient tout et se lit sans réseau."""
    only(request, "view")
    return await doors.file_answer(request, await service.find(session, uid, caller.zone), doors.MAP, inline=view)


@router.get("/{uid}/report.xlsx", summary="Tableau Excel d’un rapport", **_file(EXCEL))
async def sheet(request: Request, session: SessionDep, caller: CallerDep, uid: Uid) -> Response:
    """Télécharge le tableau : une ligne par commune, la question et les définitions sur la seconde feuille."""
    only(request)
    return await doors.file_answer(request, await service.find(session, uid, caller.zone), doors.SHEET)


@router.get("/{uid}/communes.geojson", summary="GeoJSON d’un rapport", **_file("application/geo+json"))
async def shapes(request: Request, session: SessionDep, caller: CallerDep, uid: Uid) -> Response:
    """Télécharge les communes en GeoJSON : contours simplifiés, chiffres, classes de la carte."""
    only(request)
    return await doors.file_answer(request, await service.find(session, uid, caller.zone), doors.SHAPES)
