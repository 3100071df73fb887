"""Linkage of AMELI lines (which carry no RPPS number) to RPPS activities.

Pure over files and frames: no database. The doors are `link` (frames or SQL sources in, decisions out),
`ameli_from_file` and `activities_from_rpps` (official files to sources), `evaluate` (score against a truth).
"""

from ingest.linkage.evaluation import Evaluation, evaluate
from ingest.linkage.linker import LinkResult, link
from ingest.linkage.sources import SqlSource, activities_from_rpps, ameli_from_file

__all__ = [
    "Evaluation",
    "LinkResult",
    "SqlSource",
    "activities_from_rpps",
    "ameli_from_file",
    "evaluate",
    "link",
]
