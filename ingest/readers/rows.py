"""Rows between Python readers and duckdb: a tab-separated file with the line number first; rejects beside it."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_BREAKS = re.compile(r"[\t\r\n\x00-\x08\x0b\x0c\x0e-\x1f]+")


class RowFile:
    """Writer of rows that duckdb reads back without quoting; control characters become spaces."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._stream: IO[str] = path.open("w", encoding="utf-8", newline="")

    def write(self, line: int, values: Sequence[str]) -> None:
        """Append one row."""
        text = "\t".join(values)
        if text.count("\t") != len(values) - 1 or not text.isprintable():
            text = "\t".join(_BREAKS.sub(" ", v) for v in values)
        self._stream.write(f"{line}\t{text}\n")
        self.rows += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stream.close()


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that was not taken: the file, its physical line number, the reason in French."""

    file: str
    line: int
    reason: str


@dataclass(slots=True)
class Rejects:
    """Rejected lines of one register."""

    items: list[Reject] = field(default_factory=list)

    def add(self, file: str, line: int, reason: str) -> None:
        """Record a rejected line."""
        self.items.append(Reject(file, line, reason))

    def extend(self, file: str, lines: Iterable[tuple[int, str]]) -> None:
        """Record several rejected lines of a file."""
        self.items += [Reject(file, line, reason) for line, reason in lines]

    def by_reason(self) -> dict[str, int]:
        """Count by reason, most frequent first."""
        return dict(Counter(item.reason for item in self.items).most_common())

    def __len__(self) -> int:
        return len(self.items)
