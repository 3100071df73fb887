"""What the embedded source lacks: overseas collectivités, some populations, codes of merged communes."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_DATA = Path(__file__).parent / "data"

COLLECTIVITES = {
    "975": "Saint-Pierre-et-Miquelon",
    "977": "Saint-Barthélemy",
    "978": "Saint-Martin",
    "986": "Wallis-et-Futuna",
    "987": "Polynésie française",
    "988": "Nouvelle-Calédonie",
}
"""Overseas collectivités by the number that stands where a département's would."""


class OverseasCommune(NamedTuple):
    """A commune of an overseas collectivité; the point is its main village."""

    code: str
    name: str
    departement: str
    population: int
    postal_codes: tuple[str, ...]
    lon: float
    lat: float


def overseas_communes() -> list[OverseasCommune]:
    """Read the communes of the overseas collectivités, by code."""
    return [
        OverseasCommune(
            row["code"],
            row["name"],
            row["departement"],
            int(row["population"]),
            tuple(row["postal_codes"].split(",")),
            float(row["lon"]),
            float(row["lat"]),
        )
        for row in _rows("overseas.tsv")
    ]


def populations() -> dict[str, int]:
    """Read the populations that the embedded source does not give, by INSEE code."""
    return {row["code"]: int(row["population"]) for row in _rows("populations.tsv")}


def former_codes() -> dict[str, str]:
    """Read the codes of merged or renumbered communes, with the code of the present commune."""
    return {row["former"]: row["present"] for row in _rows("former_codes.tsv")}


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as lines:
        content = (line for line in lines if not line.startswith("#"))
        yield from csv.DictReader(content, delimiter="\t")
