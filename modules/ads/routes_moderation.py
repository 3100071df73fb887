"""JSON of moderators: the table, one ad, the decision, the statistics. For people who are signed in, never for keys."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import specialties
from core.db import SessionDep, time_limit, unit_of_work
from core.errors import Forbidden, InvalidInput
from core.openapi import ERRORS
from core.security import same_site
from core.ui.tables import read_view
from maps.api import place_by_id
from modules.ads import councils, moderation, moderation_queries, signals
from modules.ads.content import read
from modules.ads.history_contents import judged
from modules.ads.labels import SITUATIONS
from modules.ads.moderation_queries import COLUMNS, FILTERS, LARGEST_NUMBER
from modules.ads.pages_statistics import SECONDS
from modules.ads.people import ModeratorDep
from modules.ads.schemas_moderation import (
    Accepted,
    Decided,
    DecisionLine,
    ListedAd,
    ModeratedAd,
    ModeratedAdList,
    Refused,
    Statistics,
)
from modules.ads.statistics import asked_council, statistics
from modules.ads.views import period_text, place_view, specialty_label

PREFIX: Final = "/api/v1/ads/moderation"
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "Personne n’est connecté"},
    403: {"description": "Réservé aux conseils, ou annonce dont vous êtes l’auteur"},
    404: {"description": "Annonce inconnue, ou d’un autre conseil"},
    409: {"description": "Un autre modérateur a décidé, ou l’annonce a changé"},
}
router = APIRouter(prefix=PREFIX, tags=["Annonces : modération"], responses={**ERRORS, **_REFUSED})


async def _private(response: Response) -> None:
    response.headers["Cache-Control"] = "private, no-store"


async def _from_here(request: Request) -> None:
    """Refuse what a page of another site sends with the reader's own cookie."""
    if not same_site(request):
        raise Forbidden("Cette demande vient d’un autre site : rien n’a été modifié.")


Number = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="Numéro de l’annonce", examples=[84])]
_PRIVATE: Final = [Depends(_private)]
_WRITING: Final = [Depends(_private), Depends(_from_here)]


def _flag(description: str) -> Any:
    return Query(description=description, pattern="^(oui)?$")


@router.get("", summary="Annonces à modérer", dependencies=_PRIVATE)
async def board(
    request: Request,
    session: SessionDep,
    reader: ModeratorDep,
    numero: Annotated[str, Query(max_length=12, description="Numéro.")] = "",
    statut: Annotated[
        list[str] | None,
        Query(max_length=4, description="États : `pending`, `published`, `unpublished`, `refused`."),
    ] = None,
    rpps: Annotated[str, Query(max_length=14, description="RPPS de l’auteur.")] = "",
    categorie: Annotated[str, Query(max_length=20, description="Catégorie, par exemple `remplacement`.")] = "",
    du: Annotated[str, Query(max_length=10, description="Mise à jour à partir de ce jour (AAAA-MM-JJ).")] = "",
    au: Annotated[str, Query(max_length=10, description="Mise à jour jusqu’à ce jour inclus.")] = "",
    conseil: Annotated[str, Query(max_length=5, description="Département du conseil, par exemple `38`.")] = "",
    remontees: Annotated[str, _flag("`oui` : seulement celles qui attendent depuis trop longtemps.")] = "",
    signalees: Annotated[str, _flag("`oui` : seulement celles qu’un lecteur a signalées.")] = "",
    perimetre: Annotated[
        str, Query(description="`france` : les annonces publiées de tous les conseils.", pattern="^(france)?$")
    ] = "",
    tri: Annotated[str, Query(max_length=20, description="Colonne : " + ", ".join(c.key for c in COLUMNS))] = "",
    sens: Annotated[str, Query(max_length=4, description="`asc` ou `desc`.")] = "",
    page: Annotated[int, Query(ge=1, le=100_000, description="Page de 30 annonces.")] = 1,
) -> ModeratedAdList:
    """Renvoie une page du tableau des modérateurs : leurs annonces, ou avec `perimetre=france` toutes les publiées."""
    typed = moderation_queries.typed_filters(request.query_params)
    wanted = moderation_queries.read_filters(typed)
    params = {"tri": tri, "sens": sens, "page": str(page)}
    shown = read_view(PREFIX, params | typed, COLUMNS, sort="maj", filters=dict.fromkeys(FILTERS))
    found = await moderation.table(session, reader, wanted, shown)
    return ModeratedAdList(
        total=found.view.total,
        page=found.view.page,
        pages=found.view.pages,
        waiting=found.waiting,
        escalated=found.escalated,
        ads=[
            ListedAd(
                number=row.number,
                title=row.title,
                state=row.state,
                category=row.category,
                council=row.council,
                author=f"{row.first_name} {row.last_name}".strip(),
                rpps=row.rpps,
                submitted_at=row.submitted_at,
                updated_at=row.updated_at,
                ends_on=row.ends_on,
                refusals=row.refusals,
                escalated=row.state == "pending" and row.escalated_at is not None,
                reported=row.reported,
                moderated=row.mine,
            )
            for row in found.rows
        ],
    )


