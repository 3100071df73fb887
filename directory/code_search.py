"""Finding codes of a nomenclature by words: without accents, by beginnings of words, with what people say instead."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

from rapidfuzz import fuzz

from directory.concepts import ConceptEntry, ConceptIndex
from directory.mappings import FOLDER, by_profession

MOST = 100
"""Results shown at once while words are typed."""
WHOLE = 2000
"""Codes shown when a whole list is asked for."""
PROFESSION, ACTIVITIES = "G15", "J17"
_CLOSE = 85
"""How alike two words must be, out of 100, for a misspelt one to be understood."""


def fold(text: str) -> str:
    """Return a text without accents, capitals nor punctuation."""
    plain = (
        unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("’", " "))
        .encode("ascii", "ignore")
        .decode()
        .lower()
    )
    return re.sub(r"[^a-z0-9]+", " ", plain).strip()


@cache
def _said() -> dict[str, tuple[str, ...]]:
    """Return, by word that people say, the words that labels write instead."""
    with (FOLDER / "code_words.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        for word in row["said"].split(","):
            found[fold(word)] = tuple(fold(written) for written in row["written"].split(","))
    return found


@cache
def _fitting() -> dict[tuple[str, str], frozenset[str]]:
    """Return, by kind of offer and system, the codes that fit: a readable file of ours, whose lines add up."""
    found: dict[tuple[str, str], set[str]] = {}
    with (FOLDER / "codes_by_type.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            for kind in row["types"].split(","):
                found.setdefault((kind, row["system"]), set()).update(row["codes"].split(","))
    for rule in by_profession():
        for kind in (rule.type or "", f"{PROFESSION}|{rule.key}"):
            if (kind, ACTIVITIES) in found:
                found[kind, ACTIVITIES].update(rule.activities)
    return {key: frozenset(codes) for key, codes in found.items()}


def kind_of(index: ConceptIndex, type_id: int | None, profession: str | None) -> str:
    """Return what says which codes fit an offer: its type, else the profession of who exercises (`G15|26`)."""
    kind = index.by_id.get(type_id) if type_id is not None else None
    return kind.code if kind else f"{PROFESSION}|{profession or ''}"


def _codes(system: str, kind: str | None) -> frozenset[str] | None:
    if kind is None:
        return None
    return _fitting().get((kind, system)) or _fitting().get(("*", system))


def fitting(index: ConceptIndex, system: str, kind: str | None) -> list[ConceptEntry]:
    """Return the active codes of a system that fit a kind of offer, by label; all of them where nothing is said."""
    codes = _codes(system, kind)
    entries = [e for e in index.by_system.get(system, []) if e.active and (codes is None or e.code in codes)]
    return sorted(entries, key=lambda e: (fold(e.label), e.id))


def is_limited(system: str, kind: str | None) -> bool:
    """Tell whether only a part of a system fits a kind of offer."""
    return _codes(system, kind) is not None


def _has(label: Sequence[str], word: str, *, loose: bool) -> bool:
    for written in (word, *_said().get(word, ())):
        parts = written.split()
        if all(any(w.startswith(part) for w in label) for part in parts):
            return True
    return loose and len(word) >= 5 and any(fuzz.ratio(word, w[: len(word) + 1]) >= _CLOSE for w in label)


def search(entries: Iterable[ConceptEntry], text: str, most: int = MOST) -> list[ConceptEntry]:
    """Return the codes whose label holds every word of a text, or its code, in the order given; bounded.

    A word counts when a word of the label begins with it, or with what labels write for it. When nothing answers,
    words with a letter wrong are understood.
    """
    words = fold(text[:200]).split()
    known = [(entry, fold(entry.label).split()) for entry in entries]
    if not words:
        return [entry for entry, _ in known][:most]
    for loose in (False, True):
        found = [
            entry
            for entry, label in known
            if [entry.code] == words or all(_has(label, word, loose=loose) for word in words)
        ]
        if found:
            return found[:most]
    return []
