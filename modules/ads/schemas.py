"""Values that ads take and give."""

import hashlib
import json
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

TITLE_MAX: Final = 120
DESCRIPTION_MAX: Final = 5000
CONDITIONS_MAX: Final = 500
MOST_PLACES: Final = 10
MOST_PERIODS: Final = 12
MOST_FILES: Final = 10


class Period(BaseModel):
    """A period: `ends_on` is inclusive; without it, the period is open (« à partir du »)."""

    model_config = ConfigDict(frozen=True)

    starts_on: date
    ends_on: date | None = None


class FileRef(BaseModel):
    """A file as the content of an ad names it: by what it holds."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: str


class AdContent(BaseModel):
    """What an ad says, and what a council accepts or refuses: all but its end of publication.

    A draft may lack anything; `rules.complete` says what a submission wants. `places` are keys of the location index.
    """

    model_config = ConfigDict(frozen=True)

    category: str | None = None
    side: str | None = None
    specialty: str | None = None
    title: Annotated[str, Field(max_length=TITLE_MAX)] = ""
    description: Annotated[str, Field(max_length=DESCRIPTION_MAX)] = ""
    conditions: Annotated[str, Field(max_length=CONDITIONS_MAX)] = ""
    urgent: bool = False
    anonymous: bool = False
    places: Annotated[tuple[int, ...], Field(max_length=MOST_PLACES)] = ()
    periods: Annotated[tuple[Period, ...], Field(max_length=MOST_PERIODS)] = ()
    files: Annotated[tuple[FileRef, ...], Field(max_length=MOST_FILES)] = ()

    def digest(self) -> bytes:
        """Return what tells this content from another."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(said.encode()).digest()
