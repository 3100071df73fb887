"""Files of a sample: they appear under their names together, at the end, or not at all."""

import gzip
import io
import json
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self, TextIO

FACTS = "facts.json"


class Output:
    """Opens files of a folder under a passing name, and gives them their own when everything went well.

    Files of an earlier sample that this one does not write are removed; `facts.json` tells which they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[Path, list[IO[str] | IO[bytes]]] = {}

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        # What a killed run left behind.
        for part in [*self.folder.glob("*.part"), *self.folder.glob("ban/*.part")]:
            part.unlink(missing_ok=True)
        return self

    def text(self, name: str, *, mark: bool = False) -> TextIO:
        """Open a text file in UTF-8, with a byte order mark when `mark`; lines end as they are written."""
        file = self._part(name).open("w", encoding="utf-8-sig" if mark else "utf-8", newline="")
        self._open[self.folder / name] = [file]
        return file

    def binary(self, name: str) -> BinaryIO:
        """Open a file of bytes."""
        file = self._part(name).open("wb")
        self._open[self.folder / name] = [file]
        return file

    def gzip(self, name: str) -> TextIO:
        """Open a gzip file whose bytes depend on nothing but what is written."""
        raw = self._part(name).open("wb")
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=4, mtime=0)
        file = io.TextIOWrapper(packed, encoding="utf-8", newline="")
        self._open[self.folder / name] = [file, raw]
        return file

    def _part(self, name: str) -> Path:
        path = self.folder / f"{name}.part"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for files in self._open.values():
            for file in files:
                file.close()
        earlier = self._earlier() if kind is None else set()
        for path in self._open:
            part = path.with_name(f"{path.name}.part")
            if kind is None:
                part.replace(path)
            else:
                part.unlink(missing_ok=True)
        for path in earlier - set(self._open):
            path.unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the names of the files, relative to the folder."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self._open)

    def _earlier(self) -> set[Path]:
        try:
            names = json.loads((self.folder / FACTS).read_text(encoding="utf-8"))["files"]
        except (OSError, ValueError, KeyError, TypeError):
            return set()
        inside = self.folder.resolve()
        paths = {self.folder / name for name in names if isinstance(name, str)}
        return {path for path in paths if inside in path.resolve().parents}
