"""`GET /fhir/{type}/{id}` and the reading of its present version."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from accounts.api import Caller, CallerDep
from core.conditional import has_it
from core.db import SessionDep
from search_api.fhir import read
from search_api.fhir.kinds import KINDS_OF_TYPE
from search_api.fhir.outcome import (
    MEDIA_TYPE,
    PREFIX,
    FhirResponse,
    accepted,
    headers_for,
    http_date,
    read_http_date,
)

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {MEDIA_TYPE: {}}, "description": "La ressource."},
    304: {"description": "La version déjà reçue est encore la bonne."},
    404: {"description": "Aucune ressource n’a cet identifiant."},
    406: {"description": "Le format demandé n’est pas proposé."},
    410: {"description": "La ressource a quitté le répertoire."},
}
router = APIRouter(
    prefix=PREFIX,
    tags=["FHIR"],
    dependencies=[Depends(accepted)],
    responses=_ANSWERS,
    default_response_class=FhirResponse,
)

IdPath = Annotated[str, Path(description="Identifiant logique.", max_length=200)]
VersionPath = Annotated[str, Path(description="Identifiant de la version.", max_length=200)]


def respond(request: Request, found: read.Found, caller: Caller) -> Response:
    """Return a resource with its validators, or 304 when the caller holds its version."""
    headers = headers_for(caller) | {"ETag": found.tag, "Last-Modified": http_date(found.updated_at)}
    if _holds(request, found):
        return Response(status_code=304, headers=headers)
    options = orjson.OPT_INDENT_2 if request.query_params.get("_pretty") == "true" else None
    return FhirResponse(orjson.dumps(found.resource, option=options), headers=headers)


def _holds(request: Request, found: read.Found) -> bool:
    if "if-none-match" in request.headers:
        return has_it(request, found.tag)
    since = read_http_date(request.headers.get("if-modified-since"))
    # The header knows seconds only; the validator, which comes first, knows better.
    return since is not None and found.updated_at.replace(microsecond=0) <= since


def _reader(name: str) -> Callable[..., Awaitable[Response]]:
    async def one(request: Request, session: SessionDep, caller: CallerDep, logical_id: IdPath) -> Response:
        return respond(request, await read.resource(session, name, logical_id, caller), caller)

    return one


def _version_reader(name: str) -> Callable[..., Awaitable[Response]]:
    async def one(
        request: Request, session: SessionDep, caller: CallerDep, logical_id: IdPath, version_id: VersionPath
    ) -> Response:
        return respond(request, await read.version(session, name, logical_id, version_id, caller), caller)

    return one


for _name in KINDS_OF_TYPE:
    router.add_api_route(
        f"/{_name}/{{logical_id}}",
        _reader(_name),
        methods=["GET"],
        name=f"read_{_name}",
        operation_id=f"fhir_read_{_name}",
        summary=f"Lire une ressource {_name}",
        description="Renvoie la ressource, avec sa version (ETag) et sa dernière modification.",
    )
    router.add_api_route(
        f"/{_name}/{{logical_id}}/_history/{{version_id}}",
        _version_reader(_name),
        methods=["GET"],
        name=f"vread_{_name}",
        operation_id=f"fhir_vread_{_name}",
        summary=f"Lire une version d’une ressource {_name}",
        description="Renvoie la version demandée si elle est l’actuelle ; les précédentes ne sont pas gardées.",
    )
