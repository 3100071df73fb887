"""Files of ads, served to those who may read the ad and to nobody else."""

import asyncio
import uuid
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from core import files as contents
from core.db import SessionDep
from core.errors import NotFound
from modules.ads import files
from modules.ads.models import AdFile
from modules.ads.models_upload import AdUpload
from modules.ads.people import ReaderDep

router = APIRouter(include_in_schema=False, prefix="/annonces/fichiers")

_GONE: Final = "Ce fichier n’existe pas, ou n’est plus montré."


@router.get("/{uid}")
async def file(session: SessionDep, reader: ReaderDep, uid: uuid.UUID) -> Response:
    """Serve a photo, or a PDF to download."""
    found = await files.readable(session, reader, uid)
    return await _served(found, found.digest)


@router.get("/{uid}/vignette")
async def thumb(session: SessionDep, reader: ReaderDep, uid: uuid.UUID) -> Response:
    """Serve the small picture of a photo."""
    found = await files.readable(session, reader, uid)
    if found.thumb is None:
        raise NotFound(_GONE)
    return await _served(found, found.thumb)


async def _served(found: AdFile | AdUpload, digest: str) -> Response:
    try:
        content = await asyncio.to_thread(contents.read, digest)
    except FileNotFoundError as error:
        raise NotFound(_GONE) from error
    # A browser opens no PDF in a sandbox: it is downloaded.
    how = "inline" if found.kind == "image" else "attachment"
    plain = found.name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "'").replace("\\", "_")
    return Response(
        content,
        media_type=files.TYPES[found.kind],
        headers={
            "Content-Disposition": f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )
