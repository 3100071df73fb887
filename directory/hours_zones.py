"""Where hours are lived: the clock and the public holidays of a département."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays

from core.clock import PARIS

_ZONES = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "984": "Indian/Kerguelen",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}
_SUBDIVISIONS = {
    "57": "57",
    "67": "6AE",
    "68": "6AE",
    "971": "971",
    "972": "972",
    "973": "973",
    "974": "974",
    "975": "PM",
    "976": "976",
    "977": "BL",
    "978": "MF",
    "984": "TF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}
"""Départements whose public holidays are not those of the rest of France, and the library's names of them."""
_REGIONS = {"01": "971", "02": "972", "03": "973", "04": "974", "06": "976"}
_BOXES = (
    ("975", 46.6, 47.3, -56.6, -56.0),
    ("978", 18.03, 18.2, -63.3, -62.9),
    ("977", 17.8, 18.03, -63.0, -62.7),
    ("971", 15.7, 16.7, -62.0, -60.8),
    ("972", 14.3, 15.0, -61.4, -60.7),
    ("973", 2.0, 6.0, -54.8, -51.5),
    ("976", -13.2, -12.4, 44.8, 45.5),
    ("974", -21.6, -20.7, 55.0, 56.0),
    ("986", -14.6, -13.0, -178.4, -176.0),
    ("987", -28.0, -7.5, -155.0, -134.0),
    ("988", -23.0, -17.5, 158.0, 168.5),
)
"""Overseas départements in degrees (south, north, west, east): enough to know whose clock a position follows."""
_YEARS = (1990, 2199)

AROUND = (1, 8)
"""Days before and after the present one that the search projection looks at, time zones included."""


def timezone_of(departement: str | None) -> ZoneInfo:
    """Return the time zone of a département; Paris when it is unknown."""
    name = _ZONES.get(departement or "")
    return ZoneInfo(name) if name else PARIS


def departement_at(lat: float, lon: float) -> str | None:
    """Return the overseas département of a position; None elsewhere."""
    for code, south, north, west, east in _BOXES:
        if south <= lat <= north and west <= lon <= east:
            return code
    return None


def departement_of_region(code: str) -> str | None:
    """Return the only département of an overseas region; None for a region of several."""
    return _REGIONS.get(code)


@cache
def _of_year(subdivision: str | None, year: int) -> Mapping[date, str]:
    if not _YEARS[0] <= year <= _YEARS[1]:
        return MappingProxyType({})
    found = holidays.country_holidays("FR", subdiv=subdivision, years=year, language="fr")
    return MappingProxyType({day: name.replace("'", "’") for day, name in found.items()})


def public_holiday(departement: str | None, day: date) -> str | None:
    """Return the French name of the public holiday of a day in a département; None for an ordinary day."""
    return _of_year(_SUBDIVISIONS.get(departement or ""), day.year).get(day)


def clocks() -> list[tuple[str, str]]:
    """Return every département whose clock or public holidays are its own, and the name of its time zone."""
    return [(code, timezone_of(code).key) for code in sorted({*_ZONES, *_SUBDIVISIONS})]


def coming_holidays(now: datetime) -> list[tuple[str, date]]:
    """Return the public holidays around an instant, by département; the empty one is the rest of France."""
    today = now.astimezone(UTC).date()
    days = [today + timedelta(days=n) for n in range(-AROUND[0] - 1, AROUND[1] + 1)]
    codes = ["", *(code for code, _ in clocks())]
    return [(code, day) for code in codes for day in days if public_holiday(code, day)]
