"""Pages of a portal: results as map and table, sheets, offers side by side, offers kept at hand, colours."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from core import clock
from core.conditional import has_it, tag_of
from core.db import reading
from core.errors import InvalidInput, NotFound, TooMany, Unavailable
from core.http import public_base
from core.ui import pages
from directory.api import OfferSheet, SiteSheet
from search_api import structured
from search_api.addresses import address
from search_api.compare import MOST, Chosen, read
from search_api.compare_table import table
from search_api.hours_words import special_lines
from search_api.portals import colours, forms, parameters, service
from search_api.portals.client import PublicApi
from search_api.portals.rules import SLUG
from search_api.portals.schemas import PortalOut
from search_api.portals.view import PortalView, view
from search_api.schemas import SearchAnswer
from search_api.settings import map_settings

router = APIRouter(include_in_schema=False)

CACHE: Final = {"Cache-Control": "private, no-cache"}
LAYOUT: Final = "portals/_base.html"
KeptQuery = Annotated[list[str] | None, Query(max_length=100)]


async def _portal(slug: str) -> PortalOut:
    if not SLUG.fullmatch(slug):
        raise NotFound(service.UNKNOWN)
    # The connection is given back at once: the page asks the API, which needs one of its own.
    async with reading() as session:
        return await service.find(session, slug)


PortalDep = Annotated[PortalOut, Depends(_portal)]
"""The open portal of the address; anything else is a 404."""


def _context(portal: PortalOut, kept: Sequence[str], **more: Any) -> dict[str, Any]:
    base = map_settings()
    return {
        "portal": portal,
        "layout": LAYOUT,
        "sheets_base": portal.path,
        "kept": list(kept),
        "kept_suffix": address([(parameters.KEPT, uid) for uid in kept], ""),
        "tiles_url": base.tiles_url,
        "tiles_attribution": base.tiles_attribution,
        **more,
    }


@router.get("/maillage/{slug}")
async def results(request: Request, portal: PortalDep) -> Response:
    """Draw the results of a search in the zone; the bare address begins with the portal's own filters."""
    items = request.query_params.multi_items()
    enhanced = request.headers.get("HX-Request") == "true"
    if not items and portal.filters:
        return RedirectResponse(address(portal.filters, portal.path), status_code=303)
    async with PublicApi(request) as api:
        typed = await forms.read(api, portal.within, items)
        if typed.changed and not typed.errors and not enhanced:
            return RedirectResponse(address(typed.pairs, portal.path), status_code=303)
        shown, timed_out = await _search(api, portal, typed)
    shown.timed_out = timed_out
    headers = dict(CACHE)
    if enhanced:
        headers["HX-Push-Url"] = address(typed.pairs, portal.path)
    status = 422 if shown.errors else 503 if timed_out else 200
    context = _context(portal, shown.kept, view=shown, answer=shown.answer, zone=await _zone(request, portal))
    # htmx draws nothing of an error answer; a refused filter must still show its reason.
    return pages.render(request, "portals/results.html", context, status=200 if enhanced else status, headers=headers)


async def _search(api: PublicApi, portal: PortalOut, typed: forms.Typed) -> tuple[PortalView, bool]:
    errors = dict(typed.errors)
    answer: SearchAnswer | None = None
    timed_out = False
    try:
        answer = await api.search(parameters.asked(typed.pairs, portal.within))
    except InvalidInput as error:
        errors |= error.fields or {"": error.detail}
    except Unavailable:
        timed_out = True
    given = dict(typed.pairs)
    if "visits" in given:
        typed.visits_name = await _town(api, f"commune:{given['visits'].removeprefix('commune:')}")
    if "origin" in given:
        typed.origin_name = await _town(api, given["origin"])
    codes = [value for name, value in typed.pairs if name == "code" or (name in parameters.FACETS and "|" in value)]
    labels = await _quietly(api.labels(codes[:20])) if codes else {}
    async with reading() as session:
        now = await clock.now(session)
    return view(portal, typed, answer, labels or {}, now, errors), timed_out


async def _quietly(question: Any) -> Any:
    """Return what the API says of a name; nothing when it refuses, as the search itself then tells why."""
    try:
        return await question
    except (InvalidInput, TooMany, Unavailable):
        return None


async def _town(api: PublicApi, ref: str) -> str:
    found = await _quietly(api.named([ref]))
    return found[0].label if found else ""


async def _zone(request: Request, portal: PortalOut) -> list[str]:
    async with PublicApi(request, anonymous=True) as api:
        return [place.name for place in await _quietly(api.named(portal.places)) or ()]


async def _inside(api: PublicApi, portal: PortalOut, sheet: OfferSheet | SiteSheet) -> bool:
    """Tell whether a sheet lies in the zone; one of which the town is unknown lies nowhere."""
    if portal.places == ("france",):
        return True
    refs = [place.ref for place in (sheet.address.commune, sheet.address.departement) if place is not None][:1]
    return bool(await api.named(refs, within=portal.within))


