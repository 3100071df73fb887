"""FINESS establishments and legal entities of a département."""

from dataclasses import dataclass

import numpy as np

from ingest.sample.categories import CATEGORIES, FLOWERS, SAINTS
from ingest.sample.codes import GROUPS
from ingest.sample.draw import Bools, Draw, Ints
from ingest.sample.identifiers import finess_number, phones
from ingest.sample.practices import Seats
from ingest.sample.streets import Streets, draw_numbers
from ingest.sample.text import register_town
from ingest.sample.towns import Towns

EXACT, STREET, CENTROID, NOWHERE = range(4)
_POSITION_SHARES = [0.72, 0.12, 0.05, 0.11]
_CATEGORY_INDEX = {category.code: index for index, category in enumerate(CATEGORIES)}


@dataclass(slots=True)
class Sites:
    """Establishments as columns; `closed` ones are only in the JSON and are not staffed any more."""

    number: list[str]
    entity: Ints
    category: Ints
    name: list[str]
    town: Ints
    street: Ints
    house: Ints
    repeated: Bools
    phone: list[str]
    located: Ints
    closed: Bools
    cedex: Bools


@dataclass(slots=True)
class Entities:
    """Legal entities as columns; each has the address of its first site."""

    number: list[str]
    name: list[str]
    site: Ints
    siren_rank: Ints


def lay_sites(
    towns: Towns, streets: Streets, departement: str, share: float, seed: int, first_rank: int
) -> tuple[Sites, Entities]:
    """Lay the establishments of a département; `share` is its part of the national counts."""
    draw = Draw(seed, "sites", departement)
    counts = draw.spread(np.array([category.count * share for category in CATEGORIES]))
    counts[_CATEGORY_INDEX["355"]] = max(int(counts[_CATEGORY_INDEX["355"]]), 1)
    category = np.repeat(np.arange(len(CATEGORIES)), counts)
    size = len(category)
    town = np.concatenate(
        [towns.draw_in(draw, departement, int(n), c.growth) for n, c in zip(counts, CATEGORIES, strict=True)]
    )
    closed = draw.chance(size, 0.04)
    # Every département has a hospital that is open, however small the sample.
    closed[np.flatnonzero(category == _CATEGORY_INDEX["355"])[0]] = False
    # A group holds several sites of one category; pharmacies and laboratories mostly stand alone.
    joins = draw.chance(size, 0.42) & np.concatenate([[False], category[1:] == category[:-1]])
    joins &= ~np.isin(category, [_CATEGORY_INDEX["620"], _CATEGORY_INDEX["355"]])
    entity = np.cumsum(~joins) - 1
    house, repeated = draw_numbers(draw, size)
    sites = Sites(
        number=[finess_number(departement, 2 * i) for i in range(size)],
        entity=entity,
        category=category,
        name=_names(draw, towns, category, town),
        town=town,
        street=streets.draw_in(draw, town),
        house=house,
        repeated=repeated,
        phone=phones(departement, first_rank + np.arange(size) * 3, draw, 0.0),
        located=draw.pick(_POSITION_SHARES, size),
        closed=closed,
        cedex=draw.chance(size, 0.08),
    )
    heads = np.flatnonzero(~joins)
    return sites, Entities(
        number=[finess_number(departement, 2 * i + 1) for i in range(len(heads))],
        name=[sites.name[i] for i in heads.tolist()],
        site=heads,
        siren_rank=first_rank + np.arange(len(heads)),
    )


def _names(draw: Draw, towns: Towns, category: Ints, town: Ints) -> list[str]:
    flower, saint = draw.integers(len(town), len(FLOWERS)), draw.integers(len(town), len(SAINTS))
    pattern = draw.integers(len(town), 60)
    names = []
    for i, (c, t) in enumerate(zip(category.tolist(), town.tolist(), strict=True)):
        patterns = CATEGORIES[c].names
        names.append(
            patterns[int(pattern[i]) % len(patterns)].format(
                town=register_town(towns.name[t]), flower=FLOWERS[flower[i]], saint=SAINTS[saint[i]]
            )
        )
    return names


def staff_sites(sites: Sites, departement: str, share: float, seed: int) -> Seats:
    """Lay the salaried seats of the open sites (and those of the owners of pharmacies)."""
    draw = Draw(seed, "staff", departement)
    groups, places, independents = [], [], []
    open_sites = np.flatnonzero(~sites.closed)
    by_category = {code: open_sites[sites.category[open_sites] == index] for code, index in _CATEGORY_INDEX.items()}
    for index, group in enumerate(GROUPS):
        if group.shop:
            continue
        own = group.independent if group.key == "pharma" else 0
        seats, owned = draw.spread(np.array([group.salaried * share, own * share])).tolist()
        known = {code: weight for code, weight in group.places.items() if len(by_category[code])}
        if not known:
            known = {"355": 1.0}
        codes = list(known)
        chosen = draw.pick([known[code] for code in codes], seats)
        for position, code in enumerate(codes):
            many = int((chosen == position).sum())
            # Sites of a kind differ in size: the first of each département are the largest.
            weights = 1 / (np.arange(len(by_category[code])) + 5.0) if code in ("355", "365", "101") else None
            here = by_category[code]
            drawn = here[draw.pick(weights, many) if weights is not None else draw.integers(many, len(here))]
            groups.append(np.full(many, index))
            places.append(drawn)
            independents.append(np.zeros(many, dtype=bool))
        if owned and len(by_category["620"]):
            groups.append(np.full(owned, index))
            places.append(by_category["620"][np.arange(owned) % len(by_category["620"])])
            independents.append(np.ones(owned, dtype=bool))
    site = np.concatenate(places).astype(np.int64)
    return Seats(
        group=np.concatenate(groups).astype(np.int64),
        site=site,
        at_site=np.ones(len(site), dtype=bool),
        independent=np.concatenate(independents).astype(bool),
        town=sites.town[site],
    )
