"""« Qui, quoi ? » suggestions: codes by what they are called, practitioners and places by their names.

Inside a group the best comes first: what matches best (whole words before beginnings before mended words),
then what has most offers near. Groups are ordered by their best. A code without offers follows those that
have some, and shows 0.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import ConceptIndex, concept_index
from maps.api import place_by_id
from search_api.engine import NameHit, SearchEngine, Term
from search_api.folding import name_words, stem, words
from search_api.labels import SUGGEST_GROUPS, SUGGEST_SYSTEMS
from search_api.lexicon import SYSTEMS, Lexicon, lexicon
from search_api.name_cards import NameCard
from search_api.resolve import CONCEPTS_SECONDS, suggest_area
from search_api.schemas import Point, SuggestGroup, Suggestion, SuggestionGroup, WhereRef
from search_api.text import MAX_WORDS, meaningful
from search_api.words import Words, words_source

PER_GROUP = 6
CANDIDATES = 120
"""Codes whose offers are counted for one text."""
PREFIX_LEXEMES = 12
"""Names that a beginning stands for: the most frequent ones."""
SHORTEST_NAME = 3
"""Letters of a beginning of a name: two would stand for half the directory."""

WHOLE, BEGINNING, MENDED = 3, 2, 1


@dataclass(frozen=True, slots=True)
class _Candidate:
    quality: int
    first: bool
    length: int


async def suggest(
    session: AsyncSession,
    engine: SearchEngine,
    typed: str,
    where: tuple[WhereRef, ...],
    point: Point | None,
    level: int,
    *,
    within: tuple[WhereRef, ...] = (),
    zone: tuple[str, ...] = (),
) -> list[SuggestionGroup]:
    """Return the groups of suggestions of a text being typed.

    Raises:
        InvalidInput: a place does not exist.
    """
    area, area_name = suggest_area(where, point, within=within, zone=zone)
    said = meaningful(typed)[:MAX_WORDS]
    if not said:
        return []
    source = words_source()
    concepts = await concept_index(session, within=CONCEPTS_SECONDS if source.fresh else 0.0)
    found = codes(said, lexicon(concepts))
    names = await name_terms(session, source, said)
    counted = await engine.suggest(session, frozenset(found), names, area, level)
    ranked: dict[SuggestGroup, list[tuple[tuple[object, ...], Suggestion]]] = defaultdict(list)
    for one, candidate in found.items():
        entry = concepts.by_id[one]
        group = SUGGEST_SYSTEMS.get(entry.system)
        if group is None:
            continue
        number = counted.counts.get(one, 0)
        key = (number == 0, -candidate.quality, not candidate.first, -number, candidate.length, entry.label, entry.id)
        ranked[group].append((key, Suggestion(label=entry.label, detail=area_name, code=entry.ref, count=number)))
    cards = await source.cards(session, counted.names, level)
    _add_names(concepts, names, counted.names, cards, ranked)
    return _groups(ranked)


def _groups(ranked: dict[SuggestGroup, list[tuple[tuple[object, ...], Suggestion]]]) -> list[SuggestionGroup]:
    order = list(SUGGEST_GROUPS)
    groups = []
    for group, found in ranked.items():
        found.sort(key=lambda pair: pair[0])
        best = (*found[0][0][:4], order.index(group))
        groups.append(
            (best, SuggestionGroup(group=group, label=SUGGEST_GROUPS[group], items=[s for _, s in found[:PER_GROUP]]))
        )
    groups.sort(key=lambda pair: pair[0])
    return [group for _, group in groups]


def codes(said: Sequence[str], lex: Lexicon) -> dict[int, _Candidate]:
    """Return the codes whose label, or a synonym of them, holds every word typed; the last may be unfinished."""
    stems = [stem(word) for word in said]
    scored: dict[int, int] = {}
    for one in lex.exact(stems, SYSTEMS):
        scored[one] = WHOLE
    sets = [_beginning(word, stem(word), lex) for word in said]
    for one in frozenset.intersection(*sets):
        scored.setdefault(one, BEGINNING)
    if not scored:
        mended = [ids | _mended(lex.mended(word), lex) for word, ids in zip(said, sets, strict=True)]
        if not frozenset.intersection(*mended):
            # What is still being typed may hold an error too; whoever goes on typing reaches the whole word.
            mended[-1] |= _mended(lex.mended_beginnings(said[-1]), lex)
        for one in frozenset.intersection(*mended):
            scored[one] = MENDED
    kept = sorted(scored, key=lambda one: (-scored[one], len(lex.concepts.by_id[one].label), one))[:CANDIDATES]
    first = said[0]
    return {
        one: _Candidate(
            quality=scored[one],
            first=(words(lex.concepts.by_id[one].label) or [""])[0].startswith(first),
            length=len(lex.concepts.by_id[one].label),
        )
        for one in kept
    }


def _beginning(word: str, one: str, lex: Lexicon) -> frozenset[int]:
    found = set(lex.by_stem.get(one, frozenset()))
    for other in lex.stems_from(word):
        found |= lex.by_stem[other]
    for key, (ids, _) in lex.by_phrase.items():
        if len(key) == 1 and (key[0] == one or key[0].startswith(word)):
            found |= ids
    return frozenset(found)


def _mended(read_as: Sequence[str], lex: Lexicon) -> frozenset[int]:
    found: frozenset[int] = frozenset()
    for other in read_as:
        found |= lex.exact([stem(other)], SYSTEMS)
    return found


async def name_terms(session: AsyncSession, source: Words, said: Sequence[str]) -> tuple[Term, ...]:
    """Return, for each word, the lexemes of names that it is, begins, or is one letter away from."""
    if max(len(word) for word in said) < SHORTEST_NAME:
        return ()
    terms = []
    for word in said:
        lexemes = await source.beginning(session, word, PREFIX_LEXEMES) or await source.mended(session, word)
        terms.append(Term(text=word, lexemes=(frozenset([word, *lexemes]),)))
    return tuple(terms)


def _add_names(
    concepts: ConceptIndex,
    names: tuple[Term, ...],
    hits: Sequence[NameHit],
    cards: Sequence[NameCard],
    ranked: dict[SuggestGroup, list[tuple[tuple[object, ...], Suggestion]]],
) -> None:
    counts = {(hit.kind, hit.id): hit.count for hit in hits}
    found: dict[SuggestGroup, list[tuple[tuple[object, ...], NameCard]]] = defaultdict(list)
    for card in cards:
        if quality := _quality(card.label, names):
            number = counts[card.kind, card.id]
            key = (number == 0, -quality, False, -number, len(card.label), card.label, card.id)
            found[SuggestGroup.establishments if card.kind == "site" else SuggestGroup.practitioners].append(
                (key, card)
            )
    for group, some in found.items():
        some.sort(key=lambda pair: pair[0])
        ranked[group] += [
            (key, _suggested(concepts, card, counts[card.kind, card.id])) for key, card in some[:PER_GROUP]
        ]


def _suggested(concepts: ConceptIndex, card: NameCard, number: int) -> Suggestion:
    site = card.kind == "site"
    place = place_by_id(card.commune_id) if site and card.commune_id else None
    what = concepts.label(f"{'R66' if site else 'G15'}|{card.code}") if card.code else None
    detail = " · ".join(part for part in (what, place.name if place else card.town) if part)
    url = f"/sites/{card.uid}" if site else f"/offres/{card.uid}"
    return Suggestion(label=card.label, detail=detail or None, url=url, count=number)


def _quality(name: str, names: tuple[Term, ...]) -> int:
    """Return how well a name meets the words typed, 0 when it does not."""
    own = name_words(name)
    quality = WHOLE
    for term in names:
        if term.text in own:
            continue
        if any(word.startswith(term.text) for word in own):
            quality = min(quality, BEGINNING)
        elif not term.lexemes[0].isdisjoint(own):
            quality = MENDED
        else:
            return 0
    return quality
