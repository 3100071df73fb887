"""What changed in an ad since a council last accepted it, field by field, word by word where there are words."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz.distance import Indel

from maps.api import place_by_id
from modules.ads.labels import CATEGORIES, FLAGS, SITUATIONS
from modules.ads.schemas import AdContent
from modules.ads.views import period_text, place_view, specialty_label

_WORDS: Final = re.compile(r"\w+|[^\w\s]+|\s+")
_PROSE: Final = frozenset({"title", "description", "conditions"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text: kept, added or removed."""

    kind: Literal["same", "added", "removed"]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A field that changed, and how it reads with what was added and removed."""

    label: str
    pieces: Sequence[Piece]


def _places(content: AdContent) -> str:
    return ", ".join(place_view(one, place_by_id(one)).label for one in content.places)


_FIELDS: Final[Mapping[str, tuple[str, Callable[[AdContent, Mapping[str, str]], str]]]] = {
    "category": ("Catégorie", lambda said, _: CATEGORIES.get(said.category or "", "")),
    "side": ("Situation", lambda said, _: SITUATIONS.get((said.category or "", said.side or ""), "")),
    "specialty": ("Spécialité", lambda said, names: specialty_label(names, said.specialty)),
    "title": ("Titre", lambda said, _: said.title),
    "description": ("Description", lambda said, _: said.description),
    "conditions": ("Conditions financières", lambda said, _: said.conditions),
    "urgent": ("Mention", lambda said, _: FLAGS.get(said.side or "", "Urgent") if said.urgent else ""),
    "anonymous": ("Anonyme", lambda said, _: "oui" if said.anonymous else "non"),
    "places": ("Lieux", lambda said, _: _places(said)),
    "periods": (
        "Périodes",
        lambda said, _: ", ".join(period_text(one.starts_on, one.ends_on) for one in said.periods),
    ),
    "files": ("Photos et documents", lambda said, _: ", ".join(file.name for file in said.files)),
}


def written(content: AdContent, specialties: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a content says, field by field: label, text."""
    return [(label, text) for label, read in _FIELDS.values() if (text := read(content, specialties))]


def changes(before: AdContent, after: AdContent, specialties: Mapping[str, str]) -> list[Change]:
    """Return the fields that differ between two contents."""
    found = []
    for name, (label, read) in _FIELDS.items():
        if getattr(before, name) == getattr(after, name):
            continue
        old, new = read(before, specialties), read(after, specialties)
        whole = [Piece("removed", old or "–"), Piece("added", new or "–")]
        found.append(Change(label, compared(old, new) if name in _PROSE else whole))
    return found


def compared(old: str, new: str) -> list[Piece]:
    """Return a text with what was taken from it and added to it, by words."""
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    pieces: list[Piece] = []
    for step in Indel.opcodes(left, right):
        gone = "".join(left[step.src_start : step.src_end])
        come = "".join(right[step.dest_start : step.dest_end])
        if step.tag == "equal":
            pieces.append(Piece("same", gone))
            continue
        if gone:
            pieces.append(Piece("removed", gone))
        if come:
            pieces.append(Piece("added", come))
    return _joined(pieces)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Put what was removed before what was added, and neighbours of a kind together."""
    found: list[Piece] = []
    gone = come = ""
    for rank, piece in enumerate(pieces):
        if piece.kind == "removed":
            gone += piece.text
        elif piece.kind == "added":
            come += piece.text
        elif gone and come and not any(map(str.isalnum, piece.text)) and rank + 1 < len(pieces):
            # Words that were rewritten one after the other read as one, with what separates them.
            gone, come = gone + piece.text, come + piece.text
        else:
            found += _changed(gone, come)
            gone = come = ""
            found.append(piece)
    return found + _changed(gone, come)


def _changed(gone: str, come: str) -> list[Piece]:
    pieces = [Piece("removed", gone), Piece("added", come)]
    return [piece for piece in pieces if piece.text]
