"""Order of the sites: by distance, by relevance. Approximate distances choose, geodesics order what was chosen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from search_api.columns import geo
from search_api.columns.batch import Array
from search_api.columns.bitmaps import firsts, members, runs
from search_api.columns.part import Part, own_points
from search_api.columns.segment import Segment
from search_api.engine import EngineQuery, Hit
from search_api.relevance import BANDS, nearness
from search_api.schemas import Sort

RINGS_M = (2_000, 10_000, 40_000, 150_000)
DENSE = 30_000
"""Rows from which the page is first looked for in rings around the place: fewer are measured at once."""
OFFERS_PER_SITE = 50
"""Offers shown inside a site; their number is always told in full."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Sites of a part (by their number there) that may stand on the page, best first."""

    part: Part
    found: BitMap
    sites: Array
    metres: Array
    scores: Array


def page(parts: Iterable[tuple[Part, BitMap]], query: EngineQuery) -> tuple[tuple[Hit, ...], str]:
    """Return the sites of the page in order, and how they were found."""
    wanted = query.offset + query.limit
    by_distance = query.sort is Sort.distance and bool(query.origins)
    chosen: list[Ranked] = []
    plans: dict[str, None] = {}
    for part, found in parts:
        if not found:
            continue
        if by_distance:
            ranked, plan = _nearest(part, found, query, wanted)
        else:
            ranked, plan = _best(part, found, query, wanted)
        chosen.append(ranked)
        plans[plan] = None
    lines: list[tuple[tuple[float, float, bool, int], int, int]] = []
    for number, ranked in enumerate(chosen):
        segment, sites = ranked.part.segment, ranked.sites
        keys = zip(
            (-ranked.scores).tolist(),
            ranked.metres.tolist(),
            (~segment.exact[sites]).tolist(),
            segment.site[sites].tolist(),
            strict=True,
        )
        lines += [(key, number, site) for key, site in zip(keys, sites.tolist(), strict=True)]
    lines.sort()
    shown = lines[query.offset : wanted]
    hits: dict[tuple[int, int], Hit] = {}
    for number, ranked in enumerate(chosen):
        own = {site: key[1] for key, of, site in shown if of == number}
        if own:
            hits |= {(number, site): hit for site, hit in _hits(ranked, own, query).items()}
    return tuple(hits[number, site] for _, number, site in shown), ", ".join(plans)


def _hits(ranked: Ranked, chosen: Mapping[int, float], query: EngineQuery) -> dict[int, Hit]:
    """Return the hits of sites of a part, by their number there, whose metres are given; all their rows at once."""
    segment = ranked.part.segment
    bounds = [(int(segment.site_start[site]), int(segment.site_start[site + 1])) for site in chosen]
    rows = members(ranked.found & runs(bounds))
    points = own_points(segment, rows, query.terms)
    numbers, starts = segment.site_of[rows], firsts(segment.site_of[rows])
    # Rows of a site stand together: only their order inside it is to be found.
    order = np.lexsort((segment.offer[rows], -points, numbers))
    offers, best = segment.offer[rows[order]].tolist(), points[order[starts]].tolist()
    edges = [*starts.tolist(), len(rows)]
    hits = {}
    for at, site in enumerate(numbers[starts].tolist()):
        metres = chosen[site]
        told = None if metres == np.inf else int(metres)
        hits[site] = Hit(
            site_id=int(segment.site[site]),
            distance_m=told,
            exact=bool(segment.exact[site]),
            score=best[at] + nearness(told),
            offers=tuple(offers[edges[at] : edges[at + 1]][:OFFERS_PER_SITE]),
            offers_count=edges[at + 1] - edges[at],
        )
    return hits


def _ordered(part: Part, found: BitMap, sites: Array, metres: Array, scores: Array, wanted: int) -> Ranked:
    segment = part.segment
    order = np.lexsort((segment.site[sites], ~segment.exact[sites], metres, -scores))[:wanted]
    return Ranked(part, found, sites[order], metres[order], scores[order])


