"""The folder of the index of texts: whole versions side by side, a small file that names the one in use, a lock."""

import fcntl
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from core.errors import Conflict
from core.local.home import read_json, write_atomically
from search_api.settings import TEXTS, index_folder
from search_api.texts.schema import FORMAT

CURRENT = "current.json"
LOCK = "writer.lock"
_VERSION = re.compile(r"v\d{6,}")


def texts_folder() -> Path:
    """Return where the instance keeps its index of texts."""
    return index_folder() / TEXTS


def _checksum(name: str) -> str:
    return hashlib.sha256(f"repere-texts {FORMAT} {name}".encode()).hexdigest()


def current(folder: Path) -> Path | None:
    """Return the version in use; None when there is none, or when its name is half-written or of another format."""
    named = read_json(folder / CURRENT)
    name = named.get("version")
    if not isinstance(name, str) or not _VERSION.fullmatch(name) or named.get("checksum") != _checksum(name):
        return None
    version = folder / name
    return version if (version / "meta.json").is_file() else None


def point(folder: Path, version: Path) -> None:
    """Make a whole version the one in use, and remove all others but the former one, which readers may be opening."""
    former = current(folder)
    name = version.name
    write_atomically(
        folder / CURRENT, json.dumps({"format": FORMAT, "version": name, "checksum": _checksum(name)}) + "\n"
    )
    clean(folder, {version, former})


def clean(folder: Path, kept: set[Path | None]) -> None:
    """Remove the versions that nobody reads: former ones, and what an interrupted build left."""
    for path in folder.iterdir():
        if _VERSION.fullmatch(path.name) and path not in kept:
            shutil.rmtree(path, ignore_errors=True)


def new_version(folder: Path) -> Path:
    """Make the folder of the next version."""
    numbers = [int(path.name[1:]) for path in folder.iterdir() if _VERSION.fullmatch(path.name)]
    version = folder / f"v{max(numbers, default=0) + 1:06d}"
    version.mkdir()
    return version


class WriterLock:
    """The right to write, held until freed or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            Conflict: another process, or another writer of this one, holds it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise Conflict(
                "L’index des textes est déjà tenu à jour par un autre processus : arrêtez-le, ou laissez-le faire."
            ) from None

    def free(self) -> None:
        """Let the lock go; the file stays, for removing it would let two processes hold « the » lock."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
