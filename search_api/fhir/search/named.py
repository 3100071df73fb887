"""The codes of our nomenclatures that a token names, by their canonical systems or by their labels."""

from collections.abc import Iterable

from directory.api import ConceptEntry, ConceptIndex
from search_api.fhir.search.values import Token
from search_api.fhir.systems import LABELS, SYSTEMS
from search_api.folding import fold


def systems_of(systems: Iterable[str], token: Token) -> list[str]:
    """Return those of our systems that a token may mean."""
    return [one for one in systems if token.system is None or token.system == SYSTEMS[one]]


def entries(index: ConceptIndex, systems: Iterable[str], token: Token) -> list[ConceptEntry]:
    """Return the concepts that a token names; all those of its system when it names none."""
    wanted = systems_of(systems, token)
    if token.code is None:
        return [entry for system in wanted for entry in index.by_system.get(system, ())]
    found = (index.by_ref.get(f"{system}|{token.code}") for system in wanted)
    return [entry for entry in found if entry is not None]


def labelled(index: ConceptIndex, systems: Iterable[str], text: str) -> list[tuple[str, str]]:
    """Return the system and code of the concepts whose label begins with a text, whatever its case and accents."""
    start = fold(text)
    found = []
    for system in systems:
        labels = {entry.code: entry.label for entry in index.by_system.get(system, ())}
        labels = {**LABELS.get(system, {}), **labels}
        found += [(system, code) for code, label in labels.items() if fold(label).startswith(start)]
    return found
