"""`GET /fhir/$changes`: what changed since a position."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from accounts.api import CallerDep
from core import clock
from core.db import SessionDep, time_limit
from search_api.fhir import changes, positions
from search_api.fhir.kinds import KINDS, KINDS_OF_TYPE, Kind
from search_api.fhir.outcome import (
    PREFIX,
    REFUSALS,
    RESOURCE,
    FhirError,
    FhirResponse,
    Issue,
    accepted,
    base_of,
    headers_for,
    instant,
    strict,
)
from search_api.fhir.positions import Position

SECONDS: Final = 15
NOW: Final = "now"
HEADER: Final = "X-Repere-Feed-Position"
_KNOWN: Final = frozenset({"since", "_type", "_count", "_format", "_pretty"})

router = APIRouter(prefix=PREFIX, tags=["FHIR"], dependencies=[Depends(accepted)], responses=REFUSALS)


def _kinds(text: str | None) -> tuple[Kind, ...]:
    if text is None:
        return KINDS
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in KINDS_OF_TYPE]
    if unknown or not names:
        raise FhirError(
            400,
            Issue(
                f"Type inconnu : « {unknown[0][:40] if unknown else ''} ». Types suivis : {', '.join(KINDS_OF_TYPE)}.",
                "value",
                expression="_type",
            ),
        )
    return tuple(kind for name in dict.fromkeys(names) for kind in KINDS_OF_TYPE[name])


def _count(text: str | None) -> int:
    if text is None:
        return changes.DEFAULT_COUNT
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        message = f"« {text[:40]} » : un nombre de ressources est attendu, de 1 à {changes.MOST_COUNT}."
        raise FhirError(400, Issue(message, "value", expression="_count"))
    return min(int(text), changes.MOST_COUNT)


def _single(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1 and name != "_type":
        raise FhirError(400, Issue(f"Le paramètre {name} est donné {len(values)} fois.", "value", expression=name))
    return ",".join(values) if values else None


def _refuse_unknown(request: Request) -> None:
    unknown = [name for name in request.query_params if name not in _KNOWN]
    if unknown and strict(request):
        raise FhirError(
            400,
            *(
                Issue(f"Le paramètre « {name[:40]} » n’existe pas ici.", "not-supported", expression=name[:40])
                for name in dict.fromkeys(unknown)
            ),
        )


@router.get(
    "/$changes",
    summary="Suivre les changements depuis une position",
    response_class=FhirResponse,
    responses={
        200: {"description": "Un Bundle de type history", "content": RESOURCE},
        410: {"description": "La position est trop ancienne : refaites une extraction.", "content": RESOURCE},
    },
)
async def follow(
    request: Request,
    session: SessionDep,
    caller: CallerDep,
    since: Annotated[
        str | None,
        Query(description="Position d’une réponse précédente ou d’un $export ; `now` : la position présente."),
    ] = None,
    _type: Annotated[str | None, Query(description="Types suivis, séparés par des virgules ; tous sans lui.")] = None,
    _count_: Annotated[str | None, Query(alias="_count", description="Ressources par page, 1 000 au plus.")] = None,
) -> Response:
    """Rend, dans l’ordre, ce qui a été créé, modifié ou retiré pour vous depuis une position.

    Une ressource modifiée plusieurs fois vient une fois, telle qu’elle est. Le lien `next` est là tant qu’il reste à
    lire ; l’étiquette `urn:repere:fhir:position` dit d’où reprendre ensuite. Une fermeture, une dépublication ou une
    sortie de votre zone vient comme un DELETE.
    """
    _refuse_unknown(request)
    given = _single(request, "since")
    if given is None:
        raise FhirError(
            400,
            Issue(
                "Donnez la position à partir de laquelle lire (since) : celle d’un $export, celle d’une réponse "
                "précédente, ou since=now pour partir de maintenant.",
                "required",
                expression="since",
            ),
        )
    kinds, count = _kinds(_single(request, "_type")), _count(_single(request, "_count"))
    base = base_of(request)
    async with time_limit(session, SECONDS):
        if given == NOW:
            head = await positions.head(session, caller.level)
            page = changes.Changes(position=Position(head), head=head)
        else:
            page = await changes.read(session, caller, positions.parse(given), kinds, count, base)
        made_at = instant(await clock.now(session))
    asked: dict[str, Any] = {name: value for name in ("_type", "_count") if (value := _single(request, name))}

    def link(position: str) -> str:
        return f"{base}/$changes?{urlencode({'since': position} | asked, safe=',')}"

    body = changes.bundle(page, made_at, link(given), link(str(page.position)))
    return FhirResponse(body, headers=headers_for(caller) | {HEADER: str(page.position)})
