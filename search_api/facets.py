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
    found = []
    for key, label in FACETS.items():
        ticked = {facet_ref(key, value) for value in query.facets.get(key, ())}
        counted = [
            (*_named(entry.ref, entry.label), count, entry.ref in ticked)
            for concept_id, count in counts.get(key, {}).items()
            for entry in (concepts.by_id[concept_id],)
        ]
        for ref in ticked - {concepts.by_id[concept_id].ref for concept_id in counts.get(key, {})} if ticked else ():
            name = concepts.label(ref) or _WORDS.get(ref.partition("|")[2], ref)
            counted.append((*_named(ref, name), 0, True))
        counted.sort(key=lambda v: (v[2], -v[4], v[3], v[0]))
        kept = counted[:MAX_VALUES] + [value for value in counted[MAX_VALUES:] if value[5]]
        values = [
            FacetValue(code=code, label=name, count=count, selected=selected)
            for code, name, _, _, count, selected in kept
        ]
        found.append(Facet(key=key, label=label, values=values))
    return found


@lru_cache(maxsize=16384)
def _named(ref: str, label: str) -> tuple[str, str, bool, str]:
    """Return how a value is called: its code, its label, whether it comes after our own, the text that orders it."""
    system, _, code = ref.partition("|")
    if system in ("AGE", "KIND"):
        label = _WORDS.get(code, label)
    else:
        code = ref
    return code, label, "|" in code, label.casefold()
