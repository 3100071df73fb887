"""Invented but plausible streets of real communes: the same street and number is always at the same point."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ingest.sample.draw import Bools, Draw, Floats, Ints
from ingest.sample.tables import words
from ingest.sample.towns import Towns

METRES_PER_DEGREE = 111_320.0
HIGHEST_NUMBER = 120
NUMBER_STEP = 7.0

# Code of RPPS and FINESS, label, other ways AMELI writes it, share.
STREET_TYPES = (
    ("R", "Rue", ("RUE", "R"), 58),
    ("AV", "Avenue", ("AVENUE", "AV", "AVE"), 14),
    ("BD", "Boulevard", ("BOULEVARD", "BD", "BLD"), 6),
    ("PL", "Place", ("PLACE", "PL"), 6),
    ("CHE", "Chemin", ("CHEMIN", "CHE", "CH"), 4),
    ("ALL", "Allée", ("ALLEE", "ALL"), 4),
    ("RTE", "Route", ("ROUTE", "RTE"), 4),
    ("IMP", "Impasse", ("IMPASSE", "IMP"), 2),
    ("SQ", "Square", ("SQUARE", "SQ"), 1),
    ("QU", "Quai", ("QUAI", "QU"), 1),
)
STREET_NAMES = words("streets")


@dataclass(slots=True)
class Streets:
    """Streets of all towns, as columns; those of town t are `first[t]` to `first[t + 1]` excluded.

    `lon`, `lat` are the beginning of the street; `step_lon`, `step_lat` the way to the next number.
    """

    first: Ints
    town: Ints
    kind: Ints
    name: Ints
    lon: Floats
    lat: Floats
    step_lon: Floats
    step_lat: Floats

    def draw_in(self, draw: Draw, towns: Ints) -> Ints:
        """Draw a street of each town, the first ones (the main streets) more often."""
        size = self.first[towns + 1] - self.first[towns]
        return self.first[towns] + (draw.uniform(len(towns)) ** 1.6 * size).astype(np.int64)

    def position(self, street: Ints, number: Ints, repeated: Bools) -> tuple[Floats, Floats]:
        """Return lon and lat (WGS84, 6 decimals) of a number of a street; "bis" is half a step further."""
        along = number + np.where(repeated, 0.5, 0.0)
        lon = self.lon[street] + self.step_lon[street] * along
        lat = self.lat[street] + self.step_lat[street] * along
        return np.round(lon, 6), np.round(lat, 6)


def lay_streets(towns: Towns, seed: int) -> Streets:
    """Lay the streets of every town: some for a village, hundreds for an arrondissement of Paris."""
    counts = np.clip(towns.population / 140, 3, 5 * len(STREET_NAMES)).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    town = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(town)) - first[town]
    kind, name = _names(town, rank, len(counts), seed)
    lon, lat, end_lon, end_lat = _segments(towns, town, Draw(seed, "streets"))
    return Streets(first, town, kind, name, lon, lat, *_steps(lon, lat, end_lon, end_lat))


def _names(town: Ints, rank: Ints, towns: int, seed: int) -> tuple[Ints, Ints]:
    names = len(STREET_NAMES)
    draw = Draw(seed, "street names")
    coprime = np.array([step for step in range(1, names) if np.gcd(step, names) == 1])
    start, step = draw.integers(towns, names), coprime[draw.integers(towns, len(coprime))]
    # The first two streets of every town are names that every town has.
    name = np.where(rank < 2, rank, (start[town] + rank * step[town]) % names)
    kind = draw.pick([kind[3] for kind in STREET_TYPES], len(town))
    turn = rank // names
    return _distinct(town, np.where(turn > 0, (name + turn) % len(STREET_TYPES), kind), name), name


def _distinct(town: Ints, kind: Ints, name: Ints) -> Ints:
    """Change the type of a street until no two streets of a town have the same type and name."""
    types, names = len(STREET_TYPES), len(STREET_NAMES)
    for _ in range(3 * types):
        key = (town * names + name) * types + kind
        order = np.argsort(key, kind="stable")
        twice = np.zeros(len(key), dtype=bool)
        twice[order[1:]] = key[order[1:]] == key[order[:-1]]
        if not twice.any():
            break
        kind = np.where(twice, (kind + 1) % types, kind)
    return kind


def _segments(towns: Towns, town: Ints, draw: Draw) -> tuple[Floats, Floats, Floats, Floats]:
    """Draw both ends of each street inside the contour of its town, most of them near the centre."""
    lon, lat = towns.lon[town].copy(), towns.lat[town].copy()
    end_lon, end_lat = lon + 0.0004, lat + 0.0003
    todo = np.flatnonzero(towns.has_contour[town])
    half = towns.half_width[town]
    for _ in range(12):
        if not len(todo):
            break
        where, spread = town[todo], half[todo]
        central = draw.chance(len(todo), 0.6)
        reach = np.where(central, 0.35, 1.0) * spread
        stretch = np.cos(np.radians(towns.lat[where]))
        x = towns.lon[where] + reach * draw.normal(len(todo)) * 0.6 / stretch
        y = towns.lat[where] + reach * draw.normal(len(todo)) * 0.6
        angle = draw.uniform(len(todo)) * 2 * np.pi
        length = (120 + 500 * draw.uniform(len(todo))) / METRES_PER_DEGREE
        length = np.minimum(length, spread)
        end_x = x + np.cos(angle) * length / stretch
        end_y = y + np.sin(angle) * length
        shapes = towns.contours[where]
        inside = shapely.contains_xy(shapes, x, y) & shapely.contains_xy(shapes, end_x, end_y)
        kept = todo[inside]
        lon[kept], lat[kept] = x[inside], y[inside]
        end_lon[kept], end_lat[kept] = end_x[inside], end_y[inside]
        todo = todo[~inside]
    # A few streets of very thin contours stay around the centre, each at a place of its own.
    lon[todo] += (np.arange(len(todo)) % 17 - 8) * 1e-5
    end_lon[todo] = lon[todo] + 0.0002
    return lon, lat, end_lon, end_lat


def _steps(lon: Floats, lat: Floats, end_lon: Floats, end_lat: Floats) -> tuple[Floats, Floats]:
    stretch = np.cos(np.radians(lat))
    metres = METRES_PER_DEGREE * np.hypot((end_lon - lon) * stretch, end_lat - lat)
    step = np.minimum(NUMBER_STEP, metres / HIGHEST_NUMBER) / np.maximum(metres, 1e-9)
    return (end_lon - lon) * step, (end_lat - lat) * step


def draw_numbers(draw: Draw, size: int) -> tuple[Ints, Bools]:
    """Draw house numbers (small ones more often) and whether they are "bis"."""
    number = 1 + (draw.uniform(size) ** 1.5 * HIGHEST_NUMBER).astype(np.int64)
    return np.minimum(number, HIGHEST_NUMBER), draw.chance(size, 0.03)


def label_arrays() -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """Return the codes and labels of the types and the names of the streets as arrays to index."""
    codes = np.array([kind[0] for kind in STREET_TYPES], dtype=object)
    labels = np.array([kind[1] for kind in STREET_TYPES], dtype=object)
    return codes, labels, np.array(STREET_NAMES, dtype=object)
