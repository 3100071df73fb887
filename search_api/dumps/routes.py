"""Downloads of the whole directory: the list, the dictionary, the files."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, Response

from accounts.api import CallerDep
from core.conditional import has_it
from core.db import SessionDep
from core.http import public_base
from core.openapi import ERRORS
from search_api.dumps import service
from search_api.dumps.catalogue import FORMATS

router = APIRouter(prefix="/api/v1/dumps", tags=["Fichiers"], responses={404: ERRORS[404]})

_PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
_FILE = {
    200: {"description": "Le fichier", "content": {kind.partition(";")[0]: {} for _, kind in FORMATS.values()}},
    206: {"description": "La partie demandée par Range"},
    304: {"description": "Le fichier déjà reçu est encore le dernier"},
}


@router.get("", summary="Lister les fichiers à télécharger")
async def listing(request: Request, response: Response, session: SessionDep, caller: CallerDep) -> dict[str, Any]:
    """Rend les fichiers de la dernière fabrication que vous pouvez télécharger, avec leur empreinte.

    `position` se donne à `/fhir/$changes` pour suivre ce qui change ensuite.
    """
    response.headers.update(_PRIVATE)
    found = await service.present(session, caller)
    base = public_base(request)
    return {
        "made_at": found[0].made_at.isoformat() if found else None,
        "dictionary": f"{base}/api/v1/dumps/dictionary",
        "files": [one.out(base) for one in found],
    }


@router.get("/dictionary", summary="Lire le dictionnaire des colonnes")
async def dictionary() -> dict[str, Any]:
    """Dit ce que chaque colonne signifie, son type, son origine et sa nomenclature."""
    return service.dictionary()


@router.head("/{name}", include_in_schema=False)
@router.get("/{name}", summary="Télécharger un fichier", response_class=FileResponse, responses=_FILE)  # type: ignore[arg-type]
async def download(
    request: Request,
    session: SessionDep,
    caller: CallerDep,
    name: Annotated[str, Path(description="Nom donné par la liste.", examples=["repere-offres.csv"], max_length=200)],
) -> Response:
    """Rend la dernière version d’un fichier ; une reprise se fait par `Range` et `If-Range`."""
    found, path = await service.find(session, name, caller)
    tag = f'"{found.sha256}"'
    # Said to be written as it is: an answer compressed on the way could not be taken up where it broke off.
    headers = _PRIVATE | {"ETag": tag, "Content-Encoding": "identity"}
    if has_it(request, tag):
        return Response(status_code=304, headers=_PRIVATE | {"ETag": tag})
    return FileResponse(path, media_type=FORMATS[found.format][1], filename=found.name, headers=headers)
