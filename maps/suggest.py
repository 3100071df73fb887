"""« Où ? »: places that answer what a person types, in process.

The cheapest strategies come first, and dearer ones run only while nothing convincing was found: codes, the
start of a name, its words in any order, then typing errors. A place's rank is the quality of the match and the
logarithm of its population, so that a hamlet's exact name does not hide the city that begins with it.
"""

import re
import threading
from collections.abc import Collection, Iterable

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from maps import store
from maps.lexicon import Lexicon, Rows, content_words
from maps.schemas import KINDS, REF_NAMES, PlaceHit
from maps.text import fold, normal_name

MAX_TEXT = 100
"""Characters of the text that are looked at."""
_MOST = 48
"""Candidates kept by each strategy."""

# What a match is worth, in tens of population: an exact name is worth twenty times the inhabitants.
EXACT = 1.3
WHOLE_WORDS = 0.4
BEGINNING = 0.0
WORDS = -0.9
ONE_ERROR = -1.6
TWO_ERRORS = -2.6
CONVINCING = 4.6
"""Worth from which typing errors are not looked for: a town of 40,000 whose name begins so."""

_SCORES = ((EXACT, 100), (WHOLE_WORDS, 95), (BEGINNING, 90), (WORDS, 80), (ONE_ERROR, 70), (TWO_ERRORS, 60))

_CODE = re.compile(r"^(?:\d{1,9}|2[ab]\d{0,3})$")
_NUMBER = re.compile(r"^(?:\d{2,5}|2[ab])$")
_SHORT = {"mt": "mont", "mts": "monts", "ch": "chateau", "chat": "chateau", "vil": "ville", "villen": "villeneuve"}
_KIND_ORDER = {kind: order for order, kind in enumerate(KINDS)}


class _Current:
    lexicon: Lexicon | None = None
    lock = threading.Lock()


def lexicon() -> Lexicon:
    """Return the lexicon of the places in use, made again when these change."""
    places = store.current()
    found = _Current.lexicon
    if found is None or found.places is not places:
        with _Current.lock:
            found = _Current.lexicon
            if found is None or found.places is not places:
                found = _Current.lexicon = Lexicon(places)
    return found


def warm() -> None:
    """Build what suggestions need."""
    lexicon()


def suggest(
    text: str, limit: int = 10, kinds: Collection[str] | None = None, within: Collection[int] | None = None
) -> list[PlaceHit]:
    """Return the places that answer a text, best first. See `maps.api.suggest`."""
    if limit <= 0:
        return []
    names = lexicon()
    wanted = None
    if kinds is not None:
        numbers = [_KIND_ORDER[k] for kind in kinds if (k := REF_NAMES.get(kind, kind)) in _KIND_ORDER]
        wanted = np.isin(names.kinds, numbers)
    if within is not None:
        inside = np.isin(names.places.ids, list(store.inside_any(names.places, within)))
        wanted = inside if wanted is None else wanted & inside
    return _Search(names, text[:MAX_TEXT], wanted).run(limit)


