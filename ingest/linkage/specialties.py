"""Correspondence between AMELI specialty codes and RPPS professions and savoir-faire (specialties.tsv)."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Specialty(NamedTuple):
    """What an AMELI specialty code may be on the RPPS side."""

    code: str
    label: str
    professions: tuple[str, ...]
    savoir_faire: frozenset[str]


@cache
def table() -> dict[str, Specialty]:
    """Return the whole correspondence by AMELI code."""
    with Path(__file__).with_name("specialties.tsv").open(encoding="utf-8", newline="") as lines:
        return {
            row["code"]: Specialty(
                row["code"],
                row["label"],
                tuple(row["professions"].split(",")),
                frozenset(filter(None, row["savoir_faire"].split(","))),
            )
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        }


@cache
def _listed() -> frozenset[str]:
    return frozenset().union(*(s.savoir_faire for s in table().values()))


def is_specialty(code: str) -> bool:
    """Whether a savoir-faire is a specialty, so that it can contradict an AMELI one (competences cannot)."""
    return code in _listed() or code.startswith(("SM", "SCD"))


def ameli_code(text: str) -> str:
    """Specialty code as two digits ("1" and " 01 " are "01")."""
    code = text.strip()
    return code.zfill(2) if code.isdigit() else code
