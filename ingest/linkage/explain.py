"""Scores as integers and explanations that an operator can read, as compact JSON with French words."""

import json

import numpy as np
import numpy.typing as npt

from ingest.linkage.assignment import NO_RIVAL
from ingest.linkage.bands import Kind, Kinds
from ingest.linkage.comparison import CRITERIA, Compared

_CRITERIA = ("nom", "prénom", "sexe", "spécialité", "commune", "voie", "téléphone", "raison sociale", "mode")
_NAME = ("égal", "en partie", "proche", "inversé", "initiale", "premier prénom égal", "absent", "différent")
_SAME = ("égal", "absent", "différent")
_LEVELS = (
    _NAME,
    _NAME,
    _SAME,
    _SAME,
    ("égale", "code postal égal", "nom égal", "même département", "absente", "autre département"),
    ("égale", "égale sans numéro", "autre numéro", "absente", "différente"),
    _SAME,
    _SAME,
    ("libéral", "", "non libéral"),
)
_KINDS = {
    Kind.SUPPORTED: "nom et adresse ou téléphone",
    Kind.RENAMED: "changement de nom, adresse et téléphone",
    Kind.TOWN_SILENT: "nom et commune, sans adresse",
    Kind.TOWN_NO_PHONE: "nom et commune, autre voie",
    Kind.TOWN_CONTRADICTED: "nom et commune, autres voie et téléphone",
    Kind.MOVED_NEAR_NO_PHONE: "nom, autre commune du département",
    Kind.MOVED_NEAR_CONTRADICTED: "nom, autre commune du département, autre téléphone",
    Kind.MOVED_FAR_NO_PHONE: "nom, autre département",
    Kind.MOVED_FAR_CONTRADICTED: "nom, autre département, autre téléphone",
    Kind.RENAMED_ADDRESS: "changement de nom, adresse",
    Kind.RENAMED_ADDRESS_CONTRADICTED: "changement de nom, adresse, autre téléphone",
    Kind.RENAMED_PHONE: "changement de nom, téléphone",
    Kind.OTHER: "indices faibles",
}


def scores(bits: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Score 0–1000 of bits of evidence: 500 is an even chance, 15 points a bit."""
    return np.clip(np.rint(500 + 15 * bits.astype(np.float64)), 0, 1000).astype(np.int64)


def explanations(
    pairs: Compared,
    margin: npt.NDArray[np.float64],
    kind: Kinds,
    forced: npt.NDArray[np.bool_],
    shown: npt.NDArray[np.intp],
) -> npt.NDArray[np.object_]:
    """Explanation of the chosen pairs: per criterion [agreement, points], the kind of link, the margin.

    Points are those of `scores`. The margin is absent when nothing competes.
    """
    levels = pairs.levels[shown].astype(np.int64)
    points = np.clip(np.rint(pairs.bits[shown] * 15), -400, 400).astype(np.int64)
    gap = np.where(margin[shown] >= NO_RIVAL, -1, np.rint(margin[shown] * 15)).astype(np.int64)
    rows = np.column_stack([levels, points, gap, kind[shown], forced[shown]])
    cache: dict[tuple[int, ...], str] = {}
    texts = np.empty(len(shown), dtype=object)
    for at, row in enumerate(map(tuple, rows.tolist())):
        text = cache.get(row)
        if text is None:
            text = cache[row] = _text(row)
        texts[at] = text
    return texts


def _text(row: tuple[int, ...]) -> str:
    count = len(CRITERIA)
    said: dict[str, object] = {
        _CRITERIA[i]: [_LEVELS[i][row[i]], row[count + i]]
        for i in range(count)
        if _LEVELS[i][row[i]] not in ("", "absent", "absente", "libéral") or row[count + i]
    }
    said["lien"] = _KINDS[Kind(row[2 * count + 1])]
    if row[2 * count] >= 0:
        said["marge"] = row[2 * count]
    if row[2 * count + 2]:
        said["décision"] = "acceptée par un opérateur"
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
