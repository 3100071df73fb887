"""What a person typed, read once before the engine: codes, name lexemes, and the place that the text may hold.

Each word (or group of up to four words that one label or synonym holds together) becomes a `Term`; each term
must be met by a code of the offer or by the names of its site or practitioner. A word that nothing knows is
mended by one letter, else it meets nothing and the answer says which word it was.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import ConceptEntry, ConceptIndex
from maps.api import PlaceHit
from search_api.engine import Term
from search_api.folding import fold, stem, words
from search_api.lexicon import PHRASE, Lexicon, lexicon, scope_systems, synonyms
from search_api.schemas import ConceptOut, WhereRef
from search_api.text_places import find_place, mistyped_place, named_place, strange_words
from search_api.words import words_source

MAX_WORDS = 12
"""Words of a text that count; the rest is left out, a sentence says no more."""
NAMES_SCOPE = "noms"
_TYPED = re.compile(r"[^\W_]+")
_TITLES = frozenset({"G15", "R38"})
"""Nomenclatures that say what somebody is: professions, specialties."""
_CODE = re.compile(r"(?<!\S)([A-Za-z][A-Za-z0-9]{0,9})\|([A-Za-z0-9._-]{1,40})(?!\S)")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it was understood. `loose` reads each word on its own, for when `terms` finds nothing."""

    terms: tuple[Term, ...] = ()
    loose: tuple[Term, ...] = ()
    place: PlaceHit | None = None
    understood: tuple[ConceptOut, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass
class _Draft:
    terms: list[Term] = field(default_factory=list)
    understood: list[ConceptOut] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)
    """Words as they were typed, by folded word."""

    def as_typed(self, group: Sequence[str]) -> str:
        """Write some folded words as they were typed."""
        return " ".join(self.typed.get(word, word) for word in group)


async def read(
    session: AsyncSession, typed: str, scope: str | None, concepts: ConceptIndex, level: int, *, placed: bool
) -> Reading:
    """Read a free text.

    Args:
        session: unit of work, for the words of names.
        typed: cleaned text (`params.clean_text`).
        scope: one nomenclature, `noms`, or None for everything.
        concepts: nomenclatures in use.
        level: what the person may see: names that they may not find are unknown to them.
        placed: whether a place was chosen beside the text; then the text's own place is not looked for.
    """
    draft = _Draft(typed={fold(word): word for word in _TYPED.findall(typed)})
    rest = _take_codes(typed, concepts, draft)
    lex = lexicon(concepts)
    place: PlaceHit | None = None
    if not placed:
        place, rest = find_place(rest, lex)
        if place is not None:
            draft.understood.append(_place_said(place))
    said = meaningful(rest)[:MAX_WORDS]
    systems = scope_systems(scope) if scope != NAMES_SCOPE else frozenset[str]()
    names = scope is None or scope == NAMES_SCOPE
    groups = _groups(said, lex, systems)
    given = tuple(draft.terms)
    # Words that a code already reads need not be looked for among names.
    silent = [word for group in groups if len(group) > 1 or not lex.exact([stem(group[0])], systems) for word in group]
    known = await words_source().known(session, silent, level) if names else frozenset[str]()
    if not placed and place is None:
        place, rest = mistyped_place(rest, lex, strange_words(said, lex, known))
        if place is not None:
            said = meaningful(rest)[:MAX_WORDS]
            groups = _groups(said, lex, systems)
            draft.understood.append(_place_said(place))
    if not placed and place is None and said and not set(silent) <= known and not _read_by(groups, lex, systems):
        # Nothing but a town, typed in the wrong field.
        place = named_place(rest)
        if place is not None:
            said, groups = [], []
            draft.understood.append(_place_said(place))
    for group in groups:
        draft.terms.append(await _term(session, group, lex, systems, draft, names=names, known=known))
    loose: tuple[Term, ...] = ()
    if any(len(group) > 1 for group in groups):
        alone = _Draft(typed=draft.typed)
        apart = [await _term(session, [word], lex, systems, alone, names=names, known=known) for word in said]
        loose = (*given, *apart)
    return Reading(
        terms=tuple(draft.terms),
        loose=loose,
        place=place,
        understood=tuple(draft.understood),
        unknown=tuple(draft.unknown),
    )


def _place_said(place: PlaceHit) -> ConceptOut:
    return ConceptOut(code=place.ref, label=f"Lieu : {place.label}", matched=True)


def _read_by(groups: Sequence[Sequence[str]], lex: Lexicon, systems: frozenset[str]) -> bool:
    return any(lex.exact([stem(word) for word in group], systems) for group in groups)


def meaningful(typed: str) -> list[str]:
    """Return the words of a text that say something; all of them when none does."""
    said = words(typed)
    stop = synonyms().stop
    return [word for word in said if word not in stop] or said


