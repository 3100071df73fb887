"""`GET /fhir/{type}`, `POST /fhir/{type}/_search`, `GET /fhir/metadata`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from accounts.api import Caller, CallerDep
from core.conditional import has_it, tag_of
from core.db import SessionDep, time_limit
from core.errors import Unavailable
from core.security import FIELDS_MAX
from search_api.fhir.outcome import PREFIX, FhirError, FhirResponse, Issue, accepted, base_of, headers_for, strict
from search_api.fhir.search import capability, service
from search_api.fhir.search.catalogue import RESOURCES

SECONDS: Final = 10
"""A statement of a search that takes longer is stopped."""
VARY: Final = "Accept, Authorization, Cookie, Prefer"
FORM: Final = "application/x-www-form-urlencoded"
router = APIRouter(prefix=PREFIX, include_in_schema=False, default_response_class=FhirResponse)


def _answer(request: Request, caller: Caller, body: bytes) -> Response:
    headers = headers_for(caller) | {"Vary": VARY, "ETag": f"W/{tag_of(body)}"}
    if request.method in ("GET", "HEAD") and has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return FhirResponse(body, headers=headers)


async def _pairs(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of the address, then those of the form.

    Raises:
        FhirError: the body is not a form, or cannot be read.
    """
    found = request.query_params.multi_items()
    if request.method != "POST":
        return found
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", FORM):
        raise FhirError(415, Issue(f"Une recherche par POST est un formulaire {FORM}.", "not-supported"))
    try:
        form = await request.form(max_fields=FIELDS_MAX, max_files=0)
    except (MultiPartException, HTTPException):
        raise FhirError(400, Issue("Ce formulaire ne peut pas être lu.", "structure")) from None
    if getattr(request.state, "form_too_long", False):
        raise FhirError(413, Issue("Cette recherche est trop longue.", "too-long"))
    return [*found, *((name, value) for name, value in form.multi_items() if isinstance(value, str))]


def _search(type_: str) -> Callable[..., Awaitable[Response]]:
    async def searched(request: Request, session: SessionDep, caller: CallerDep) -> Response:
        await accepted(request)
        pairs = await _pairs(request)
        try:
            async with time_limit(session, SECONDS):
                made, pretty = await service.search(
                    session, type_, pairs, caller, base_of(request), strict=strict(request)
                )
        except Unavailable as error:
            raise FhirError(
                503,
                Issue(
                    f"Cette recherche demandait trop de temps : elle a été arrêtée au bout de {SECONDS} secondes. "
                    "Ajoutez un critère (commune, activité, rayon), ou demandez _total=none.",
                    "too-costly",
                ),
                headers={"Retry-After": "30"},
            ) from error
        return _answer(request, caller, await asyncio.to_thread(_written, made, pretty))

    return searched


def _written(document: dict[str, Any], pretty: bool) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 if pretty else None)


for _name in RESOURCES:
    router.add_api_route(f"/{_name}", _search(_name), methods=["GET", "HEAD"], name=f"search_{_name}")
    router.add_api_route(f"/{_name}/_search", _search(_name), methods=["POST"], name=f"post_search_{_name}")


@router.api_route("/metadata", methods=["GET", "HEAD"])
async def metadata(request: Request, caller: CallerDep) -> Response:
    """Renvoie le CapabilityStatement."""
    await accepted(request)
    pretty = request.query_params.get("_pretty") == "true"
    return _answer(request, caller, _written(capability.statement(base_of(request)), pretty))


@router.get("")
@router.get("/")
async def nothing() -> Response:
    """Dit où commencer."""
    raise FhirError(
        404,
        Issue(f"Cette adresse ne contient rien : commencez par {PREFIX}/metadata, qui décrit ce flux.", "not-found"),
    )
