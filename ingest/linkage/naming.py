"""How far two surnames or two first names agree."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from ingest.linkage.encoding import EMPTY, Ints

Levels = npt.NDArray[np.int8]


class NameLevel(IntEnum):
    """Agreement of a surname or a first name; HEAD: two first names of which only the first agrees."""

    EQUAL = 0
    PART = 1
    CLOSE = 2
    SWAPPED = 3
    INITIAL = 4
    HEAD = 5
    MISSING = 6
    DIFFERENT = 7


COMPOUND_HEADS = frozenset(("JEAN", "MARIE", "ANNE", "PIERRE"))
"""First names that others follow to make another one: Jean-Luc is not Jean-Pierre."""


def close_words(left: list[str], right: list[str]) -> npt.NDArray[np.bool_]:
    """One slip of the pen, or all but alike for a long word."""
    if not left:
        return np.zeros(0, dtype=np.bool_)
    slips = process.cpdist(left, right, scorer=OSA.distance, score_cutoff=2, dtype=np.int16, workers=2)
    alike = process.cpdist(left, right, scorer=JaroWinkler.similarity, dtype=np.float32, workers=2)
    shorter = np.minimum([len(w) for w in left], [len(w) for w in right])
    return ((slips <= 1) & (shorter >= 4)) | ((slips <= 2) & (shorter >= 8)) | ((alike >= 0.95) & (shorter >= 6))


def name_levels(
    left: Ints, right: Ints, glued: list[str], words: list[tuple[str, ...]], *, compound: bool = False
) -> Levels:
    """Level of each pair of dictionary codes; only distinct unequal pairs are compared as texts.

    A slip in one part of a double surname is a slip. In `compound` names (first names) another second part makes
    another name, however close: Jean-Luc is not Jean-Lou.
    """
    level = np.where(left == right, NameLevel.EQUAL, NameLevel.DIFFERENT).astype(np.int8)
    unequal = np.flatnonzero(left != right)
    level[(left == EMPTY) | (right == EMPTY)] = NameLevel.MISSING
    if not len(unequal):
        return level
    width = len(glued)
    values, inverse = np.unique(left[unequal].astype(np.int64) * width + right[unequal], return_inverse=True)
    ones, others = (values // width).tolist(), (values % width).tolist()
    close = close_words([glued[i] for i in ones], [glued[j] for j in others])
    found = np.where(close, NameLevel.CLOSE, NameLevel.DIFFERENT).astype(np.int8)
    plain = np.array([len(w) == 1 and len(g) > 1 for w, g in zip(words, glued, strict=True)])
    for k in np.flatnonzero(~(plain[values // width] & plain[values % width])).tolist():
        i, j = ones[k], others[k]
        found[k] = _text_level(glued[i], glued[j], words[i], words[j], close=bool(close[k]), compound=compound)
    level[unequal] = found[inverse]
    return level


def _text_level(
    p: str, q: str, one: tuple[str, ...], other: tuple[str, ...], *, close: bool, compound: bool
) -> NameLevel:
    if not p or not q:
        return NameLevel.MISSING
    if p == q:
        return NameLevel.EQUAL
    if len(one) > 1 or len(other) > 1:
        left, right = set(one), set(other)
        if left == right:
            return NameLevel.EQUAL
        shorter = min(left, right, key=len)
        if shorter <= left and shorter <= right and any(len(w) > 2 for w in shorter):
            return NameLevel.PART
        if close and not compound:
            return NameLevel.CLOSE
        if one[0] == other[0] and len(one[0]) > 2 and one[0] not in COMPOUND_HEADS:
            return NameLevel.HEAD
    if close:
        return NameLevel.CLOSE
    if len(p) == 1 or len(q) == 1:
        return NameLevel.INITIAL if p[0] == q[0] else NameLevel.DIFFERENT
    initials = "".join(w[0] for w in one), "".join(w[0] for w in other)
    if (len(other) > 1 and p == initials[1]) or (len(one) > 1 and q == initials[0]):
        return NameLevel.INITIAL
    return NameLevel.DIFFERENT