@router.get("/statistics", summary="Statistiques de modération", dependencies=_PRIVATE)
async def figures(
    session: SessionDep,
    reader: ModeratorDep,
    conseil: Annotated[
        str, Query(max_length=5, pattern=r"^[0-9A-Za-z]*$", description="Département ; vide : le sien, ou tous.")
    ] = "",
) -> Statistics:
    """Renvoie les chiffres d’un conseil ; au niveau national, sans conseil, ceux de tous, conseil par conseil."""
    async with time_limit(session, SECONDS):
        return await statistics(session, reader, asked_council(reader, conseil.upper()))


@router.get("/{number}", summary="Une annonce à modérer", dependencies=_PRIVATE)
async def one(session: SessionDep, reader: ModeratorDep, number: Number) -> ModeratedAd:
    """Renvoie ce que l’annonce dit, qui l’a écrite, ce qui mérite attention, ce qui lui est arrivé."""
    ad = await moderation.find(session, reader, number)
    lines = await moderation.lines_of(session, ad)
    await councils.ready()
    author = await moderation.author_of(session, reader, ad)
    told = await moderation.history(session, reader, lines)
    said, _ = judged(ad.state, await read(session, ad), lines)
    names = await specialties(session)
    state: Any = ad.state
    return ModeratedAd(
        number=ad.number,
        version=ad.version,
        state=state,
        category=ad.category,
        situation=SITUATIONS.get((said.category or "", said.side or ""), ""),
        specialty=specialty_label(names, said.specialty),
        title=said.title,
        description=said.description,
        conditions=said.conditions,
        places=[place_view(one, place_by_id(one)).label for one in said.places],
        periods=[period_text(one.starts_on, one.ends_on) for one in said.periods],
        ends_on=ad.ends_on,
        council=ad.council,
        author=author.name,
        rpps=author.rpps,
        refusals=ad.refusals,
        signals=[signal.text for signal in await signals.signals(session, reader, ad, said, lines)],
        history=[
            DecisionLine(at=said.at, who=said.who, action=line.action, reason=said.reason)
            for line, said in zip(lines, told, strict=True)
        ],
    )


@router.post("/{number}/accept", summary="Accepter une annonce", dependencies=_WRITING)
async def accept(reader: ModeratorDep, number: Number, asked: Accepted) -> Decided:
    """Publie l’annonce. 409 : elle a changé depuis la version lue ; le message dit qui a décidé quoi."""
    async with unit_of_work() as session:
        return await _decided(session, reader, number, asked.version, "accept")


@router.post("/{number}/refuse", summary="Refuser une annonce", dependencies=_WRITING)
async def refuse(reader: ModeratorDep, number: Number, asked: Refused) -> Decided:
    """Refuse l’annonce, en attente ou déjà publiée ; son auteur lit le motif."""
    if "\x00" in asked.reason:
        said = "Ce texte contient un caractère invisible qui ne peut pas être enregistré."
        raise InvalidInput(said, fields={"reason": said})
    async with unit_of_work() as session:
        return await _decided(session, reader, number, asked.version, "refuse", asked.reason)


async def _decided(
    session: AsyncSession,
    reader: ModeratorDep,
    number: int,
    version: int,
    decision: moderation.Decision,
    reason: str = "",
) -> Decided:
    await councils.ready()
    ad = await moderation.decide(session, reader, number, version, decision, reason)
    state: Any = ad.state
    return Decided(number=ad.number, version=ad.version, state=state)
