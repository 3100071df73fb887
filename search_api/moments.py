"""Moments of « Ouvert » : what the list offers, what its field shows, what a filter says of them."""

from datetime import datetime, timedelta
from typing import Final

from core.clock import PARIS
from core.ui.filters import NBSP, hour
from search_api.params import NOW, instant

_DAYS: Final = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
_MONTHS: Final = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip


def _here(value: str) -> datetime | None:
    """Return the day and time of a parameter on the clock of Paris; None for « maintenant » and what is refused."""
    if value.strip().casefold() in NOW:
        return None
    try:
        return instant(value).astimezone(PARIS)
    except (ValueError, OverflowError):
        return None


def moment_field(value: str) -> str:
    """Write the instant of a parameter as a field of a day and a time takes it; empty when it names none."""
    moment = _here(value)
    return moment.replace(tzinfo=None).isoformat(timespec="minutes") if moment else ""


def moment_label(value: str) -> str:
    """Write the instant of a parameter, short enough for a filter: « sam. 28 nov., 10 h »."""
    moment = _here(value)
    if moment is None:
        return value
    day = f"{moment.day}er" if moment.day == 1 else str(moment.day)
    return f"{_DAYS[moment.weekday()]} {day}{NBSP}{_MONTHS[moment.month - 1]}, {hour(moment)}"


def open_choices(now: datetime, current: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the chosen value of « Ouvert » and its options: now, this evening, the coming days.

    Args:
        now: present instant.
        current: the parameter `open_at` as the address has it.
    """
    here = now.astimezone(PARIS)
    options = [("maintenant", "Maintenant")]
    evening = here.replace(hour=19, minute=0, second=0, microsecond=0)
    if here < evening:
        options.append((f"{evening:%Y-%m-%dT%H:%M}", f"Ce soir à {hour(evening)}"))
    tomorrow = (here + timedelta(days=1)).replace(hour=9, minute=30, second=0, microsecond=0)
    options.append((f"{tomorrow:%Y-%m-%dT%H:%M}", f"Demain à {hour(tomorrow)}"))
    saturday = tomorrow + timedelta(days=(5 - tomorrow.weekday()) % 7)
    if saturday != tomorrow:
        options.append((f"{saturday:%Y-%m-%dT%H:%M}", f"Samedi à {hour(saturday)}"))
    if current and current not in dict(options):
        options.append((current, moment_label(current)))
    return current, options
