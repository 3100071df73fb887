"""JSON API: what the references of a search are called, places and codes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from core.db import SessionDep
from core.errors import InvalidInput
from core.openapi import ERRORS
from directory.api import concept_index
from search_api import service
from search_api.param_places import MAX_WHERE, place_ref
from search_api.params import MAX_CODES, MAX_TEXT, code_ref
from search_api.routes import FRESH, MAX_REFS, limits, only
from search_api.schemas import ConceptOut, PlaceOut, WhereRef

router = APIRouter(prefix="/api/v1", responses=ERRORS)

KINDS = ("commune", "epci", "departement", "region", "territory", "cp", "france")
"""Kinds that « Où ? » suggestions may be limited to."""


@router.get("/places", tags=["Lieux"], summary="Suggestions « Où ? »")
async def places(
    request: Request,
    response: Response,
    q: Annotated[
        str | None, Query(max_length=MAX_TEXT, description="Nom, code postal, code INSEE…", examples=["mantes"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=service.PLACES, description="Nombre de lieux.")] = 10,
    within: Annotated[
        str | None,
        Query(
            max_length=MAX_REFS,
            description="Seulement les lieux qui sont dans l’un de ceux-ci, séparés par des virgules.",
            examples=["departement:78"],
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        Query(max_length=len(KINDS), description="Sortes de lieux : " + ", ".join(f"`{one}`" for one in KINDS) + "."),
    ] = None,
    ref: Annotated[
        list[str] | None,
        Query(max_length=MAX_WHERE, description="Au lieu d’un texte : les lieux que ces références nomment."),
    ] = None,
) -> list[PlaceOut]:
    """Renvoie les lieux qui répondent à une saisie, le meilleur d’abord. `ref` est ce que `where` attend.

    Avec `ref`, renvoie les lieux nommés, dans leur ordre ; ceux qui n’existent pas ou sont hors de `within` manquent.
    """
    only(request, "q", "limit", "within", "kind", "ref")
    unknown = [one for one in kind or () if one not in KINDS]
    if unknown:
        message = f"Sorte de lieu inconnue (sortes : {', '.join(KINDS)})."
        raise InvalidInput(message, fields={"kind": message})
    response.headers["Cache-Control"] = FRESH
    if ref is None and q is None:
        message = "Ce champ est obligatoire."
        raise InvalidInput("Écrivez le nom d’un lieu, ou donnez des références.", fields={"q": message})
    if ref:
        return await service.named_places(_refs(ref), limits(within))
    return await service.places(q or "", limit, within=limits(within), kinds=_kinds(kind))


def _refs(values: list[str]) -> list[WhereRef]:
    try:
        return [place_ref(value) for value in values if value.strip()]
    except ValueError as error:
        raise InvalidInput(str(error), fields={"ref": str(error)}) from None


def _kinds(kinds: list[str] | None) -> set[str] | None:
    # To people, an arrondissement of Paris or a delegated commune is a commune.
    more = {"arrondissement", "commune_deleguee"} if kinds and "commune" in kinds else set()
    return {*kinds, *more} if kinds else None


@router.get("/concepts", tags=["Recherche"], summary="Libellés de codes")
async def concepts(
    request: Request,
    session: SessionDep,
    response: Response,
    code: Annotated[
        list[str],
        Query(min_length=1, max_length=MAX_CODES, description="Codes `nomenclature|code`.", examples=[["G15|70"]]),
    ],
) -> list[ConceptOut]:
    """Renvoie les libellés de codes, dans leur ordre ; ceux qui n’existent dans aucune nomenclature manquent."""
    only(request, "code")
    try:
        wanted = [code_ref(value) for value in code]
    except ValueError as error:
        raise InvalidInput(str(error), fields={"code": str(error)}) from None
    response.headers["Cache-Control"] = FRESH
    index = await concept_index(session)
    return [ConceptOut(code=one, label=label) for one in wanted if (label := index.label(one))]
