"""Sorted spellings and words of the places' names, in arrays: what « Où ? » looks a text up in."""

from array import array
from bisect import bisect_left
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from maps.gazetteer import QUARTERS, departements_of
from maps.schemas import KINDS
from maps.store import PlaceSet
from maps.text import LINKS, bare_name, normal_name

Rows = npt.NDArray[np.int32]

ALIASES = {
    ("commune", "91228"): ("evry",),
    ("region", "11"): ("idf",),
    ("region", "93"): ("paca",),
    ("region", "84"): ("aura",),
    ("region", "24"): ("cvl",),
    ("region", "27"): ("bfc",),
    ("departement", "971"): ("gwada",),
    ("departement", "974"): ("la reunion", "ile de la reunion"),
}
"""Usual short names that no source gives."""

_EPCI_TYPES = (
    ("communaute de communes", "cc"),
    ("communaute d agglomeration", "ca"),
    ("communaute urbaine", "cu"),
    ("metropole", "metropole"),
)
_EPCI_LINKS = ("de l ", "de la ", "du ", "des ", "de ", "d ", "le ", "la ", "les ", "l ")

# How many times less a place counts than a commune of the same population: people look for towns first.
_DISCOUNT = {"epci": 30.0, "departement": 20.0, "region": 20.0, "pays": 20.0, "code_postal": 2.0, "territory": 20.0}
SECOND_NAME = 0.6
"""What a match on another name than the official one loses, in tens of population."""

POSTAL_DIGITS = 5

_END = "\U0010ffff"
_KEPT_STARTS = 64


def weight_of(kind: str, population: int) -> float:
    """Return how likely a place is to be meant: the decimal logarithm of its (discounted) population."""
    return float(np.log10(population / _DISCOUNT.get(kind, 1.0) + 10.0))