async def _in_zone(api: PublicApi, portal: PortalOut, sheet: OfferSheet | SiteSheet) -> None:
    if not await _inside(api, portal, sheet):
        raise NotFound(
            f"Cette fiche est hors de la zone de « {portal.title} » : elle se lit dans le répertoire Repère."
        )


@router.get("/maillage/{slug}/offres/{uid}")
async def offer(request: Request, portal: PortalDep, uid: uuid.UUID, o: KeptQuery = None) -> Response:
    """Draw the sheet of an offer of the zone."""
    async with PublicApi(request) as api:
        sheet = await api.offer(uid)
        await _in_zone(api, portal, sheet)
    kept = _uids(o)
    special = [(period.label, special_lines(period)) for period in sheet.hours.special]
    own = str(uid)
    context = _context(
        portal,
        kept,
        sheet=sheet,
        special=special,
        distance=None,
        suffix=address([(parameters.KEPT, one) for one in kept], ""),
        is_kept=own in kept,
        keep_href=address([(parameters.KEPT, one) for one in _toggled(kept, own)], f"{portal.path}/offres/{uid}"),
        compare_href=address(
            [(parameters.KEPT, one) for one in list(dict.fromkeys([own, *kept]))], f"{portal.path}/comparer"
        ),
        back=portal.path,
        canonical=f"{public_base(request)}/offres/{uid}",
        structured=structured.of_offer(sheet, f"{public_base(request)}/offres/{uid}"),
    )
    return pages.render(request, "portals/offer.html", context, headers=CACHE)


@router.get("/maillage/{slug}/sites/{uid}")
async def site(request: Request, portal: PortalDep, uid: uuid.UUID, o: KeptQuery = None) -> Response:
    """Draw the sheet of a site of the zone."""
    async with PublicApi(request) as api:
        sheet = await api.site(uid)
        await _in_zone(api, portal, sheet)
    kept = _uids(o)
    context = _context(
        portal,
        kept,
        sheet=sheet,
        distance=None,
        suffix=address([(parameters.KEPT, one) for one in kept], ""),
        back=portal.path,
        canonical=f"{public_base(request)}/sites/{uid}",
        structured=structured.of_site(sheet, f"{public_base(request)}/sites/{uid}"),
    )
    return pages.render(request, "portals/site.html", context, headers=CACHE)


@router.get("/maillage/{slug}/comparer")
async def compare(request: Request, portal: PortalDep, o: KeptQuery = None) -> Response:
    """Draw offers side by side: those of the address."""
    kept = _uids(o)
    chosen = await _chosen(request, portal, kept)

    def href(uids: Iterable[uuid.UUID]) -> str:
        return address([(parameters.KEPT, str(uid)) for uid in uids], f"{portal.path}/comparer")

    context = _context(
        portal,
        kept,
        chosen=chosen,
        sheets=chosen.sheets,
        rows=table(chosen.sheets),
        most=MOST,
        without={uid: href(chosen.without(uid)) for uid in map(uuid.UUID, kept)},
        link=href(sheet.uid for sheet in chosen.sheets),
    )
    return pages.render(request, "portals/compare.html", context, headers=CACHE)


@router.get("/maillage/{slug}/favoris")
async def favourites(request: Request, portal: PortalDep, o: KeptQuery = None) -> Response:
    """Draw the offers kept at hand: those of the address, which a browser with scripts completes with its own."""
    kept = _uids(o)
    chosen = await _chosen(request, portal, kept)
    sheets = [*chosen.sheets, *chosen.waiting]
    context = _context(
        portal,
        kept,
        sheets=sheets,
        gone=chosen.gone,
        most=parameters.MOST_KEPT,
        compared=MOST,
        without={
            sheet.uid: address(
                [(parameters.KEPT, uid) for uid in kept if uid != str(sheet.uid)], f"{portal.path}/favoris"
            )
            for sheet in sheets
        },
    )
    return pages.render(request, "portals/favourites.html", context, headers=CACHE)


async def _chosen(request: Request, portal: PortalOut, uids: Sequence[str]) -> Chosen:
    """Return the sheets of offers of the zone, and why the others are missing."""
    async with PublicApi(request) as api:

        async def sheet(uid: uuid.UUID) -> OfferSheet:
            found = await api.offer(uid)
            await _in_zone(api, portal, found)
            return found

        return await read(list(map(uuid.UUID, uids)), sheet)


def _uids(given: Sequence[str] | None) -> list[str]:
    """Return the offers that an address keeps; what is no identifier is left out."""
    found = []
    for one in given or ():
        try:
            found.append(str(uuid.UUID(one)))
        except ValueError:
            continue
    return list(dict.fromkeys(found))[: parameters.MOST_KEPT]


def _toggled(kept: Sequence[str], uid: str) -> list[str]:
    return [one for one in kept if one != uid] if uid in kept else [*kept, uid]


@router.get("/maillage/{slug}/couleurs.css")
async def style(request: Request, portal: PortalDep) -> Response:
    """Answer the colours of a portal."""
    body = colours.css(portal.palette)
    headers = {"ETag": tag_of(body), "Cache-Control": "public, max-age=300"}
    if has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/css", headers=headers)
