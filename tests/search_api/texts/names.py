"""Names that are hard to find, and what finds them."""

import random

from search_api.engine import Term
from search_api.texts.reader import TextReader
from tests.search_api import seed

ODD = (
    "D’ARTAGNAN",
    "D'ARTAGNAN",
    "SAINT-MARTIN",
    "L’HOSTIS",
    "O'BRIEN-LÉVY",
    "LE",
    "NY",
    "O",
    "3M",
    "ŒUVRARD",
    "YILDIZ",
    "ZOË 😀 MÜLLER",
    "DR.MARTIN",
    "X Æ A-12",
    "DUPONT/DURAND",
    "ANAÏS--MARIE",
    "A" * 45,
)
SITES = ("CABINET D’ORTHOPHONIE", "SCM L'AVENIR-SANTÉ", "MSP DR.DURAND", "CENTRE 15", "3F&CO", "😀")
CANARY = seed.CANARY.lower()


def odd_names(rng: random.Random, count: int) -> list[str]:
    parts = (
        "BER",
        "MAR",
        "DU",
        "LE",
        "ROU",
        "TIN",
        "NARD",
        "PONT",
        "SELLE",
        "GÉ",
        "ÇOI",
        "NOË",
        "VAL",
        "XI",
        "KÉ",
        "BOR",
        "ZU",
        "HAM",
        "FLO",
    )

    def one() -> str:
        return "".join(rng.choice(parts) for _ in range(rng.randint(1, 4)))

    return [
        *ODD,
        *(one() if rng.random() < 0.8 else f"{one()}{rng.choice(' -’')}{one()}" for _ in range(count - len(ODD))),
    ]


def term(*lexemes: str) -> Term:
    return Term(text=lexemes[0], lexemes=(frozenset(lexemes),))


def names_found(reader: TextReader, *terms: str, level: int = 1) -> set[tuple[str, int]]:
    return {(hit.kind, hit.id) for hit in reader.names(tuple(map(term, terms)), level, 10_000)}
