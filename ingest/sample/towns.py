"""The real communes of the chosen territory, as columns, with their population as weight."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from ingest.sample.draw import Bools, Draw, Floats, Ints
from maps import api as maps

# Collectivities of the Pacific whose health registers are their own.
_APART = frozenset({"987", "988"})
DIVIDED = frozenset({"75056", "69123", "13055"})


_Row = tuple[str, str, str, float, float, float, list[str], bytes | None]


@dataclass(slots=True)
class Towns:
    """Communes (arrondissements instead of Paris, Lyon and Marseille) in the order of their codes."""

    code: list[str]
    name: list[str]
    departement: list[str]
    postal_code: list[list[str]]
    former_code: list[list[str]]
    population: Floats
    lon: Floats
    lat: Floats
    contours: NDArray[np.object_]
    has_contour: Bools
    half_width: Floats
    rank: Ints
    by_departement: dict[str, Ints]

    def draw_in(self, draw: Draw, departement: str, size: int, growth: float) -> Ints:
        """Draw towns of a département by their population to the power `growth`."""
        here = self.by_departement[departement]
        weights = np.maximum(self.population[here] - 250, 1) ** growth
        return here[draw.pick(weights, size)]


def departement_names() -> dict[str, str]:
    """Return the names of the départements by code, overseas collectivities of the registers included."""
    overseas = {code: name for code, name in maps.COLLECTIVITES.items() if code not in _APART}
    return {d.code: d.name for d in maps.read_departements()} | overseas


def departements_of_region(region: str) -> list[str]:
    """Return the codes of the départements of a région, or an empty list for an unknown code."""
    return [d.code for d in maps.read_departements() if d.region == region]


@lru_cache(maxsize=1)
def read_towns(departements: tuple[str, ...]) -> Towns:
    """Read the communes of these départements; the last answer is kept, as reading takes seconds."""
    chosen = set(departements)
    communes = maps.read_communes(contours=True, only=chosen)
    former: dict[str, list[str]] = defaultdict(list)
    for commune in communes:
        if commune.kind in ("COMD", "COMA") and commune.parent and commune.parent != commune.code:
            former[commune.parent].append(commune.code)
    missing = maps.populations()
    rows: list[_Row] = [
        (
            c.code,
            c.name,
            c.departement,
            float(c.population or missing.get(c.code, 200)),
            c.lon or 0.0,
            c.lat or 0.0,
            list(c.postal_codes),
            c.contour,
        )
        for c in communes
        if c.kind == "ARM" or (c.kind == "COM" and c.code not in DIVIDED and c.postal_codes)
    ]
    rows += [
        (c.code, c.name, c.departement, float(c.population), c.lon, c.lat, list(c.postal_codes), None)
        for c in maps.overseas_communes()
        if c.departement in chosen
    ]
    rows.sort(key=lambda row: row[0])
    contours = np.array([shapely.from_wkb(row[7]) if row[7] else None for row in rows], dtype=object)
    shapely.prepare(contours)
    has_contour = np.array([row[7] is not None for row in rows], dtype=bool)
    bounds = np.nan_to_num(shapely.bounds(contours))
    lon = np.array([row[4] for row in rows], dtype=np.float64)
    lat = np.array([row[5] for row in rows], dtype=np.float64)
    codes = np.array([row[2] for row in rows])
    return Towns(
        code=[row[0] for row in rows],
        name=[row[1] for row in rows],
        departement=[row[2] for row in rows],
        postal_code=[row[6] for row in rows],
        former_code=[former[row[0]] for row in rows],
        population=np.array([row[3] for row in rows]),
        lon=lon,
        lat=lat,
        contours=contours,
        has_contour=has_contour,
        half_width=np.maximum((bounds[:, 3] - bounds[:, 1]) / 2, 0.003),
        rank=_neighbourhood(lon, lat),
        by_departement={code: np.flatnonzero(codes == code) for code in departements},
    )


def _neighbourhood(lon: Floats, lat: Floats) -> Ints:
    """Rank towns along a Z-shaped curve: towns of near ranks are near one another."""
    x = ((lon - lon.min()) / max(float(np.ptp(lon)), 1e-9) * 4095).astype(np.int64)
    y = ((lat - lat.min()) / max(float(np.ptp(lat)), 1e-9) * 4095).astype(np.int64)
    key = np.zeros(len(x), dtype=np.int64)
    for bit in range(12):
        key |= ((x >> bit) & 1) << (2 * bit)
        key |= ((y >> bit) & 1) << (2 * bit + 1)
    rank = np.empty(len(key), dtype=np.int64)
    rank[np.argsort(key, kind="stable")] = np.arange(len(key))
    return rank