class _Search:
    """One text looked up in a lexicon: the best worth of each row, and by which kind of match."""

    def __init__(self, names: Lexicon, text: str, wanted: "np.ndarray[tuple[int], np.dtype[np.bool_]] | None") -> None:
        self.names = names
        self.places = names.places
        self.wanted = wanted
        self.found: dict[int, tuple[float, float]] = {}
        self.likes: dict[str, list[tuple[str, int]]] = {}
        self.text = normal_name(text)
        raw = " ".join(re.sub(r"[^a-z0-9]+", " ", fold(text)).split())
        # An unfinished "st" may be a saint or the start of Strasbourg.
        self.readings = [self.text] if raw == self.text else [self.text, raw]
        words = [_SHORT.get(word, word) for word in self.text.split()]
        if words != self.text.split():
            self.readings.append(" ".join(words))

    def run(self, limit: int) -> list[PlaceHit]:
        """Run the strategies in order and return the best places."""
        if not self.text:
            return []
        compact = self.text.replace(" ", "")
        if _CODE.match(compact):
            hits = self._codes(compact, limit)
            if hits:
                return hits
        for reading in self.readings:
            self._beginning(reading)
        if len(self.found) < limit and self._best() < CONVINCING:
            self._numbered()
            for reading in self.readings:
                self._words(reading.split())
        # What a short text begins is often small by chance ("lile"); a long one that begins a name is that name.
        if len(compact) >= 4 and (not self.found or (len(compact) <= 5 and self._best() < CONVINCING)):
            for reading in {self.readings[0], self.readings[-1]}:
                self._errors(reading)
        return self._ranked(limit)

    def _best(self) -> float:
        return max((worth for worth, _ in self.found.values()), default=-9.0)

    def _keep(self, row: int, worth: float, match: float) -> None:
        if self.wanted is not None and not self.wanted[row]:
            return
        known = self.found.get(row)
        if known is None or worth > known[0]:
            self.found[row] = (worth, match)

    def _keep_rows(self, rows: Rows, match: float) -> None:
        if self.wanted is not None:
            rows = rows[self.wanted[rows]]
        if rows.size > _MOST:
            rows = rows[np.argpartition(-self.names.weights[rows], _MOST)[:_MOST]]
        for row in rows.tolist():
            self._keep(row, float(self.names.weights[row]) + match, match)

    # -- Names -----------------------------------------------------------------------------------------------

    def _beginning(self, reading: str) -> None:
        names = self.names
        compact = reading.replace(" ", "")
        start, end = names.prefix(compact)
        exact = names.equal_end(start, end, compact)
        for at in range(start, exact):
            self._keep(int(names.spelling_rows[at]), float(names.spelling_weights[at]) + EXACT, EXACT)
        weights = names.spelling_weights[exact:end]
        chosen: Iterable[int] = range(exact, end)
        if self.wanted is not None:
            allowed = np.flatnonzero(self.wanted[names.spelling_rows[exact:end]])
            weights, chosen = weights[allowed], (allowed + exact).tolist()
        if weights.size > _MOST:
            best = np.argpartition(-weights, _MOST)[:_MOST]
            index = np.fromiter(chosen, dtype=np.int64)
            chosen = index[best].tolist()
        for at in chosen:
            row = int(names.spelling_rows[at])
            match = WHOLE_WORDS if self._ends_on_a_word(row, reading) else BEGINNING
            self._keep(row, float(names.spelling_weights[at]) + match, match)

    def _ends_on_a_word(self, row: int, reading: str) -> bool:
        name = normal_name(self.places.names[row])
        return f" {name} ".find(f" {reading} ") >= 0

    def _words(self, words: list[str]) -> None:
        # The last word may be unfinished: even "s" says something of it.
        words = [*content_words(words[:-1]), words[-1]] if len(words) > 1 else words
        if len(words) == 1 and len(words[0]) < 3:
            return
        rows = self.names.rows_of_start(words[-1])
        for word in words[:-1]:
            if not rows.size:
                return
            rows = np.intersect1d(rows, self.names.rows_of_word(word))
        if rows.size:
            self._keep_rows(rows, WORDS)

    def _numbered(self) -> None:
        """Read "mantes 78", "78200 mantes" or "saint denis 974": a name inside a département or postal code."""
        words = self.text.split()
        numbers = [word for word in words if _NUMBER.match(word)]
        rest = [word for word in words if word not in numbers]
        if len(numbers) != 1 or not rest:
            return
        inside = self.names.rows_of_number(numbers[0])
        if inside is None:
            return
        inner = _Search(self.names, " ".join(rest), None)
        mask = np.zeros(len(self.places), dtype=np.bool_)
        mask[inside] = True
        inner.wanted = mask if self.wanted is None else mask & self.wanted
        for reading in inner.readings:
            inner._beginning(reading)
            inner._words(reading.split())
        if not inner.found and len(inner.text) >= 4:
            inner._errors(inner.text)
        for row, (worth, match) in inner.found.items():
            self._keep(row, worth + EXACT, max(match, WORDS))

    # -- Typing errors ---------------------------------------------------------------------------------------

    def _errors(self, reading: str) -> None:
        words = content_words(reading.split())
        # Words that exist are taken as they are at first: most texts hold one error, in one word.
        for trusting in (True, False):
            choices = [self._near(word, last=at == len(words) - 1, trusting=trusting) for at, word in enumerate(words)]
            least = sum(min((errors for errors, _ in near), default=9) for near in choices)
            if least <= 2:
                for budget, match in ((1, ONE_ERROR), (2, TWO_ERRORS)):
                    if least <= budget:
                        self._keep_rows(self._together(choices, budget), match)
            if self.found or len(words) == 1:
                break
        self._whole(reading.replace(" ", ""))

    def _near(self, word: str, *, last: bool, trusting: bool) -> list[tuple[int, Rows]]:
        """Return, by number of errors, the rows of the words that the written one may stand for."""
        near: dict[int, list[Rows]] = {}
        exact = self.names.rows_of_start(word) if last else self.names.rows_of_word(word)
        if exact.size:
            near[0] = [exact]
            if trusting and len(self.text) > len(word):
                return [(0, exact)]
        allowed = _allowed(word)
        if allowed:
            for other, errors in self._spelled_like(word, allowed):
                near.setdefault(errors, []).append(self.names.rows_of_word(other))
            if last and len(word) >= 5:
                starts = self.names.starts(word[0], len(word))
                for other, errors, _ in process.extract(word, starts, scorer=OSA.distance, score_cutoff=1, limit=8):
                    if errors:
                        near.setdefault(int(errors), []).append(self.names.rows_of_start(other))
        return [(errors, np.unique(np.concatenate(rows))) for errors, rows in sorted(near.items())]

    def _spelled_like(self, word: str, allowed: int) -> list[tuple[str, int]]:
        """Return the known words within so many errors; those that keep the first letter, if any."""
        held = self.likes.get(word)
        if held is not None:
            return held
        found: list[tuple[str, int]] = []
        for initial in (word[0], None):
            spellings = self.names.words_about(len(word), allowed, initial)
            close = process.extract(word, spellings, scorer=OSA.distance, score_cutoff=allowed, limit=24)
            found = [(other, int(errors)) for other, errors, _ in close if errors]
            if found:
                break
        self.likes[word] = found
        return found

    def _together(self, choices: list[list[tuple[int, Rows]]], budget: int) -> Rows:
        """Return the rows that have all the words, with at most so many errors in all."""
        states: dict[int, Rows] = {0: np.empty(0, dtype=np.int32)}
        for at, near in enumerate(choices):
            following: dict[int, list[Rows]] = {}
            for spent, rows in states.items():
                for errors, candidates in near:
                    if spent + errors <= budget:
                        kept = candidates if at == 0 else np.intersect1d(rows, candidates)
                        if kept.size:
                            following.setdefault(spent + errors, []).append(kept)
            states = {spent: np.unique(np.concatenate(rows)) for spent, rows in following.items()}
        return np.unique(np.concatenate(list(states.values()) or [np.empty(0, dtype=np.int32)]))

    def _whole(self, compact: str) -> None:
        """Compare with whole names without spaces that begin alike: words run together or cut apart."""
        names = self.names
        if len(compact) < 6:
            return
        start, end = names.prefix(compact[:2])
        window = names.spellings[start:end]
        allowed = 1 if len(compact) < 9 else 2
        for _, errors, at in process.extract(compact, window, scorer=OSA.distance, score_cutoff=allowed, limit=12):
            match = EXACT if not errors else ONE_ERROR if errors == 1 else TWO_ERRORS
            bonus = 0.5 if errors else 0.0
            row = int(names.spelling_rows[start + at])
            self._keep(row, float(names.spelling_weights[start + at]) + match + bonus, match)

    # -- Codes -----------------------------------------------------------------------------------------------

    def _codes(self, text: str, limit: int) -> list[PlaceHit]:
        places = self.places
        code = text.upper()
        first: list[int] = []
        for kind in ("departement", "code_postal", "epci"):
            row = places.by_code.get(kind, {}).get(code)
            if row is not None:
                first.append(row)
        served = [r for r in places.by_postal.get(code, ()) if places.kinds[r] != "commune_deleguee"]
        if served:
            # Of five digits a postal code is meant more often than the INSEE code that looks the same.
            first.append(max(served, key=lambda r: (places.populations[r], -places.ids[r])))
        for kind in ("commune", "arrondissement"):
            row = places.by_code.get(kind, {}).get(code)
            if row is not None and row not in first:
                first.append(row)
        if not first:
            row = places.find("commune", code)
            if row is not None:
                first.append(row)
        if code == "20":
            first += [r for c in ("2A", "2B") if (r := places.by_code.get("departement", {}).get(c)) is not None]
        found: set[int] = set()
        if code.isdigit() and len(code) <= 5:
            for postal in self.names.postal_range(code):
                found.update(places.by_postal.get(postal, ()))
                row = places.by_code.get("code_postal", {}).get(postal)
                if row is not None:
                    found.add(row)
            if len(code) == 1:
                found.update(r for c, r in places.by_code.get("departement", {}).items() if c.startswith(code))
        found = {r for r in found if places.kinds[r] != "commune_deleguee"}
        if not found and len(code) >= 3:
            found.update(r for c in self.names.insee_range(code) if (r := places.find("commune", c)) is not None)
        order = sorted(found - set(first), key=lambda r: (-self.names.weights[r], self._order(r), places.ids[r]))
        rows = [r for r in [*first, *order] if self.wanted is None or self.wanted[r]]
        return [places.hit(r, 100 if r in first else 90) for r in rows[:limit]]

    # -- Order -----------------------------------------------------------------------------------------------

    def _order(self, row: int) -> int:
        return _KIND_ORDER[self.places.kinds[row]]

    def _ranked(self, limit: int) -> list[PlaceHit]:
        places = self.places
        order = sorted(
            self.found,
            key=lambda r: (-round(self.found[r][0], 4), self._order(r), -places.populations[r], places.ids[r]),
        )
        exact = next((r for r in order if self.found[r][1] == EXACT), None)
        if exact is not None and order.index(exact) > 1:
            order.remove(exact)
            order.insert(1, exact)
        return [places.hit(row, _score(self.found[row][1])) for row in order[:limit]]


def _allowed(word: str) -> int:
    """Return how many typing errors a word of this length may hold."""
    if len(word) < 4 or word.isdigit():
        return 0
    return 1 if len(word) < 7 else 2


def _score(match: float) -> int:
    return next((score for least, score in _SCORES if match >= least), 50)
