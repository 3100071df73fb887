"""What a load reports: on screen, as JSON, and kept in `ingest.load`."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class FileReport(BaseModel):
    """A file that was read."""

    name: str
    kind: str
    published: datetime
    size: int
    sha256: str
    lines: int
    extra_columns: list[str] = Field(default_factory=list)


class RegisterReport(BaseModel):
    """What became of a register's lines: read = new + changed + unchanged + rejected, always in `unit`.

    A line counts as new, changed or unchanged with what it describes: for RPPS its role, person and place (the
    lines of one role that differ by savoir-faire are merged, and all count); for FINESS its establishment or
    legal entity (a geolocation line goes with its establishment); for AMELI the person and what it links to.
    `closed` counts entities (AMELI: lines) that were there before and are no longer.
    """

    unit: str
    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    closed: int = 0
    reasons: dict[str, int] = Field(default_factory=dict)
    rows: int = Field(default=0, description="What the fall guard compares from one load to the next.")
    merged: int = Field(default=0, description="Lines that describe an entity that another line also describes.")
    digest: str = ""
    files: list[FileReport] = Field(default_factory=list)

    def adds_up(self) -> bool:
        """Whether the counts agree."""
        return self.read == self.new + self.changed + self.unchanged + self.rejected


class LoadReport(BaseModel):
    """The whole report of a load."""

    load_id: int
    status: str
    started_at: datetime
    finished_at: datetime
    seconds: float
    phases: dict[str, float] = Field(default_factory=dict)
    registers: dict[str, RegisterReport] = Field(default_factory=dict)
    published: dict[str, Any] | None = None
    linkage: dict[str, Any] | None = None
    positions: dict[str, int] = Field(default_factory=dict, description="Sites by level of position.")
    communes: dict[str, int] = Field(default_factory=dict, description="Sites by how their commune was found.")
    notices: list[str] = Field(default_factory=list)
    rejects_file: str | None = None
    context: str = ""
