"""The figures of a report: one row per commune, and what they add up to, weighted by inhabitants."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from maps.api import PlaceHit, containers_of, place_by_id
from search_api.coverage.nearest import Nearest, Points

FAR_M: Final = 10_000
"""Beyond this, a commune counts as far from what is measured."""
PER: Final = 10_000
"""Inhabitants that densities are given for."""


@dataclass(frozen=True, slots=True)
class Count:
    """What stands in a commune: offers, sites, and offers that say where they visit."""

    offers: int
    sites: int
    visiting: int


class Summary(BaseModel):
    """What the communes of a territory add up to. Metres are geodesic, from the point of each commune."""

    model_config = ConfigDict(frozen=True)

    communes: int
    population: int
    offers: int
    sites: int
    density: float | None = Field(description="Offres pour 10 000 habitants.")
    communes_without_offer: int
    population_without_offer: int
    communes_unvisited: int = Field(description="Communes où aucune offre ne dit se déplacer.")
    population_unvisited: int
    offers_visiting: int = Field(description="Offres du territoire qui disent où elles se déplacent.")
    population_far: int | None = Field(
        description="Habitants de communes à plus de 10 km de toute offre située ; `null` si aucune ne répond, "
        "où que ce soit."
    )
    share_far: float | None = Field(description="La même, rapportée aux habitants des communes situées.")
    median_m: int | None = Field(description="La moitié des habitants sont à cette distance ou moins.")
    farthest_m: int | None
    farthest: str | None = Field(description="La commune la plus éloignée.")
    without_point: int = Field(description="Communes dont la position n’est pas connue.")
    without_population: int = Field(description="Communes dont la population n’est pas connue.")
    zone: tuple[str, ...] = Field(default=(), description="Lieux auxquels tout ce qui précède est limité.")

    @property
    def nowhere(self) -> bool:
        """Whether nothing answers, here or elsewhere: the question is in doubt, not the access to care."""
        return not self.offers and self.farthest_m is None and self.without_point < self.communes


def by_unit(communes: Sequence[PlaceHit], found: Mapping[int, Count]) -> dict[int, Count]:
    """Return the counts of each commune of a report, those of its arrondissements included; others are left out."""
    units = {commune.id for commune in communes}
    around = containers_of(found)
    totals: dict[int, Count] = {}
    for place, count in found.items():
        unit = place if place in units else next((one for one in around[place] if one in units), None)
        if unit is not None:
            held = totals.get(unit, Count(0, 0, 0))
            totals[unit] = Count(held.offers + count.offers, held.sites + count.sites, held.visiting + count.visiting)
    return totals


def visited_units(communes: Sequence[PlaceHit], visited: Collection[int]) -> set[int]:
    """Return the communes that someone visits: named in a territory, part of a place named there, or holding one."""
    units = {commune.id for commune in communes}
    reached = set(visited)
    around = containers_of(units)
    found = {unit for unit in units if unit in reached or not reached.isdisjoint(around[unit])}
    # Someone who visits the 12e arrondissement visits Paris.
    return found | {one for inside in containers_of(reached).values() for one in inside if one in units}


def table(
    communes: Sequence[PlaceHit],
    counts: Mapping[int, Count],
    visited: Collection[int],
    near: Nearest,
    points: Points,
) -> pd.DataFrame:
    """Return a row per commune, in their order.

    Columns: `id`, `code`, `name`, `departement`, `population`, `offers`, `sites`, `visiting`, `density` (offers
    for 10,000 inhabitants, NaN without inhabitants), `nearest_m` (NaN when unknown), `nearest_commune`,
    `approximate` (only the commune of the nearest is known), `visited`, `lon`, `lat`.
    """
    zero = Count(0, 0, 0)
    held = [counts.get(commune.id, zero) for commune in communes]
    population = np.array([commune.population for commune in communes], dtype=np.int64)
    offers = np.array([count.offers for count in held], dtype=np.int64)
    names: dict[int, str | None] = {}
    towns: list[str | None] = []
    approximate: list[bool] = []
    for rank in near.index.tolist():
        town = int(points.commune[rank]) if rank >= 0 else -1
        if town not in names:
            place = place_by_id(town)
            names[town] = place.name if place is not None else None
        towns.append(names[town])
        approximate.append(rank >= 0 and not bool(points.exact[rank]))
    density = np.divide(offers * float(PER), population, out=np.full(len(communes), np.nan), where=population > 0)
    return pd.DataFrame(
        {
            "id": [commune.id for commune in communes],
            "code": [commune.code for commune in communes],
            "name": [commune.name for commune in communes],
            "departement": [commune.departement or "" for commune in communes],
            "population": population,
            "offers": offers,
            "sites": np.array([count.sites for count in held], dtype=np.int64),
            "visiting": np.array([count.visiting for count in held], dtype=np.int64),
            "density": density,
            "nearest_m": near.metres,
            "nearest_commune": towns,
            "approximate": approximate,
            "visited": [commune.id in visited for commune in communes],
            "lon": [np.nan if commune.lon is None else commune.lon for commune in communes],
            "lat": [np.nan if commune.lat is None else commune.lat for commune in communes],
        }
    )


def summary(frame: pd.DataFrame, zone: Sequence[str] = ()) -> Summary:
    """Return what the rows of `table` add up to, `zone` naming what they are limited to."""
    population = frame["population"].to_numpy()
    offers = int(frame["offers"].sum())
    inhabitants = int(population.sum())
    empty = (frame["offers"] == 0).to_numpy()
    unvisited = ~frame["visited"].to_numpy(dtype=bool)
    metres = frame["nearest_m"].to_numpy(dtype=np.float64)
    located = frame["lon"].notna().to_numpy()
    # What is found nowhere is far from nobody: such a share would be read as a lack of care.
    measured = offers > 0 or bool(np.isfinite(metres).any())
    far = located & ~(metres <= FAR_M)
    measurable = int(population[located].sum())
    farthest = int(np.nanargmax(metres)) if np.isfinite(metres).any() else None
    return Summary(
        communes=len(frame),
        population=inhabitants,
        offers=offers,
        sites=int(frame["sites"].sum()),
        density=offers * PER / inhabitants if inhabitants else None,
        communes_without_offer=int(empty.sum()),
        population_without_offer=int(population[empty].sum()),
        communes_unvisited=int(unvisited.sum()),
        population_unvisited=int(population[unvisited].sum()),
        offers_visiting=int(frame["visiting"].sum()),
        population_far=int(population[far].sum()) if measured else None,
        share_far=int(population[far].sum()) / measurable if measurable and measured else None,
        median_m=_weighted_median(metres, population),
        farthest_m=None if farthest is None else int(metres[farthest]),
        farthest=None if farthest is None else str(frame["name"].iloc[farthest]),
        without_point=int((~located).sum()),
        without_population=int((population == 0).sum()),
        zone=tuple(zone),
    )


def _weighted_median(values: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> int | None:
    """Return the least value that half of the weight reaches, or None without weight."""
    known = np.isfinite(values) & (weights > 0)
    if not known.any():
        return None
    order = np.argsort(values[known], kind="stable")
    reached = np.cumsum(weights[known][order])
    return int(values[known][order][np.searchsorted(reached, reached[-1] / 2)])
