"""Councils of départements: their codes, and how people read them."""

import asyncio
from typing import Final

from core.errors import InvalidInput
from maps.api import resolve_ref

CODES: Final = (
    *(f"{number:02d}" for number in range(1, 20)),
    "2A",
    "2B",
    *(f"{number:02d}" for number in range(21, 96)),
    *("971", "972", "973", "974", "975", "976"),
)
"""Departments that have a council of the Ordre, in the order of a list."""


def read(given: str) -> str:
    """Return the code of a council.

    Raises:
        InvalidInput: it is none.
    """
    code = given.strip().upper()
    if code not in CODES:
        message = "Choisissez votre conseil départemental dans la liste."
        raise InvalidInput(message, fields={"conseil": message})
    return code


def name(code: str | None) -> str:
    """Write a council: « 78 – Yvelines », or its code where places are not loaded."""
    if not code:
        return ""
    found = resolve_ref("departement", code)
    return f"{code} – {found.name}" if found is not None else code


async def names() -> dict[str, str]:
    """Return the councils to choose from, by code, in order."""
    # The index of places may have to be read from the disk first.
    return await asyncio.to_thread(lambda: {code: name(code) for code in CODES})
