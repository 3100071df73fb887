"""Reports on the screen: tables of counts, phases, notices."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingest.labels import LEVELS, NBSP, PHASES, REGISTERS, STATUSES, number, percent
from ingest.schemas import LoadReport

messages = Console(stderr=True)
"""Progress and remarks: never mixed with what a program reads on the standard output."""


@contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator[Callable[[str, float], None]]:
    """A bar for the phases of a load, on the error stream; silent when it is not a terminal."""
    columns = (TextColumn("{task.description:<48}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=messages, disable=quiet or not sys.stderr.isatty()) as bar:
        task = bar.add_task("Chargement", total=1.0)

        def advance(label: str, share: float) -> None:
            bar.update(task, completed=share, description=label)

        yield advance
        bar.update(task, completed=1.0, description="Terminé")


def show_report(report: LoadReport) -> None:
    """Print a load's report."""
    console = Console()
    console.print(
        f"Chargement n°{NBSP}{report.load_id}{NBSP}: [bold]{STATUSES.get(report.status, report.status)}[/bold]"
        f" en {report.seconds:.1f}".replace(".", ",")
        + f"{NBSP}s"
    )
    if report.registers:
        console.print(_counts(report))
        _reasons(console, report)
    _rest(console, report)
    for notice in report.notices:
        console.print(f"• {notice}", highlight=False)
    if report.rejects_file:
        console.print(f"Lignes rejetées{NBSP}: {report.rejects_file}", highlight=False)


def _counts(report: LoadReport) -> Table:
    table = Table(box=SIMPLE_HEAD, caption="lues = nouvelles + modifiées + inchangées + rejetées", padding=(0, 1))
    for heading in ("Registre", "Lues", "Nouvelles", "Modifiées", "Inchangées", "Rejetées", "Fermées"):
        table.add_column(heading, justify="left" if heading == "Registre" else "right", no_wrap=True)
    for name, r in report.registers.items():
        counts = (r.read, r.new, r.changed, r.unchanged, r.rejected, r.closed)
        table.add_row(REGISTERS.get(name, name), *map(number, counts))
    return table


def _reasons(console: Console, report: LoadReport) -> None:
    for name, register in report.registers.items():
        if register.merged:
            merged = f"{number(register.merged)} lignes complètent ce qu’une autre ligne décrit déjà"
            console.print(f"  {REGISTERS[name]}{NBSP}: {merged}", highlight=False)
        for reason, count in register.reasons.items():
            console.print(f"  {REGISTERS[name]}, rejet{NBSP}: {reason}{NBSP}: {number(count)}", highlight=False)


_ENTITIES = {
    "legal_entities": "Entités juridiques",
    "sites": "Sites",
    "practitioners": "Professionnels",
    "roles": "Situations d’exercice",
    "offers": "Offres",
}


def _rest(console: Console, report: LoadReport) -> None:
    if report.published:
        table = Table(title="Répertoire")
        for heading in ("", "Nouveaux", "Modifiés", "Rouverts", "Inchangés", "Fermés"):
            table.add_column(heading, justify="right" if heading else "left")
        for key, label in _ENTITIES.items():
            counts = report.published[key]
            row = (counts["new"], counts["changed"], counts["reopened"], counts["unchanged"], counts["closed"])
            table.add_row(label, *map(number, row))
        console.print(table)
    if report.linkage:
        kinds = {"auto": "liées", "review": "à relire", "none": "sans lien"}
        parts = [f"{number(int(report.linkage.get(k, 0)))} {label}" for k, label in kinds.items()]
        console.print(f"Rapprochement AMELI{NBSP}: {', '.join(parts)}", highlight=False)
    total = sum(report.positions.values())
    if total:
        parts = [f"{percent(n / total, 1)} {LEVELS.get(level, level)}" for level, n in report.positions.items()]
        console.print(f"Positions{NBSP}: {', '.join(parts)}", highlight=False)
    if report.phases:
        timed = [(PHASES.get(name, name), seconds) for name, seconds in report.phases.items() if seconds >= 0.05]
        parts = [f"{label} {seconds:.1f}".replace(".", ",") + f"{NBSP}s" for label, seconds in timed]
        console.print(f"Durées{NBSP}: {', '.join(parts)}", highlight=False)