def _smallest(values: Array, count: int) -> float:
    """Return the count-th smallest value; infinite when there are fewer."""
    if count <= 0:
        return -np.inf
    return float(np.partition(values, count - 1)[count - 1]) if count <= len(values) else np.inf


def _limit(scores: Array, wanted: int) -> int:
    """Return the score of the wanted-th best of more than that; points are few, so they are counted, not sorted."""
    least = int(scores.min())
    better = np.cumsum(np.bincount(scores - least)[::-1])
    return least + len(better) - 1 - int(np.searchsorted(better, wanted))


def _nearest(part: Part, found: BitMap, query: EngineQuery, wanted: int) -> tuple[Ranked, str]:
    segment = part.segment
    sites, low, high, plan = _around(part, found, query, wanted)
    # A metre more: what rounds to the same metre is told apart by the site, not by the millimetres.
    kept = low <= _smallest(high, wanted) + 1
    sites = sites[kept]
    if len(sites) > wanted and np.isinf(low[kept]).all():
        sites = sites[_first(segment, sites, wanted)]
    return _ordered(
        part, found, sites, segment.metres(sites, query.origins), np.zeros(len(sites), np.int64), wanted
    ), plan


def _around(part: Part, found: BitMap, query: EngineQuery, wanted: int) -> tuple[Array, Array, Array, str]:
    """Return sites among which the nearest are, their least and most metres, and the plan."""
    segment = part.segment
    if len(found) > DENSE:
        for ring in RINGS_M:
            boxes = [segment.box(*geo.box_around(origin, ring)) for origin in query.origins]
            sites = segment.sites_of(members(found & BitMap.union(*boxes)))
            if len(sites) < wanted:
                continue
            low, high = segment.about(sites, query.origins)
            if np.count_nonzero(high <= ring - 1) >= wanted:
                return sites, low, high, f"grille : les sites à moins de {ring // 1000} km suffisent à la page"
    sites = segment.sites_of(members(found))
    low, high = segment.about(sites, query.origins)
    return sites, low, high, "codes : toutes les distances sont comparées"


def _first(segment: Segment, sites: Array, wanted: int) -> Array:
    """Return where the sites stand that come first when only precision and identifiers tell them apart."""
    keys = segment.site[sites] + np.where(segment.exact[sites], 0, 1 << 62)
    return np.argpartition(keys, wanted - 1)[:wanted]


def _best(part: Part, found: BitMap, query: EngineQuery, wanted: int) -> tuple[Ranked, str]:
    segment = part.segment
    rows = members(found)
    numbers = segment.site_of[rows]
    starts = firsts(numbers)
    sites = numbers[starts]
    scores = np.maximum.reduceat(own_points(segment, rows, query.terms), starts)
    low = high = np.full(len(sites), np.inf)
    if query.origins:
        low, high = segment.about(sites, query.origins)
        near, far = _points(low), _points(high)
        unsure = np.flatnonzero(near != far)
        if len(unsure):
            near[unsure] = _points(segment.metres(sites[unsure], query.origins))
        scores = scores + near
    if len(sites) > wanted:
        limit = _limit(scores, wanted)
        above = scores > limit
        level = np.flatnonzero(scores == limit)
        lacking = wanted - int(np.count_nonzero(above))
        nearest = level[low[level] <= _smallest(high[level], lacking) + 1] if query.origins else level
        if len(nearest) > lacking and (not query.origins or np.isinf(low[nearest]).all()):
            nearest = nearest[_first(segment, sites[nearest], lacking)]
        above[nearest] = True
        sites, scores = sites[above], scores[above]
    metres = segment.metres(sites, query.origins)
    return _ordered(part, found, sites, metres, scores, wanted), "lignes : toutes les offres trouvées sont notées"


def _points(metres: Array) -> Array:
    """Return the points of nearness of distances, rounded to the metre as `relevance.nearness` takes them."""
    limits = np.array([limit for limit, _ in BANDS], np.float64)
    gains = np.array([*(gain for _, gain in BANDS), 0], np.int64)
    return gains[np.searchsorted(limits, np.rint(metres), side="left")]
