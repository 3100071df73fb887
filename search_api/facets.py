"""Facets as pages and API show them: counted values, most frequent first, ticked ones always there."""

from collections.abc import Mapping
from functools import lru_cache

from directory.api import ConceptIndex
from search_api.labels import AGE_BANDS, FACETS, KINDS
from search_api.resolve import facet_ref
from search_api.schemas import Facet, FacetKey, FacetValue, SearchQuery

MAX_VALUES = 200
"""Values of a facet; the nomenclature of activities alone has more than five hundred."""
_WORDS = {**AGE_BANDS, **KINDS}


def facets_out(counts: Mapping[FacetKey, Mapping[int, int]], query: SearchQuery, concepts: ConceptIndex) -> list[Facet]:
    """Return every facet in its fixed order, age bands before publics; a ticked value stays with 0."""
    names = _names(concepts)
    found = []
    for key, label in FACETS.items():
        ticked = {facet_ref(key, value) for value in query.facets.get(key, ())}
        counted: list[tuple[bool, int, str, str, str, str]] = []
        for concept_id, count in counts.get(key, {}).items():
            name = names.get(concept_id)
            if name is None:
                entry = concepts.by_id[concept_id]
                name = names[concept_id] = _named(entry.ref, entry.label)
            ours, folded, code, shown, ref = name
            counted.append((ours, -count, folded, code, shown, ref))
        for ref in ticked.difference(value[5] for value in counted):
            ours, folded, code, shown, _ = _named(ref, concepts.label(ref) or _WORDS.get(ref.partition("|")[2], ref))
            counted.append((ours, 0, folded, code, shown, ref))
        counted.sort()
        kept = counted[:MAX_VALUES] + [value for value in counted[MAX_VALUES:] if value[5] in ticked]
        values = [
            FacetValue(code=code, label=shown, count=-fewer, selected=ref in ticked)
            for _, fewer, _, code, shown, ref in kept
        ]
        found.append(Facet(key=key, label=label, values=values))
    return found


@lru_cache(maxsize=2)
def _names(concepts: ConceptIndex) -> dict[int, tuple[bool, str, str, str, str]]:
    """Return what is known of how the concepts of an index are called, by id."""
    return {}


def _named(ref: str, label: str) -> tuple[bool, str, str, str, str]:
    """Return how a value is called: whether it comes after our own, the text that orders it, its code, its label."""
    system, _, code = ref.partition("|")
    if system in ("AGE", "KIND"):
        label = _WORDS.get(code, label)
    else:
        code = ref
    return "|" in code, label.casefold(), code, label, ref
