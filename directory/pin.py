"""Where a place really is, said by those who work there: an address that they choose, or a pin that they drop."""

import math
import re
import uuid
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person
from core.errors import InvalidInput
from directory.describe import describe_site
from directory.models import Site
from directory.offer_rights import editable_offer
from directory.schemas import SiteDescription, Written
from maps.api import FoundAddress, Place, find_addresses

AWAY_METRES: Final = 1_000
"""How far out of its commune a place may be pinned without a word: borders run along streets."""
_NUMBER = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{1,12})?")


@dataclass(frozen=True, slots=True)
class PlaceAt:
    """A place to pin: its offer, site, where it is shown now, and what addresses look like what was typed."""

    offer: Any
    site: Site
    lat: float | None
    lon: float | None
    pinned: bool
    level: str
    town: str
    typed: str
    addresses: list[FoundAddress]


async def place_at(session: AsyncSession, person: Person, uid: uuid.UUID, typed: str | None) -> PlaceAt:
    """Return the place of an offer that a person may edit.

    Args:
        session: unit of work.
        person: who asks.
        uid: the offer.
        typed: an address to look for; None looks for the register's.

    Raises:
        NotFound: no such offer, or it is not theirs.
    """
    row = await editable_offer(session, person, uid)
    site: Site = row.Site
    at = func.geometry(func.coalesce(Site.pin, Site.position))
    found = (
        await session.execute(
            select(func.ST_Y(at).label("lat"), func.ST_X(at).label("lon"), Place.name, Place.code)
            .select_from(Site)
            .outerjoin(Place, Place.id == Site.commune_id)
            .where(Site.id == site.id)
        )
    ).one()
    street = site.street or ""
    looked = street if typed is None else typed[:200]
    codes = sorted({code for code in (found.code, site.commune_code) if code})
    return PlaceAt(
        offer=row.Offer,
        site=site,
        lat=found.lat,
        lon=found.lon,
        pinned=site.pin is not None,
        level="pin" if site.pin is not None else site.position_level,
        town=found.name or site.town or "",
        typed=looked,
        addresses=await find_addresses(session, codes, looked),
    )


def coordinate(text: str, name: str, most: int) -> float:
    """Return a number of degrees that somebody typed, with a point or a comma.

    Raises:
        InvalidInput: it is no number, or beyond the globe.
    """
    plain = text.strip().replace("\u2212", "-")
    value = float(plain.replace(",", ".")) if _NUMBER.fullmatch(plain) else math.nan
    if not abs(value) <= most:
        message = (
            f"Un nombre de degrés entre {-most} et {most} est attendu, par exemple {48.9907 if most == 90 else 1.7173}."
        )
        raise InvalidInput(message, fields={name: message})
    return value


async def put_pin(
    session: AsyncSession,
    person: Person,
    uid: uuid.UUID,
    pin: tuple[float, float] | None,
    version: int,
    *,
    far_is_meant: bool = False,
) -> Written:
    """Place the pin of an offer's site, or take it away with None.

    Raises:
        NotFound: no such offer, or it is not theirs.
        Conflict: the place changed since that version.
        InvalidInput: the pin is far from the commune of the register, and nobody said that it is meant.
    """
    row = await editable_offer(session, person, uid)
    site: Site = row.Site
    if pin is not None and not far_is_meant:
        lat, lon = pin
        point = func.geography(func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326))
        shape = func.geography(func.coalesce(func.geometry(Place.contour), func.geometry(Place.point)))
        near = await session.execute(
            select(
                Place.name, func.ST_Distance(shape, point).label("metres"), Place.contour.is_(None).label("rough")
            ).where(Place.id == site.commune_id)
        )
        found = near.one_or_none()
        # Without a contour only the town hall is known: the rest of the town may be some kilometres away.
        if found is not None and found.metres is not None and found.metres > (10_000 if found.rough else AWAY_METRES):
            far = f"{found.metres / 1000:.0f}\u00a0km" if found.metres >= 2000 else f"{found.metres:.0f}\u00a0m"
            message = (
                f"Ce point est à {far} de {found.name}, la commune du registre. S’il est juste, cochez « Le point est "
                "bien là » ; si l’adresse a changé, demandez aussi sa correction au registre."
            )
            raise InvalidInput(message, fields={"loin": message})
    return await describe_site(session, site.uid, SiteDescription(pin=pin), person.actor, version)
