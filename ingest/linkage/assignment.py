"""One-to-one assignment of lines to activities, and how much each choice is better than its best alternative."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

from ingest.linkage.encoding import Longs

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_DENSE = 300
"""Components up to this many lines and activities are solved as a dense matrix."""
NO_RIVAL = 99.0


def assign(line: Longs, activity: Longs, value: Floats) -> Bools:
    """Choose pairs, each line and activity at most once, so that the sum of `value` (all > 0) is the largest.

    Pairs that beat the sum of their best rivals are in every best choice, so they are taken at once; what is
    left falls into small components solved exactly.
    """
    chosen = np.zeros(len(line), dtype=np.bool_)
    if not len(line):
        return chosen
    line = np.unique(line, return_inverse=True)[1].astype(np.int64)
    activity = np.unique(activity, return_inverse=True)[1].astype(np.int64)
    left = np.arange(len(line))
    while len(left):
        a, b, v = line[left], activity[left], value[left]
        sure = v >= _best_other(a, v) + _best_other(b, v) + 1e-9
        if not sure.any():
            break
        chosen[left[sure]] = True
        taken_a = np.zeros(int(line.max()) + 1, dtype=np.bool_)
        taken_b = np.zeros(int(activity.max()) + 1, dtype=np.bool_)
        taken_a[a[sure]], taken_b[b[sure]] = True, True
        left = left[~taken_a[a] & ~taken_b[b]]
    if len(left):
        chosen[left[_components(line[left], activity[left], value[left])]] = True
    return chosen


def _best_other(group: Longs, value: Floats) -> Floats:
    """For each pair, the largest value among the other pairs of its group (0 when alone)."""
    order = np.lexsort((-value, group))
    g, v = group[order], value[order]
    first = np.r_[True, g[1:] != g[:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(g)), 0))
    second = np.minimum(start + 1, len(g) - 1)
    runner_up = np.where((second > start) & (g[second] == g[start]), v[second], 0.0)
    best = np.empty(len(value))
    best[order] = np.where(np.arange(len(g)) == start, runner_up, v[start])
    return best


def _components(line: Longs, activity: Longs, value: Floats) -> npt.NDArray[np.intp]:
    a = np.unique(line, return_inverse=True)[1]
    b = np.unique(activity, return_inverse=True)[1]
    lines, activities = int(a.max()) + 1, int(b.max()) + 1
    size = lines + activities
    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b + lines)), shape=(size, size))
    label = connected_components(graph, directed=False)[1][a]
    order = np.argsort(label, kind="stable")
    bounds = np.flatnonzero(np.r_[True, np.diff(label[order]) != 0, True])
    kept = [part[_solve(a[part], b[part], value[part])] for part in np.split(order, bounds[1:-1])]
    return np.concatenate(kept)


def _solve(a: npt.NDArray[np.intp], b: npt.NDArray[np.intp], value: Floats) -> npt.NDArray[np.intp]:
    """Indexes of the chosen pairs of one component."""
    if len(a) == 1:
        return np.zeros(1, dtype=np.intp)
    a = np.unique(a, return_inverse=True)[1]
    b = np.unique(b, return_inverse=True)[1]
    rows, columns = int(a.max()) + 1, int(b.max()) + 1
    if rows == 1 or columns == 1:
        return np.array([int(np.argmax(value))])
    if rows <= _DENSE and columns <= _DENSE:
        matrix = np.zeros((rows, columns))
        matrix[a, b] = value
        r, c = linear_sum_assignment(matrix, maximize=True)
        picked = np.zeros((rows, columns), dtype=np.bool_)
        picked[r, c] = True
        return np.flatnonzero(picked[a, b])
    # Each line gets a dummy partner of value 0, so that a full matching always exists.
    top = float(value.max()) + 1
    cost = np.r_[top - value, np.full(rows, top)]
    graph = csr_array(
        (cost, (np.r_[a, np.arange(rows)], np.r_[b, columns + np.arange(rows)])), shape=(rows, columns + rows)
    )
    _, partner = min_weight_full_bipartite_matching(graph)
    return np.flatnonzero(partner[a] == b)


def margins(line: Longs, activity: Longs, value: Floats, chosen: Bools) -> Floats:
    """For each pair, what the best exchange that gives up a chosen pair would lose (`NO_RIVAL` when none).

    A rival pair (a, y) of the chosen (a, b) is weighed with what its use frees and breaks: the line that holds
    y loses it, and may take b instead. Zero means a tie. Only chosen pairs have a meaningful margin.
    """
    result = np.full(len(line), NO_RIVAL)
    if not len(line):
        return result
    lines, activities = int(line.max()) + 1, int(activity.max()) + 1
    of_line = np.full(lines, -1, dtype=np.int64)
    of_activity = np.full(activities, -1, dtype=np.int64)
    picked = np.flatnonzero(chosen)
    of_line[line[picked]], of_activity[activity[picked]] = picked, picked
    rivals = np.flatnonzero(~chosen)
    mine, theirs = of_line[line[rivals]], of_activity[activity[rivals]]
    own = np.where(mine >= 0, value[mine], 0.0)
    held = np.where(theirs >= 0, value[theirs], 0.0)
    key = line * activities + activity
    order = np.argsort(key)
    swap = np.where((mine >= 0) & (theirs >= 0), line[theirs] * activities + activity[mine], -1)
    at = np.minimum(np.searchsorted(key[order], swap), len(key) - 1)
    back = np.where(key[order][at] == swap, value[order][at], 0.0)
    loss = own + held - value[rivals] - back
    for pair in (mine, theirs):
        known = pair >= 0
        np.minimum.at(result, pair[known], loss[known])
    clipped: Floats = np.clip(result, 0.0, NO_RIVAL)
    return clipped
