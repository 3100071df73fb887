"""Files that the application makes: named by the hash of their content, under `REPERE_HOME/files` (or `REPERE_FILES`).

A file is written beside its place, forced to the disk and renamed; only then may a row name it. So a row never
names a file that is missing or cut, and the same content is kept once. Files have no address of their own: a route
that checks who asks reads them.
"""

import hashlib
import os
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from core.settings import core_settings

GRACE_SECONDS: Final = 3600.0
"""A file younger than this is never discarded: the row that names it may not be committed yet."""

UNFINISHED: Final = ".unfinished-"
UNFINISHED_SECONDS: Final = 86_400.0
"""How a content that is still being written is named, and how long nothing was written when its process is dead."""


def _folder() -> Path:
    settings = core_settings()
    return (settings.files or settings.home / "files").absolute()


def path_of(digest: str) -> Path:
    """Return where the content of this hash lies, whether it is there or not.

    Raises:
        ValueError: not a hash of ours.
    """
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ValueError(digest)
    return _folder() / digest[:2] / digest


def put(content: bytes) -> str:
    """Keep a content and return its hash; blocking, so call it in a thread from a page."""
    digest = hashlib.sha256(content).hexdigest()
    target = path_of(digest)
    try:
        # The content is already there: made young again, so that nothing discards it meanwhile.
        os.utime(target)
        return digest
    except FileNotFoundError:
        pass
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync(target.parent)
    return digest


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Writing:
    """A content too large for the memory, written piece by piece and kept under its hash at the end; blocking.

    Used as a context: what was not kept when the block ends is removed.
    """

    def __init__(self) -> None:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=UNFINISHED)
        self._file = os.fdopen(handle, "wb", buffering=1 << 20)
        self._path = Path(name)
        self._hash = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Add a piece at the end."""
        self._hash.update(piece)
        self._file.write(piece)
        self.size += len(piece)

    def keep(self) -> str:
        """Force the content to the disk, keep it, and return its hash."""
        self._file.flush()
        os.fsync(self._file.fileno())
        digest = self._hash.hexdigest()
        target = path_of(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        # The same content may be there already: then this one takes its place, as young as it must be.
        self._path.replace(target)
        _sync(target.parent)
        return digest


def sweep(*, grace: float = UNFINISHED_SECONDS) -> int:
    """Remove the contents whose writing was broken off by the end of its process; return how many."""
    removed = 0
    for path in _folder().glob(f"{UNFINISHED}*"):
        try:
            if time.time() - path.stat().st_mtime >= grace:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue
    return removed


def read(digest: str) -> bytes:
    """Return a content; blocking.

    Raises:
        FileNotFoundError: it is not there, or no longer.
    """
    return path_of(digest).read_bytes()


def discard(digest: str, *, grace: float = GRACE_SECONDS) -> bool:
    """Remove a content that no row names any longer; one that was put a short while ago stays.

    Returns:
        Whether it was removed.
    """
    target = path_of(digest)
    try:
        if time.time() - target.stat().st_mtime < grace:
            return False
        target.unlink()
    except FileNotFoundError:
        return False
    return True
