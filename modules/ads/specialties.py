"""The specialties of doctors, as ads name them: those of R38 that are of medicine, by `system|code`."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import ConceptIndex, concept_index

SYSTEM: Final = "R38"
_OF_MEDICINE: Final = "SM"
"""How the codes of doctors begin: the nomenclature also holds those of dentists and nurses."""
_SECONDS: Final = 1.0
"""During which the last look at the nomenclatures still serves."""


class _Kept:
    index: ConceptIndex | None = None
    names: Mapping[str, str] = {}


async def specialty_names(session: AsyncSession) -> Mapping[str, str]:
    """Return the labels of the specialties in use, in the order of the alphabet; kept until a nomenclature changes."""
    index = await concept_index(session, within=_SECONDS)
    if _Kept.index is not index:
        entries = [one for one in index.by_system.get(SYSTEM, ()) if one.active and one.code.startswith(_OF_MEDICINE)]
        _Kept.names = {one.ref: one.label for one in sorted(entries, key=lambda one: (one.label.casefold(), one.code))}
        _Kept.index = index
    return _Kept.names
