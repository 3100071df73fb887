"""Which files there are, and who may have them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Caller
from core import files
from core.errors import Forbidden, NotFound
from directory.api import PROFESSIONAL
from search_api.dumps.catalogue import DATASETS, FORMATS, LEVELS, ORIGINS, file_name
from search_api.models_dumps import Dump

RESERVED = (
    "Ce fichier est réservé aux professionnels de santé : connectez-vous, ou montrez une clé qui ouvre leur niveau. "
    "Le fichier public de même contenu reste ouvert à tous."
)
LIMITED = (
    "Votre accès est limité à une zone, et ce fichier couvre tout le répertoire. Faites une extraction "
    "(/fhir/$export), qui se limite à votre zone."
)


def weight(size: int) -> str:
    """Return a size as people say it: « 850 ko », « 1,2 Go »."""
    for unit, bytes_ in (("Go", 10**9), ("Mo", 10**6), ("ko", 10**3)):
        if size >= bytes_:
            value = size / bytes_
            text = f"{value:.1f}".replace(".", ",") if value < 10 else f"{value:.0f}"
            return f"{text}\u00a0{unit}"
    return f"{size}\u00a0octets"


@dataclass(frozen=True, slots=True)
class DumpFile:
    """A file that may be downloaded, as lists show it."""

    name: str
    dataset: str
    label: str
    level: int
    format: str
    format_label: str
    made_at: datetime
    rows: int
    size: int
    sha256: str
    position: int

    @property
    def weight(self) -> str:
        """Its size in words."""
        return weight(self.size)

    def out(self, base: str) -> dict[str, Any]:
        """Return it as JSON shows it."""
        return {
            "name": self.name,
            "dataset": self.dataset,
            "label": self.label,
            "level": LEVELS[self.level],
            "format": self.format,
            "made_at": self.made_at.isoformat(),
            "rows": self.rows,
            "size": self.size,
            "sha256": self.sha256,
            "position": self.position,
            "url": f"{base}/api/v1/dumps/{self.name}",
        }


def may_have(caller: Caller, level: int) -> bool:
    """Tell whether a caller may download the files of a level."""
    return level < PROFESSIONAL or (caller.level >= PROFESSIONAL and not caller.zone)


async def present(session: AsyncSession, caller: Caller) -> list[DumpFile]:
    """Return the files of the newest making that a caller may have, in the order of the datasets."""
    newest = select(func.max(Dump.made_at)).scalar_subquery()
    rows = await session.scalars(select(Dump).where(Dump.made_at == newest).order_by(Dump.id).limit(100))
    labels = {one.name: one.label for one in DATASETS}
    return [
        DumpFile(
            name=file_name(row.dataset, row.format, row.level),
            dataset=row.dataset,
            label=labels[row.dataset],
            level=row.level,
            format=row.format,
            format_label=FORMATS[row.format][0],
            made_at=row.made_at,
            rows=row.rows,
            size=row.size,
            sha256=row.digest,
            position=row.position,
        )
        for row in rows
        if may_have(caller, row.level) and row.dataset in labels and row.format in FORMATS
    ]


async def find(session: AsyncSession, name: str, caller: Caller) -> tuple[DumpFile, Path]:
    """Return a file by its name, and where its content lies.

    Raises:
        NotFound: there is no such file, or it is not made yet.
        Forbidden: it is of a level that this caller does not have, or of more than its zone.
    """
    known = {
        file_name(dataset.name, format_, level): level
        for dataset in DATASETS
        for format_ in FORMATS
        for level in LEVELS
    }
    if name not in known:
        raise NotFound(f"Il n’y a pas de fichier « {name[:60]} » : /api/v1/dumps en donne la liste.")
    if not may_have(caller, known[name]):
        raise Forbidden(LIMITED if caller.level >= PROFESSIONAL else RESERVED)
    found = next((one for one in await present(session, caller) if one.name == name), None)
    path = files.path_of(found.sha256) if found else None
    if found is None or path is None or not path.is_file():
        raise NotFound("Ce fichier n’est pas encore fabriqué : il l’est chaque nuit. Revenez demain.")
    return found, path


def dictionary() -> dict[str, Any]:
    """Return what each column of each dataset means."""
    return {
        "origins": ORIGINS,
        "datasets": [
            {
                "name": dataset.name,
                "label": dataset.label,
                "description": dataset.description,
                "columns": [
                    {
                        "name": column.name,
                        "type": column.form,
                        "meaning": column.meaning,
                        "origin": column.origin,
                        "nomenclature": column.system,
                        "level": LEVELS[column.level],
                    }
                    for column in dataset.columns
                ],
            }
            for dataset in DATASETS
        ],
    }
