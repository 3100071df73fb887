"""Precision and recall of automatic links against a truth file, overall and per kind of case."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

ALL = "all"
"""Kind of the score of all lines together."""


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one kind of case (or of all): a link is right when RPPS and structure are the true ones."""

    kind: str
    lines: int
    true_links: int
    linked: int
    right: int
    right_person: int
    review: int
    review_right: int

    @property
    def precision(self) -> float:
        """Share of the automatic links that are right (1 when there is none)."""
        return self.right / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        """Share of the true links that were made automatically (1 when there is none)."""
        return self.right / self.true_links if self.true_links else 1.0

    @property
    def wrong(self) -> int:
        """Automatic links that are not the true one."""
        return self.linked - self.right

    @property
    def missed(self) -> int:
        """True links that were not made automatically."""
        return self.true_links - self.right

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Counts and rates, for JSON."""
        return asdict(self) | {
            "wrong": self.wrong,
            "missed": self.missed,
            "precision": round(self.precision, 6),
            "recall": round(self.recall, 6),
            "f1": round(self.f1, 6),
            "person_precision": round(self.right_person / self.linked if self.linked else 1.0, 6),
            "person_recall": round(self.right_person / self.true_links if self.true_links else 1.0, 6),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Score of everything, then of each kind of case that the truth tells (a line may be of several)."""

    overall: Score
    kinds: list[Score]

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {"overall": self.overall.as_dict(), "kinds": [k.as_dict() for k in self.kinds]}


def read_truth(path: Path) -> pd.DataFrame:
    """Truth file `ameli_row,rpps,structure,secteur[,kind]`; an empty rpps means that nobody matches.

    `kind` names what makes the line hard, several kinds joined by "+".
    Raises ValueError when a column is missing, FileNotFoundError when the file is.
    """
    truth = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    missing = [c for c in ("ameli_row", "rpps", "structure") if c not in truth.columns]
    if missing:
        raise ValueError(f"{path.name} : colonnes absentes : {', '.join(missing)}")
    return truth.assign(ameli_row=truth["ameli_row"].astype("int64"))


def evaluate(links: pd.DataFrame, truth: pd.DataFrame) -> Evaluation:
    """Compare links (line, rpps, structure, decision) with the truth; lines absent from the truth are ignored."""
    both = truth.merge(links, left_on="ameli_row", right_on="line", how="left", suffixes=("_true", ""))
    for column in ("rpps", "structure", "decision"):
        both[column] = both[column].fillna("").astype(str)
    person = (both["rpps"] == both["rpps_true"]) & (both["rpps_true"] != "")
    both["is_true"] = both["rpps_true"] != ""
    both["auto"] = both["decision"] == "auto"
    both["wait"] = both["decision"] == "review"
    both["person"] = person
    both["exact"] = person & (both["structure"] == both["structure_true"])
    if "kind" in both.columns:
        # A line that moved and bears a misspelt name is a case of both.
        each = both.assign(kind=both["kind"].where(both["kind"] != "", "plain").str.split("+")).explode("kind")
        kinds = [_score(str(name), rows) for name, rows in each.groupby("kind", sort=True)]
    else:
        kinds = []
    return Evaluation(_score(ALL, both), kinds)


def _score(kind: str, rows: pd.DataFrame) -> Score:
    auto, wait = rows["auto"], rows["wait"]
    return Score(
        kind=kind,
        lines=len(rows),
        true_links=int(rows["is_true"].sum()),
        linked=int(auto.sum()),
        right=int((auto & rows["exact"]).sum()),
        right_person=int((auto & rows["person"]).sum()),
        review=int(wait.sum()),
        review_right=int((wait & rows["exact"]).sum()),
    )
