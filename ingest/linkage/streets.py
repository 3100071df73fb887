"""Street lines taken apart: number, repetition, way type, words (abbreviations in streets.tsv)."""

import csv
import re
from pathlib import Path
from typing import NamedTuple

from ingest.linkage.normalise import plain


def _abbreviations() -> tuple[dict[str, str], dict[str, str]]:
    ways: dict[str, str] = {}
    words: dict[str, str] = {}
    with Path(__file__).with_name("streets.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            (ways if row["use"] == "way" else words)[row["written"]] = row["means"]
    return ways, words


_WAYS, _STREET_WORDS = _abbreviations()
_ARTICLES = frozenset(("DE", "DU", "DES", "D", "LE", "LA", "LES", "L", "A", "AU", "AUX", "ET", "EN"))
_NUMBER = re.compile(r"^(\d{1,5}) ?((?:BIS|TER|QUATER|[ABCDEFT])(?= ))? ?(.*)$")
_MORE_NUMBERS = re.compile(r"^(?:(?:A|ET|\d{1,4}) )*(?=[A-Z]{2}|[A-Z] )")
_REPETITIONS = {"BIS": "B", "TER": "T", "QUATER": "Q"}


class Street(NamedTuple):
    """A street address: number, repetition (B, T, A…), canonical way type, significant words."""

    number: str
    repetition: str
    way: str
    core: str


_NO_STREET = Street("", "", "", "")


def street(text: str) -> Street:
    """Parse a free street line such as "12 BIS R DU GAL DE GAULLE"; an empty one has four empty fields."""
    rest = plain(text)
    if not rest:
        return _NO_STREET
    number = repetition = ""
    if found := _NUMBER.match(rest):
        number, repetition, rest = found[1].lstrip("0"), found[2] or "", found[3]
        rest = _MORE_NUMBERS.sub("", rest)
    way, words = _way(rest.split())
    return Street(number, _REPETITIONS.get(repetition, repetition), way, _core(words))


def _way(words: list[str]) -> tuple[str, list[str]]:
    if len(words) > 2 and (two := _WAYS.get(f"{words[0]} {words[1]}")):
        return two, words[2:]
    if len(words) > 1 and (one := _WAYS.get(words[0])):
        return one, words[1:]
    return "", words


def _core(words: list[str]) -> str:
    full = [_STREET_WORDS.get(w, w) for w in words]
    return " ".join([w for w in full if w not in _ARTICLES] or full)
