"""Measure of the linkage on register files, for `./repere bench ingest`."""

import resource
import time
from pathlib import Path
from typing import Any

from ingest.linkage.commands import find_registers
from ingest.linkage.evaluation import evaluate, read_truth
from ingest.linkage.linker import link
from ingest.linkage.sources import activities_from_rpps, ameli_from_file


def bench_linkage(directory: Path) -> dict[str, Any]:
    """Link the registers of a directory; return seconds (total and by phase), pairs, peak memory in MB.

    When the directory has a `truth.csv`, precision and recall are added. The peak is that of the process.
    """
    ameli, rpps = find_registers(directory)
    start = time.perf_counter()
    result = link(ameli_from_file(ameli), activities_from_rpps(rpps))
    figures: dict[str, Any] = {
        "seconds": round(time.perf_counter() - start, 1),
        "phases": result.stats["seconds"],
        "lines": result.stats["lines"],
        "activities": result.stats["activities"],
        "pairs": result.stats["pairs"],
        "auto": result.stats["auto"],
        "review": result.stats["review"],
        "none": result.stats["none"],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    truth = directory / "truth.csv"
    if truth.is_file():
        figures["truth"] = evaluate(result.links, read_truth(truth)).as_dict()
    return figures
