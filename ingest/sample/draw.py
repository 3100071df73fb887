"""Seeded draws that stay the same whatever the version of Python or numpy.

Only the raw 64-bit output of PCG64 is used: numpy promises it never changes, while its distributions may.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Draw:
    """A stream of draws named by a key, independent of every other key."""

    def __init__(self, *key: int | str) -> None:
        digest = hashlib.blake2b("|".join(str(part) for part in key).encode(), digest_size=16).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest, "big"))

    def uniform(self, size: int) -> Floats:
        """Draw `size` numbers in [0, 1)."""
        raw = np.asarray(self._bits.random_raw(size), dtype=np.uint64)
        return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def integers(self, size: int, high: int) -> Ints:
        """Draw `size` integers in [0, high)."""
        return (self.uniform(size) * high).astype(np.int64)

    def chance(self, size: int, probability: float) -> Bools:
        """Draw `size` booleans that are true with this probability."""
        return self.uniform(size) < probability

    def pick(self, weights: "NDArray[Any] | list[float]", size: int) -> Ints:
        """Draw `size` positions in `weights`, each in proportion to its weight."""
        sums = np.cumsum(np.asarray(weights, dtype=np.float64))
        found: Ints = np.searchsorted(sums, self.uniform(size) * sums[-1], side="right").astype(np.int64)
        return np.minimum(found, len(sums) - 1)

    def order(self, size: int) -> Ints:
        """Draw a permutation of 0 … size - 1."""
        return np.argsort(self.uniform(size), kind="stable").astype(np.int64)

    def normal(self, size: int) -> Floats:
        """Draw `size` numbers of the standard normal law (Box–Muller)."""
        radius = np.sqrt(-2.0 * np.log(1.0 - self.uniform(size)))
        return np.asarray(radius * np.cos(2.0 * np.pi * self.uniform(size)))

    def spread(self, expected: Floats) -> Ints:
        """Round each expected count up or down at random so that the mean is kept."""
        return np.floor(expected + self.uniform(len(expected))).astype(np.int64)
