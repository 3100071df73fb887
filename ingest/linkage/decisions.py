"""What operators decided before, keyed so that it survives reloads: content of the line, RPPS and structure."""

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.linkage.encoding import Longs

ACCEPT, REFUSE = "accept", "refuse"
_IDENTITY = (
    "ps_activite_nom",
    "ps_activite_prenom",
    "ps_activite_civilite",
    "specialite_code",
    "coordonnees_num_tel",
    "coordonnees_voie",
    "coordonnees_code_postal",
    "coordonnees_ville",
)


@dataclass(slots=True)
class Forced:
    """Decisions on present rows: accepted pairs, refused pair keys (line × number of activities + activity)."""

    accepted_line: Longs
    accepted_activity: Longs
    refused: Longs


def fingerprints(connection: duckdb.DuckDBPyConnection) -> npt.NDArray[np.object_]:
    """Fingerprint of each AMELI line: who, what and where, without tariffs, case or row number."""
    fields = ", ".join(f"upper(trim({c}))" for c in _IDENTITY)
    found = connection.execute(f"SELECT md5(concat_ws('|', {fields})) AS v FROM ameli").fetchnumpy()["v"]  # noqa: S608
    return np.asarray(found, dtype=object)


def forced_pairs(
    connection: duckdb.DuckDBPyConnection,
    decisions: pd.DataFrame | None,
    prints: npt.NDArray[np.object_],
    first_of: Longs,
) -> Forced:
    """Find the rows that the decisions are about; those about rows no longer present are left out.

    When two accepted decisions dispute a line or an activity, the last one given holds.
    """
    none = np.zeros(0, dtype=np.int64)
    if decisions is None or decisions.empty:
        return Forced(none, none, none)
    row_of = {p: int(first_of[i]) for i, p in enumerate(prints.tolist())}
    ids = connection.execute("SELECT rpps, structure FROM activities").fetchall()
    wanted = set(zip(decisions["rpps"].astype(str), decisions["structure"].astype(str), strict=True))
    activity_of = {key: i for i, key in enumerate(ids) if key in wanted}
    accepted: dict[int, int] = {}
    refused: set[int] = set()
    for one in decisions.itertuples(index=False):
        line, activity = row_of.get(one.fingerprint), activity_of.get((str(one.rpps), str(one.structure)))
        if line is None or activity is None:
            continue
        if one.verdict == ACCEPT:
            accepted = {x: y for x, y in accepted.items() if y != activity}
            accepted[line] = activity
            refused.discard(line * len(ids) + activity)
        elif one.verdict == REFUSE:
            refused.add(line * len(ids) + activity)
            if accepted.get(line) == activity:
                del accepted[line]
        else:
            raise ValueError(f"Décision inconnue : {one.verdict}")
    return Forced(
        np.array(list(accepted), dtype=np.int64),
        np.array(list(accepted.values()), dtype=np.int64),
        np.array(sorted(refused), dtype=np.int64),
    )
