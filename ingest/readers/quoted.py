"""Records of a `;` file with CSV quoting: line numbers, encodings, truncation, and a lost quote that stays local."""

import codecs
import csv
import hashlib
from collections.abc import Generator, Iterator
from typing import NamedTuple

from ingest.errors import FileRefused
from ingest.readers.detection import BOM, Detected
from ingest.readers.origins import Origin, chunks
from ingest.readers.scan import LONGEST_LINE, Progress

LONGEST_RECORD = 8
"""Physical lines that one quoted field may span before its opening quote is held to be a typing error."""


class Record(NamedTuple):
    """Fields of a record, or why there are none; `line` is the first physical line."""

    line: int
    fields: list[str]
    reason: str | None


class QuotedFile:
    """Streaming reader; `sha256` and `size` are known once every record was read."""

    def __init__(self, detected: Detected, encoding: str = "utf-8", progress: Progress | None = None) -> None:
        self.origin = detected.origin
        self.columns = detected.columns
        self.encoding = encoding
        self.sha256 = ""
        self.size = 0
        self.ended = True
        self._progress = progress

    def _lines(self) -> Iterator[tuple[int, str]]:
        digest = hashlib.sha256()
        number = 0
        with self.origin.open() as stream:
            for piece in chunks(self.origin, stream):
                digest.update(piece)
                self.size += len(piece)
                self.ended = piece.endswith(b"\n")
                if self._progress:
                    self._progress(len(piece))
                if number == 0:
                    piece = piece.removeprefix(BOM)
                if b"\0" in piece:
                    line = number + piece.count(b"\n", 0, piece.index(b"\0")) + 1
                    raise FileRefused(self.origin.name, "octet nul : fichier abîmé.", line=line)
                try:
                    text = piece.decode(self.encoding)
                except UnicodeDecodeError as error:
                    raise self._bad_encoding(piece, error.start, number) from error
                lines = text.split("\n")
                if lines[-1] == "":
                    lines.pop()
                for row in lines:
                    number += 1
                    yield number, row.rstrip("\r")
        self.sha256 = digest.hexdigest()

    def _bad_encoding(self, piece: bytes, at: int, lines_before: int) -> FileRefused:
        start = piece.rfind(b"\n", 0, at) + 1
        position = piece.count(b";", start, at)
        return FileRefused(
            self.origin.name,
            f"octet 0x{piece[at]:02X} qui n’est pas de l’UTF-8 (encodage Windows ou fichier abîmé).",
            line=lines_before + piece.count(b"\n", 0, at) + 1,
            column=self.columns[position] if position < len(self.columns) else None,
        )

    def records(self) -> Iterator[Record]:
        """Yield every record; a line whose quote never closes becomes a reject and the next line starts afresh."""
        held: list[tuple[int, str]] = []
        for number, line in self._lines():
            if not held and '"' not in line:
                yield from self._plain(number, line)
                continue
            held.append((number, line))
            while held and self._balanced(held):
                yield self._parse(held)
                held = []
            if len(held) > LONGEST_RECORD:
                held = yield from self._give_up(held)
        while held:
            held = yield from self._give_up(held)

    def _plain(self, number: int, line: str) -> Iterator[Record]:
        if not line.strip():
            yield Record(number, [], "ligne vide")
        elif len(line) > LONGEST_LINE:
            yield Record(number, [], "ligne démesurée")
        else:
            yield Record(number, line.split(";"), None)

    def _balanced(self, held: list[tuple[int, str]]) -> bool:
        return sum(line.count('"') for _, line in held) % 2 == 0

    def _parse(self, held: list[tuple[int, str]]) -> Record:
        text = " ".join(line for _, line in held)
        if len(text) > LONGEST_LINE:
            return Record(held[0][0], [], "ligne démesurée")
        return Record(held[0][0], next(csv.reader([text], delimiter=";")), None)

    def _give_up(self, held: list[tuple[int, str]]) -> Generator[Record, None, list[tuple[int, str]]]:
        """Reject the first held line and read the others again."""
        yield Record(held[0][0], [], "guillemet jamais refermé")
        rest, held = held[1:], []
        for number, line in rest:
            if not held and '"' not in line:
                yield from self._plain(number, line)
                continue
            held.append((number, line))
            if self._balanced(held):
                yield self._parse(held)
                held = []
        return held


def is_utf8(origin: Origin) -> bool:
    """Whether the whole stream is valid UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with origin.open() as stream:
        try:
            for piece in chunks(origin, stream):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
