"""Where the bytes of a register come from: a file, a gzip, a member of a zip; and the checks of those wrappings."""

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from ingest.errors import FileRefused
from ingest.settings import ingest_settings

CHUNK = 1 << 22
HEAD = 1 << 16
MAX_FILES = 5_000
"""A folder with more files than this is surely not the one that was meant."""

_STAMP = re.compile(r"(?<!\d)(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])?(?:[-_]?(\d{4}))?(?:\d{2})?(?!\d)")
REGISTER_NAME = re.compile(r"PS_LibreAcces|ps-libreacces|etalab[-_]cs11005|finess-structures|liste-ps", re.IGNORECASE)
"""Names that the publishers give: a file so named that is not what it says is refused rather than skipped."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One stream of bytes: a file, or a member of a zip; gzip is undone."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        """Name shown to people: the file, and the member inside it."""
        return f"{self.path.name} › {self.member}" if self.member else self.path.name

    @property
    def last_name(self) -> str:
        """The innermost file name, which carries the publisher's stamp."""
        return Path(self.member).name if self.member else self.path.name

    def stamp(self) -> datetime:
        """Instant of publication as the name says it, else the file's own date."""
        for text in (self.last_name, self.path.name):
            if found := _STAMP.search(text):
                year, month, day, clock = found.groups()
                hour, minute = (int(clock[:2]), int(clock[2:])) if clock else (0, 0)
                if hour < 24 and minute < 60:
                    try:
                        return datetime(int(year), int(month), int(day or 1), hour, minute, tzinfo=UTC)
                    except ValueError:
                        continue
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)

    @property
    def plain(self) -> bool:
        """Whether the bytes on disk are the register's own, without any wrapping."""
        return self.member is None and not _is_gzip(self.path)

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the unwrapped bytes; wrapping errors become `FileRefused`.

        A truncated gzip or a wrong checksum shows when the stream is read to its end.
        """
        try:
            if self.member is not None:
                with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as stream:
                    yield stream
            elif _is_gzip(self.path):
                with gzip.open(self.path, "rb") as unzipped:
                    yield cast("IO[bytes]", unzipped)
            else:
                with self.path.open("rb") as stream:
                    yield stream
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileRefused(self.name, "fichier compressé tronqué ou abîmé ; téléchargez-le de nouveau.") from error
        except zipfile.BadZipFile as error:
            raise FileRefused(self.name, "archive zip abîmée (somme de contrôle fausse).") from error
        except RuntimeError as error:
            if "password" in str(error) or "encrypted" in str(error):
                raise FileRefused(self.name, "archive zip protégée par un mot de passe.") from error
            raise
        except PermissionError as error:
            raise FileRefused(self.name, "lecture interdite par le système.") from error

    def head(self) -> bytes:
        """The first bytes, enough to know what the file is."""
        with self.open() as stream:
            return stream.read(HEAD)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def chunks(origin: Origin, stream: IO[bytes]) -> Iterator[bytes]:
    """Read a stream by whole lines in large pieces; the last piece may lack its end of line.

    Raises:
        FileRefused: the file grows past the limit of the settings (a decompression bomb, or the wrong file).
    """
    limit = ingest_settings().ingest_max_bytes
    total = 0
    while piece := stream.read(CHUNK):
        if not piece.endswith(b"\n"):
            piece += stream.readline(CHUNK)
        total += len(piece)
        if total > limit:
            raise FileRefused(origin.name, f"plus de {limit // 10**9} Go une fois décompressé.")
        yield piece


def find_origins(path: Path) -> list[Origin]:
    """List what a file or a folder offers, folders and zips opened, in the order of names.

    Raises:
        FileRefused: nothing there, or a zip that cannot be opened.
    """
    if not path.exists():
        raise FileRefused(str(path), "fichier ou dossier introuvable.")
    files = [path]
    if path.is_dir():
        files = sorted(
            f
            for f in path.rglob("*")
            if f.is_file() and not any(part.startswith(".") for part in f.relative_to(path).parts)
        )
        if len(files) > MAX_FILES:
            raise FileRefused(str(path), f"ce dossier contient plus de {MAX_FILES} fichiers.")
    found: list[Origin] = []
    for file in files:
        found += _unwrapped(file)
    if not found:
        raise FileRefused(str(path), "aucun fichier.")
    return found


def _unwrapped(file: Path) -> list[Origin]:
    try:
        with file.open("rb") as stream:
            magic = stream.read(4)
    except PermissionError as error:
        raise FileRefused(file.name, "lecture interdite par le système.") from error
    if magic[:2] == b"PK":
        try:
            with zipfile.ZipFile(file) as archive:
                members = [i.filename for i in archive.infolist() if not i.is_dir()]
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise FileRefused(file.name, "archive zip tronquée ou abîmée.") from error
        return [Origin(file, member) for member in sorted(members)]
    if file.suffix.lower() == ".zip":
        raise FileRefused(file.name, "ce fichier porte le nom d’un zip mais n’en est pas un.")
    return [Origin(file)]
