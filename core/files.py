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
from typing import Final

from core.settings import core_settings

GRACE_SECONDS: Final = 3600.0
"""A file younger than this is never discarded: the row that names it may not be committed yet."""


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
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return digest


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
