"""Which offers follow from a profession or from a category of establishment: two readable files of ours."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "mappings"


@dataclass(frozen=True, slots=True)
class OfferRule:
    """A generated offer: J238 type (may be none), J19 mode, J17 activities, ages, first words of its name.

    `key` and `specialty` tell when it applies; `*` stands for any.
    """

    key: str
    specialty: str
    type: str | None
    mode: str
    activities: tuple[str, ...]
    age_min: int
    age_max: int
    name: str

    @property
    def origin(self) -> str:
        """What identifies the rule among those of its category, from one load to the next."""
        return f"J238|{self.type}" if self.type else "category"


def _read(file: str, key: str) -> tuple[OfferRule, ...]:
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return tuple(
            OfferRule(
                key=row[key],
                specialty=row.get("specialty") or "*",
                type=row["type"] or None,
                mode=row["mode"],
                activities=tuple(filter(None, row["activities"].split(","))),
                age_min=int(row["age_min"]),
                age_max=int(row["age_max"]),
                name=row["name"],
            )
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        )


@cache
def by_profession() -> tuple[OfferRule, ...]:
    """Return the rules by profession (G15) and specialty (R38)."""
    return _read("offers_by_profession.tsv", "profession")


@cache
def by_category() -> tuple[OfferRule, ...]:
    """Return the rules by category of establishment (R66); several rules of a category are several offers."""
    return _read("offers_by_category.tsv", "category")
