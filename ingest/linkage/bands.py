"""Which assigned pairs are sure enough to be linked, which an operator should see.

A pair supported by the name and by the address or the phone is sure when it weighs enough and no exchange comes
near. Weaker kinds of agreement (the name alone after a move, the first name alone at an address) are judged on
the file itself: a kind is linked only if its expected number of errors is small.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from ingest.linkage.comparison import Compared, NameLevel, PlaceLevel, Same, StreetLevel

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
WEAK_MARGIN = 4.0
SAME_PERSON_MARGIN = 1.5
KEEP_BITS = -3.0
"""Pairs below are forgotten at once: they are neither linked nor worth a review."""
REVIEW_RIVAL_BITS = 8.0
MAX_KIND_ERROR = 0.04
CHEAP_KIND_ERROR = 0.005
MAX_TOTAL_ERROR = 0.0006
TARGET_RECALL = 0.985
"""Kinds that cost more errors than `CHEAP_KIND_ERROR` are linked only up to this share of the proposed pairs."""
_PRIOR_LOSERS = 1.0
_PRIOR_COVERAGE = (9.0, 10.0)


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


@dataclass(frozen=True, slots=True)
class KindEstimate:
    """How a weak kind was judged: pairs at stake, lines that lost to a surer one, expected errors, pairs linked."""

    kind: str
    namesakes: bool
    pairs: int
    losers: int
    coverage: float
    expected_errors: float
    linked: int


@dataclass(slots=True)
class Judged:
    """Pairs to link and the estimates behind the weak ones."""

    auto: Bools
    estimates: list[KindEstimate]


def judge(
    pairs: Compared,
    chosen: Bools,
    margin: npt.NDArray[np.float64],
    kind: Kinds,
    namesakes: Bools,
    same_person: Bools,
    coverage: npt.NDArray[np.float64],
    lost: npt.NDArray[np.intp],
) -> Judged:
    """Decide which chosen pairs are linked.

    `namesakes`: another person of the profession has the same name; `same_person`: the nearest rival is the
    same person elsewhere; `coverage`: share of its département's activities that other lines take; `lost`: for each
    line without partner, its best pair, whose activity another line took. Such lines are people that AMELI alone
    knows; a share 1 - coverage of their like falls on an unclaimed activity and would be linked wrongly.
    """
    enough = np.where(same_person, SAME_PERSON_MARGIN, SURE_MARGIN)
    sure = chosen & is_sure(pairs, kind) & (margin >= enough)
    liberal = pairs.level("mode") == Same.EQUAL
    able = chosen & ~sure & liberal & (pairs.total >= WEAK_BITS) & (margin >= WEAK_MARGIN)
    able &= (pairs.level("gender") != Same.DIFFERENT) & (pairs.level("specialty") != Same.DIFFERENT)
    able &= pairs.level("first") <= NameLevel.SWAPPED
    trials: list[tuple[float, KindEstimate, Bools]] = []
    for k in list(Kind)[2:-1]:
        for shared in (False, True):
            here = able & (kind == k) & (namesakes == shared)
            at_stake = int(here.sum())
            if not at_stake:
                continue
            losers = int(((kind[lost] == k) & (namesakes[lost] == shared)).sum())
            cover = float((coverage[here].sum() + _PRIOR_COVERAGE[0]) / (at_stake + _PRIOR_COVERAGE[1]))
            errors = (losers + _PRIOR_LOSERS) * (1 - cover) / max(cover, 0.01)
            estimate = KindEstimate(k.name, shared, at_stake, losers, round(cover, 4), round(errors, 2), 0)
            trials.append((errors / at_stake, estimate, here))
    auto: Bools = sure.copy()
    budget, wanted = MAX_TOTAL_ERROR * float(sure.sum()), int(TARGET_RECALL * float(chosen.sum()))
    estimates = []
    for rate, estimate, here in sorted(trials, key=lambda t: t[0]):
        allowed = int(budget / rate) if rate <= MAX_KIND_ERROR else 0
        if rate > CHEAP_KIND_ERROR:
            allowed = min(allowed, max(0, wanted - int(auto.sum())))
        linked = _heaviest(allowed, here, pairs.total)
        auto |= linked
        budget -= rate * float(linked.sum())
        estimates.append(replace(estimate, linked=int(linked.sum())))
    return Judged(auto, estimates)


def _heaviest(allowed: int, here: Bools, total: npt.NDArray[np.float32]) -> Bools:
    """At most `allowed` pairs of a kind, the heaviest, cut at a whole number of bits."""
    weights = np.sort(total[here])[::-1]
    if allowed >= len(weights):
        return here
    heavy: Bools = here & (total > np.ceil(weights[allowed]))
    return heavy
