"""Relevance: one integer formula for every engine, as SQL and as plain Python, tested equal.

For one offer, the score is the sum of:

- for each term of the text, the best way in which it is met: a code that says what the offer is (type of
  unit, profession, specialty) 60; a name (site or practitioner) 50; any other code 40;
- 30 when the offer is described by its professional, 15 when it takes new patients, 10 when its hours are
  known: what helps to decide comes first;
- the nearness of the site to the place asked for: 60 within 1 km, 50 within 5, 40 within 10, 30 within 20,
  15 within 50, 5 within 100 (a place is always given its due, a far description never hides a near practice);
- 5 when the position is exact.

The score of a site is that of its best matching offer. Equal scores are told apart by distance in metres,
then exact before approximate positions, then the site's id.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Integer, case, func, literal

from directory.api import OfferSearch
from search_api.engine import Term
from search_api.predicates import has_codes, has_names

PRIMARY, NAME, OTHER = 60, 50, 40
DESCRIBED, ACCEPTS_NEW, HOURS, EXACT = 30, 15, 10, 5
BANDS = ((1_000, 60), (5_000, 50), (10_000, 40), (20_000, 30), (50_000, 15), (100_000, 5))
"""Upper bound in metres (inclusive) and points, nearest first."""


def score(
    *,
    terms: Sequence[Term],
    codes: Collection[int],
    lexemes: Collection[str],
    described: bool,
    accepts_new: bool | None,
    hours: bool,
    exact: bool,
    distance_m: int | None,
) -> int:
    """Return the score of one offer that matches; `distance_m` is None when no place was asked for."""
    points = 0
    for term in terms:
        if not term.primary.isdisjoint(codes):
            points += PRIMARY
        elif term.lexemes and all(not word.isdisjoint(lexemes) for word in term.lexemes):
            points += NAME
        elif not term.codes.isdisjoint(codes):
            points += OTHER
    points += DESCRIBED * described + ACCEPTS_NEW * (accepts_new is True) + HOURS * hours + EXACT * exact
    return points + nearness(distance_m)


def nearness(distance_m: int | None) -> int:
    """Return the points of a distance."""
    if distance_m is None:
        return 0
    return next((gain for limit, gain in BANDS if distance_m <= limit), 0)


def best_beyond(terms: Sequence[Term], distance_m: int) -> int:
    """Return the most points that a site farther than this distance may have."""
    words = sum(PRIMARY if term.primary else NAME if term.lexemes else OTHER for term in terms)
    near = max((gain for limit, gain in BANDS if limit > distance_m), default=0)
    return words + DESCRIBED + ACCEPTS_NEW + HOURS + EXACT + near


def own_score_sql(terms: Sequence[Term]) -> ColumnElement[int]:
    """Return, as an expression over `OfferSearch`, the part of the score that does not depend on the place."""
    points: ColumnElement[int] = literal(0, Integer)
    for term in terms:
        whens = []
        if term.primary:
            whens.append((has_codes(term.primary), PRIMARY))
        if term.lexemes:
            whens.append((has_names(term.lexemes), NAME))
        if term.codes:
            whens.append((has_codes(term.codes), OTHER))
        if whens:
            points = points + case(*whens, else_=0)
    points = points + case((OfferSearch.described, DESCRIBED), else_=0)
    points = points + case((OfferSearch.accepts_new.is_(True), ACCEPTS_NEW), else_=0)
    points = points + case((func.coalesce(func.isempty(OfferSearch.open_minutes), True), 0), else_=HOURS)
    return points + case((OfferSearch.exact, EXACT), else_=0)


def nearness_sql(distance_m: ColumnElement[int]) -> ColumnElement[int]:
    """Return the points of a distance; pass a computed column, the expression is used once per band."""
    return case(*((distance_m <= limit, gain) for limit, gain in BANDS), else_=0)
