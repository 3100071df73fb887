"""What an index holds at one moment: the segments, the rows that died in them, the last event taken in."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from search_api.columns.batch import Batch
from search_api.columns.build import segment_arrays
from search_api.columns.part import Part
from search_api.columns.segment import Segment

PARTS = 8
"""Segments beside the base from which the small ones are made into one: each costs every query a little."""


class Kept:
    """The last answers of a state that do not depend on the page: a commune limits nothing, so towns share them."""

    most: Final = 64

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> Any | None:
        """Return what was kept under a key, None when nothing was."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def keep(self, key: Hashable, value: Any) -> None:
        """Keep a value, and forget the one that was least asked for."""
        with self._lock:
            self._values[key] = value
            while len(self._values) > self.most:
                self._values.popitem(last=False)


@dataclass(frozen=True, slots=True)
class State:
    """An index at one moment; the first part is the base. Never changed: a new state shares the parts that stay."""

    parts: tuple[Part, ...]
    position: int
    snapshot: str
    kept: Kept = field(default_factory=Kept)

    @classmethod
    def of(cls, base: Segment, position: int, snapshot: str) -> "State":
        """Return the state of a snapshot alone."""
        return cls((Part(base),), position, snapshot)

    def at(self, position: int) -> "State":
        """Return the same index once events that change nothing here were heard."""
        return State(self.parts, position, self.snapshot, self.kept)

    def sites_of_offers(self, offers: Collection[int]) -> set[int]:
        """Return the ids of the sites where offers stand in this index."""
        found: set[int] = set()
        for part in self.parts:
            found |= part.segment.site_ids_of_offers(offers)
        return found

    @property
    def digest(self) -> int:
        """64 bits that stand for every row: two processes that hold the same index tell the same number."""
        return sum(part.digest for part in self.parts) & ((1 << 64) - 1)

    @property
    def offers(self) -> int:
        """How many rows live in the index."""
        return sum(part.alive for part in self.parts)

    @property
    def crowded(self) -> bool:
        """Whether the small segments had better be made into one."""
        return len(self.parts) > PARTS

    def patched(self, sites: Collection[int], batch: Batch, position: int) -> "State":
        """Return the index once some sites are as a batch says: all of their rows, none for a site that is gone."""
        parts = [self.parts[0].without(sites)]
        parts += [kept for part in self.parts[1:] if (kept := part.without(sites)).alive]
        if len(batch):
            parts.append(Part(Segment(segment_arrays(batch))))
        return State(tuple(parts), position, self.snapshot)
