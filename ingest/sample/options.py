"""What the caller of the sample may choose."""

from dataclasses import dataclass, field, replace

ILE_DE_FRANCE = ("75", "77", "78", "91", "92", "93", "94", "95")
DEMO_ROLES = 60_000


@dataclass(frozen=True, slots=True)
class HardCases:
    """Shares of the cases that make linkage hard, between 0 and 1.

    The first three are shares of the people with a practice, the rest of the AMELI lines.
    """

    homonyms: float = 0.015
    relatives: float = 0.03
    changed_names: float = 0.014
    moved_towns: float = 0.03
    moved_streets: float = 0.06
    ameli_only: float = 0.015
    ameli_only_homonyms: float = 0.5  # share of the AMELI-only people who are namesakes of an RPPS one
    typos: float = 0.012
    parts_dropped: float = 0.35  # share of the double surnames
    extra_first_names: float = 0.02
    initials: float = 0.001
    towns_unknown: float = 0.02
    rpps_without_phone: float = 0.45
    ameli_without_phone: float = 0.30
    other_phones: float = 0.04

    def dense(self) -> "HardCases":
        """Return the preset that is dense in hard cases, to tune linkage on."""
        return replace(
            self,
            homonyms=0.08,
            relatives=0.10,
            changed_names=0.06,
            moved_towns=0.08,
            moved_streets=0.10,
            ameli_only=0.06,
            typos=0.05,
            parts_dropped=0.6,
            extra_first_names=0.06,
            initials=0.006,
            towns_unknown=0.05,
            other_phones=0.08,
        )


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """Territory, size and seed of a sample.

    `departements` are codes of départements; `scale` is the density of the registers beside the real ones (1
    for real), used unless `roles`, the number of roles wanted, is given; `stamp` is the date written in the file
    names (AAAAMMJJ).
    """

    departements: tuple[str, ...] = ILE_DE_FRANCE
    roles: int | None = DEMO_ROLES
    scale: float = 1.0
    seed: int = 1
    hard: HardCases = field(default_factory=HardCases)
    finess_json: bool = False
    trailing_bar: bool = True
    stamp: str = "20261115"
