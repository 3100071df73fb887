"""Kinds of slots: the codes of R252 that an offer uses, and how each changes what is open."""

from dataclasses import dataclass
from typing import Final, Literal

Effect = Literal["open", "visit", "other", "mask"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of slot as stored in `code`; `r252` is the code that leaves the directory.

    `open`: patients are received. `visit`: the professional is at patients' homes. `mask`: nothing of the other
    kinds holds meanwhile. `mark` names its drawing, `short` stands on it.
    """

    code: str
    r252: str
    label: str
    short: str
    mark: str
    effect: Effect


UNAVAILABLE: Final = "indisponible"
"""R252 knows one closing only; a professional tells « indisponible » (at work, not for patients) from « fermé »."""

CLOSED: Final = "08"
HOME: Final = "05"
APPOINTMENT: Final = "07"

KINDS: Final = {
    kind.code: kind
    for kind in (
        Kind(APPOINTMENT, "07", "Consultation sur rendez-vous", "Sur RDV", "appointment", "open"),
        Kind("06", "06", "Consultation sans rendez-vous", "Sans RDV", "walk-in", "open"),
        Kind(HOME, "05", "Visite à domicile", "À domicile", "home", "visit"),
        Kind(UNAVAILABLE, "08", "Indisponible", "Indisponible", "unavailable", "mask"),
        Kind(CLOSED, "08", "Fermé", "Fermé", "closed", "mask"),
        Kind("01", "01", "Horaire d’ouverture", "Ouverture", "opening", "open"),
        Kind("02", "02", "Horaire de fonctionnement", "Fonctionnement", "opening", "open"),
        Kind("03", "03", "Horaire de garde", "Garde", "duty", "other"),
        Kind("04", "04", "Horaire d’ouverture du secrétariat", "Secrétariat", "office", "other"),
    )
}
"""In the order in which they are proposed."""

OPEN_KINDS: Final = frozenset(code for code, kind in KINDS.items() if kind.effect == "open")
MASK_KINDS: Final = frozenset(code for code, kind in KINDS.items() if kind.effect == "mask")
RECEIVING: Final = frozenset(code for code, kind in KINDS.items() if kind.effect in ("open", "visit"))
NIGHT_KINDS: Final = frozenset({APPOINTMENT, "06", HOME})
"""Kinds of one person at work: past midnight they last half a day at most, else both times were swapped."""


def label(code: str, *, liberal: bool = True) -> str:
    """Return the label of a kind; in an establishment, R252 05 is when families come."""
    if code == HOME and not liberal:
        return "Horaire de visite"
    kind = KINDS.get(code)
    return kind.label if kind else code


def short(code: str, *, liberal: bool = True) -> str:
    """Return the short name of a kind, for drawings."""
    if code == HOME and not liberal:
        return "Visites"
    kind = KINDS.get(code)
    return kind.short if kind else code
