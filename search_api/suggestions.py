"""« Qui, quoi ? » suggestions: codes by what they are called, practitioners and places by their names.

Inside a group the best comes first: what matches best (whole words before beginnings before mended words),
then what has most offers near. Groups are ordered by their best. A code without offers follows those that
have some, and shows 0.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import ConceptIndex, Offer, Practitioner, Role, Site, concept_index
from maps.api import place_by_id
from search_api.engine import NameHit, SearchEngine, SuggestArea, Term
from search_api.folding import stem, words
from search_api.labels import SUGGEST_GROUPS, SUGGEST_SYSTEMS
from search_api.lexicon import SHORTEST_TYPO, SYSTEMS, Lexicon, lexicon
from search_api.models import Token
from search_api.resolve import suggest_area
from search_api.schemas import Point, SuggestGroup, Suggestion, SuggestionGroup, WhereRef
from search_api.text import MAX_WORDS, meaningful, mended_names

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
) -> list[SuggestionGroup]:
    """Return the groups of suggestions of a text being typed.

    Raises:
        InvalidInput: a place does not exist.
    """
    area, area_name = suggest_area(where, point)
    said = meaningful(typed)[:MAX_WORDS]
    if not said:
        return []
    concepts = await concept_index(session)
    found = _codes(said, lexicon(concepts))
    names = await _name_terms(session, said)
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
    await _add_names(session, concepts, said, names, counted.names, area, ranked)
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


def _codes(said: Sequence[str], lex: Lexicon) -> dict[int, _Candidate]:
    """Return the codes whose label, or a synonym of them, holds every word typed; the last may be unfinished."""
    stems = [stem(word) for word in said]
    scored: dict[int, int] = {}
    for one in lex.exact(stems, SYSTEMS):
        scored[one] = WHOLE
    sets = [_beginning(word, stem(word), lex) for word in said]
    for one in frozenset.intersection(*sets):
        scored.setdefault(one, BEGINNING)
    if not scored:
        mended = [ids | _mended(word, lex) for word, ids in zip(said, sets, strict=True)]
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


def _mended(word: str, lex: Lexicon) -> frozenset[int]:
    found: frozenset[int] = frozenset()
    for other in lex.mended(word):
        found |= lex.exact([stem(other)], SYSTEMS)
    return found


async def _name_terms(session: AsyncSession, said: Sequence[str]) -> tuple[Term, ...]:
    """Return, for each word, the lexemes of names that it is, begins, or is one letter away from."""
    if max(len(word) for word in said) < SHORTEST_NAME:
        return ()
    terms = []
    for word in said:
        like = select(Token.token).where(Token.token.startswith(word, autoescape=True))
        rows = await session.scalars(
            like.order_by((Token.token == word).desc(), Token.offers.desc(), Token.token).limit(PREFIX_LEXEMES)
        )
        lexemes = set(rows)
        if not lexemes and len(word) >= SHORTEST_TYPO:
            lexemes = set(await mended_names(session, word))
        terms.append(Term(text=word, lexemes=(frozenset(lexemes | {word}),)))
    return tuple(terms)


async def _add_names(
    session: AsyncSession,
    concepts: ConceptIndex,
    said: Sequence[str],
    names: tuple[Term, ...],
    hits: Sequence[NameHit],
    area: SuggestArea,
    ranked: dict[SuggestGroup, list[tuple[tuple[object, ...], Suggestion]]],
) -> None:
    sites = {hit.id: hit.count for hit in hits if hit.kind == "site"}
    people = {hit.id: hit.count for hit in hits if hit.kind == "practitioner"}
    if sites:
        rows = await session.execute(
            select(Site.id, Site.uid, Site.name, Site.town, Site.commune_id, Site.category).where(Site.id.in_(sites))
        )
        for row in rows:
            if quality := _quality(row.name, names):
                place = place_by_id(row.commune_id) if row.commune_id else None
                category = concepts.label(f"R66|{row.category}") if row.category else None
                detail = " · ".join(part for part in (category, place.name if place else row.town) if part)
                number = sites[row.id]
                key = (number == 0, -quality, False, -number, len(row.name), row.name, row.id)
                suggestion = Suggestion(label=row.name, detail=detail or None, url=f"/sites/{row.uid}", count=number)
                ranked[SuggestGroup.establishments].append((key, suggestion))
    if people:
        first_offer = func.min(Offer.id)
        offers = dict(
            (
                await session.execute(
                    select(Role.practitioner_id, first_offer)
                    .join(Offer, Offer.role_id == Role.id)
                    .where(Role.practitioner_id.in_(people), Offer.closed_on.is_(None))
                    .group_by(Role.practitioner_id)
                )
            ).all()
        )
        rows = await session.execute(
            select(
                Practitioner.id,
                Practitioner.first_name,
                Practitioner.last_name,
                Practitioner.profession,
                Offer.uid,
                Site.town,
            )
            .select_from(Offer)
            .join(Role, Role.id == Offer.role_id)
            .join(Practitioner, Practitioner.id == Role.practitioner_id)
            .join(Site, Site.id == Offer.site_id)
            .where(Offer.id.in_(list(offers.values())))
        )
        for row in rows:
            name = f"{row.first_name} {row.last_name}"
            if quality := _quality(name, names):
                profession = concepts.label(f"G15|{row.profession}") if row.profession else None
                detail = " · ".join(part for part in (profession, row.town) if part)
                number = people[row.id]
                key = (number == 0, -quality, False, -number, len(name), name, row.id)
                suggestion = Suggestion(label=name, detail=detail or None, url=f"/offres/{row.uid}", count=number)
                ranked[SuggestGroup.practitioners].append((key, suggestion))


def _quality(name: str, names: tuple[Term, ...]) -> int:
    """Return how well a name meets the words typed, 0 when it does not."""
    own = words(name)
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
