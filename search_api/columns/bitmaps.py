"""Sets of rows as roaring bitmaps: many of them in one file, each read when it is first asked for."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

Array = npt.NDArray[Any]

KEPT = 256
"""Bitmaps that a process keeps read; one of a million rows weighs 160 kB at most."""


def bitmap(rows: Array) -> BitMap:
    """Return the set of some row numbers, given in any order."""
    # The constructor reads an array of its own type at once, and a numpy one value by value.
    return BitMap(array("I", rows.astype(np.uint32).tobytes()))


def members(found: BitMap) -> Array:
    """Return the rows of a set, increasing."""
    return np.frombuffer(found.to_array(), np.uint32).astype(np.int64) if found else np.empty(0, np.int64)


def firsts(values: Array) -> Array:
    """Return where each run of equal values begins."""
    return np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1]))) if len(values) else np.empty(0, np.int64)


def stable_order(keys: Array) -> Array:
    """Return the order that sorts non-negative numbers, equal ones as they came.

    Sixteen bits at a time: numpy sorts those by counting, several times faster than by comparing.
    """
    order = np.argsort((keys & 0xFFFF).astype(np.uint16), kind="stable")
    shift, largest = 16, int(keys.max()) if len(keys) else 0
    while largest >> shift:
        digits = (keys >> shift & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(digits[order], kind="stable")]
        shift += 16
    return order


def packed(keys: Array, rows: Array) -> dict[str, Array]:
    """Return the arrays of a `Bitmaps`: for each distinct key, the set of the rows that stand beside it."""
    order = stable_order(keys)
    keys, rows = keys[order], rows[order].astype(np.uint32)
    starts = firsts(keys)
    distinct, edges = keys[starts], np.append(starts, len(keys))
    parts = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        found = BitMap(array("I", rows[low:high].tobytes()))
        found.run_optimize()
        parts.append(found.serialize())
    offsets = np.concatenate(([0], np.cumsum([len(part) for part in parts], dtype=np.int64)))
    return {
        "keys": distinct.astype(np.int64),
        "offsets": offsets.astype(np.int64),
        "sizes": np.diff(edges).astype(np.int64),
        "data": np.frombuffer(b"".join(parts), np.uint8),
    }


class Bitmaps:
    """Sets by key, over arrays that may be mapped from a file. Sets that are returned must not be changed."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        self._keys, self._offsets = arrays["keys"], arrays["offsets"]
        self._sizes, self._data = arrays["sizes"], arrays["data"]
        self._kept: dict[int, BitMap] = {}

    def _index(self, key: int) -> int | None:
        found = bisect_left(self._keys, key)
        return found if found < len(self._keys) and self._keys[found] == key else None

    def size(self, key: int) -> int:
        """Return how many rows a key has, without reading them."""
        found = self._index(key)
        return 0 if found is None else int(self._sizes[found])

    def get(self, key: int) -> BitMap:
        """Return the rows of a key; none when it is unknown."""
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        found = self._index(key)
        if found is None:
            return BitMap()
        low, high = int(self._offsets[found]), int(self._offsets[found + 1])
        read = BitMap.deserialize(self._data[low:high].tobytes())
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[key] = read
        return read

    def any_of(self, keys: Iterable[int]) -> BitMap:
        """Return the rows that have at least one of the keys."""
        sets = [found for key in keys if (found := self.get(key))]
        if len(sets) == 1:
            return sets[0]
        return BitMap.union(*sets) if sets else BitMap()

    def between(self, low: int, high: int) -> BitMap:
        """Return the rows that have at least one key from `low` to `high`, both included."""
        keys = self._keys[bisect_left(self._keys, low) : bisect_left(self._keys, high + 1)]
        return self.any_of(keys.tolist())


def runs(bounds: Sequence[tuple[int, int]]) -> BitMap:
    """Return the set of the rows low … high - 1 of each pair."""
    found = BitMap()
    for low, high in bounds:
        if low < high:
            found.add_range(low, high)
    return found
