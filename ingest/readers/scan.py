"""One pass over a `|` file before duckdb reads it: encoding, whole lines, truncation, checksum.

duckdb stops at the first odd line end and cannot say which line was short; this pass can, at the speed of the disk.
When every line is sound and the file is not compressed, duckdb reads the original; otherwise a clean copy.
"""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ingest.errors import FileRefused
from ingest.readers.detection import BOM, Detected
from ingest.readers.origins import chunks

LONGEST_LINE = 64_000
"""Bytes; the longest real lines have fewer than 2,000."""

Progress = Callable[[int], None]
"""Called with the number of bytes just read."""


@dataclass(slots=True)
class Scanned:
    """A file that duckdb can read: header lines to skip, physical number of its first data line, rejected lines."""

    path: Path
    fields: int
    sha256: str
    size: int
    lines: int
    rejected: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class _State:
    fields: int = 0
    line: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    touched: bool = False


def scan_piped(detected: Detected, work: Path, progress: Progress | None = None) -> Scanned:
    """Check a `|` file entirely; lines with a wrong number of fields are rejected with their number.

    Raises:
        FileRefused: not UTF-8 (line and column given), truncated (last line cut, compressed stream cut), or a
            layout whose data lines never have the header's number of fields.
    """
    origin = detected.origin
    digest = hashlib.sha256()
    state = _State()
    size = 0
    copy = work / f"{detected.kind.value}.txt"
    # A copy is begun at once for compressed files, and on the first oddity for plain ones.
    with ExitStack() as stack:
        stream = stack.enter_context(origin.open())
        output: IO[bytes] | None = None if origin.plain else stack.enter_context(copy.open("wb"))
        clean_bytes = 0
        last = b""
        for piece in chunks(origin, stream):
            digest.update(piece)
            size += len(piece)
            if progress:
                progress(len(piece))
            last = piece
            sound = _check(detected, piece, state)
            if output is None and sound is not piece:
                output = stack.enter_context(copy.open("wb"))
                _copy_start(origin.path, output, clean_bytes)
            if output is not None:
                output.write(sound)
            clean_bytes += len(piece)
        _check_end(detected, last, state)
    lines = max(state.line - 1, 0)
    if lines and len(state.rejected) == lines:
        number, reason = state.rejected[0]
        raise FileRefused(origin.name, f"aucune ligne lisible ; {reason}", line=number)
    if not lines:
        raise FileRefused(origin.name, "aucune ligne après l’en-tête.", line=2)
    path = copy if output is not None else origin.path
    return Scanned(path, state.fields, digest.hexdigest(), size, lines, state.rejected)


def _copy_start(source: Path, output: IO[bytes], size: int) -> None:
    with source.open("rb") as stream:
        left = size
        while left and (piece := stream.read(min(left, 1 << 22))):
            output.write(piece)
            left -= len(piece)


def _check(detected: Detected, piece: bytes, state: _State) -> bytes:
    """Return the piece itself when every line is sound, else a mended copy without the rejected lines."""
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad_encoding(detected, piece, error.start, state.line) from error
    if b"\0" in piece:
        at = piece.index(b"\0")
        raise FileRefused(
            detected.origin.name, "octet nul : fichier abîmé.", line=state.line + piece[:at].count(b"\n") + 1
        )
    lines = piece.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    first = state.line == 0
    if first:
        header = lines[0].removeprefix(BOM).rstrip(b"\r")
        state.fields = _width(detected, header, lines[1] if len(lines) > 1 else b"")
    wanted = state.fields - 1
    counts = [line.count(b"|") for line in lines]
    sound = (
        b"\r" not in piece
        and all(count == wanted for count in counts[first:])
        and (not first or (counts[0] == wanted and not lines[0].startswith(BOM)))
        and max(map(len, lines)) <= LONGEST_LINE
    )
    if sound:
        state.line += len(lines)
        return piece
    kept: list[bytes] = []
    for line, count in zip(lines, counts, strict=True):
        state.line += 1
        if b"\r" in line:
            line = line.rstrip(b"\r").replace(b"\r", b" ")
        if state.line == 1:
            line = line.removeprefix(BOM)
            kept.append(line + b"|" * (wanted - count) if count < wanted else line[: _cut(line, wanted)])
        elif len(line) > LONGEST_LINE:
            state.rejected.append((state.line, "ligne démesurée"))
        elif count == wanted:
            kept.append(line)
        elif count == wanted - 1:
            # The closing bar is written on some lines only.
            kept.append(line + b"|")
        elif count == wanted + 1 and line.endswith(b"|"):
            kept.append(line[:-1])
        elif not line.strip():
            state.rejected.append((state.line, "ligne vide"))
        else:
            state.rejected.append((state.line, "nombre de champs inattendu"))
    return b"\n".join(kept) + b"\n" if kept else b""


def _width(detected: Detected, header: bytes, first: bytes) -> int:
    names = len(detected.columns) - (1 if header.endswith(b"|") else 0)
    # Lines may close with a bar that the header lacks, or the reverse: the first data line decides.
    found = first.count(b"|") + 1
    return found if found in (names, names + 1) else names + (1 if header.endswith(b"|") else 0)


def _cut(line: bytes, bars: int) -> int:
    position = -1
    for _ in range(bars + 1):
        position = line.find(b"|", position + 1)
        if position < 0:
            return len(line)
    return position


def _bad_encoding(detected: Detected, piece: bytes, at: int, lines_before: int) -> FileRefused:
    start = piece.rfind(b"\n", 0, at) + 1
    line = lines_before + piece.count(b"\n", 0, at) + 1
    position = piece.count(b"|", start, at)
    column = detected.columns[position] if position < len(detected.columns) else None
    byte = piece[at]
    return FileRefused(
        detected.origin.name,
        f"octet 0x{byte:02X} qui n’est pas de l’UTF-8 (encodage Windows ou fichier abîmé).",
        line=line,
        column=column,
    )


def _check_end(detected: Detected, last: bytes, state: _State) -> None:
    if not last or last.endswith(b"\n"):
        return
    tail = last[last.rfind(b"\n") + 1 :]
    names = len([c for c in detected.columns if c])
    fields = tail.count(b"|") + 1
    if fields < names:
        column = detected.columns[fields - 1] if fields <= len(detected.columns) else None
        raise FileRefused(
            detected.origin.name,
            f"fichier tronqué : la dernière ligne n’a que {fields} champs sur {names}.",
            line=state.line,
            column=column,
        )
