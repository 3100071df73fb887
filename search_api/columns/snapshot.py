"""Snapshots on disk: a folder of arrays, a manifest that lists and checks them, one file that names the current one.

A snapshot is written beside the one in use, flushed, then named; what is broken or half written is never named,
and a damaged one is refused when it is opened.
"""

import json
import os
import shutil
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from search_api.columns.batch import Array
from search_api.columns.segment import Segment

FORMAT = 2
CURRENT, MANIFEST = "current.json", "manifest.json"
KEPT = 2
"""Snapshots left on the disk: the one in use, and the one before, that a process may still be reading."""
_CHUNK = 1 << 22


class SnapshotRefused(Exception):
    """A snapshot that cannot be used; the French message says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot is of. `database` tells the databases of a machine apart, `position` is its last event."""

    format: int
    database: str
    position: int
    offers: int
    sites: int
    built_at: str
    files: dict[str, int]
    """CRC-32 of each file."""


def write(root: Path, arrays: Mapping[str, Array], *, database: str, position: int, built_at: str) -> Path:
    """Write a snapshot beside the others, name it the current one, and forget the oldest.

    Raises:
        OSError: the disk is full or the folder cannot be written; the former snapshot stays in use.
    """
    root.mkdir(parents=True, exist_ok=True)
    folder = root / f"{position}-{uuid.uuid4().hex[:8]}"
    partial = root / f".{folder.name}.part"
    partial.mkdir()
    try:
        files = {}
        for name, array in arrays.items():
            path = partial / _file(name)
            with path.open("wb") as out:
                np.save(out, array, allow_pickle=False)
                out.flush()
                os.fsync(out.fileno())
            files[name] = _checksum(path)
        manifest = Manifest(FORMAT, database, position, len(arrays["offer"]), len(arrays["site"]), built_at, files)
        _write_json(partial / MANIFEST, asdict(manifest))
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _write_json(root / CURRENT, {"folder": folder.name})
    _forget(root, folder)
    return folder


def current(root: Path) -> Path | None:
    """Return the folder of the snapshot in use, None when there is none."""
    try:
        named = json.loads((root / CURRENT).read_text())["folder"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    folder = root / Path(str(named)).name
    return folder if folder.is_dir() else None


def manifest(folder: Path) -> Manifest:
    """Read what a snapshot is of.

    Raises:
        SnapshotRefused: there is no manifest, or it is of another format.
    """
    try:
        known = json.loads((folder / MANIFEST).read_text())
        found = Manifest(**known)
    except (OSError, ValueError, TypeError) as error:
        raise SnapshotRefused(f"le manifeste de {folder.name} ne peut pas être lu") from error
    if found.format != FORMAT:
        raise SnapshotRefused(f"{folder.name} est d’un autre format ({found.format})")
    return found


def open_segment(folder: Path, known: Manifest) -> Segment:
    """Map a snapshot, after its checksums.

    Raises:
        SnapshotRefused: a file is missing, cut or altered.
    """
    arrays: dict[str, Array] = {}
    for name, checksum in known.files.items():
        path = folder / _file(name)
        try:
            if _checksum(path) != checksum:
                raise SnapshotRefused(f"{path.name} de {folder.name} est abîmé")
            # An empty file cannot be mapped; numpy would refuse it.
            empty = path.stat().st_size <= 128
            arrays[name] = np.asarray(np.load(path, mmap_mode=None if empty else "r", allow_pickle=False))
        except (OSError, ValueError) as error:
            raise SnapshotRefused(f"{path.name} de {folder.name} ne peut pas être lu") from error
    try:
        return Segment(arrays)
    except KeyError as error:
        raise SnapshotRefused(f"il manque des fichiers à {folder.name}") from error


def _file(name: str) -> str:
    return name.replace("/", ".") + ".npy"


def _checksum(path: Path) -> int:
    found = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            found = zlib.crc32(chunk, found)
    return found


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with partial.open("w") as out:
        json.dump(value, out)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)


def _forget(root: Path, newest: Path) -> None:
    """Delete older snapshots, and what cut builds left: a process that mapped one keeps its pages until it lets go."""
    folders = [path for path in root.iterdir() if path.is_dir() and path != newest]
    whole = sorted(
        (path for path in folders if not path.name.startswith(".")), key=lambda path: path.stat().st_mtime, reverse=True
    )
    kept = set(whole[: KEPT - 1])
    for old in folders:
        if old not in kept:
            shutil.rmtree(old, ignore_errors=True)
