"""Scopes of rights: how an administrator writes them, how they are read."""

import asyncio
import re
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from accounts import inputs, registry
from accounts.service import ROLES
from core.errors import InvalidInput
from maps.api import KINDS, resolve_ref

_FINESS: Final = re.compile(r"(?:\d{2}|2[AB])\d{7}")
_MAINLAND: Final = {f"{number:02d}" for number in range(1, 96)} - {"20"}
COUNCILS: Final = _MAINLAND | {"2A", "2B", "971", "972", "973", "974", "975", "976", "977", "978", "986", "987", "988"}
"""Codes of the départements and overseas territories that may have a council."""

HELP: Final[Mapping[str, str]] = {
    "professional": "numéro RPPS, 11 chiffres",
    "delegate": "numéro RPPS du professionnel, 11 chiffres",
    "site_manager": "numéro FINESS, 9 caractères, par exemple 780000287 ou 2A0000014",
    "moderator": "département du conseil, par exemple 78, 2A ou 971",
    "coordinator": "territoire, par exemple departement:78, epci:200059889 ou region:11",
    "agent": "région de l’agence, par exemple region:11",
    "administrator": "aucune portée",
}
"""What the scope of each role is, in the words of the form."""


def _rpps(text: str) -> str:
    return f"rpps:{inputs.needed_rpps(text.removeprefix('rpps:'))}"


def _finess(text: str) -> str:
    number = re.sub(r"[\s.]", "", text.removeprefix("finess:")).upper()
    if not number.isascii() or not _FINESS.fullmatch(number):
        raise InvalidInput("Un numéro FINESS a 9 caractères, par exemple 780000287, ou 2A0000014 en Corse.")
    return f"finess:{number}"


def _council(text: str) -> str:
    code = text.removeprefix("council:").strip().upper()
    if code not in COUNCILS:
        raise InvalidInput("Écrivez le code d’un département, par exemple 78, 2A, 2B ou 971.")
    return f"council:{code}"


def _place(text: str) -> str:
    kind, _, code = text.strip().partition(":")
    if not code and kind.upper() in COUNCILS:
        kind, code = "departement", kind
    code = code.strip().upper()
    found = resolve_ref(kind.strip().lower(), code) if kind.strip().lower() in KINDS and code else None
    if found is None:
        raise InvalidInput("Ce territoire est inconnu. Écrivez par exemple departement:78 ou region:11.")
    return found.ref


def _nothing(text: str) -> str:
    if text.strip():
        raise InvalidInput("Ce droit n’a pas de portée : laissez ce champ vide.")
    return ""


_READERS: Final = {
    "professional": _rpps,
    "delegate": _rpps,
    "site_manager": _finess,
    "moderator": _council,
    "coordinator": _place,
    "agent": _place,
    "administrator": _nothing,
}


async def read_scope(role: str, given: str) -> str:
    """Return the scope of a role as grants hold it, from what an administrator or an operator wrote.

    Args:
        role: among `ROLES`.
        given: as typed.

    Raises:
        InvalidInput: the role is unknown, or its scope has not its form; fields are `role` and `portee`.
    """
    if role not in ROLES:
        raise InvalidInput("Choisissez un droit.", fields={"role": "Choisissez un droit."})
    errors = inputs.Errors()
    text = errors.check("portee", inputs.short_text(100), given)
    if not errors.found:
        # The index of places may have to be read from the disk first.
        text = await asyncio.to_thread(errors.check, "portee", _READERS[role], text)
    errors.stop()
    return text


async def _place_names(kind: str, codes: Collection[str]) -> dict[str, str]:
    found = {code: await asyncio.to_thread(resolve_ref, kind, code) for code in codes}
    return {code: hit.label for code, hit in found.items() if hit is not None}


def _places_of(kind: str) -> registry.ScopeNames:
    async def names(_session: AsyncSession, codes: Collection[str]) -> dict[str, str]:
        return await _place_names(kind, codes)

    return names


async def _councils(_session: AsyncSession, codes: Collection[str]) -> dict[str, str]:
    names = await _place_names("departement", codes)
    return {code: f"Conseil départemental, {names[code]}" for code in codes if code in names}


for _kind in KINDS:
    registry.add_scope_names(_kind, _places_of(_kind))
registry.add_scope_names("council", _councils)