class Lexicon:
    """Spellings without spaces, sorted, and words with the rows of the places that have them."""

    def __init__(self, places: PlaceSet) -> None:
        self.places = places
        self.weights = np.array(
            [weight_of(k, p) for k, p in zip(places.kinds, places.populations, strict=True)], dtype=np.float32
        )
        numbers = {kind: n for n, kind in enumerate(KINDS)}
        self.kinds = np.array([numbers[kind] for kind in places.kinds], dtype=np.int8)
        self._departements = {code: n for n, code in enumerate(places.by_code.get("departement", {}), 1)}
        self._departement_of = np.array([self._departements.get(d or "", 0) for d in places.departements], np.int16)
        hidden = self._hidden()
        spellings: list[tuple[str, int, bool]] = []
        words: dict[str, list[int]] = defaultdict(list)
        for row in range(len(places)):
            if row in hidden or places.kinds[row] == "code_postal":
                continue
            seen = set()
            tokens: set[str] = set()
            for spelling, official in self._spellings(row):
                compact = spelling.replace(" ", "")
                tokens.update(spelling.split())
                if compact not in seen:
                    seen.add(compact)
                    spellings.append((compact, row, official))
            for token in tokens:
                words[token].append(row)
        owned = {compact for compact, _, _ in spellings}
        for name, row in self._quarters():
            if name.replace(" ", "") not in owned:
                spellings.append((name.replace(" ", ""), row, True))
                for token in name.split():
                    words[token].append(row)
        spellings.sort(key=lambda s: s[0])
        self.spellings = [s for s, _, _ in spellings]
        self.spelling_rows: Rows = np.array([r for _, r, _ in spellings], dtype=np.int32)
        self.spelling_weights = self.weights[self.spelling_rows] - np.array(
            [0.0 if official else SECOND_NAME for _, _, official in spellings], dtype=np.float32
        )
        self.words = sorted(words)
        self._offsets = array("I", accumulate((len(words[w]) for w in self.words), initial=0))
        self._postings: Rows = np.concatenate([np.array(words[w], dtype=np.int32) for w in self.words] or [_NO_ROWS])
        self._by_length: dict[int, list[str]] = defaultdict(list)
        self._by_initial: dict[tuple[str, int], list[str]] = defaultdict(list)
        for word in self.words:
            if len(word) > 2 and not word.isdigit():
                self._by_length[len(word)].append(word)
                self._by_initial[word[0], len(word)].append(word)
        self._starts: OrderedDict[tuple[str, int], list[str]] = OrderedDict()
        self.postal = sorted(places.by_code.get("code_postal", {}).keys() | places.by_postal.keys())
        self.insee = sorted(places.by_code.get("commune", {}).keys() | places.by_code.get("arrondissement", {}).keys())

    def _hidden(self) -> set[int]:
        """Rows of delegated communes that bear the code of the commune that absorbed them, name and all."""
        whole = self.places.by_code.get("commune", {})
        return {row for code, row in self.places.by_code.get("commune_deleguee", {}).items() if code in whole}

    def _quarters(self) -> Iterator[tuple[str, int]]:
        """Names that people give to where they work or land, and the communes where most of it lies."""
        for quarter, code in QUARTERS.items():
            row = self.places.by_code.get("commune", {}).get(code)
            if row is not None:
                yield from ((name, row) for name in dict.fromkeys((quarter, bare_name(quarter))))

    def _spellings(self, row: int) -> Iterator[tuple[str, bool]]:
        places = self.places
        kind, name = places.kinds[row], normal_name(places.names[row])
        yield name, True
        bare = bare_name(name)
        if bare != name:
            yield bare, True
        if kind == "arrondissement":
            town, _, rest = name.partition(" ")
            number = rest.partition(" ")[0].removesuffix("er").removesuffix("e")
            yield f"{town} {number}", True
            yield f"{number}e arrondissement {town}", False
            yield f"{town} {number}eme", False
        elif kind == "epci":
            for long, short in _EPCI_TYPES:
                if name.startswith(long + " "):
                    rest = name[len(long) + 1 :]
                    for link in _EPCI_LINKS:
                        if rest.startswith(link):
                            rest = rest[len(link) :]
                            break
                    yield rest, False
                    yield f"{short} {rest}", False
                    break
        elif kind == "territory":
            yield normal_name(places.codes[row]), False
        for alias in ALIASES.get((kind, places.codes[row]), ()):
            yield alias, True

    def prefix(self, compact: str) -> tuple[int, int]:
        """Return the range of the spellings that start so."""
        return _range(self.spellings, compact)

    def equal_end(self, start: int, end: int, compact: str) -> int:
        """Return where the spellings equal to the text end, in a range that starts with them."""
        stop = start
        while stop < end and self.spellings[stop] == compact:
            stop += 1
        return stop

    def rows_of_word(self, word: str) -> Rows:
        """Return the rows whose names have this word."""
        at = bisect_left(self.words, word)
        if at == len(self.words) or self.words[at] != word:
            return _NO_ROWS
        return self._postings[self._offsets[at] : self._offsets[at + 1]]

    def rows_of_start(self, start: str) -> Rows:
        """Return the rows whose names have a word that starts so."""
        low, high = _range(self.words, start)
        found: Rows = np.unique(self._postings[self._offsets[low] : self._offsets[high]])
        return found

    def words_about(self, length: int, more_or_less: int, initial: str | None = None) -> list[str]:
        """Return the words of about this length, all or those with this first letter."""
        found: list[str] = []
        for size in range(length - more_or_less, length + more_or_less + 1):
            if initial is None:
                found += self._by_length.get(size, ())
            else:
                found += self._by_initial.get((initial, size), ())
        return found

    def starts(self, initial: str, length: int) -> list[str]:
        """Return what the longer words with this first letter start with, cut to this length."""
        key = (initial, length)
        found = self._starts.get(key)
        if found is None:
            low, high = _range(self.words, initial)
            found = sorted({word[:length] for word in self.words[low:high] if len(word) > length})
            self._starts[key] = found
            if len(self._starts) > _KEPT_STARTS:
                self._starts.popitem(last=False)
        return found

    def postal_range(self, digits: str) -> list[str]:
        """Return the postal codes that start so."""
        low, high = _range(self.postal, digits)
        return self.postal[low:high]

    def insee_range(self, start: str) -> list[str]:
        """Return the INSEE codes of today's communes that start so."""
        low, high = _range(self.insee, start)
        return self.insee[low:high]

    def rows_of_number(self, text: str) -> Rows | None:
        """Return the rows of communes that a number beside a name means: a département, the start of a postal code.

        Five digits that no town has are those of a CEDEX, somewhere in their département. None when the text is no
        such number.
        """
        found: set[int] = set()
        for code in self.postal_range(text) if len(text) > 1 else ():
            found.update(self.places.by_postal.get(code, ()))
        codes = [text.upper()] if found or len(text) < POSTAL_DIGITS else departements_of(text)
        for number in filter(None, map(self._departements.get, codes)):
            found.update(np.flatnonzero(self._departement_of == number).tolist())
        return np.array(sorted(found), dtype=np.int32) if found else None


_NO_ROWS: Rows = np.empty(0, dtype=np.int32)


def _range(values: list[str], start: str) -> tuple[int, int]:
    return bisect_left(values, start), bisect_left(values, start + _END)


def content_words(words: list[str]) -> list[str]:
    """Return the words that carry meaning, all of them when none does."""
    return [word for word in words if word not in LINKS] or words
