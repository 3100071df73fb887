"""`near` and `near-insee-code`: discs around points, geodesic metres on the ellipsoid, as every distance here.

A disc goes from 0.1 to 1,000 km, as in the JSON API; without a distance it has 20 km. Distances are rounded to the
metre: results are ordered by them, and say them.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Integer, and_, cast, func, or_

from maps.api import resolve_ref
from search_api.engine import LatLon
from search_api.fhir.search.refusals import Refused
from search_api.fhir.search.rows import Row
from search_api.fhir.search.token_fields import Condition
from search_api.fhir.search.values import Disc, checked, plain, split
from search_api.params import MAX_RADIUS_KM, MIN_RADIUS_KM
from search_api.predicates import geography

METRES: Final = {
    "": 1000.0,
    "km": 1000.0,
    "m": 1.0,
    "[mi_i]": 1609.344,
    "mi": 1609.344,
}
"""Units of a distance, UCUM's and usual ones; kilometres when none is said."""
DEFAULT_KM: Final = 20
"""Radius when none is said."""
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,20})?", re.ASCII)
_COMMUNE = re.compile(r"\d{5}|2[AB]\d{3}", re.ASCII)


def _number(text: str, low: float, high: float, name: str, message: str) -> float:
    if not _NUMBER.fullmatch(text) or not low <= float(text) <= high:
        raise Refused(message, name)
    return float(text)


def _radius(parts: Sequence[str], name: str) -> float:
    unit = parts[1] if len(parts) > 1 else ""
    if unit not in METRES:
        raise Refused(f"Cette unité de distance est inconnue (unités : {', '.join(filter(None, METRES))}).", name)
    if not parts or not parts[0]:
        return DEFAULT_KM * 1000.0
    message = "Le rayon va de 0,1 à 1 000 km."
    distance = float(Decimal(str(_number(parts[0], 0, 1e9, name, message))) * Decimal(str(METRES[unit])))
    if not MIN_RADIUS_KM * 1000 <= distance <= MAX_RADIUS_KM * 1000:
        raise Refused(message, name)
    return distance


def _parts(name: str, value: str, most: int) -> list[str]:
    parts = [plain(part).strip() for part in split(checked(name, value), "|")]
    if len(parts) > most:
        form = "latitude|longitude|distance|unité" if most == 4 else "code INSEE|distance|unité"
        raise Refused(f"La forme attendue est {form}.", name)
    return parts


def around_point(name: str, value: str) -> Disc:
    """Read `lat|lon|distance|unit`.

    Raises:
        Refused: no such point on Earth, or a radius out of bounds.
    """
    parts = _parts(name, value, 4)
    if len(parts) < 2:
        raise Refused("La forme attendue est latitude|longitude|distance|unité, par exemple 48.99|1.71|10|km.", name)
    latitude = _number(parts[0], -90, 90, name, "La latitude va de -90 à 90 degrés.")
    longitude = _number(parts[1], -180, 180, name, "La longitude va de -180 à 180 degrés.")
    return Disc(LatLon(latitude, longitude), _radius(parts[2:], name))


def around_commune(name: str, value: str) -> Disc:
    """Read `insee|distance|unit`; the places must be in memory.

    Raises:
        Refused: no such commune, or a radius out of bounds.
    """
    parts = _parts(name, value, 3)
    code = parts[0].upper()
    found = resolve_ref("commune", code) if _COMMUNE.fullmatch(code) else None
    if found is None or found.lat is None or found.lon is None:
        raise Refused("Aucune commune ne porte ce code INSEE. Exemple : 44162|15|km.", name)
    return Disc(LatLon(found.lat, found.lon), _radius(parts[1:], name))


def position(row: Row) -> Any:
    """Return where the place of a row is: the pin that people set, else what the registers say."""
    return func.coalesce(row.site.pin, row.site.position)


def within(row: Row, discs: Sequence[Disc]) -> Condition:
    """Tell whether the place of a row lies in one of the discs, by the spatial index."""
    point = position(row)
    return or_(*(and_(func.ST_DWithin(point, geography(disc.centre), disc.metres)) for disc in discs))


def metres(row: Row, discs: Sequence[Disc]) -> Any:
    """Return the distance from the nearest of the centres, rounded to the metre."""
    each = [func.ST_Distance(position(row), geography(disc.centre)) for disc in discs]
    return cast(func.round(each[0] if len(each) == 1 else func.least(*each)), Integer)
