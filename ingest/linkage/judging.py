"""Which assigned pairs are sure enough to be linked, which an operator should see.

A pair supported by the name and by the address or the phone is sure when it weighs enough and no exchange comes
near. Weaker kinds of agreement (the name alone after a move, the first name alone at an address) are judged on
the file itself: a group of pairs is linked only if its expected number of errors is small.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from ingest.linkage.bands import SURE_MARGIN, WEAK_BITS, Bools, Kind, Kinds, by_name, is_sure
from ingest.linkage.comparison import Compared, Same
from ingest.linkage.context import Context
from ingest.linkage.naming import NameLevel

WEAK_MARGIN = 4.0
SAME_PERSON_MARGIN = 1.5
PLACE_MARGIN = 8.0
"""What tells one free place of a person from another when the line is at neither."""
MAX_KIND_ERROR = 0.04
CHEAP_KIND_ERROR = 0.005
MAX_TOTAL_ERROR = 0.0008
TARGET_RECALL = 0.99
"""Groups that cost more errors than `CHEAP_KIND_ERROR` are linked only up to this share of the proposed pairs."""
_PRIOR_LOSERS = 1.0
_PRIOR_COVERAGE = (9.0, 10.0)


@dataclass(frozen=True, slots=True)
class KindEstimate:
    """How a weak group was judged: pairs at stake, lines that lost to a surer one, expected errors, pairs linked.

    `second`: the person holds a sure line at another place.
    """

    kind: str
    second: bool
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


def judge(pairs: Compared, chosen: Bools, margin: npt.NDArray[np.float64], kind: Kinds, around: Context) -> Judged:
    """Decide which chosen pairs are linked.

    A line that lost its activity to a surer one is somebody that AMELI alone knows, or another practice of the
    person linked. Strangers fall as well on people without line, a share 1 - coverage of all: these would be linked
    wrongly. At a free second place of somebody linked, every line of that name goes wrong.
    """
    enough = np.where(around.same_person, SAME_PERSON_MARGIN, SURE_MARGIN)
    sure = chosen & is_sure(pairs, kind) & (margin >= enough)
    liberal = pairs.level("mode") == Same.EQUAL
    able = chosen & ~sure & liberal & (pairs.total >= WEAK_BITS) & (margin >= WEAK_MARGIN)
    able &= (pairs.level("gender") != Same.DIFFERENT) & (pairs.level("specialty") != Same.DIFFERENT)
    able &= pairs.level("first") <= NameLevel.SWAPPED
    able &= ~by_name(kind) | ~(around.contested | (around.free & (margin < PLACE_MARGIN)))
    trials: list[tuple[float, KindEstimate, Bools]] = []
    for k, shared, second in product(list(Kind)[2:-1], (False, True), (False, True)):
        here = able & (kind == k) & (around.namesakes == shared) & (around.second == second)
        at_stake = int(here.sum())
        if not at_stake:
            continue
        losers = int(((kind[around.lost] == k) & (around.namesakes[around.lost] == shared)).sum())
        cover = float((around.coverage[here].sum() + _PRIOR_COVERAGE[0]) / (at_stake + _PRIOR_COVERAGE[1]))
        free = around.spare if second else around.strangers * (1 - cover) / max(cover, 0.01)
        errors = (losers + _PRIOR_LOSERS) * free
        estimate = KindEstimate(k.name, second, shared, at_stake, losers, round(cover, 4), round(errors, 2), 0)
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
