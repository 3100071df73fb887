"""Reading of the index of texts: words by beginning or with one letter wrong, practitioners and sites by name."""

import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import tantivy
from rapidfuzz.distance import OSA

from search_api.engine import PUBLIC, NameHit, Term
from search_api.name_cards import NameCard
from search_api.texts import folder as files
from search_api.texts.schema import (
    KEY,
    KINDS,
    ODD,
    OPENING,
    OPENING_LETTERS,
    ORDER,
    PLACES,
    PRO,
    RANK,
    STATE,
    WORD,
    WORDS,
    entity_key,
    from_order,
    from_rank,
    levels,
    schema,
    shown,
)

log = structlog.get_logger("repere.search")

RELOAD_SECONDS = 1.0
IDLE_SECONDS = 2.0
"""Since when a version was not looked for that may be too old for one more answer."""
NEAR_WORDS = 400
"""Words at one error that are compared: a short word has hundreds of them."""

FEW = 64

Query = tantivy.Query
_MUST, _SHOULD = tantivy.Occur.Must, tantivy.Occur.Should


@dataclass(frozen=True, slots=True)
class _Opened:
    """One version in use. `stamp` changes with every commit."""

    index: tantivy.Index
    version: Path
    stamp: tuple[int, int]
    position: int


class TextReader:
    """Answers from the index of texts of a folder; any thread may ask.

    Nothing is kept in the process but what tantivy maps. Commits and new builds are seen within a second, without
    anyone asking; what cannot be read leaves the former version in use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._looked = float("-inf")
        self._refused: str | None = None
        self.reload()

    @property
    def ready(self) -> bool:
        """Whether there is an index to answer from."""
        return self._current() is not None

    @property
    def position(self) -> int | None:
        """The last event that answers take into account; None when there is no index."""
        opened = self._current()
        return opened.position if opened else None

    def reload(self) -> None:
        """Look for a new commit or a new build; two small files are looked at when there is none."""
        with self._lock:
            self._looked = time.monotonic()
            self._opened = self._look(self._opened)

    def _current(self) -> _Opened | None:
        """Return the version in use, looked for again once a second."""
        since = time.monotonic() - self._looked
        if since >= IDLE_SECONDS:
            self.reload()
        elif since >= RELOAD_SECONDS:
            self._looked = time.monotonic()
            # Opening what a merge wrote takes a tenth of a second: where questions follow one another, none waits.
            threading.Thread(target=self.reload, name="texts-reload", daemon=True).start()
        return self._opened

    def _look(self, former: _Opened | None) -> _Opened | None:
        version = files.current(self._folder)
        if version is None:
            # Removed by the operator, or never built; a damaged pointer beside a version in use changes nothing.
            return former if (self._folder / files.CURRENT).is_file() else None
        try:
            meta = (version / "meta.json").stat()
            stamp = (meta.st_mtime_ns, meta.st_ino)
            if former is not None and (former.version, former.stamp) == (version, stamp):
                return former
            if former is not None and former.version == version:
                index = former.index
            else:
                index = tantivy.Index.open(str(version))
                index.config_reader("manual")
            index.reload()
            opened = _Opened(index, version, stamp, _position(index.searcher()))
        except (OSError, ValueError) as error:
            # Told once for each cause: this is looked at every second.
            if self._refused != str(error):
                self._refused = str(error)
                log.error("texts_unreadable", folder=str(self._folder), error=str(error))
            return former
        self._refused = None
        return opened

    def _searcher(self) -> tantivy.Searcher | None:
        opened = self._current()
        return opened.index.searcher() if opened else None

    def known(self, words: Collection[str], level: int) -> frozenset[str]:
        """Return which words are words of names that a person of this level may find."""
        searcher = self._searcher()
        if searcher is None or not words:
            return frozenset()
        listed = sorted(set(words))
        fields = (WORD, ODD) if level <= PUBLIC else WORDS
        query = _any([_one_of(field, listed) for field in fields])
        return frozenset(word for word, _ in _words(searcher, query, len(listed)))

    def mended(self, word: str) -> list[str]:
        """Return the public words at one typing error of a word, the most frequent first."""
        searcher = self._searcher()
        if searcher is None:
            return []
        query = Query.fuzzy_term_query(schema(), WORD, word, 1, True)
        near = _words(searcher, query, NEAR_WORDS)
        return [other for other, _ in near if OSA.distance(word, other, score_cutoff=1) <= 1]

    def beginning(self, prefix: str, limit: int) -> list[str]:
        """Return the public words that begin so: the one that is whole, then the most frequent first."""
        searcher = self._searcher()
        if searcher is None or not (prefix.isascii() and prefix.isalnum()):
            return []
        if len(prefix) <= OPENING_LETTERS:
            query = _term(OPENING, prefix)
        else:
            # No letter wrong: half the time of a regular expression.
            query = Query.fuzzy_term_query(schema(), WORD, prefix, 0, True, True)
        found = [word for word, _ in _words(searcher, query, limit)]
        if prefix not in found and _words(searcher, _term(WORD, prefix), 1):
            found = [prefix, *found[: limit - 1]]
        return sorted(found, key=lambda word: word != prefix)

    def names(
        self, terms: Sequence[Term], level: int, limit: int, inside: Collection[int] = frozenset()
    ) -> list[NameHit]:
        """Return the practitioners, then the sites, whose own names meet every term: `limit` of each at most.

        Those whose names hold the words themselves come first, then those with most offers, then the smallest id.

        Args:
            terms: what was typed; each set of lexemes must be met by one of its members.
            level: what the person may see; the numbers are of the offers that it lets find.
            limit: how many of each kind.
            inside: place ids (`SuggestArea.boundaries`), one of which must hold an offer; anywhere without them.
        """
        searcher = self._searcher()
        words = [word for term in terms for word in term.lexemes]
        if searcher is None or not words or not all(words):
            return []
        whole = [_whole(term.text, word) for term in terms for word in term.lexemes]
        hits: list[NameHit] = []
        for kind in KINDS:
            found: dict[int, NameHit] = {}
            for tried in [whole, words] if whole != words else [words]:
                if len(found) < limit:
                    near = _inside(inside, level)
                    query = _any([_named(kind + end, tried, near) for end in levels(level)])
                    # Those that hold the words themselves are found again among the others.
                    order = ORDER if level <= PUBLIC else ORDER + PRO
                    for key, _ in searcher.search(query, limit + len(found), count=False, order_by_field=order).hits:
                        offers, one = from_order(key)
                        found.setdefault(one, NameHit(kind, one, offers))
            hits += list(found.values())[:limit]
        return hits

    def cards(self, hits: Collection[NameHit], level: int) -> list[NameCard]:
        """Return what is shown of practitioners and sites, in no order; those that may not be seen are left out."""
        searcher = self._searcher()
        if searcher is None or not hits:
            return []
        query = _one_of(KEY, [entity_key(hit.kind, hit.id) for hit in hits])
        cards = []
        for _, address in searcher.search(query, len(hits), count=False).hits:
            kept: list[Any] = shown(searcher.doc(address))
            *card, public, _ = kept
            if public or level > PUBLIC:
                cards.append(NameCard(*card))
        return cards


def _position(searcher: tantivy.Searcher) -> int:
    hits = searcher.search(_term(KEY, STATE), 1, count=False).hits
    if not hits:
        raise ValueError("l’index ne dit pas où il en est")
    return int(str(shown(searcher.doc(hits[0][1]))[0]))


def _words(searcher: tantivy.Searcher, query: tantivy.Query, limit: int) -> list[tuple[str, int]]:
    """Return the words of a query and their offers; the sort key holds both, no document is read."""
    hits = searcher.search(query, limit, count=False, order_by_field=RANK, order=tantivy.Order.Asc).hits
    return [from_rank(rank) for rank, _ in hits]


def _whole(text: str, word: frozenset[str]) -> frozenset[str]:
    return frozenset([text]) if text in word else word


def _named(field: str, words: Sequence[Collection[str]], near: Sequence[tantivy.Query]) -> tantivy.Query:
    parts = [_one_of(field, sorted(word)) for word in words]
    return Query.boolean_query([(_MUST, part) for part in (*parts, *near)])


def _inside(places: Collection[int], level: int) -> list[tantivy.Query]:
    """Return the condition of place that a person of this level may set: none, or one."""
    if not places:
        return []
    listed = [str(place) for place in sorted(places)]
    return [_any([_one_of(PLACES + end, listed) for end in levels(level)])]


def _term(field: str, value: str) -> tantivy.Query:
    return Query.term_query(schema(), field, value, "basic")


def _one_of(field: str, values: Sequence[str]) -> tantivy.Query:
    """Any of these terms: few are walked side by side, many are gathered first."""
    if len(values) > FEW:
        return Query.term_set_query(schema(), field, values)
    return _any([_term(field, value) for value in values])


def _any(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    return queries[0] if len(queries) == 1 else Query.boolean_query([(_SHOULD, one) for one in queries])
