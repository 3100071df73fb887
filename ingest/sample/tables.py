"""The tables of words and codes beside the code."""

import csv
from pathlib import Path

_FOLDER = Path(__file__).parent / "data"


def rows(name: str) -> list[dict[str, str]]:
    """Read a table of tab-separated columns with a header; lines that begin with # are remarks."""
    with (_FOLDER / name).open(encoding="utf-8", newline="") as lines:
        kept = (line for line in lines if not line.startswith("#"))
        return list(csv.DictReader(kept, delimiter="\t", quoting=csv.QUOTE_NONE))


def words(kind: str) -> list[str]:
    """Return the words of a kind, in the order of the table."""
    return [word for row in rows("words.tsv") if row["kind"] == kind for word in row["words"].split("|")]
