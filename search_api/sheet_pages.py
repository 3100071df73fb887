"""HTML pages of one site and of one offer."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pyproj import Geod
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import LevelDep, PersonDep, Reference, add_referrer, is_favourite
from core.db import SessionDep
from core.errors import NotFound
from core.http import public_base
from core.ui import pages
from directory.api import PROFESSIONAL, OfferSheet, Position, may_edit, offer_sheet, site_sheet
from maps.api import resolve_ref
from search_api import structured
from search_api.addresses import Pair, address
from search_api.favourites_pages import KIND as KEPT_KIND
from search_api.hours_words import special_lines
from search_api.param_places import place_ref
from search_api.settings import map_settings

router = APIRouter(include_in_schema=False)

GEOD: Final = Geod(ellps="WGS84")
CACHE = {"Cache-Control": "private, no-cache"}


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the sheet's place is: geodesic metres, and from where (« depuis Limay »)."""

    metres: int
    place: str


@router.get("/sites/{uid}")
async def site(request: Request, session: SessionDep, level: LevelDep, uid: uuid.UUID) -> Response:
    """Draw the sheet of a site; a closed one answers 404 and says since when."""
    sheet = await site_sheet(session, uid, level)
    own = f"{public_base(request)}/sites/{uid}"
    context = {"sheet": sheet, "structured": structured.of_site(sheet, own), "canonical": own}
    context |= await _context(request, sheet.position)
    return pages.render(request, "search/site.html", context, headers=CACHE)


@router.get("/offres/{uid}")
async def offer(request: Request, session: SessionDep, level: LevelDep, person: PersonDep, uid: uuid.UUID) -> Response:
    """Draw the sheet of an offer, whole for those who write it; a closed or unpublished one answers 404."""
    if person is not None and await may_edit(session, person, uid):
        level = PROFESSIONAL
    sheet = await offer_sheet(session, uid, level)
    kept = person is not None and await is_favourite(session, person.account_id, KEPT_KIND, str(uid))
    own = f"{public_base(request)}/offres/{uid}"
    context = {"kept": kept, "canonical": own, "structured": structured.of_offer(sheet, own)}
    context |= await offer_context(request, sheet)
    return pages.render(request, "search/offer.html", context, headers=CACHE)


async def offer_context(request: Request, sheet: OfferSheet) -> dict[str, object]:
    """Return what the page of an offer shows, whoever reads it."""
    return {
        "sheet": sheet,
        "special": [(period.label, special_lines(period)) for period in sheet.hours.special],
        "hours_href": f"/offres/{sheet.uid}/horaires",
        **await _context(request, sheet.position),
    }


async def _context(request: Request, position: Position | None) -> dict[str, object]:
    settings = map_settings()
    given = place_given(request.query_params.multi_items())
    return {
        "distance": await distance_from(given, position),
        "suffix": address(given, "") if given else "",
        "tiles_url": settings.tiles_url,
        "tiles_attribution": settings.tiles_attribution,
    }


def place_given(items: Sequence[Pair]) -> list[Pair]:
    """Return the place of a search among the parameters of an address."""
    return [(name, value) for name, value in items if name in ("where", "lat", "lon")][:2]


async def distance_from(pairs: Sequence[Pair], position: Position | None) -> Distance | None:
    """Return the distance from the place of the search; None without a place or an exact position."""
    given = dict(pairs)
    if position is None or not position.exact:
        return None
    try:
        if "lat" in given and "lon" in given:
            lat, lon, place = float(given["lat"]), float(given["lon"]), "depuis votre position"
            if not (-90 <= lat <= 90 and -180 <= lon <= 180):
                return None
        else:
            ref = place_ref(given.get("where", ""))
            hit = await asyncio.to_thread(resolve_ref, ref.kind, ref.code)
            if hit is None or hit.lat is None or hit.lon is None or hit.boundary:
                return None
            lat, lon, place = hit.lat, hit.lon, f"depuis {hit.name}"
    except ValueError:
        return None
    metres = GEOD.inv(lon, lat, position.lon, position.lat)[2]
    return Distance(round(metres), place)


async def _offer_reference(session: AsyncSession, uid: uuid.UUID, level: int) -> Reference | None:
    """Name an offer that a request is about; a closed one has no sheet to lead to."""
    try:
        return Reference((await offer_sheet(session, uid, level)).name, f"/offres/{uid}")
    except NotFound:
        return None


async def _site_reference(session: AsyncSession, uid: uuid.UUID, level: int) -> Reference | None:
    try:
        return Reference((await site_sheet(session, uid, level)).name, f"/sites/{uid}")
    except NotFound:
        return None


add_referrer("offer", _offer_reference)
add_referrer("site", _site_reference)
