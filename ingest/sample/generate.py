"""Writes a whole sample, one département after the other, so that the country fits in memory."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ingest.sample.ameli import AmeliWriter
from ingest.sample.batch import Batch, make_activities
from ingest.sample.codes import GROUPS
from ingest.sample.draw import Draw
from ingest.sample.options import SampleOptions
from ingest.sample.people import fill_seats
from ingest.sample.practices import Seats, lay_practices
from ingest.sample.rpps import RppsWriter
from ingest.sample.sites import lay_sites, staff_sites
from ingest.sample.streets import Streets, lay_streets
from ingest.sample.towns import Towns, departement_names, read_towns

# Population of the country that the national counts of the groups and categories go with.
NATIONAL_POPULATION = 68_000_000.0
# Roles of the country at scale 1.
NATIONAL_ROLES = sum(group.independent + group.salaried for group in GROUPS)


class _Ranks:
    """How many practices, sites, people and activities have been numbered so far."""

    def __init__(self) -> None:
        self.practices = self.sites = self.people = self.activities = 0


def scale_for(roles: int, departements: tuple[str, ...]) -> float:
    """Return the scale at which these départements have this many roles."""
    population = read_towns(list(departements)).population.sum()
    return float(roles / (NATIONAL_ROLES * population / NATIONAL_POPULATION))


def write_sample(
    folder: Path, options: SampleOptions, progress: Callable[[str, int, int], None] | None = None
) -> dict[str, object]:
    """Write the registers, `truth.csv` and `facts.json` into `folder` (made if absent) and return the facts.

    `progress` is called with the name of the département, the number done and the number of all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    towns = read_towns(list(options.departements))
    streets = lay_streets(towns, options.seed)
    names, ranks = departement_names(), _Ranks()
    rpps = RppsWriter(folder, options.stamp, trailing_bar=options.trailing_bar)
    ameli = AmeliWriter(folder, options.stamp)
    people = {"homonyms": 0, "relatives": 0}
    for done, departement in enumerate(options.departements):
        if progress:
            progress(names[departement], done, len(options.departements))
        batch = _batch(towns, streets, departement, names[departement], options, ranks)
        rpps.write(batch)
        ameli.write(batch)
        people["homonyms"] += int(batch.people.homonym.sum())
        people["relatives"] += int(batch.people.relative.sum())
    rpps.close()
    ameli.close()
    facts: dict[str, object] = {
        **rpps.counts,
        **ameli.counts,
        **people,
        "kinds": dict(sorted(ameli.kinds.items())),
    }
    (folder / "facts.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return facts


def _batch(towns: Towns, streets: Streets, departement: str, name: str, options: SampleOptions, ranks: _Ranks) -> Batch:
    share = options.scale * float(towns.population[towns.by_departement[departement]].sum()) / NATIONAL_POPULATION
    seed = options.seed
    practices, practice_seats = lay_practices(towns, streets, departement, share, seed, ranks.practices)
    sites, entities = lay_sites(towns, streets, departement, share, seed, ranks.sites)
    seats = _join(practice_seats, staff_sites(sites, departement, share, seed))
    draw = Draw(seed, "people", departement)
    inactive = draw.spread(np.array([group.inactive * share for group in GROUPS]))
    people, activities = fill_seats(towns, practices, seats, inactive, options.hard, draw, ranks.people)
    batch = Batch(
        departement, name, towns, streets, practices, sites, entities, people, options.hard,
        Draw(seed, "lines", departement),
    )  # fmt: skip
    batch.activities = make_activities(batch, seats, activities, ranks.activities)
    ranks.practices += len(practices.town)
    ranks.sites += len(sites.number)
    ranks.people += len(people.group)
    ranks.activities += len(batch.activities)
    return batch


def _join(one: Seats, two: Seats) -> Seats:
    return Seats(
        group=np.concatenate([one.group, two.group]),
        site=np.concatenate([one.site, two.site]),
        at_site=np.concatenate([one.at_site, two.at_site]),
        independent=np.concatenate([one.independent, two.independent]),
        town=np.concatenate([one.town, two.town]),
    )
