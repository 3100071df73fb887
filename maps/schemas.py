"""Values that the location index takes and gives."""

from dataclasses import asdict, dataclass, field
from typing import Literal

PlaceKind = Literal[
    "commune", "commune_deleguee", "arrondissement", "epci", "departement", "region", "pays", "code_postal", "territory"
]

KINDS: tuple[PlaceKind, ...] = (
    "commune",
    "commune_deleguee",
    "arrondissement",
    "epci",
    "departement",
    "region",
    "pays",
    "code_postal",
    "territory",
)

REF_NAMES: dict[str, PlaceKind] = {"cp": "code_postal", "france": "pays"}
"""Names that `where` uses for a kind, where they differ from the kind."""

BOUNDARIES: frozenset[str] = frozenset({"epci", "departement", "region", "pays", "territory"})
"""Kinds that limit a search; the others are centres."""

DOUBTFUL = 60
"""Score up to which a place merely resembles the text of a suggestion."""


@dataclass(frozen=True, slots=True)
class PlaceHit:
    """A place as the index knows it.

    `label` tells it from its namesakes ("Mantes-la-Jolie (78)"), `context` says where and what it is.
    `lat`, `lon` are WGS84 degrees (None only for a place without a point). `score` (0–100) says how well it
    answers the text of a suggestion; 100 when it was named by its code.
    """

    id: int
    kind: PlaceKind
    code: str
    name: str
    label: str
    context: str
    population: int
    lat: float | None
    lon: float | None
    departement: str | None
    postal_codes: tuple[str, ...]
    score: int = 100

    @property
    def ref(self) -> str:
        """What `where` takes: `commune:78361`, `cp:78200`, `departement:78`, `france` …"""
        if self.kind == "pays":
            return self.code
        if self.kind == "code_postal":
            return f"cp:{self.code}"
        # A delegated commune or a municipal arrondissement is a centre like any commune.
        return f"{'commune' if self.kind == 'arrondissement' else self.kind}:{self.code}"

    @property
    def boundary(self) -> bool:
        """Whether a search is limited to this place, or only centred on it."""
        return self.kind in BOUNDARIES

    @property
    def doubtful(self) -> bool:
        """Whether it merely resembles the text: whoever typed it is asked before it is taken."""
        return self.score <= DOUBTFUL


@dataclass(slots=True)
class PlacesReport:
    """What a load of places did: rows by kind, and how many were new, changed, unchanged, retired."""

    source: str
    by_kind: dict[str, int] = field(default_factory=dict)
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0
    former_codes: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """Return the report as JSON values."""
        return asdict(self)


@dataclass(slots=True)
class BanReport:
    """What a load of BAN files did; read = loaded + rejected (by reason)."""

    files: int = 0
    read: int = 0
    loaded: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    departements: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """Return the report as JSON values."""
        return asdict(self)
