"""Streets written otherwise than in the address base, inside one commune."""

from collections import defaultdict
from collections.abc import Sequence

from rapidfuzz import fuzz, process

CLOSE = 88
"""Likeness (0–100) from which two spellings are the same street."""
_OTHER_TYPE = 0.9
_SHORTENED = 0.88
_LEAD = 3


def nearest_streets(written: Sequence[str], known: Sequence[str]) -> dict[str, tuple[str, float]]:
    """Return, for each key that has one, the known key that it must mean, and how alike they are (0–1).

    In order: the same name under another type ("rue" for "avenue") when only one street bears it; a name
    cut short or lengthened by a title ("rue paul bert", "rue docteur paul bert"); a near spelling. Two
    candidates as good as each other give nothing.
    """
    by_name: dict[str, set[str]] = defaultdict(set)
    by_last: dict[str, list[tuple[frozenset[str], str]]] = defaultdict(list)
    for key in known:
        kind, _, name = key.partition(" ")
        by_name[name or kind].add(key)
        words = (name or kind).split()
        by_last[words[-1]].append((frozenset(words), key))
    found = {}
    for key in written:
        answer = _same_name(key, by_name) or _same_words(key, by_last) or _alike(key, known)
        if answer is not None:
            found[key] = answer
    return found


def _same_name(key: str, by_name: dict[str, set[str]]) -> tuple[str, float] | None:
    kind, _, name = key.partition(" ")
    # A street written without its type is a name whole.
    for candidate in (name, key) if name else (kind,):
        streets = by_name.get(candidate, set())
        if len(streets) == 1 and len(candidate) >= 3 and not candidate.isdigit():
            return next(iter(streets)), _OTHER_TYPE
    return None


def _same_words(key: str, by_last: dict[str, list[tuple[frozenset[str], str]]]) -> tuple[str, float] | None:
    kind, _, name = key.partition(" ")
    words = frozenset((name or kind).split())
    last = (name or kind).split()[-1]
    if len(last) < 4:
        return None
    near = {
        street
        for known, street in by_last.get(last, ())
        if (known <= words or words <= known) and (street.split(" ", 1)[0] == kind or len(words) > 1)
    }
    return (next(iter(near)), _SHORTENED) if len(near) == 1 else None


def _alike(key: str, known: Sequence[str]) -> tuple[str, float] | None:
    close = process.extract(key, known, scorer=fuzz.ratio, score_cutoff=CLOSE, limit=2)
    if not close:
        return None
    if len(close) > 1 and close[0][0] != close[1][0] and close[0][1] - close[1][1] < _LEAD:
        return None
    street, likeness, _ = close[0]
    # A number in the name is the name: "8 mai" is not "5 mai".
    if [w for w in key.split() if w.isdigit()] != [w for w in street.split() if w.isdigit()]:
        return None
    return street, likeness / 100
