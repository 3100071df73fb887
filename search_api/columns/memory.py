"""How a process that answers from columns holds the memory of its computations."""

import ctypes
from typing import Final

# Names and numbers of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT: Final = 64 * 2**20
"""Bytes that a heap keeps for the next answer."""
_LARGEST: Final = 32 * 2**20
"""Bytes of the largest block that comes from a heap; glibc takes no more."""
_HEAPS: Final = 2


def keep_blocks() -> None:
    """Have the blocks of an answer serve the next one.

    A search over the country makes some twenty arrays of a megabyte and drops them. By itself the C library takes
    each from the kernel and gives it back, and the pages, which come one by one, cost more than the computation. Few
    heaps bound what is kept. Nothing happens where the library is another.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        for what, value in ((_ARENA_MAX, _HEAPS), (_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _KEPT)):
            adjust(what, value)
