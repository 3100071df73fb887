"""Codes as FHIR writes them, made once for each nomenclature in force and shared by all the resources of a process."""

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from directory.api import ConceptIndex
from search_api.fhir.systems import LABELS, ROR, SYSTEMS, UNKNOWN

Json = dict[str, Any]


class Codes:
    """Codings and CodeableConcepts of a concept index, with their labels.

    What it returns is shared: whoever wants to change a part of a resource copies it first.
    """

    def __init__(self, index: ConceptIndex) -> None:
        self._index = index
        self._by_id: dict[int, Json | None] = {}
        self._by_code: dict[tuple[str, str], Json] = {}
        self._acts: dict[tuple[int, str], Json | None] = {}
        self._levels: dict[tuple[str, int], Json] = {}

    def concept(self, concept_id: int | None) -> Json | None:
        """Return the CodeableConcept of an internal id, or None."""
        if concept_id is None:
            return None
        found = self._by_id.get(concept_id)
        if found is None and concept_id not in self._by_id:
            entry = self._index.by_id.get(concept_id)
            found = self._by_id[concept_id] = None if entry is None else self.code(entry.system, entry.code)
        return found

    def concepts(self, ids: Iterable[int]) -> list[Json]:
        """Return the CodeableConcepts of internal ids, in their order; unknown ids are left out."""
        return [found for one in ids if (found := self.concept(one)) is not None]

    def code(self, system: str, code: str) -> Json:
        """Return the CodeableConcept of a code of a system of ours; one that no nomenclature knows has no label."""
        found = self._by_code.get((system, code))
        if found is None:
            coding = {"system": SYSTEMS[system], "code": code}
            label = self._index.label(f"{system}|{code}") or LABELS.get(system, {}).get(code)
            if label:
                coding["display"] = label
            found = self._by_code[system, code] = {"coding": [coding]}
        return found

    def known(self, system: str, code: str | None) -> Json:
        """Return the CodeableConcept of a code, or what stands for a value that nobody gave."""
        return self.code(system, code) if code else dict(UNKNOWN)

    def act(self, concept_id: int, kind: str) -> Json | None:
        """Return an act (J16) told to be done at the practice or elsewhere: `specificAct` or `outsideOfficeAct`."""
        key = (concept_id, kind)
        if key not in self._acts:
            found = self.concept(concept_id)
            mark = {"extension": [{"url": ROR + "ror-act-type", "valueCode": kind}]}
            self._acts[key] = None if found is None else mark | found
        return self._acts[key]

    def extension(self, name: str, system: str, code: str) -> Json:
        """Return an extension of the ROR whose value is a code."""
        return {"url": ROR + name, "valueCodeableConcept": self.code(system, code)}

    def level(self, name: str, level: int) -> Json:
        """Return a level of confidentiality (R283), as the extension of that name."""
        found = self._levels.get((name, level))
        if found is None:
            found = self._levels[name, level] = self.extension(name, "R283", str(level))
        return found


_MADE: WeakKeyDictionary[ConceptIndex, Codes] = WeakKeyDictionary()


def codes_of(index: ConceptIndex) -> Codes:
    """Return the codes of a concept index, made once."""
    found = _MADE.get(index)
    if found is None:
        found = _MADE[index] = Codes(index)
    return found
