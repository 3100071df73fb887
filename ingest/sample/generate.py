"""Writes a whole sample, one département after the other, so that the country fits in memory."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ingest.sample.ameli import AmeliWriter
from ingest.sample.ban import BanWriter
from ingest.sample.batch import Batch, make_activities
from ingest.sample.codes import GROUPS
from ingest.sample.draw import Draw
from ingest.sample.finess import FinessWriter, site_places
from ingest.sample.finess_json import FinessJsonWriter
from ingest.sample.options import SampleOptions
from ingest.sample.output import FACTS, Output
from ingest.sample.people import Guest, fill_seats, leaving
from ingest.sample.practices import Seats, lay_practices
from ingest.sample.rpps import RppsWriter
from ingest.sample.sites import lay_sites, staff_sites
from ingest.sample.streets import lay_streets
from ingest.sample.towns import departement_names, read_towns

# Population of the country that the national counts of the groups and categories go with.
NATIONAL_POPULATION = 68_000_000.0
# Roles of the country at scale 1: 3 % of the seats fall to somebody who is already at that place.
NATIONAL_ROLES = 0.972 * sum(group.independent + group.salaried for group in GROUPS)


def write_sample(
    folder: Path, options: SampleOptions, progress: Callable[[str, int, int], None] | None = None
) -> dict[str, object]:
    """Write the registers, `truth.csv` and `facts.json` into `folder` (made if absent) and return the facts.

    The files take their names only when all are complete. `progress` is called with the name of the
    département, the number done and the number of all.
    """
    names, total = departement_names(), len(options.departements)
    people = {"homonyms": 0, "relatives": 0, "elsewhere_too": 0}
    with Output(folder) as output:
        maker = _Maker(options)
        rpps = RppsWriter(output, options.stamp, trailing_bar=options.trailing_bar)
        ameli, ban = AmeliWriter(output, options.stamp), BanWriter(output)
        finess = FinessWriter(output, options.stamp)
        finess_json = FinessJsonWriter(output, options.stamp) if options.finess_json else None
        for done, departement in enumerate(options.departements):
            if progress:
                progress(names[departement], done, total)
            batch = maker.batch(departement, names[departement])
            places = site_places(batch)
            rpps.write(batch)
            ameli.write(batch)
            finess.write(batch, places)
            ban.write(batch)
            if finess_json:
                finess_json.write(batch, places)
            people["homonyms"] += int(batch.people.homonym.sum())
            people["relatives"] += int(batch.people.relative.sum())
            people["elsewhere_too"] += int(batch.people.guest.sum())
        finess.finish()
        if finess_json:
            finess_json.finish()
        kinds = dict(sorted(ameli.kinds.items()))
        facts: dict[str, object] = {
            **rpps.counts, **ameli.counts, **people, **finess.counts, **ban.counts, "kinds": kinds,
        }  # fmt: skip
        facts["files"] = [*output.names(), FACTS]
        output.text(FACTS).write(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return facts


class _Maker:
    """Makes the batches one after the other, and numbers what they hold through all of them."""

    def __init__(self, options: SampleOptions) -> None:
        self.options = options
        self.towns = read_towns(options.departements)
        self.streets = lay_streets(self.towns, options.seed)
        self.scale = options.scale
        if options.roles is not None:
            here = float(self.towns.population.sum()) / NATIONAL_POPULATION
            self.scale = options.roles / (NATIONAL_ROLES * here)
        self.guests: list[Guest] = []
        self.practices = self.sites = self.people = self.activities = 0

    def batch(self, departement: str, name: str) -> Batch:
        """Make a département."""
        towns, streets, seed, hard = self.towns, self.streets, self.options.seed, self.options.hard
        population = float(towns.population[towns.by_departement[departement]].sum())
        share = self.scale * population / NATIONAL_POPULATION
        practices, practice_seats = lay_practices(towns, streets, departement, share, seed, self.practices)
        sites, entities = lay_sites(towns, streets, departement, share, seed, self.sites)
        seats = _join(practice_seats, staff_sites(sites, departement, share, seed))
        draw = Draw(seed, "people", departement)
        inactive = draw.spread(np.array([group.inactive * share for group in GROUPS]))
        people, activities = fill_seats(towns, practices, seats, inactive, hard, draw, self.people, self.guests)
        batch = Batch(
            departement, name, towns, streets, practices, sites, entities, people, hard, seed,
            Draw(seed, "lines", departement),
        )  # fmt: skip
        batch.activities = make_activities(batch, seats, activities, self.activities)
        self.guests = leaving(draw, people, activities, seats)
        self.practices += len(practices.town)
        self.sites += len(sites.number)
        self.people += len(people.group) - int(people.guest.sum())
        self.activities += len(batch.activities)
        return batch


def _join(one: Seats, two: Seats) -> Seats:
    return Seats(
        group=np.concatenate([one.group, two.group]),
        site=np.concatenate([one.site, two.site]),
        at_site=np.concatenate([one.at_site, two.at_site]),
        independent=np.concatenate([one.independent, two.independent]),
        town=np.concatenate([one.town, two.town]),
    )
