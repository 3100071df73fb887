"""Pages of saved searches: keep one, list, change and delete them, stop their mails without signing in."""

import contextlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import SessionDep, unit_of_work
from core.errors import DomainError, InvalidInput, NotFound
from core.security import csrf_protected, signature
from core.ui import pages
from maps.api import ready
from modules.ads import saved, search_view
from modules.ads.people import Reader, ReaderDep, VisitorDep
from modules.ads.search_query import AdQuery, address, pairs, parse
from modules.ads.specialties import specialty_names

router = APIRouter(include_in_schema=False)

_LIST: Final = "/annonces/recherches"
_PROTECTED: Final = [Depends(csrf_protected)]
_TOLD: Final = {
    "enregistree": "Votre recherche est enregistrée.",
    "modifiee": "Votre recherche est modifiée.",
    "supprimee": "La recherche est supprimée.",
}


async def _listed(
    request: Request,
    session: AsyncSession,
    reader: Reader,
    *,
    error: DomainError | None = None,
    about: uuid.UUID | None = None,
    typed: Mapping[str, str] | None = None,
    told: str = "",
) -> Response:
    await ready()
    names = await specialty_names(session)
    rows = []
    for one in await saved.mine(session, reader.account_id):
        query = saved.read(one, names)
        rows.append((one, search_view.summary(query, names) if query else None, address(pairs(query)) if query else ""))
    fields = error.fields if error else {}
    context: dict[str, Any] = {
        "title": "Mes recherches",
        "reader": reader,
        "rows": rows,
        "frequencies": list(saved.FREQUENCIES.items()),
        "limit": saved.LIMIT,
        "about": about,
        "typed": typed or {},
        "error_of": fields,
        "errors": [(f"{name}-{about}", text) for name, text in fields.items()]
        or ([(None, error.detail)] if error else []),
        "told": told,
    }
    return pages.render(request, "ads/saved.html", context, status=error.status if error else 200)


@router.get(_LIST)
async def listed(request: Request, session: SessionDep, reader: VisitorDep, fait: str = "") -> Response:
    """List the searches that somebody keeps."""
    return await _listed(request, session, reader, told=_TOLD.get(fait, ""))


@router.get(f"{_LIST}/enregistrer")
async def ask(request: Request, session: SessionDep, reader: VisitorDep) -> Response:
    """Ask the name of a search to keep, and when it writes."""
    names = await specialty_names(session)
    await ready()
    query = parse(request.query_params.multi_items(), names)
    return _save_form(request, reader, query, names)


def _save_form(
    request: Request,
    reader: Reader,
    query: AdQuery,
    names: Mapping[str, str],
    error: DomainError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    fields = error.fields if error else {}
    proposed = {"name": search_view.heading(query, names)[: saved.LONGEST_NAME], "frequency": "now"}
    context: dict[str, Any] = {
        "title": "Enregistrer une recherche",
        "reader": reader,
        "summary": search_view.summary(query, names),
        "question": saved.stored(query),
        "back": address(pairs(query)),
        "frequencies": list(saved.FREQUENCIES.items()),
        "typed": proposed | dict(typed or {}),
        "error_of": fields,
        "errors": list(fields.items()) or ([(None, error.detail)] if error else []),
    }
    return pages.render(request, "ads/save.html", context, status=error.status if error else 200)


@router.post(f"{_LIST}/enregistrer", dependencies=_PROTECTED)
async def keep(
    request: Request,
    reader: ReaderDep,
    name: Annotated[str, Form()] = "",
    frequency: Annotated[str, Form()] = "",
) -> Response:
    """Keep the search that the address of the form says."""
    await ready()
    async with unit_of_work() as session:
        names = await specialty_names(session)
    query = parse(request.query_params.multi_items(), names)
    try:
        async with unit_of_work() as session:
            await saved.save(session, reader, query, name, frequency)
    except InvalidInput as error:
        return _save_form(request, reader, query, names, error, {"name": name, "frequency": frequency})
    return RedirectResponse(f"{_LIST}?fait=enregistree", status_code=303)


@router.post(f"{_LIST}/{{uid}}", dependencies=_PROTECTED)
async def change(
    request: Request,
    reader: ReaderDep,
    uid: uuid.UUID,
    version: Annotated[int, Form()],
    name: Annotated[str, Form()] = "",
    frequency: Annotated[str, Form()] = "",
) -> Response:
    """Rename a search, or change when it writes."""
    try:
        async with unit_of_work() as session:
            await saved.change(session, await saved.find(session, reader.account_id, uid, version), name, frequency)
    except NotFound:
        raise
    except DomainError as error:
        async with unit_of_work() as session:
            typed = {"name": name, "frequency": frequency}
            return await _listed(request, session, reader, error=error, about=uid, typed=typed)
    return RedirectResponse(f"{_LIST}?fait=modifiee", status_code=303)


@router.post(f"{_LIST}/{{uid}}/supprimer", dependencies=_PROTECTED)
async def remove(reader: ReaderDep, uid: uuid.UUID) -> Response:
    """Delete a search; deleting it twice changes nothing."""
    async with unit_of_work() as session:
        with contextlib.suppress(NotFound):
            await saved.remove(session, await saved.find(session, reader.account_id, uid))
    return RedirectResponse(f"{_LIST}?fait=supprimee", status_code=303)


def _signed(uid: uuid.UUID, s: str) -> None:
    if not hmac.compare_digest(s.encode(), signature("ads-search", str(uid)).encode()):
        raise NotFound("Ce lien n’est pas complet : ouvrez celui du mail en entier.")


@router.get(f"{_LIST}/{{uid}}/arreter")
async def ask_to_stop(request: Request, uid: uuid.UUID, s: str = "") -> Response:
    """Ask whether the mails of a search stop: programs open the links of mails, and must stop nothing."""
    _signed(uid, s)
    return pages.render(
        request, "ads/stop.html", {"title": "Arrêter les mails", "path": saved.stop_path(uid), "done": False}
    )


@router.post(f"{_LIST}/{{uid}}/arreter")
async def stop(request: Request, uid: uuid.UUID, s: str = "") -> Response:
    """Stop the mails of a search. The signature is the right: mail programs press this without cookie (RFC 8058)."""
    _signed(uid, s)
    async with unit_of_work() as session:
        await saved.stop(session, uid)
    return pages.render(request, "ads/stop.html", {"title": "Mails arrêtés", "path": "", "done": True})
