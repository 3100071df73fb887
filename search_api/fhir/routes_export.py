"""Bulk export of the feed (FHIR Bulk Data Access): ask, follow, take the files, erase."""

import asyncio
import re
import uuid
import zlib
from collections.abc import AsyncIterator
from pathlib import Path as FilePath
from typing import Annotated, Any, Final

import anyio
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from accounts.api import EXPORT, Caller, CallerDep, PersonDep, origin, program_scope
from core import files
from core.conditional import has_it
from core.db import SessionDep, unit_of_work
from core.security import signature
from directory.api import PUBLIC
from search_api.fhir import export_question as questions
from search_api.fhir import export_service as service
from search_api.fhir import export_tasks as tasks
from search_api.fhir.outcome import (
    NDJSON,
    OPEN,
    PREFIX,
    REFUSALS,
    RESOURCE,
    FhirError,
    FhirResponse,
    Issue,
    accepted,
    base_of,
    http_date,
    instant,
    outcome,
    strict,
)
from search_api.models_export import Export

router = APIRouter(prefix=PREFIX, tags=["FHIR"], default_response_class=FhirResponse, responses=REFUSALS)

STATUS: Final = "/$export-status"
FILES: Final = "/$export-files"
_PRIVATE: Final = OPEN | {"Cache-Control": "private, no-store", "Vary": "Authorization, Cookie"}
_EXPOSED: Final = {"Access-Control-Expose-Headers": "Content-Location, Retry-After, X-Progress, ETag"}
_NAME: Final = re.compile(r"[A-Za-z]+-(?:\d+|deleted)")
_CHUNK: Final = 256 * 1024
_FAST: Final = 1
"""Level of compression: what follows costs more time than it saves on the way."""


def _owner(caller: Caller, person: Any) -> str | None:
    """Return who an export belongs to; what everybody may read belongs to nobody."""
    if caller.client_id is not None:
        return f"client:{caller.client_id}"
    if person is not None and caller.level > PUBLIC:
        return f"account:{person.uid}"
    return None


@router.get(
    "/$export",
    operation_id="fhir_export",
    summary="Extraire tout le répertoire",
    status_code=202,
    dependencies=[Depends(accepted), Depends(program_scope(EXPORT))],
    responses={
        202: {
            "content": RESOURCE,
            "description": "Demandée ; Content-Location dit où la suivre.",
        },
        403: {"description": "La clé ou le jeton n’ouvre pas l’extraction (portée `export`)."},
        429: {"description": "Assez d’extractions sont en cours pour cet appelant."},
    },
)
async def ask(
    request: Request,
    caller: CallerDep,
    person: PersonDep,
    _type: Annotated[
        list[str] | None, Query(alias="_type", description="Types, séparés par des virgules ; tous par défaut.")
    ] = None,
    _filter: Annotated[
        list[str] | None,
        Query(alias="_typeFilter", description="Recherche qui limite un type, par exemple `Location?address-city=…`."),
    ] = None,
    _since: Annotated[
        str | None,
        Query(alias="_since", description="Ce qui a changé depuis cet instant, fermetures comprises."),
    ] = None,
    _output: Annotated[str | None, Query(alias="_outputFormat", description="`application/fhir+ndjson`.")] = None,
) -> Response:
    """Demande une extraction : des fichiers NDJSON, un ou plusieurs par type, tous du même instant.

    Suivez l’adresse de `Content-Location` : 202 tant que l’extraction s’écrit, puis 200 et la liste des fichiers,
    gardés 24 heures. `transactionTime` se donne à `_since` de la suivante, `extension.position` à `$changes`.
    """
    question = questions.read(request.query_params.multi_items(), strict=strict(request))
    owner = _owner(caller, person)
    asker = owner or f"network:{signature('export', origin(request))[:32]}"
    whole = f"{base_of(request)}/$export" + (f"?{request.url.query}" if request.url.query else "")
    # The row is committed first: whoever works must see it.
    async with unit_of_work() as session:
        uid = await service.ask(session, question, caller, owner=owner, asker=asker, request=whole[:8000])
    await tasks.send(uid)
    told = Issue("L’extraction est demandée : suivez l’adresse de Content-Location.", "informational", "information")
    headers = {"Content-Location": f"{base_of(request)}{STATUS}/{uid}", "Retry-After": "2"}
    return FhirResponse(outcome(told), status_code=202, headers={**_PRIVATE, **_EXPOSED, **headers})


UidPath = Annotated[uuid.UUID, Path(description="Extraction.")]


