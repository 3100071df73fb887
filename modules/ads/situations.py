"""Who may publish what: the one table of the situations open to each standing.

A registered doctor may be on both sides of everything. Those who train may offer themselves only, since seeking
somebody supposes a practice of one's own (registration at the Order: CSP L4112-1). A replacement is open to interns
who hold a licence (CSP L4131-2, D4131-1) and to junior doctors who hold it by their stage of training; so is the post
of an adjoint (CSP L4131-2, second paragraph). An assistant's post is taken at the end of training, so that every intern
may look for one; collaboration, association and taking over a practice suppose registration, which a junior doctor
prepares and an intern does not yet.
"""

from typing import Final, Literal

from accounts.api import Standing
from modules.ads.labels import CATEGORIES, OFFERS, SEEKS

Kind = Literal["doctor", "junior", "licensed", "intern"]

MAY_PUBLISH: Final[dict[Kind, dict[str, frozenset[str]]]] = {
    "doctor": {category: frozenset({SEEKS, OFFERS}) for category in CATEGORIES},
    "junior": {category: frozenset({OFFERS}) for category in CATEGORIES},
    "licensed": {
        "adjuvat": frozenset({OFFERS}),
        "assistanat": frozenset({OFFERS}),
        "remplacement": frozenset({OFFERS}),
    },
    "intern": {"assistanat": frozenset({OFFERS})},
}
"""standing → category → sides of the ads that it may publish. What is not here is refused."""


def sides(kind: Kind, category: str) -> list[str]:
    """Return the sides that a standing may take in a category, the one that seeks first."""
    allowed = MAY_PUBLISH[kind].get(category, frozenset())
    return [side for side in (SEEKS, OFFERS) if side in allowed]


def refused_to(standing: Standing | None, category: str | None, side: str | None) -> str | None:
    """Return why somebody may not publish an ad, as `labels.SUSPEND_REASONS` names it; None when they may."""
    if standing is None:
        return "unknown"
    if side in MAY_PUBLISH[standing.kind].get(category or "", ()):
        return None
    return "licence" if standing.licence_ended else "standing"


def categories(kind: Kind) -> list[str]:
    """Return the categories in which a standing may publish, in the order of the lists."""
    return [category for category in CATEGORIES if MAY_PUBLISH[kind].get(category)]
