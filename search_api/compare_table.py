"""Offers side by side: what each says of the same things, and where they differ."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.ui.filters import calm, long_date
from directory.api import ConceptRef, OfferSheet


@dataclass(frozen=True, slots=True)
class Cell:
    """What one offer says: lines of text, each marked when every other offer says it too."""

    lines: tuple[str, ...]
    shared: frozenset[str]


@dataclass(frozen=True, slots=True)
class Row:
    """A subject, and what each offer says of it. `differs` tells that they do not all say the same."""

    label: str
    cells: tuple[Cell, ...]
    differs: bool


def _labels(concepts: Iterable[ConceptRef]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(concept.label for concept in concepts))


def _one(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _yes(value: bool | None, yes: str, no: str) -> tuple[str, ...]:
    return () if value is None else (yes if value else no,)


def _hours(sheet: OfferSheet) -> tuple[str, ...]:
    several = len({slot.kind.code for day in sheet.hours.week for slot in day.slots}) > 1
    return tuple(
        f"{day.label.capitalize()} : "
        + ", ".join(f"{slot.label} ({slot.kind.label.lower()})" if several else slot.label for slot in day.slots)
        for day in sheet.hours.week
        if day.slots
    )


def _new_patients(sheet: OfferSheet) -> tuple[str, ...]:
    if sheet.accepts_new_on:
        return (f"Acceptés à partir du {long_date(sheet.accepts_new_on)}",)
    return _yes(sheet.accepts_new, "Acceptés", "Refusés pour l’instant")


_READERS: Final[tuple[tuple[str, Callable[[OfferSheet], tuple[str, ...]]], ...]] = (
    ("Profession", lambda s: _one(s.practitioner.profession.label if s.practitioner and s.practitioner.profession
                                  else s.kind_label)),
    ("Type d’unité", lambda s: _one(s.type.label if s.type else None)),
    ("Adresse", lambda s: tuple(map(calm, s.address.lines))),
    ("Prendre rendez-vous", lambda s: tuple(f"{c.label} : {c.value}" for c in s.contacts)),
    ("En ce moment", lambda s: _one(s.hours.status)),
    ("Horaires", _hours),
    ("Nouveaux patients", _new_patients),
    ("Patients", lambda s: (s.patients, *_labels(s.publics))),
    ("Activités", lambda s: _labels(s.activities)),
    ("Actes en cabinet", lambda s: _labels(s.acts)),
    ("Actes hors cabinet", lambda s: _labels(s.outside_acts)),
    ("Compétences", lambda s: _labels(s.skills)),
    ("Équipements", lambda s: _labels(s.equipment)),
    ("Accueil", lambda s: _labels(s.reception)),
    ("Accessibilité du lieu", lambda s: _one(s.accessibility.label if s.accessibility else None)),
    ("Se déplace à domicile", lambda s: tuple(place.name for place in s.territory.places)),
    ("Langues", lambda s: tuple(s.languages)),
    ("Conventionnement", lambda s: (*_one(s.convention.label if s.convention else None), *_one(s.fee_option))),
    ("Carte Vitale", lambda s: _yes(s.carte_vitale, "Acceptée", "Non acceptée")),
)  # fmt: skip
"""What is compared, in the order of the page."""


def table(found: Sequence[OfferSheet], distances: Sequence[str | None] = ()) -> list[Row]:
    """Return the comparison of some offers; a subject of which none says anything is left out.

    `distances`: how far each offer is from the place of the search, in words; None when its position is not exact.
    """
    rows = []
    for label, read in _READERS:
        rows += _row(label, [read(sheet) for sheet in found])
        if label == "Adresse" and any(distances):
            rows += _row("Distance", [(one or "position approximative",) for one in distances])
    return rows


def _row(label: str, said: Sequence[tuple[str, ...]]) -> list[Row]:
    if not any(said):
        return []
    shared = frozenset(set.intersection(*(set(lines) for lines in said))) if len(said) > 1 else frozenset()
    return [Row(label, tuple(Cell(lines, shared) for lines in said), len({frozenset(lines) for lines in said}) > 1)]
