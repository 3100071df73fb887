"""Kinds of agreement that hold a pair together, and what each has to weigh."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from ingest.linkage.comparison import Compared, PlaceLevel, Same, StreetLevel
from ingest.linkage.naming import NameLevel

Kinds = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]


class Kind(IntEnum):
    """What holds a pair together, from the strongest to the weakest."""

    SUPPORTED = 0
    RENAMED = 1
    TOWN_SILENT = 2
    TOWN_NO_PHONE = 3
    TOWN_CONTRADICTED = 4
    MOVED_NEAR_NO_PHONE = 5
    MOVED_NEAR_CONTRADICTED = 6
    MOVED_FAR_NO_PHONE = 7
    MOVED_FAR_CONTRADICTED = 8
    RENAMED_ADDRESS = 9
    RENAMED_ADDRESS_CONTRADICTED = 10
    RENAMED_PHONE = 11
    OTHER = 12


SURE_BITS = {Kind.SUPPORTED: 4.0, Kind.RENAMED: 0.0}
"""Kinds sure by themselves, with the least bits they need."""
SURE_MARGIN = 4.0
WEAK_BITS = 0.0
KEEP_BITS = -3.0
"""Pairs below are forgotten at once: they are neither linked nor worth a review."""
REVIEW_RIVAL_BITS = 8.0
LEAST_STRANGERS = 0.25
"""Share of the lost lines that are always taken for strangers, whatever the file seems to show."""


def kinds(pairs: Compared) -> Kinds:
    """Classify each pair by the evidence that agrees."""
    surname, first = pairs.level("surname"), pairs.level("first")
    place, street, phone = pairs.level("place"), pairs.level("street"), pairs.level("phone")
    named = (surname <= NameLevel.SWAPPED) & (first <= NameLevel.HEAD)
    here = place <= PlaceLevel.TOWN
    at_street = here & (street <= StreetLevel.NO_NUMBER)
    at_street |= (place == PlaceLevel.DEPARTMENT) & (street == StreetLevel.EQUAL)
    called = phone == Same.EQUAL
    no_phone = phone == Same.MISSING
    renamed = (surname == NameLevel.DIFFERENT) & (first <= NameLevel.PART)
    renamed &= pairs.level("gender") != Same.DIFFERENT
    near = place == PlaceLevel.DEPARTMENT
    address = here & (street == StreetLevel.EQUAL)
    return np.select(
        [
            named & (called | at_street),
            renamed & called & address,
            named & here & (street == StreetLevel.MISSING) & no_phone,
            named & here & no_phone,
            named & here,
            named & near & no_phone,
            named & near,
            named & no_phone,
            named,
            renamed & address & no_phone,
            renamed & address,
            renamed & called,
        ],
        list(Kind)[:-1],
        Kind.OTHER,
    ).astype(np.int8)


def is_sure(pairs: Compared, kind: Kinds) -> Bools:
    """Pairs of a sure kind that weigh enough for it."""
    sure = np.zeros(len(kind), dtype=np.bool_)
    for one, least in SURE_BITS.items():
        sure |= (kind == one) & (pairs.total >= least)
    return sure


def by_name(kind: Kinds) -> Bools:
    """Pairs that the name holds together, without address or phone."""
    named: Bools = (kind >= Kind.TOWN_SILENT) & (kind <= Kind.MOVED_FAR_CONTRADICTED)
    return named
