"""Link AMELI lines to RPPS activities: blocking, comparison, one-to-one assignment, bands, explanations."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.linkage import assignment, bands, blocking, explain
from ingest.linkage.comparison import Compared, Comparer
from ingest.linkage.context import best_without, context
from ingest.linkage.decisions import Forced, fingerprints, forced_pairs
from ingest.linkage.encoding import Encoded, Longs, encode
from ingest.linkage.judging import KindEstimate, judge
from ingest.linkage.sources import Progress, Source, SqlSource, load

CHUNK = 40_000
"""Lines compared at a time: bounds memory."""
CANDIDATES = 3
ACCEPTED_BITS = 1000.0
MEMORY = "700MB"


@dataclass(slots=True)
class LinkResult:
    """Outcome of a linkage.

    `links`: one row per AMELI line: line, fingerprint, rpps, structure, score (0–1000), decision (auto, review,
    none; rpps and structure are empty for none), explanation (compact JSON). `candidates`: for each line to
    review, at most three proposals: line, fingerprint, rank, rpps, structure, score, explanation. `stats`: counts,
    compared pairs, seconds of each phase, estimates of the weak kinds of agreement.
    """

    links: pd.DataFrame
    candidates: pd.DataFrame
    stats: dict[str, Any] = field(default_factory=dict)


class _Clock:
    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.seconds, self._label, self._start = progress, dict[str, float](), "", 0.0

    def phase(self, label: str, share: float) -> None:
        now = time.perf_counter()
        if self._label:
            self.seconds[self._label] = round(self.seconds.get(self._label, 0.0) + now - self._start, 2)
        self._label, self._start = label, now
        if self.progress:
            self.progress(label, share)


def link(
    ameli: Source,
    activities: Source,
    decisions: pd.DataFrame | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> LinkResult:
    """Link AMELI lines (24 official columns and `line`) to RPPS activities (`sources.ACTIVITY_COLUMNS`).

    `decisions` holds what operators decided before: fingerprint, rpps, structure, verdict (accept or refuse).
    Each line gets at most one activity and each activity one line, repeated identical lines apart. Frames may
    be pandas frames, Arrow tables or `SqlSource` (for national volume). Raises ValueError when a required
    column is missing.
    """
    clock = _Clock(progress)
    with TemporaryDirectory(prefix="repere-linkage-") as folder:
        # Files may be larger than the memory allowed; frames are in memory already and deserve no disk.
        on_disk = isinstance(ameli, SqlSource) or isinstance(activities, SqlSource)
        connection = duckdb.connect(str(Path(folder) / "linkage.duckdb") if on_disk else ":memory:")
        try:
            connection.execute(f"SET memory_limit = '{MEMORY}'")
            return _run(connection, ameli, activities, decisions, clock)
        finally:
            connection.close()


def _run(
    connection: duckdb.DuckDBPyConnection,
    ameli: Source,
    activities: Source,
    decisions: pd.DataFrame | None,
    clock: _Clock,
) -> LinkResult:
    clock.phase("Lecture", 0.0)
    load(connection, "ameli", ameli)
    load(connection, "activities", activities)
    clock.phase("Normalisation", 0.15)
    data = encode(connection)
    prints = fingerprints(connection)
    first_of = _duplicates(data)
    forced = forced_pairs(connection, decisions, prints, first_of)
    clock.phase("Comparaison", 0.4)
    pairs, compared = _compare(data, np.flatnonzero(first_of == np.arange(len(first_of))), forced, clock)
    clock.phase("Affectation", 0.8)
    outcome = _decide(data, pairs, forced)
    clock.phase("Résultats", 0.9)
    links, candidates = _frames(connection, data, prints, first_of, outcome)
    clock.phase("", 1.0)
    counts = links["decision"].value_counts()
    stats = {
        "lines": len(links),
        "activities": int(data.activities.located.sum()),
        "duplicates": int((first_of != np.arange(len(first_of))).sum()),
        "pairs": compared,
        "kept_pairs": len(pairs.line),
        "decisions_applied": len(forced.accepted_line) + len(forced.refused),
        **{name: int(counts.get(name, 0)) for name in ("auto", "review", "none")},
        "kinds": outcome.kind_counts,
        "estimates": outcome.estimates,
        "seconds": clock.seconds,
    }
    return LinkResult(links, candidates, stats)


def _duplicates(data: Encoded) -> Longs:
    """For each line, the first line that says the same of the same person at the same place."""
    a = data.lines
    kinds: dict[tuple[tuple[str, ...], frozenset[str]] | None, int] = {None: -1}
    same_kind = np.array(
        [kinds.setdefault((s.professions, s.savoir_faire) if s else None, i) for i, s in enumerate(data.specialties)]
    )
    frame = pd.DataFrame(
        {
            "surname": a.surname,
            "first": a.first,
            "gender": a.gender,
            "kind": same_kind[a.specialty] if len(a) else a.specialty,
            "postcode": a.postcode,
            "town": a.town,
            "way": a.way,
            "core": a.core,
            "number": a.number,
            "phone": a.phone,
        }
    )
    if frame.empty:
        return np.zeros(0, dtype=np.int64)
    group = frame.groupby(list(frame.columns), sort=False).ngroup().to_numpy()
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    result: Longs = first[inverse].astype(np.int64)
    return result


def _compare(data: Encoded, rows: npt.NDArray[np.intp], forced: Forced, clock: _Clock) -> tuple[Compared, int]:
    """Compare the candidate pairs of the given lines chunk by chunk; keep those worth a look and forced ones."""
    passes = list(blocking.passes(data))
    comparer = Comparer(data)
    width = max(1, len(data.activities))
    keep_line = np.zeros(len(data.lines), dtype=np.bool_)
    keep_line[rows] = True
    kept, compared = [comparer.compare(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))], 0
    for start in range(0, len(data.lines), CHUNK):
        stop = min(start + CHUNK, len(data.lines))
        keys = []
        for one in passes:
            line, activity = one.pairs(start, stop)
            chosen = keep_line[line]
            keys.append(line[chosen] * width + activity[chosen])
        own = (forced.accepted_line >= start) & (forced.accepted_line < stop)
        keys.append(forced.accepted_line[own] * width + forced.accepted_activity[own])
        key = np.sort(np.concatenate(keys))
        key = key[np.r_[True, key[1:] != key[:-1]]] if len(key) else key
        key = key[~np.isin(key, forced.refused)]
        batch = comparer.compare(key // width, key % width)
        compared += len(key)
        accepted = np.isin(key, forced.accepted_line * width + forced.accepted_activity)
        kept.append(batch.take((batch.total >= bands.KEEP_BITS) | accepted))
        clock.phase("Comparaison", 0.4 + 0.4 * stop / len(data.lines))
    return Compared.join(kept), compared


@dataclass(slots=True)
class _Outcome:
    pairs: Compared
    chosen: npt.NDArray[np.bool_]
    auto: npt.NDArray[np.bool_]
    review: npt.NDArray[np.bool_]
    forced: npt.NDArray[np.bool_]
    margin: npt.NDArray[np.float64]
    kind: bands.Kinds
    estimates: list[KindEstimate]
    kind_counts: dict[str, dict[str, int]]


def _decide(data: Encoded, pairs: Compared, forced: Forced) -> _Outcome:
    width = max(1, len(data.activities))
    is_forced = np.isin(pairs.line * width + pairs.activity, forced.accepted_line * width + forced.accepted_activity)
    # An accepted pair leaves no other choice to its line nor to its activity.
    closed = np.isin(pairs.line, forced.accepted_line) | np.isin(pairs.activity, forced.accepted_activity)
    pairs = pairs.take(is_forced | ~closed)
    is_forced = is_forced[is_forced | ~closed]
    value = (pairs.total - bands.KEEP_BITS).astype(np.float64) + 0.01
    value[is_forced] = ACCEPTED_BITS
    chosen = assignment.assign(pairs.line, pairs.activity, value)
    margin = assignment.margins(pairs.line, pairs.activity, value, chosen)
    kind = bands.kinds(pairs)
    around = context(data, pairs, chosen, kind)
    judged = judge(pairs, chosen & ~is_forced, margin, kind, around)
    auto = judged.auto | (is_forced & chosen)
    review = chosen & ~auto
    best = best_without(pairs, chosen)
    review[best[(pairs.total[best] >= bands.REVIEW_RIVAL_BITS) & bands.is_sure(pairs, kind)[best]]] = True
    counts = {
        k.name: {
            "chosen": int((chosen & (kind == k)).sum()),
            "auto": int((auto & (kind == k)).sum()),
        }
        for k in bands.Kind
    }
    return _Outcome(pairs, chosen, auto, review, is_forced, margin, kind, judged.estimates, counts)


def _frames(
    connection: duckdb.DuckDBPyConnection,
    data: Encoded,
    prints: npt.NDArray[np.object_],
    first_of: Longs,
    outcome: _Outcome,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    ids = connection.execute("SELECT rpps, structure FROM activities").fetchnumpy()
    rpps, structure = np.asarray(ids["rpps"], dtype=object), np.asarray(ids["structure"], dtype=object)
    pairs, count = outcome.pairs, len(data.lines)
    shown = np.flatnonzero(outcome.auto | outcome.review)
    texts = explain.explanations(pairs, outcome.margin, outcome.kind, outcome.forced, shown)
    score = explain.scores(pairs.total)
    pair_of = np.full(count, -1, dtype=np.int64)
    pair_of[pairs.line[shown]] = np.arange(len(shown))
    at = pair_of[first_of] if count else pair_of
    has = at >= 0
    pair = shown[np.maximum(at, 0)] if len(shown) else np.zeros(count, dtype=np.intp)

    def spread(values: npt.NDArray[Any], empty: Any) -> npt.NDArray[Any]:
        result = np.full(count, empty, dtype=values.dtype if values.dtype != object else object)
        result[has] = values[pair[has]]
        return result

    auto = np.zeros(count, dtype=np.bool_)
    if len(shown):
        auto[has] = outcome.auto[pair[has]]
    links = pd.DataFrame(
        {
            "line": data.lines.line,
            "fingerprint": prints,
            "rpps": spread(rpps[pairs.activity], ""),
            "structure": spread(structure[pairs.activity], ""),
            "score": spread(score, 0),
            "decision": np.where(auto, "auto", np.where(has, "review", "none")),
        }
    )
    explanation = np.full(count, "", dtype=object)
    explanation[has] = texts[at[has]]
    links["explanation"] = explanation
    return links, _candidates(data, prints, outcome, rpps, structure, score)


def _candidates(
    data: Encoded,
    prints: npt.NDArray[np.object_],
    outcome: _Outcome,
    rpps: npt.NDArray[np.object_],
    structure: npt.NDArray[np.object_],
    score: npt.NDArray[np.int64],
) -> pd.DataFrame:
    pairs = outcome.pairs
    waiting = np.flatnonzero(np.isin(pairs.line, pairs.line[outcome.review]))
    order = waiting[np.lexsort((-pairs.total[waiting], ~outcome.chosen[waiting], pairs.line[waiting]))]
    first = np.r_[True, np.diff(pairs.line[order]) != 0] if len(order) else np.zeros(0, dtype=np.bool_)
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0)) if len(order) else order
    rank = np.arange(len(order)) - start + 1
    top = order[rank <= CANDIDATES]
    texts = explain.explanations(pairs, outcome.margin, outcome.kind, outcome.forced, top)
    return pd.DataFrame(
        {
            "line": data.lines.line[pairs.line[top]],
            "fingerprint": prints[pairs.line[top]],
            "rank": rank[rank <= CANDIDATES],
            "rpps": rpps[pairs.activity[top]],
            "structure": structure[pairs.activity[top]],
            "score": score[top],
            "explanation": texts,
        }
    )
