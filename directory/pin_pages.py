"""The page where a place is pinned on the map."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import SignedInDep
from core.db import SessionDep
from core.errors import Conflict, DomainError, InvalidInput
from core.security import csrf_protected
from core.ui import pages
from directory.labels import POSITION_LEVELS
from directory.offer_pages_path import written
from directory.pin import coordinate, place_at, put_pin

router = APIRouter(include_in_schema=False, prefix="/mon-offre")

FIELDS = {"lat": "lat", "lon": "lon", "choix": "choix", "loin": "loin", "adresse": "adresse"}


async def _draw(
    request: Request,
    session: AsyncSession,
    person: Any,
    uid: uuid.UUID,
    address: str | None,
    typed: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response:
    place = await place_at(session, person, uid, address)
    fields = error.fields if error else {}
    shown = {
        "place": place,
        "level": POSITION_LEVELS.get(place.level, "Position inconnue"),
        "typed": typed or {"lat": f"{place.lat:.6f}" if place.lat is not None else "",
                           "lon": f"{place.lon:.6f}" if place.lon is not None else "", "choix": ""},
        "fields": fields,
        "errors": [(FIELDS.get(name), text) for name, text in fields.items()],
        "notice": error.detail if error and not fields else "",
        "base": f"/mon-offre/{uid}",
    }  # fmt: skip
    return pages.render(request, "directory/pin.html", shown, status=error.status if error else 200)


@router.get("/{uid}/position")
async def ask(
    request: Request,
    session: SessionDep,
    person: SignedInDep,
    uid: uuid.UUID,
    adresse: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Draw where the place is shown, the addresses like what was typed, and the map."""
    return await _draw(request, session, person, uid, adresse)


@router.post("/{uid}/position", dependencies=[Depends(csrf_protected)])
async def put(
    request: Request,
    session: SessionDep,
    person: SignedInDep,
    uid: uuid.UUID,
    version: Annotated[int, Form(ge=0, le=2**31 - 1)],
    choix: Annotated[str, Form()] = "",
    lat: Annotated[str, Form()] = "",
    lon: Annotated[str, Form()] = "",
    adresse: Annotated[str, Form()] = "",
    loin: Annotated[str, Form()] = "",
    retirer: Annotated[str, Form()] = "",
) -> Response:
    """Place the pin at the chosen address, or at the coordinates that the map or the person wrote."""
    typed = {"lat": lat[:40], "lon": lon[:40], "choix": choix[:80]}
    try:
        pin = None if retirer else await _pin(session, person, uid, adresse, choix, lat, lon)
        outcome = await put_pin(session, person, uid, pin, version, far_is_meant=bool(loin))
    except (InvalidInput, Conflict) as error:
        await session.rollback()
        return await _draw(request, session, person, uid, adresse or None, typed, error)
    return written(f"/mon-offre/{uid}?fait={'sans-epingle' if retirer else 'situe'}", outcome)


async def _pin(
    session: AsyncSession, person: Any, uid: uuid.UUID, address: str, choice: str, lat: str, lon: str
) -> tuple[float, float]:
    if choice and choice != "carte":
        place = await place_at(session, person, uid, address or None)
        chosen = next((one for one in place.addresses if one.id == choice), None)
        if chosen is None:
            message = "Cette adresse n’est plus proposée : choisissez-en une autre, ou placez le point sur la carte."
            raise InvalidInput(message, fields={"choix": message})
        return chosen.lat, chosen.lon
    return coordinate(lat, "lat", 90), coordinate(lon, "lon", 180)
