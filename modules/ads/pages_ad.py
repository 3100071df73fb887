"""Page of one ad: contacts at the press of a button, message to an anonymous author, favourite, report."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import add_favourite, favourites, is_favourite, remove_favourite, safe_target
from core.db import SessionDep, unit_of_work
from core.errors import DomainError, NotFound
from core.security import csrf_protected
from core.ui import pages
from modules.ads import relay, reports
from modules.ads.models import Ad
from modules.ads.people import Reader, ReaderDep, VisitorDep, shown
from modules.ads.reading import NoLongerShown, Opened, address_of, find, open_ad, show_contacts
from modules.ads.views import TOWNS, AdView, views
from search_api.api import map_settings

router = APIRouter(include_in_schema=False)

FAVOURITES: Final = "ad"
PAGE_SIZE: Final = 15
_PROTECTED: Final = [Depends(csrf_protected)]
_IDS: Final = {"message": "message", "agreed": "agreed", "reason": "reason"}
"""Where the page shows the error of a field."""


async def _draw(
    request: Request,
    session: AsyncSession,
    reader: Reader,
    opened: Opened,
    *,
    error: DomainError | None = None,
    typed: Mapping[str, str] | None = None,
    told: str = "",
) -> Response:
    view = opened.view
    errors = dict(error.fields) if error else {}
    summary = [(_IDS.get(name), text) for name, text in errors.items()]
    if error and not summary:
        summary = [(None, error.detail)]
    writes = view.anonymous and not opened.mine and view.state == "published"
    context: dict[str, Any] = {
        "title": f"Annonce {view.name}",
        "reader": reader,
        "view": view,
        "mine": opened.mine,
        "moderated": opened.moderated,
        "contact_box": "ads/_contact_box.html",
        "favourite": await is_favourite(session, reader.account_id, FAVOURITES, str(view.number)),
        "errors": summary,
        "error_of": errors,
        "typed": typed or {},
        "token": (typed or {}).get("token") or relay.new_token(),
        "address": await address_of(session, reader.account_id) if writes else None,
        "writes": writes,
        "told": told,
        "map": map_settings(),
        "areas": ",".join(place.ref for place in view.places if place.ref and place.kind not in TOWNS | {"pays"}),
        "longest_message": relay.LONGEST,
    }
    return pages.render(request, "ads/ad.html", context, status=error.status if error else 200)


def _ended(request: Request, reader: Reader, error: NoLongerShown) -> Response:
    context = {"title": error.title, "reader": reader, "detail": error.detail}
    return pages.render(request, "ads/ended.html", context, status=error.status)


@router.get("/annonces/favoris")
async def kept(
    request: Request, session: SessionDep, reader: VisitorDep, page: Annotated[int, Query(ge=1, le=100)] = 1
) -> Response:
    """List the ads that somebody keeps; those that are no longer published say so."""
    refs = [one.ref for one in await favourites(session, reader.account_id, FAVOURITES)][::-1]
    count = max(1, -(-len(refs) // PAGE_SIZE))
    page = min(page, count)
    here = refs[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    ads = await session.scalars(select(Ad).where(Ad.number.in_([int(ref) for ref in here if ref.isdigit()]), shown()))
    known: dict[str, AdView] = {str(view.number): view for view in await views(session, ads.all())}
    context = {
        "title": "Mes annonces favorites",
        "reader": reader,
        "kept": [(ref, known.get(ref)) for ref in here],
        "page": page,
        "pages": count,
        "first": (page - 1) * PAGE_SIZE + 1,
        "total": len(refs),
        "href": lambda wanted: f"/annonces/favoris?page={wanted}",
    }
    return pages.render(request, "ads/favourites.html", context)


@router.get("/annonces/{number:int}")
async def read(request: Request, session: SessionDep, reader: VisitorDep, number: int, fait: str = "") -> Response:
    """Draw an ad."""
    try:
        opened = await open_ad(session, reader, number)
    except NoLongerShown as error:
        return _ended(request, reader, error)
    return await _draw(request, session, reader, opened, told=_TOLD.get(fait, ""))


_TOLD: Final = {
    "message": "Votre message est parti. L’auteur vous répondra à votre adresse mail.",
    "signalement": "Votre signalement est transmis au conseil qui a vérifié cette annonce. Merci. Vous serez prévenu "
    "de la suite.",
}
"""What the page says after a form, by the mark that the address carries."""


@router.post("/annonces/{number:int}/coordonnees", dependencies=_PROTECTED)
async def contacts(request: Request, reader: ReaderDep, number: int) -> Response:
    """Draw an ad with how its author is reached."""
    try:
        async with unit_of_work() as session:
            opened = await show_contacts(session, reader, number)
            return await _draw(request, session, reader, opened)
    except NoLongerShown as error:
        return _ended(request, reader, error)
    except DomainError as error:
        if isinstance(error, NotFound):
            raise
        async with unit_of_work() as session:
            return await _draw(request, session, reader, await open_ad(session, reader, number), error=error)


@router.post("/annonces/{number:int}/message", dependencies=_PROTECTED)
async def write(
    request: Request,
    reader: ReaderDep,
    number: int,
    message: Annotated[str, Form()] = "",
    agreed: Annotated[str, Form()] = "",
    token: Annotated[str, Form()] = "",
) -> Response:
    """Pass a message on to the author of an anonymous ad."""

    async def done(session: AsyncSession, opened: Opened) -> None:
        await relay.send(session, reader, opened, message, bool(agreed), token)

    typed = {"message": message, "agreed": agreed, "token": token}
    return await _form(request, reader, number, done, typed, "message")


@router.post("/annonces/{number:int}/signaler", dependencies=_PROTECTED)
async def report(request: Request, reader: ReaderDep, number: int, reason: Annotated[str, Form()] = "") -> Response:
    """Report an ad to its council."""

    async def done(session: AsyncSession, opened: Opened) -> None:
        await reports.report(session, reader, opened.ad, reason)

    return await _form(request, reader, number, done, {"reason": reason}, "signalement")


async def _form(
    request: Request,
    reader: Reader,
    number: int,
    act: Callable[[AsyncSession, Opened], Awaitable[None]],
    typed: Mapping[str, str],
    mark: str,
) -> Response:
    """Do what a form of the page asks; what is refused is said at the field, and nothing typed is lost."""
    try:
        async with unit_of_work() as session:
            await act(session, await open_ad(session, reader, number))
    except NoLongerShown as error:
        return _ended(request, reader, error)
    except NotFound:
        raise
    except DomainError as error:
        async with unit_of_work() as session:
            opened = await open_ad(session, reader, number)
            return await _draw(request, session, reader, opened, error=error, typed=typed)
    return RedirectResponse(f"/annonces/{number}?fait={mark}", status_code=303)


@router.get("/annonces/{number:int}/coordonnees")
@router.get("/annonces/{number:int}/message")
@router.get("/annonces/{number:int}/signaler")
async def back(number: int) -> Response:
    """Lead to the ad whoever reloads or shares the address that one of its forms left in their browser."""
    return RedirectResponse(f"/annonces/{number}", status_code=303)


@router.post("/annonces/{number:int}/favori", dependencies=_PROTECTED)
async def keep(
    session: SessionDep,
    reader: ReaderDep,
    number: int,
    garder: Annotated[str, Form()] = "",
    suite: Annotated[str, Form()] = "",
) -> Response:
    """Keep an ad, or stop keeping it: what is asked is said, so that two presses do not undo one another."""
    if garder:
        await find(session, reader, number)
        await add_favourite(session, reader.account_id, FAVOURITES, str(number))
    else:
        await remove_favourite(session, reader.account_id, FAVOURITES, str(number))
    return RedirectResponse(safe_target(suite, f"/annonces/{number}"), status_code=303)
