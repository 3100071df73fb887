"""Words of the nomenclatures and of the synonyms file, in memory: from words to concepts, typing errors included."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from directory.api import ConceptIndex
from search_api.folding import fold, stem, words
from search_api.labels import FACET_SYSTEMS, SCOPES, SPECIALTY_SYSTEMS
from search_api.schemas import FacetKey
from search_api.settings import search_settings

log = structlog.get_logger("repere.search")

SYNONYMS = Path(__file__).with_name("synonyms.txt")

SYSTEMS = frozenset(["J16", "J17", "J18", "J19", "J29", "J33", "J35", "J238", "G15", "R338", "R66", *SPECIALTY_SYSTEMS])
"""Nomenclatures whose labels answer free text."""
PRIMARY = frozenset(["J238", "G15", "R66", *SPECIALTY_SYSTEMS])
"""Those that say what an offer is."""
PHRASE = 4
"""Words of the longest group that is read together."""
SHORTEST_PREFIX = 4
SHORTEST_TYPO = 4
SHORTEST_UNFINISHED = 6
"""Letters from which an unfinished word is mended: a shorter one is near the beginning of too many."""
MENDED = 5


def scope_systems(scope: str | None) -> frozenset[str]:
    """Return the nomenclatures in which a scope lets text be read; all of them without scope."""
    if scope is None:
        return SYSTEMS
    if scope == "R38":
        return frozenset(SPECIALTY_SYSTEMS)
    return frozenset([scope]) & frozenset(SCOPES)


@dataclass(frozen=True, slots=True)
class Synonyms:
    """The synonyms file: stems of a phrase → codes, and whether they replace the labels; words left out."""

    codes: dict[tuple[str, ...], tuple[tuple[str, ...], bool]]
    stop: frozenset[str]
    words: frozenset[str]


class SynonymsError(ValueError):
    """A line of the synonyms file cannot be read; the French message names it."""


def parse_synonyms(text: str) -> Synonyms:
    """Read the synonyms file.

    Raises:
        SynonymsError: a line is neither a comment, nor words left out, nor `words = codes`.
    """
    codes: dict[tuple[str, ...], tuple[tuple[str, ...], bool]] = {}
    stop: set[str] = set()
    single: set[str] = set()
    lines = [(number, raw.strip()) for number, raw in enumerate(text.splitlines(), 1)]
    for _, line in lines:
        if line.startswith("!"):
            stop.update(fold(part.strip()) for part in line[1:].split(","))
    for number, line in lines:
        if not line or line[0] in "#!":
            continue
        left, equals, right = line.partition("=")
        only = right.startswith("=")
        refs = tuple(part.strip() for part in right.lstrip("=").split(",") if part.strip())
        if not equals or not refs or not all("|" in ref for ref in refs):
            raise SynonymsError(f"Synonymes, ligne {number} : « mots = codes » est attendu.")
        for phrase in left.split(","):
            # The words left out are left out of questions too.
            said = [word for word in words(phrase) if word not in stop]
            key = tuple(stem(word) for word in said)
            if len(said) == 1:
                single.add(said[0])
            if key:
                known, was_only = codes.get(key, ((), False))
                codes[key] = (tuple(dict.fromkeys([*known, *refs])), only or was_only)
    return Synonyms(codes, frozenset(stop), frozenset(single))


class _File:
    stamp: tuple[str, int] | None = None
    read: Synonyms | None = None


def synonyms() -> Synonyms:
    """Return the synonyms, read again when the file changes; a change that cannot be read is logged and left out.

    Raises:
        SynonymsError: the file cannot be read and there is no former reading.
    """
    path = search_settings().synonyms or SYNONYMS
    stamp = (str(path), path.stat().st_mtime_ns)
    if _File.read is None or _File.stamp != stamp:
        try:
            _File.read = parse_synonyms(path.read_text(encoding="utf-8"))
        except SynonymsError as error:
            if _File.read is None:
                raise
            log.error("synonyms_unreadable", path=str(path), error=str(error))
        _File.stamp = stamp
    return _File.read


@dataclass
class Lexicon:
    """Concepts by the stems of their labels.

    `vocabulary` are the folded words that typing errors are mended to, by length: one error changes it by one at most.
    """

    concepts: ConceptIndex
    known: Synonyms
    by_stem: dict[str, frozenset[int]]
    by_phrase: dict[tuple[str, ...], tuple[frozenset[int], bool]]
    system: dict[int, str]
    facet_of: dict[int, FacetKey]
    vocabulary: dict[int, list[str]] = field(default_factory=dict)
    stems: list[str] = field(default_factory=list)
    beginnings: dict[int, dict[str, set[str]]] = field(default_factory=dict)

    def exact(self, stems: Sequence[str], systems: frozenset[str]) -> frozenset[int]:
        """Return the concepts that a phrase names: by synonym, and by labels that hold all of its words."""
        found, only = self.by_phrase.get(tuple(stems), (frozenset(), False))
        if not (only and found):
            found |= self.labelled(stems)
        return self.keep(found, systems)

    def labelled(self, stems: Iterable[str]) -> frozenset[int]:
        """Return the concepts whose label holds all of these stems."""
        sets = [self.by_stem.get(one, frozenset()) for one in stems]
        return frozenset.intersection(*sets) if sets else frozenset()

    def starting(self, stems: Sequence[str], systems: frozenset[str]) -> frozenset[int]:
        """Return the concepts whose label holds all of these words, each whole or by its beginning."""
        sets: list[frozenset[int]] = []
        for one in stems:
            known = self.by_stem.get(one, frozenset())
            if len(one) >= SHORTEST_PREFIX:
                known = known.union(*(self.by_stem[other] for other in self.stems_from(one)))
            sets.append(known)
        return self.keep(frozenset.intersection(*sets), systems) if sets else frozenset()

    def stems_from(self, beginning: str) -> list[str]:
        """Return the stems that begin so, in order."""
        start = bisect_left(self.stems, beginning)
        found = []
        for one in self.stems[start:]:
            if not one.startswith(beginning):
                break
            found.append(one)
        return found

    def mended(self, word: str) -> list[str]:
        """Return the known words at one typing error (a letter more, less, other, or two swapped)."""
        if len(word) < SHORTEST_TYPO or word.isdigit():
            return []
        found: dict[str, int] = {}
        for spelt in _spellings(word):
            lengths = range(len(spelt) - 1, len(spelt) + 2)
            alike = [other for length in lengths for other in self.vocabulary.get(length, ())]
            for other, errors, _ in extract(spelt, alike, scorer=OSA.distance, score_cutoff=1, limit=None):
                found[other] = min(errors, found.get(other, 1))
        return sorted(found, key=lambda other: (found[other], other))[:MENDED]

    def mended_beginnings(self, word: str) -> list[str]:
        """Return the known words of which an unfinished word is the beginning, at one typing error after its first."""
        if len(word) < SHORTEST_UNFINISHED or word.isdigit():
            return []
        found: set[str] = set()
        for spelt in _spellings(word):
            for length in range(len(spelt) - 1, len(spelt) + 2):
                begun = self._beginnings(length)
                for beginning, _, _ in extract(spelt, list(begun), scorer=OSA.distance, score_cutoff=1, limit=None):
                    if beginning[0] == spelt[0]:
                        found |= begun[beginning]
        return sorted(found)

    def _beginnings(self, length: int) -> dict[str, set[str]]:
        """Return the known words of at least so many letters by their beginning."""
        if length not in self.beginnings:
            begun: dict[str, set[str]] = defaultdict(set)
            for known, others in self.vocabulary.items():
                for other in others if known >= length else ():
                    begun[other[:length]].add(other)
            self.beginnings[length] = begun
        return self.beginnings[length]

    def keep(self, ids: Iterable[int], systems: frozenset[str]) -> frozenset[int]:
        """Keep the concepts of some nomenclatures; all when there is no scope, those of synonyms included."""
        if systems is SYSTEMS:
            return frozenset(ids)
        return frozenset(one for one in ids if self.system[one] in systems)

    def primary(self, ids: Iterable[int]) -> frozenset[int]:
        """Keep the concepts that say what an offer is."""
        return frozenset(one for one in ids if self.system[one] in PRIMARY)


def _spellings(word: str) -> set[str]:
    """Return a folded word as typed, and with the letters that sound alike in its place: « orthofoniste »."""
    return {word, word.replace("f", "ph"), word.replace("ph", "f")}


def build(concepts: ConceptIndex, known: Synonyms) -> Lexicon:
    """Build the lexicon of a set of concepts: a few thousand labels, some 20 ms."""
    by_stem: dict[str, set[int]] = defaultdict(set)
    vocabulary: set[str] = set(known.words)
    for system in sorted(SYSTEMS):
        for entry in concepts.by_system.get(system, []):
            for word in words(entry.label):
                if word not in known.stop:
                    vocabulary.add(word)
                    by_stem[stem(word)].add(entry.id)
    by_phrase: dict[tuple[str, ...], tuple[frozenset[int], bool]] = {}
    for key, (refs, only) in known.codes.items():
        ids = frozenset(found for ref in refs if (found := concepts.id(ref)) is not None)
        if ids:
            by_phrase[key] = (ids, only)
    by_length: dict[int, list[str]] = defaultdict(list)
    for word in vocabulary:
        if len(word) >= SHORTEST_TYPO and not word.isdigit():
            by_length[len(word)].append(word)
    return Lexicon(
        concepts=concepts,
        known=known,
        by_stem={key: frozenset(value) for key, value in by_stem.items()},
        by_phrase=by_phrase,
        system={entry.id: entry.system for entry in concepts.by_id.values()},
        facet_of={
            entry.id: key
            for key, systems in FACET_SYSTEMS.items()
            for system in systems
            for entry in concepts.by_system.get(system, [])
        },
        vocabulary=by_length,
        stems=sorted(by_stem),
    )


class _Cache:
    lexicon: Lexicon | None = None


def lexicon(concepts: ConceptIndex) -> Lexicon:
    """Return the process's lexicon, built again when the concepts or the synonyms were reloaded."""
    known = synonyms()
    if _Cache.lexicon is None or _Cache.lexicon.concepts is not concepts or _Cache.lexicon.known is not known:
        _Cache.lexicon = build(concepts, known)
    return _Cache.lexicon