def _take_codes(typed: str, concepts: ConceptIndex, draft: _Draft) -> str:
    for match in _CODE.finditer(typed):
        ref = f"{match[1].upper()}|{match[2]}"
        entry = concepts.by_ref.get(ref) or concepts.by_ref.get(f"{match[1].upper()}|{match[2].upper()}")
        ids = frozenset([entry.id]) if entry else frozenset[int]()
        draft.terms.append(Term(text=ref, codes=ids, primary=ids))
        if entry:
            draft.understood.append(ConceptOut(code=entry.ref, label=entry.label, matched=True))
        else:
            draft.unknown.append(ref)
    return _CODE.sub(" ", typed)


def _groups(said: Sequence[str], lex: Lexicon, systems: frozenset[str]) -> list[list[str]]:
    """Cut the words into the longest groups that one label or synonym holds together."""
    groups: list[list[str]] = []
    index = 0
    while index < len(said):
        for length in range(min(PHRASE, len(said) - index), 0, -1):
            group = list(said[index : index + length])
            stems = [stem(word) for word in group]
            if length == 1 or lex.exact(stems, systems) or lex.starting(group, systems):
                groups.append(group)
                index += length
                break
    return groups


async def _term(
    session: AsyncSession,
    group: Sequence[str],
    lex: Lexicon,
    systems: frozenset[str],
    draft: _Draft,
    *,
    names: bool,
    known: frozenset[str],
) -> Term:
    stems = [stem(word) for word in group]
    codes = lex.exact(stems, systems)
    lexemes = tuple(frozenset([word]) for word in group) if names else ()
    in_names = names and all(word in known for word in group)
    if not codes and not in_names:
        codes = lex.starting(group, systems)
    label = " ".join(group)
    if not codes and not in_names and len(group) == 1:
        codes, lexemes, label = await _mend(session, group[0], lex, systems, names=names)
        if label != group[0]:
            draft.understood.append(
                ConceptOut(code="", label=f"« {draft.as_typed(group)} » lu « {label} »", matched=True)
            )
        elif not codes:
            draft.unknown.append(draft.as_typed(group))
    if codes:
        _say(label.split(), codes, lex, draft)
    return Term(text=label, codes=codes, primary=lex.primary(codes), lexemes=lexemes)


def _say(group: Sequence[str], codes: frozenset[int], lex: Lexicon, draft: _Draft) -> None:
    """Add what a group of words was understood as, once: what it stands for, not one of the codes at random."""
    for one in _understood(group, codes, lex, draft):
        if one not in draft.understood:
            draft.understood.append(one)


def _understood(group: Sequence[str], codes: frozenset[int], lex: Lexicon, draft: _Draft) -> list[ConceptOut]:
    stems = [stem(word) for word in group]
    refs, _ = lex.known.codes.get(tuple(stems), ((), False))
    meant = [lex.concepts.by_id[one] for ref in refs if (one := lex.concepts.id(ref)) in codes and one is not None]
    if meant:
        # Whoever wrote the synonym put first what it means first; « psy » is a specialty and a profession.
        first = {entry.system: entry for entry in reversed(meant) if entry.system in _TITLES}
        chosen = [entry for entry in meant if first.get(entry.system) is entry] or meant[:1]
        return [ConceptOut(code=entry.ref, label=entry.label, matched=True) for entry in chosen]

    def closeness(entry: ConceptEntry) -> tuple[object, ...]:
        others = len([word for word in words(entry.label) if word not in synonyms().stop]) - len(group)
        return others > 0, entry.id not in lex.primary([entry.id]), others, entry.system, entry.code, entry.id

    entry = min((lex.concepts.by_id[one] for one in codes), key=closeness)
    if closeness(entry)[0] and len(codes) > 1:
        said = f"« {draft.as_typed(group)} »\u00a0: {len(codes)} codes, dont {entry.label}"
        return [ConceptOut(code="", label=said, matched=True)]
    return [ConceptOut(code=entry.ref, label=entry.label, matched=True)]


async def _mend(
    session: AsyncSession, word: str, lex: Lexicon, systems: frozenset[str], *, names: bool
) -> tuple[frozenset[int], tuple[frozenset[str], ...], str]:
    """Mend one letter of a word that nothing knows: codes, lexemes, and the word that it was read as."""
    codes: frozenset[int] = frozenset()
    read_as = word
    for other in lex.mended(word) if systems else []:
        found = lex.exact([stem(other)], systems)
        if found and not codes:
            read_as = other
        codes |= found
    near = await words_source().mended(session, word) if names else []
    if near and not codes:
        read_as = near[0]
    lexemes = (frozenset([word, *near]),) if names else ()
    return codes, lexemes, read_as


def place_ref(hit: PlaceHit) -> WhereRef:
    """Return the reference of a place, as `where` takes it."""
    kind, _, code = hit.ref.partition(":")
    return WhereRef(kind=kind, code=code or kind)
