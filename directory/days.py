"""Days as people type them: 31/12/2026, 31.12.2026, or as a browser's calendar sends them."""

import re
from datetime import date
from typing import Final

EXAMPLE: Final = "31/12/2026"
"""What messages give as an example."""
_FRENCH: Final = re.compile(r"(\d{1,2})\s*([/.])\s*(\d{1,2})\s*\2\s*(\d{4})", re.ASCII)


def read_day(text: str) -> date:
    """Return the day that a text says.

    Raises:
        ValueError: it says none.
    """
    found = _FRENCH.fullmatch(text.strip())
    if found is None:
        return date.fromisoformat(text.strip())
    return date(int(found[4]), int(found[3]), int(found[1]))


def calendar_day(text: str) -> str:
    """Return a day as an input of type `date` shows it; what is no day stays as it was typed."""
    try:
        return read_day(text).isoformat()
    except ValueError:
        return text
