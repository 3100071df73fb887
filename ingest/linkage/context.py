"""What the rest of the file says about the chosen pairs: rivals, namesakes, other places, strangers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.linkage import bands
from ingest.linkage.comparison import Compared, Same
from ingest.linkage.encoding import Encoded

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]


@dataclass(slots=True)
class Context:
    """What is known of each pair (and of the whole file) besides the two rows that it joins.

    `namesakes`: another person of the profession has the same name; `same_person`: the nearest rival is the same
    person elsewhere; `contested`: another line without sure partner may stand for the activity too; `second`: the
    person holds a sure line at another place; `free`: another place of the person has no line; `coverage`: share
    of the activities of the same profession and département that other lines take. `lost`: for each line without
    partner, its best pair, whose activity another line took. `spare`: activities of people who hold a sure line
    elsewhere, per sure line. `strangers`: share of the lost lines that may be strangers, see `_strangers`.
    """

    namesakes: Bools
    same_person: Bools
    contested: Bools
    second: Bools
    free: Bools
    coverage: Floats
    lost: Index
    spare: float
    strangers: float


def context(data: Encoded, pairs: Compared, chosen: Bools, kind: bands.Kinds) -> Context:
    """Gather the context of the pairs, `chosen` being those of the assignment."""
    sure = chosen & bands.is_sure(pairs, kind)
    likely = sure | (chosen & (pairs.total >= bands.WEAK_BITS))
    held, taken = _marked(data, pairs, sure), _marked(data, pairs, likely)
    settled = np.zeros(len(data.lines), dtype=np.bool_)
    settled[pairs.line[sure]] = True
    b = data.activities
    open_ = b.liberal & b.located
    people = _people(data, held)
    lost = _lost(pairs, chosen, taken)
    return Context(
        namesakes=_namesakes(data)[pairs.activity],
        same_person=_rival_is_same_person(data, pairs, chosen),
        contested=_contested(data, pairs, chosen, kind, settled),
        second=(people & ~held)[pairs.activity],
        free=_other_free(data, open_ & ~_marked(data, pairs, chosen))[pairs.activity],
        coverage=_coverage(data, taken)[pairs.activity],
        lost=lost,
        spare=float((open_ & people & ~held).sum()) / max(1, int(held.sum())),
        strangers=_strangers(data, settled, held, int(bands.by_name(kind[lost]).sum())),
    )


def _marked(data: Encoded, pairs: Compared, mask: Bools) -> Bools:
    """Activities of the given pairs."""
    marked = np.zeros(len(data.activities), dtype=np.bool_)
    marked[pairs.activity[mask]] = True
    return marked


def _people(data: Encoded, held: Bools) -> Bools:
    """All the activities of the people of the given ones."""
    person = data.activities.person
    marked = np.zeros(int(person.max()) + 1 if len(person) else 0, dtype=np.bool_)
    marked[person[held]] = True
    return marked[person]


def _other_free(data: Encoded, free: Bools) -> Bools:
    """Activities whose person has another one among the free."""
    person = data.activities.person
    count = np.bincount(person[free], minlength=int(person.max()) + 1 if len(person) else 0)
    more: Bools = count[person] - free > 0
    return more


def _coverage(data: Encoded, taken: Bools) -> Floats:
    """For each activity, the share taken of the other liberal ones of its profession and département."""
    b = data.activities
    cell = b.department.astype(np.int64) * (len(data.professions) + 1) + b.profession
    counted = b.liberal & b.located
    size = int(cell.max()) + 1 if len(cell) else 1
    whole = np.bincount(cell[counted], minlength=size)[cell] - counted
    used = np.bincount(cell[counted & taken], minlength=size)[cell] - (counted & taken)
    share: Floats = used / np.maximum(whole, 1)
    return share


def _namesakes(data: Encoded) -> Bools:
    """Activities whose name another person of the profession bears."""
    b = data.activities
    frame = pd.DataFrame({"s": b.surname, "f": b.first, "p": b.profession, "who": b.person})
    if frame.empty:
        return np.zeros(0, dtype=np.bool_)
    people = frame.drop_duplicates().groupby(["s", "f", "p"]).size()
    shared = people[people > 1].reset_index()[["s", "f", "p"]]
    marked = frame.merge(shared.assign(more=True), on=["s", "f", "p"], how="left")["more"]
    return marked.notna().to_numpy(dtype=np.bool_)


def _rival_is_same_person(data: Encoded, pairs: Compared, chosen: Bools) -> Bools:
    """Chosen pairs whose line has no better other candidate than the same person at another structure."""
    best = np.full(len(data.lines), -np.inf)
    holder = np.full(len(data.lines), -1, dtype=np.int64)
    picked = np.flatnonzero(chosen)
    holder[pairs.line[picked]] = data.activities.person[pairs.activity[picked]]
    others = np.flatnonzero(~chosen)
    foreign = others[data.activities.person[pairs.activity[others]] != holder[pairs.line[others]]]
    np.maximum.at(best, pairs.line[foreign], pairs.total[foreign])
    contested = np.zeros(len(data.activities), dtype=np.bool_)
    contested[pairs.activity[others]] = True
    return (best[pairs.line] < pairs.total - bands.SURE_MARGIN) & ~contested[pairs.activity]


def _contested(data: Encoded, pairs: Compared, chosen: Bools, kind: bands.Kinds, settled: Bools) -> Bools:
    """Pairs whose activity yet another line may stand for, one that nothing explains better: who can tell which?"""
    own = np.full(len(data.lines), -np.inf)
    own[pairs.line[chosen]] = pairs.total[chosen]
    rival = ~chosen & ~settled[pairs.line] & (pairs.total > own[pairs.line] - bands.SURE_MARGIN)
    return _marked(data, pairs, rival & (kind != bands.Kind.OTHER))[pairs.activity]


def best_without(pairs: Compared, served: Bools) -> Index:
    """Best pair of each line that has none of the given pairs."""
    free = np.flatnonzero(~np.isin(pairs.line, pairs.line[served]))
    order = free[np.lexsort((-pairs.total[free], pairs.line[free]))]
    first = np.r_[True, np.diff(pairs.line[order]) != 0] if len(order) else np.zeros(0, dtype=np.bool_)
    return order[first]


def _lost(pairs: Compared, chosen: Bools, claimed: Bools) -> Index:
    """Best pair of each line left without partner (or with a salaried activity) because another line took it."""
    best = best_without(pairs, chosen & (pairs.level("mode") == Same.EQUAL))
    return best[claimed[pairs.activity[best]] & ~chosen[best]]


def _strangers(data: Encoded, settled: Bools, held: Bools, lost: int) -> float:
    """Share of the lost lines that may be strangers, who fall on anybody's name, linked or not.

    A line with the name of somebody already linked is a stranger or that same person's other practice. Only
    strangers can take the place of a person without line. They are counted where nobody can be right: on people
    who have no liberal activity. If strangers were all, they would fall on those as often as on the linked ones.
    """
    b = data.activities
    open_ = b.liberal & b.located
    never = b.located & ~_people(data, open_)
    controls = pd.DataFrame({"s": b.surname, "f": b.first, "d": b.department, "p": b.profession, "who": b.person})[
        never
    ].drop_duplicates()
    # Only professions that AMELI lists, each by how often its activities are linked at all.
    size = len(data.professions)
    linked = np.bincount(b.profession[held], minlength=size)
    rate = linked / max(1, int(linked.sum())) / np.maximum(np.bincount(b.profession[open_], minlength=size), 1)
    expected = lost * float(rate[controls["p"].to_numpy()].sum())
    codes = {p: i for i, p in enumerate(data.professions)}
    of_kind = np.array([codes.get(k.professions[0], -1) if k else -1 for k in data.specialties], dtype=np.int64)
    a = data.lines
    alone = pd.DataFrame({"s": a.surname, "f": a.first, "d": a.department, "p": of_kind[a.specialty]})[~settled]
    hits = len(alone.merge(controls, on=["s", "f", "d", "p"])) if len(alone) else 0
    return float(np.clip((hits + 1) / (expected + 1), bands.LEAST_STRANGERS, 1.0))
