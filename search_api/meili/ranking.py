"""The order of a page, from the documents that Meilisearch found: the same integers as every engine's.

Candidates come from cells around the origins, or, far from everything, in the order of Meilisearch, which measures on
a sphere and counts as equal what is a metre apart. Metres are geodesic here, and it is checked that nothing left out
could belong to the page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search_api.engine import LatLon, Term
from search_api.meili import grid
from search_api.relevance import best_beyond, nearness, score

SPHERE = 0.006
"""The geodesic differs from the distance on Meilisearch's sphere by at most this share."""


@dataclass(frozen=True, slots=True)
class Found:
    """An offer as a hit tells it; `own` is the part of its score that does not depend on the place."""

    offer_id: int
    site_id: int
    point: LatLon | None
    exact: bool
    own: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A site in order: metres from the nearest origin, and the score of its best offer."""

    site_id: int
    metres: int | None
    exact: bool
    score: int

    @property
    def near(self) -> tuple[float, bool, int]:
        """Key of the order by distance."""
        return (float("inf") if self.metres is None else self.metres, not self.exact, self.site_id)

    @property
    def relevant(self) -> tuple[float, ...]:
        """Key of the order by relevance."""
        return (-self.score, *self.near)


def found(hit: Mapping[str, Any], terms: Sequence[Term]) -> Found:
    """Read a hit; terms weigh by the codes and lexemes that the hit brings, when they were asked for."""
    place = hit.get("_geo")
    words = score(
        terms=terms,
        codes=hit.get("codes", ()),
        lexemes=hit.get("names", ()),
        described=False,
        accepts_new=None,
        hours=False,
        exact=False,
        distance_m=None,
    )
    return Found(
        offer_id=int(hit["id"]),
        site_id=int(hit["site_id"]),
        point=LatLon(float(place["lat"]), float(place["lng"])) if place else None,
        exact=not hit["approximate"],
        own=int(hit.get("merit", 0)) + words,
    )


def sites(offers: Iterable[Found], origins: Sequence[LatLon]) -> list[Ranked]:
    """Group offers by site, in no order. Offers of a site share its position."""
    best: dict[int, Found] = {}
    for one in offers:
        former = best.get(one.site_id)
        if former is None or one.own > former.own:
            best[one.site_id] = one
    placed = {one.site_id: one.point for one in best.values() if one.point is not None}
    nearest: dict[int, float] = {}
    for origin in origins:
        for site_id, far in zip(placed, grid.metres(list(placed.values()), origin), strict=True):
            nearest[site_id] = min(far, nearest.get(site_id, far))
    ranked = []
    for one in best.values():
        metres = round(nearest[one.site_id]) if one.site_id in nearest else None
        ranked.append(Ranked(one.site_id, metres, one.exact, one.own + nearness(metres)))
    return ranked


def reach(hits: Sequence[Found], origin: LatLon, limit: int) -> float:
    """Return the metres within which a list sorted by distance surely left nothing out; infinite when it is whole.

    The last hit's metres are taken from the ellipsoid to the sphere and back, a metre of Meilisearch's own apart.
    """
    if len(hits) < limit:
        return float("inf")
    last = hits[-1].point
    # What has no position comes last, in the order of ids: every position was seen.
    return float("inf") if last is None else grid.metres([last], origin)[0] * (1 - 2 * SPHERE) - 3


def enough_near(ordered: Sequence[Ranked], wanted: int, reached: float) -> bool:
    """Tell whether the first sites by distance are known, given how far nothing was left out."""
    if reached == float("inf"):
        return True
    if len(ordered) < wanted:
        return False
    metres = ordered[wanted - 1].metres
    return metres is not None and metres + 1 < reached


def enough_relevant(ordered: Sequence[Ranked], wanted: int, reached: float, terms: Sequence[Term]) -> bool:
    """Tell whether the first sites by relevance are known: nothing farther may have as many points."""
    if reached == float("inf"):
        return True
    if len(ordered) < wanted or reached < 1:
        return False
    return ordered[wanted - 1].score > best_beyond(terms, int(reached) - 1)