@router.get(
    STATUS + "/{uid}",
    operation_id="fhir_export_status",
    summary="Suivre une extraction",
    responses={
        200: {"content": {"application/json": {}}, "description": "Prête : la liste de ses fichiers."},
        202: {"description": "En cours ; X-Progress dit où elle en est."},
        404: {"description": "Aucune extraction de cet appelant n’a cette adresse."},
        410: {"description": "L’extraction n’est plus gardée."},
    },
)
async def follow(request: Request, session: SessionDep, caller: CallerDep, person: PersonDep, uid: UidPath) -> Response:
    """Dit où en est une extraction, puis donne la liste de ses fichiers."""
    export = await service.find(session, uid, caller, _owner(caller, person))
    if export.state == "failed":
        raise FhirError(500, Issue(export.reason or "L’extraction a échoué.", "exception"))
    if export.state != "ready":
        waiting = export.state == "asked"
        progress = "en attente" if waiting else f"{export.progress} %, {export.written} ressources"
        headers = {"X-Progress": progress, "Retry-After": "10" if waiting else "5"}
        return Response(status_code=202, headers={**_PRIVATE, **_EXPOSED, **headers})
    assert export.expires_at is not None  # noqa: S101 - set when it became ready
    headers = {**_PRIVATE, **_EXPOSED, "Expires": http_date(export.expires_at)}
    return FhirResponse(_manifest(export, base_of(request)), media_type="application/json", headers=headers)


def _manifest(export: Export, base: str) -> dict[str, Any]:
    assert export.transaction_time is not None  # noqa: S101 - written before the first file
    return {
        "transactionTime": instant(export.transaction_time),
        "request": export.request,
        "requiresAccessToken": export.owner is not None,
        "output": [_file(export, base, one) for one in export.output],
        "deleted": [_file(export, base, one) for one in export.deleted],
        "error": [],
        "extension": {"position": export.position},
    }


def _file(export: Export, base: str, file: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": file["type"],
        "url": f"{base}{FILES}/{export.uid}/{file['name']}.ndjson",
        "count": file["count"],
        "extension": {"bytes": file["size"], "sha256": file["digest"]},
    }


@router.delete(
    STATUS + "/{uid}",
    operation_id="fhir_export_cancel",
    summary="Annuler ou effacer une extraction",
    status_code=202,
    responses={202: {"content": RESOURCE}, 404: {"description": "Aucune extraction n’a cette adresse."}},
)
async def cancel(session: SessionDep, caller: CallerDep, person: PersonDep, uid: UidPath) -> Response:
    """Arrête une extraction en cours, ou efface celle qui est prête."""
    await service.cancel(session, await service.find(session, uid, caller, _owner(caller, person)))
    told = Issue("L’extraction est annulée ; ses fichiers ne sont plus donnés.", "informational", "information")
    return FhirResponse(outcome(told), status_code=202, headers=_PRIVATE)


@router.get(
    FILES + "/{uid}/{name}.ndjson",
    operation_id="fhir_export_file",
    summary="Prendre un fichier d’une extraction",
    responses={
        200: {"content": {NDJSON: {}}, "description": "Une ressource par ligne."},
        206: {"description": "La partie demandée par Range."},
        304: {"description": "Le fichier déjà reçu est le bon."},
        404: {"description": "Aucun fichier n’a cette adresse."},
        410: {"description": "L’extraction n’est plus gardée."},
    },
)
async def take_file(
    request: Request,
    session: SessionDep,
    caller: CallerDep,
    person: PersonDep,
    uid: UidPath,
    name: Annotated[str, Path(max_length=80, description="Nom du fichier.")],
) -> Response:
    """Donne un fichier, entier, en partie (`Range`, pour reprendre) ou comprimé (`Accept-Encoding: gzip`)."""
    export = await service.find(session, uid, caller, _owner(caller, person))
    known = {one["name"]: one for one in [*export.output, *export.deleted]} if export.state == "ready" else {}
    file = known.get(name) if _NAME.fullmatch(name) else None
    path = files.path_of(file["digest"]) if file else None
    if file is None or path is None or not await asyncio.to_thread(path.is_file):
        raise FhirError(404, Issue("Cette extraction n’a pas de fichier de ce nom.", "not-found"))
    await session.commit()
    tag, squeezed = f'"{file["digest"][:32]}"', _wants_gzip(request)
    headers = {**_PRIVATE, "Vary": "Authorization, Cookie, Accept-Encoding"}
    headers["ETag"] = f'{tag[:-1]}-gzip"' if squeezed else tag
    if has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if squeezed:
        return StreamingResponse(_gzip(path), media_type=NDJSON, headers=headers | {"Content-Encoding": "gzip"})
    return FileResponse(path, media_type=NDJSON, headers=headers, filename=f"{name}.ndjson")


def _wants_gzip(request: Request) -> bool:
    """Tell whether to compress: a part of a file is a part of it as it is."""
    asked = {}
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, quality = part.replace(" ", "").partition(";q=")
        asked[name] = quality
    return "range" not in request.headers and asked.get("gzip", "0") not in ("0", "0.0", "0.00", "0.000")


async def _gzip(path: FilePath) -> AsyncIterator[bytes]:
    squeeze = zlib.compressobj(_FAST, zlib.DEFLATED, 31)
    async with await anyio.open_file(path, "rb") as file:
        while piece := await file.read(_CHUNK):
            if out := await asyncio.to_thread(squeeze.compress, piece):
                yield out
    yield squeeze.flush()
