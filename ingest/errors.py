"""What stops a load, in words for the operator."""

from core.errors import Conflict, DomainError


class FileRefused(DomainError):
    """A register file cannot be read as it is: which file, which line, which column, and why."""

    status = 422
    code = "fichier-refuse"
    title = "Fichier refusé"

    def __init__(self, file: str, reason: str, *, line: int | None = None, column: str | None = None) -> None:
        place = file
        if line is not None:
            place += f", ligne {line}"
        if column is not None:
            place += f", colonne « {column} »"
        super().__init__(f"{place} : {reason}")
        self.file = file
        self.reason = reason
        self.line = line
        self.column = column


class DropRefused(DomainError):
    """A register lost more rows than the guard allows; nothing was published."""

    status = 409
    code = "chute-d-effectif"
    title = "Chute d’effectif"


class LoadRunning(Conflict):
    """Another load holds the lock."""

    code = "chargement-en-cours"
    title = "Chargement en cours"
