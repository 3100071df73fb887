"""Concepts in the process: ids, codes and labels, reloaded when a nomenclature changes."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import InvalidInput
from directory.models import Concept, Nomenclature
from directory.schemas_base import ConceptRef

AGE_SYSTEM = "AGE"
KIND_SYSTEM = "KIND"


@dataclass(frozen=True, slots=True)
class ConceptEntry:
    """One concept: database id, system, code, present label, whether still in use."""

    id: int
    system: str
    code: str
    label: str
    active: bool

    @property
    def ref(self) -> str:
        """The code as people and programs write it: `J17|195`."""
        return f"{self.system}|{self.code}"

    @property
    def out(self) -> ConceptRef:
        """The concept as sheets show it."""
        return ConceptRef(code=self.ref, label=self.label, active=self.active)


@dataclass(frozen=True, eq=False)
class ConceptIndex:
    """All concepts of the directory, immutable; about 4,000 entries with the official files.

    Compared by identity, so that what is worked out of one may be kept beside it.
    """

    stamp: tuple[int, datetime | None]
    by_id: dict[int, ConceptEntry]
    by_ref: dict[str, ConceptEntry]
    by_system: dict[str, list[ConceptEntry]] = field(default_factory=dict)

    def id(self, ref: str) -> int | None:
        """Return the id of `system|code`, or None when unknown."""
        entry = self.by_ref.get(ref)
        return entry.id if entry else None

    def label(self, ref: str) -> str | None:
        """Return the label of `system|code`, or None when unknown."""
        entry = self.by_ref.get(ref)
        return entry.label if entry else None

    def out(self, ids: Iterable[int | None]) -> list[ConceptRef]:
        """Return the concepts of ids, ordered by label; unknown ids are left out."""
        found = [self.by_id[i] for i in ids if i is not None and i in self.by_id]
        return [entry.out for entry in sorted(found, key=lambda e: (e.label.casefold(), e.id))]

    def one(self, concept_id: int | None) -> ConceptRef | None:
        """Return one concept, or None."""
        entry = self.by_id.get(concept_id) if concept_id is not None else None
        return entry.out if entry else None

    def ref(self, ref: str | None) -> ConceptRef | None:
        """Return the concept of `system|code`; a code that no nomenclature knows is shown bare."""
        if not ref:
            return None
        entry = self.by_ref.get(ref)
        return entry.out if entry else ConceptRef(code=ref, label=ref.partition("|")[2])

    def codes(self, system: str) -> dict[str, ConceptRef]:
        """Return the concepts of a system by code."""
        return {entry.code: entry.out for entry in self.by_system.get(system, [])}

    def ids(self, refs: Iterable[str], system: str, field_name: str) -> list[int]:
        """Return the ids of active codes of one system, each once, in the order given.

        Raises:
            InvalidInput: a code is unknown, retired or of another system; the message names it.
        """
        ids: dict[int, None] = {}
        for ref in refs:
            entry = self.by_ref.get(ref)
            if entry is None or entry.system != system or not entry.active:
                message = f"Le code « {ref} » n’existe pas dans la nomenclature {system}."
                raise InvalidInput(message, fields={field_name: message})
            ids[entry.id] = None
        return list(ids)


class _Cache:
    index: ConceptIndex | None = None
    looked: float = 0.0


async def concept_index(session: AsyncSession, *, within: float = 0.0) -> ConceptIndex:
    """Return the process's concepts, read again when a nomenclature was loaded since (one light query to know).

    Args:
        session: unit of work.
        within: seconds during which the last look still serves, for what is asked hundreds of times a second.
    """
    if _Cache.index is not None and time.monotonic() - _Cache.looked < within:
        return _Cache.index
    row = (await session.execute(select(func.count(), func.max(Nomenclature.loaded_at)))).one()
    _Cache.looked = time.monotonic()
    stamp = (int(row[0]), row[1])
    if _Cache.index is not None and _Cache.index.stamp == stamp:
        return _Cache.index
    rows = await session.execute(
        select(Concept.id, Concept.system, Concept.code, Concept.label, Concept.active).order_by(Concept.id)
    )
    entries = [ConceptEntry(*row) for row in rows]
    by_system: dict[str, list[ConceptEntry]] = {}
    for entry in entries:
        by_system.setdefault(entry.system, []).append(entry)
    _Cache.index = ConceptIndex(
        stamp=stamp,
        by_id={e.id: e for e in entries},
        by_ref={e.ref: e for e in entries},
        by_system=by_system,
    )
    return _Cache.index
