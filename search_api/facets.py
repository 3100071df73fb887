"""Facets as pages and API show them: counted values, most frequent first, ticked ones always there."""

from collections.abc import Mapping

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
        values: dict[str, FacetValue] = {}
        for concept_id, count in counts.get(key, {}).items():
            entry = concepts.by_id[concept_id]
            values[entry.ref] = _value(entry.ref, entry.label, count, selected=entry.ref in ticked)
        for ref in ticked - values.keys():
            name = concepts.label(ref) or _WORDS.get(ref.partition("|")[2], ref)
            values[ref] = _value(ref, name, 0, selected=True)
        ordered = sorted(values.values(), key=lambda v: ("|" in v.code, -v.count, v.label.casefold(), v.code))
        kept = ordered[:MAX_VALUES] + [value for value in ordered[MAX_VALUES:] if value.selected]
        found.append(Facet(key=key, label=label, values=kept))
    return found


def _value(ref: str, label: str, count: int, *, selected: bool) -> FacetValue:
    system, _, code = ref.partition("|")
    ours = system in ("AGE", "KIND")
    return FacetValue(
        code=code if ours else ref, label=_WORDS.get(code, label) if ours else label, count=count, selected=selected
    )
