"""What the pages know of a portal, and what an administrator writes of one."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from search_api.portals import colours

Pair = tuple[str, str]


class PortalDraft(BaseModel):
    """What an administrator chooses of a portal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    title: str
    logo: str
    intro: str = ""
    places: tuple[str, ...]
    colour: str = "#0b5a60"
    band: str = "#07434a"
    filters: tuple[Pair, ...] = ()
    hosts: tuple[str, ...] = ()


class PortalOut(PortalDraft):
    """A portal as it stands."""

    state: str
    version: int
    updated_at: datetime
    history: tuple[dict[str, str], ...] = ()

    @property
    def path(self) -> str:
        """Its address."""
        return f"/maillage/{self.slug}"

    @property
    def within(self) -> str:
        """Its zone, as the parameter of the API that limits to it."""
        return ",".join(self.places)

    @property
    def palette(self) -> colours.Palette:
        """Its colours."""
        return colours.palette(self.colour, self.band)
