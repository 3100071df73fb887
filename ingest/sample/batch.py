"""One département of the sample, ready to be written in every register."""

from dataclasses import dataclass, field

import numpy as np

from ingest.sample.codes import ARS, GROUPS, Group, Speciality
from ingest.sample.draw import Draw, Ints
from ingest.sample.identifiers import adeli_number, finess_departement, rpps_number, siret_number
from ingest.sample.options import HardCases
from ingest.sample.people import Activities, People
from ingest.sample.practices import Practices, Seats
from ingest.sample.sites import Entities, Sites
from ingest.sample.streets import STREET_NAMES, STREET_TYPES, Streets
from ingest.sample.text import street_capitals
from ingest.sample.towns import Towns

NO_SPECIALITY = Speciality("", "", 1, "", "")


@dataclass(frozen=True, slots=True)
class Address:
    """A place: its town (position in the towns), its street and its number."""

    town: int
    kind: int
    name: int
    street: int
    number: int
    repeated: bool

    @property
    def street_name(self) -> str:
        """Name of the street in capitals without accents."""
        return street_capitals(STREET_NAMES[self.name])

    @property
    def type_code(self) -> str:
        """Code of the type of street in RPPS and FINESS."""
        return STREET_TYPES[self.kind][0]


@dataclass(slots=True)
class Activity:
    """A role of the register: a person at a place, as RPPS identifies it."""

    person: int
    group: Group
    structure: str
    place: int
    at_site: bool
    independent: bool
    address: Address
    phone: str
    practice_kind: int
    siret: str
    members: int


@dataclass(slots=True)
class Batch:
    """Everything of one département."""

    departement: str
    departement_name: str
    towns: Towns
    streets: Streets
    practices: Practices
    sites: Sites
    entities: Entities
    people: People
    hard: HardCases
    seed: int
    draw: Draw
    activities: list[Activity] = field(default_factory=list)

    def rpps(self, person: int) -> tuple[str, str]:
        """Return the type and number of a person's identifier (8 and RPPS, or 0 and ADELI)."""
        if self.people.adeli[person]:
            group = GROUPS[self.people.group[person]]
            return "0", adeli_number(finess_departement(self.departement), group.code, person)
        return "8", rpps_number(int(self.people.rank[person]))

    def group_of(self, person: int) -> Group:
        """Return the group of a person."""
        return GROUPS[self.people.group[person]]

    def written_name(self, person: int) -> tuple[str, str]:
        """Return the surname and first name as RPPS writes them for this person."""
        return self.people.written[person]

    def entity_of(self, site: int) -> str:
        """Return the FINESS number of the legal entity of a site."""
        return self.entities.number[int(self.sites.entity[site])]

    def authority(self, activity: Activity, *, student: bool) -> str:
        """Return the authority that registered the activity."""
        return ARS if student else activity.group.authority

    def speciality(self, person: int) -> Speciality:
        """Return the speciality of a person; without code when the profession has none."""
        group = GROUPS[self.people.group[person]]
        return group.specialities[self.people.speciality[person]] if group.specialities else NO_SPECIALITY


def address_of(streets: Streets, street: int, number: int, repeated: bool) -> Address:
    """Return the address of a number of a street."""
    return Address(
        int(streets.town[street]),
        int(streets.kind[street]),
        int(streets.name[street]),
        street,
        number,
        repeated,
    )


def make_activities(batch: Batch, seats: Seats, activities: Activities, first_rank: int) -> list[Activity]:
    """Give each activity its structure identifier (1 + FINESS, 3 + SIRET or 4 + RPPS + sequence) and address."""
    draw, made = batch.draw, []
    size = len(activities.person)
    own_siret = draw.chance(size, 0.5).tolist()
    sequences: dict[int, int] = {}
    members = np.bincount(seats.site[~seats.at_site], minlength=len(batch.practices.town))
    practices, sites = batch.practices, batch.sites
    independent, at_site, site = seats.independent.tolist(), seats.at_site.tolist(), seats.site.tolist()
    for i, (person, seat) in enumerate(zip(activities.person.tolist(), activities.seat.tolist(), strict=True)):
        place = site[seat]
        group = GROUPS[batch.people.group[person]]
        if at_site[seat]:
            address = address_of(
                batch.streets, int(sites.street[place]), int(sites.house[place]), bool(sites.repeated[place])
            )
            made.append(
                Activity(person, group, "1" + sites.number[place], place, True, independent[seat], address,
                         sites.phone[place], -1, "", 0)
            )  # fmt: skip
            continue
        address = address_of(
            batch.streets,
            int(practices.street[place]),
            int(practices.number[place]),
            bool(practices.repeated[place]),
        )
        siret = ""
        if practices.shared[place]:
            siret = siret_number(int(practices.rank[place]))
        elif own_siret[i]:
            siret = siret_number(1_000_000 + first_rank + i)
        if siret:
            structure = "3" + siret
        else:
            # Those of people from another département begin higher: theirs are numbered there.
            sequences[person] = sequences.get(person, 10 * int(batch.people.guest[person])) + 1
            structure = f"4{batch.rpps(person)[1]:0>11}{sequences[person]:02d}"
        made.append(
            Activity(person, group, structure, place, False, independent[seat], address, practices.phone[place],
                     int(practices.kind[place]), siret, int(members[place]))
        )  # fmt: skip
    return made


def used_addresses(batch: Batch) -> Ints:
    """Return the (street, number, repeated) used in the département, as rows without double."""
    practices, sites = batch.practices, batch.sites
    rows = np.stack(
        [
            np.concatenate([practices.street, sites.street]),
            np.concatenate([practices.number, sites.house]),
            np.concatenate([practices.repeated, sites.repeated]).astype(np.int64),
        ],
        axis=1,
    )
    return np.unique(rows, axis=0)
