"""Nomenclatures as lists that people take away: whole, or what concerns one profession."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import InvalidInput, NotFound
from directory.concepts import ConceptIndex, concept_index
from directory.labels import NOMENCLATURES
from directory.mappings import OfferRule, by_profession
from directory.models import Nomenclature
from directory.schemas_base import ConceptRef, Frozen

BY_PROFESSION = ("J17", "J238")
"""Systems of which the rules of generated offers say what concerns a profession."""


class NomenclatureSummary(Frozen):
    """A nomenclature in force: its label, how many codes it has, and since when."""

    system: str
    label: str
    version: str
    loaded_at: datetime
    active: int
    retired: int


class NomenclatureList(Frozen):
    """The codes of a nomenclature, or of those that concern a profession; retired ones last."""

    summary: NomenclatureSummary
    profession: ConceptRef | None
    codes: list[ConceptRef]


def _summary(row: Nomenclature, index: ConceptIndex, only: set[str] | None = None) -> NomenclatureSummary:
    entries = [one for one in index.by_system.get(row.system, []) if only is None or one.code in only]
    active = sum(one.active for one in entries)
    return NomenclatureSummary(
        system=row.system,
        label=NOMENCLATURES[row.system],
        version=row.version,
        loaded_at=row.loaded_at,
        active=active,
        retired=len(entries) - active,
    )


def _rules(profession: str) -> list[OfferRule]:
    return [rule for rule in by_profession() if rule.key == profession]


def _codes(system: str, profession: str) -> set[str]:
    rules = _rules(profession)
    if system == "J238":
        return {rule.type for rule in rules if rule.type}
    return {code for rule in rules for code in rule.activities}


async def professions(session: AsyncSession) -> list[ConceptRef]:
    """Return the professions that lists may be limited to, by label."""
    index = await concept_index(session)
    found: Iterable[ConceptRef | None] = (index.ref(f"G15|{key}") for key in {rule.key for rule in by_profession()})
    return sorted((one for one in found if one), key=lambda one: (one.label.casefold(), one.code))


async def _profession(session: AsyncSession, code: str | None) -> ConceptRef | None:
    if not code:
        return None
    found = next((one for one in await professions(session) if one.code == f"G15|{code}"), None)
    if found is None:
        message = f"La profession « {code[:20]} » n’a pas de liste à elle. Choisissez une profession de la page."
        raise InvalidInput(message, fields={"profession": message})
    return found


async def nomenclatures(session: AsyncSession, profession: str | None = None) -> list[NomenclatureSummary]:
    """Return the nomenclatures in force, in the order of the labels; with a profession, what concerns it.

    Raises:
        InvalidInput: no list is limited to that profession.
    """
    chosen = await _profession(session, profession)
    index = await concept_index(session)
    systems = BY_PROFESSION if chosen else tuple(NOMENCLATURES)
    rows = {
        row.system: row
        for row in await session.scalars(
            select(Nomenclature).where(Nomenclature.system.in_(systems)).order_by(Nomenclature.system)
        )
    }
    return [
        _summary(rows[system], index, _codes(system, profession) if chosen and profession else None)
        for system in systems
        if system in rows
    ]


async def nomenclature_list(session: AsyncSession, system: str, profession: str | None = None) -> NomenclatureList:
    """Return the codes of one nomenclature, by label; with a profession, those that concern it.

    Raises:
        NotFound: no such nomenclature in force.
        InvalidInput: this nomenclature, or that profession, has no limited list.
    """
    row = await session.get(Nomenclature, system) if system in NOMENCLATURES else None
    if row is None:
        raise NotFound(f"La nomenclature « {system[:20]} » n’existe pas dans le répertoire.")
    chosen = await _profession(session, profession)
    if chosen and system not in BY_PROFESSION:
        message = "Cette nomenclature n’est pas découpée par profession : demandez la liste entière."
        raise InvalidInput(message, fields={"profession": message})
    index = await concept_index(session)
    only = _codes(system, profession) if chosen and profession else None
    entries = [one for one in index.by_system.get(system, []) if only is None or one.code in only]
    ordered = sorted(entries, key=lambda one: (not one.active, one.label.casefold(), one.id))
    return NomenclatureList(summary=_summary(row, index, only), profession=chosen, codes=[one.out for one in ordered])
