"""Practices of a département: where people work on their own account, alone or together."""

from dataclasses import dataclass

import numpy as np

from ingest.sample.codes import GROUPS
from ingest.sample.draw import Bools, Draw, Ints
from ingest.sample.identifiers import phones
from ingest.sample.streets import Streets, draw_numbers
from ingest.sample.towns import Towns

SOLO, TOGETHER, HOUSE, SHOP = range(4)
# Share of the seats of a group in practices of one, two … eight seats, and in multi-professional houses.
_SIZES = np.array([0.42, 0.2, 0.14, 0.09, 0.06, 0.04, 0.03, 0.02])
_HOUSE_SHARE = {"mg": 0.16, "spe": 0.03, "ide": 0.13, "mk": 0.1, "cd": 0.04, "sf": 0.12, "ortho": 0.12}
_HOUSE_SIZE = 11
MANTES = "78361"
ALWAYS_THERE = ("mk", "sf")
"""Groups that have a practice in Mantes-la-Jolie, however small the sample: the demonstration plays there."""


@dataclass(slots=True)
class Practices:
    """Practices as columns. `shared` tells that all its members stand under one SIRET."""

    rank: Ints
    kind: Ints
    town: Ints
    street: Ints
    number: Ints
    repeated: Bools
    phone: list[str]
    shared: Bools


@dataclass(slots=True)
class Seats:
    """Places to work, as columns; `site` is a position in practices, or in the sites when `salaried_site`."""

    group: Ints
    site: Ints
    at_site: Bools
    independent: Bools
    town: Ints


def lay_practices(
    towns: Towns, streets: Streets, departement: str, share: float, seed: int, first_rank: int
) -> tuple[Practices, Seats]:
    """Lay the practices and shops of a département with their seats.

    `share` is the département's part of the national counts; `first_rank` the number of practices laid so far.
    """
    draw = Draw(seed, "practices", departement)
    towns_of, kinds, seat_groups, seat_sites, seat_independent = [], [], [], [], []
    houses: list[Ints] = []
    laid = 0
    for index, group in enumerate(GROUPS):
        seats = int(draw.spread(np.array([(group.independent + group.salaried * group.shop) * share]))[0])
        there = _mantes(towns, departement) if group.key in ALWAYS_THERE else None
        if there is not None:
            seats = max(seats, 1)
        if group.key == "pharma" or not seats:
            continue
        in_houses = int(seats * _HOUSE_SHARE.get(group.key, 0.0))
        houses.append(np.full(in_houses, index))
        sizes = _sizes(draw, seats - in_houses)
        drawn = towns.draw_in(draw, departement, len(sizes), group.growth)
        if there is not None and there not in drawn:
            drawn[0] = there
        towns_of.append(drawn)
        alone = np.where(sizes > 1, TOGETHER, SOLO)
        kinds.append(np.full(len(sizes), SHOP) if group.shop else alone)
        seat_sites.append(np.repeat(np.arange(laid, laid + len(sizes)), sizes))
        seat_groups.append(np.full(seats - in_houses, index))
        own_account = group.independent / (group.independent + group.salaried * group.shop)
        seat_independent.append(draw.chance(seats - in_houses, own_account))
        laid += len(sizes)
    in_house = np.concatenate(houses) if houses else np.zeros(0, dtype=np.int64)
    count = int(np.ceil(len(in_house) / _HOUSE_SIZE))
    towns_of.append(towns.draw_in(draw, departement, count, 0.9))
    kinds.append(np.full(count, HOUSE))
    seat_sites.append(laid + draw.integers(len(in_house), max(count, 1)))
    seat_groups.append(in_house)
    seat_independent.append(np.ones(len(in_house), dtype=bool))

    town, kind = np.concatenate(towns_of), np.concatenate(kinds).astype(np.int64)
    site = np.concatenate(seat_sites).astype(np.int64)
    number, repeated = draw_numbers(draw, len(town))
    rank = first_rank + np.arange(len(town))
    # Numbers are given along the towns, so that the few that exist repeat only far apart.
    along = np.empty(len(town), dtype=np.int64)
    along[np.argsort(town, kind="stable")] = rank
    practices = Practices(
        rank=rank,
        kind=kind,
        town=town,
        street=streets.draw_in(draw, town),
        number=number,
        repeated=repeated,
        phone=phones(departement, along, draw, 0.25),
        shared=(kind == SHOP)
        | ((kind == TOGETHER) & draw.chance(len(town), 0.5))
        | (kind == HOUSE) & draw.chance(len(town), 0.3),
    )
    return practices, Seats(
        group=np.concatenate(seat_groups).astype(np.int64),
        site=site,
        at_site=np.zeros(len(site), dtype=bool),
        independent=np.concatenate(seat_independent).astype(bool),
        town=town[site],
    )


def _mantes(towns: Towns, departement: str) -> int | None:
    here = towns.by_departement[departement].tolist()
    return next((place for place in here if towns.code[place] == MANTES), None)


def _sizes(draw: Draw, seats: int) -> Ints:
    """Return the sizes of practices that hold exactly this many seats."""
    if not seats:
        return np.zeros(0, dtype=np.int64)
    weights = _SIZES / np.arange(1, len(_SIZES) + 1)
    sizes = 1 + draw.pick(weights, seats)
    filled = int(np.searchsorted(np.cumsum(sizes), seats))
    sizes = sizes[: filled + 1]
    sizes[-1] -= int(sizes.sum()) - seats
    return sizes
