"""People of a département and their activities, with namesakes and relatives among them."""

from dataclasses import dataclass

import numpy as np

from ingest.sample.codes import GROUPS
from ingest.sample.draw import Bools, Draw, Ints
from ingest.sample.names import first_names, surnames
from ingest.sample.options import HardCases
from ingest.sample.practices import Practices, Seats
from ingest.sample.text import plain
from ingest.sample.towns import Towns

# Activities per person of each group; those who have two or more work elsewhere or also for a hospital.
_ACTIVITIES = {"mg": 1.18, "spe": 1.42, "ide": 1.12, "mk": 1.15, "cd": 1.15, "sf": 1.15, "pharma": 1.12}


@dataclass(slots=True)
class People:
    """People as columns; `rank` gives the RPPS number, `speciality` the position in those of the group."""

    rank: Ints
    group: Ints
    woman: Bools
    surname: list[str]
    first_name: list[str]
    speciality: Ints
    extra_skill: Ints
    student: Bools
    adeli: Bools
    homonym: Bools
    relative: Bools
    guest: Bools
    written: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Guest:
    """Someone of the département before who has a second place in this one."""

    rank: int
    group: int
    woman: bool
    surname: str
    first_name: str
    speciality: int
    extra_skill: int
    written: tuple[str, str]


@dataclass(slots=True)
class Activities:
    """Who works where: positions in the people and in the seats."""

    person: Ints
    seat: Ints
    order: Ints


def fill_seats(
    towns: Towns,
    practices: Practices,
    seats: Seats,
    inactive: Ints,
    hard: HardCases,
    draw: Draw,
    first_rank: int,
    guests: list[Guest],
) -> tuple[People, Activities]:
    """Give every seat a person, and add the people without any activity.

    `inactive` counts those by group. A person's second place is near the first one.
    """
    rank_of_town = towns.rank[seats.town]
    owners = np.empty(len(seats.group), dtype=np.int64)
    groups, order = [], np.zeros(len(seats.group), dtype=np.int64)
    people = 0
    for index, group in enumerate(GROUPS):
        mine = np.flatnonzero(seats.group == index)
        if len(mine):
            along = mine[np.lexsort((draw.uniform(len(mine)), rank_of_town[mine]))]
            first = draw.uniform(len(along)) < 1 / _ACTIVITIES.get(group.key, 1.08)
            first[0] = True
            number = np.cumsum(first) - 1
            back = np.minimum(draw.integers(len(along), 25), number)
            person = np.where(first, number, number - back)
            owners[along] = people + person
            order[along] = np.where(first, 0, 1)
            people += int(number[-1]) + 1
            groups.append(np.full(int(number[-1]) + 1, index))
        groups.append(np.full(int(inactive[index]), index))
        people += int(inactive[index])
    group_of = np.concatenate(groups).astype(np.int64)
    person, seat = _once(owners, seats)
    who = _invent(draw, group_of, first_rank)
    person = _welcome(draw, who, guests, seats, person, seat, order)
    group_of = who.group
    active = np.zeros(len(group_of), dtype=bool)
    active[person] = True
    who.student[:] = ~active & draw.chance(len(group_of), 0.4)
    activities = Activities(person, seat, order[seat])
    _make_relatives(draw, who, activities, seats, practices, hard.relatives)
    _make_homonyms(draw, who, activities, seats, hard.homonyms)
    known = len(who.written)
    who.written = _write_names(draw, who)[: len(group_of) - known] + who.written
    return who, activities


def _once(owners: Ints, seats: Seats) -> tuple[Ints, Ints]:
    """Keep one seat per person and place."""
    key = (owners * 2 + seats.at_site) * (int(seats.site.max(initial=0)) + 1) + seats.site
    _, kept = np.unique(key, return_index=True)
    kept = np.sort(kept)
    return owners[kept], kept


def _invent(draw: Draw, group: Ints, first_rank: int) -> People:
    size = len(group)
    women = np.array([g.women for g in GROUPS])[group]
    woman = draw.uniform(size) < women
    speciality = np.zeros(size, dtype=np.int64)
    extra = np.full(size, -1, dtype=np.int64)
    for index, kind in enumerate(GROUPS):
        mine = np.flatnonzero(group == index)
        if kind.specialities:
            speciality[mine] = draw.pick([s.weight for s in kind.specialities], len(mine))
        if kind.extra_skills:
            has = draw.chance(len(mine), kind.extra_share)
            extra[mine] = np.where(has, draw.integers(len(mine), len(kind.extra_skills)), -1)
    adeli = draw.uniform(size) < np.array([g.adeli for g in GROUPS])[group]
    return People(
        rank=first_rank + np.arange(size),
        group=group,
        woman=woman,
        surname=surnames(draw, size),
        first_name=first_names(draw, woman),
        speciality=speciality,
        extra_skill=extra,
        student=np.zeros(size, dtype=bool),
        adeli=adeli,
        homonym=np.zeros(size, dtype=bool),
        relative=np.zeros(size, dtype=bool),
        guest=np.zeros(size, dtype=bool),
        written=[],
    )


def _welcome(draw: Draw, who: People, guests: list[Guest], seats: Seats, person: Ints, seat: Ints, order: Ints) -> Ints:
    """Add the guests to the people, and give each one the second place of somebody here."""
    free = np.flatnonzero((order[seat] == 1) & ~seats.at_site[seat])
    free = free[draw.order(len(free))]
    places: dict[int, list[int]] = {}
    for position, group in zip(free.tolist(), seats.group[seat[free]].tolist(), strict=True):
        places.setdefault(group, []).append(position)
    welcome: list[Guest] = []
    person = person.copy()
    for guest in guests:
        if places.get(guest.group):
            person[places[guest.group].pop()] = len(who.group) + len(welcome)
            welcome.append(guest)
    more = len(welcome)
    who.rank = np.concatenate([who.rank, np.array([g.rank for g in welcome], dtype=np.int64)])
    who.group = np.concatenate([who.group, np.array([g.group for g in welcome], dtype=np.int64)])
    who.woman = np.concatenate([who.woman, np.array([g.woman for g in welcome], dtype=bool)])
    who.surname += [g.surname for g in welcome]
    who.first_name += [g.first_name for g in welcome]
    who.speciality = np.concatenate([who.speciality, np.array([g.speciality for g in welcome], dtype=np.int64)])
    who.extra_skill = np.concatenate([who.extra_skill, np.array([g.extra_skill for g in welcome], dtype=np.int64)])
    none = np.zeros(more, dtype=bool)
    who.student, who.adeli = np.concatenate([who.student, none]), np.concatenate([who.adeli, none])
    who.homonym, who.relative = np.concatenate([who.homonym, none]), np.concatenate([who.relative, none])
    who.guest = np.concatenate([who.guest, ~none])
    who.written = [g.written for g in welcome]
    return person


def leaving(draw: Draw, who: People, activities: Activities, seats: Seats) -> list[Guest]:
    """Return people of this département who also work in the next one: 5 % of doctors, 1 % of the others."""
    lib = activities.person[(activities.order == 0) & ~seats.at_site[activities.seat]]
    doctor = np.array([group.code == "10" for group in GROUPS])[who.group[lib]]
    goes = draw.uniform(len(lib)) < np.where(doctor, 0.05, 0.01)
    apart = who.guest | who.adeli | who.student | who.homonym | who.relative
    return [
        Guest(
            int(who.rank[i]), int(who.group[i]), bool(who.woman[i]), who.surname[i], who.first_name[i],
            int(who.speciality[i]), int(who.extra_skill[i]), who.written[i],
        )
        for i in lib[goes].tolist()
        if not apart[i]
    ]  # fmt: skip


def _write_names(draw: Draw, who: People) -> list[tuple[str, str]]:
    """Write names as RPPS does: capitals with or without accents, first names at times in small letters."""
    size = len(who.surname)
    accents, small = draw.chance(size, 0.55).tolist(), draw.chance(size, 0.4).tolist()
    further = draw.chance(size, 0.015).tolist()
    more = first_names(draw, who.woman)
    written = []
    for i, (surname, given) in enumerate(zip(who.surname, who.first_name, strict=True)):
        first = f"{given} {more[i]}" if further[i] else given
        if accents[i]:
            written.append((surname, first if small[i] else first.upper()))
        else:
            written.append((plain(surname), plain(first).title() if small[i] else plain(first)))
    return written


def _make_relatives(
    draw: Draw, who: People, activities: Activities, seats: Seats, practices: Practices, share: float
) -> None:
    """Give the surname of a colleague to people of the same practice and profession."""
    seat = activities.seat
    lib = np.flatnonzero(~seats.at_site[seat] & (activities.order == 0))
    key = seats.site[seat[lib]] * len(GROUPS) + seats.group[seat[lib]]
    lib = lib[np.argsort(key, kind="stable")]
    key = np.sort(key, kind="stable")
    pairs = np.flatnonzero(key[1:] == key[:-1])
    wanted = int(len(lib) * share / 2)
    guests = set(np.flatnonzero(who.guest).tolist())
    taken: set[int] = set()
    for place in pairs[draw.order(len(pairs))].tolist():
        if len(taken) >= 2 * wanted:
            break
        one, two = int(activities.person[lib[place]]), int(activities.person[lib[place + 1]])
        if {one, two} & (taken | guests) or who.first_name[one] == who.first_name[two]:
            continue
        who.surname[two] = who.surname[one]
        taken |= {one, two}
    who.relative[list(taken)] = True


def _make_homonyms(draw: Draw, who: People, activities: Activities, seats: Seats, share: float) -> None:
    """Give the whole name of a colleague to someone of the same town and profession who works elsewhere."""
    seat = activities.seat
    lib = np.flatnonzero(~seats.at_site[seat] & (activities.order == 0))
    key = seats.town[seat[lib]] * len(GROUPS) + seats.group[seat[lib]]
    order = np.lexsort((draw.uniform(len(lib)), key))
    lib, key = lib[order], key[order]
    pairs = np.flatnonzero(key[1:] == key[:-1])
    wanted = int(len(lib) * share / 2)
    taken: set[int] = set(np.flatnonzero(who.relative | who.guest).tolist())
    made: set[int] = set()
    for place in pairs[draw.order(len(pairs))].tolist():
        if len(made) >= 2 * wanted:
            break
        one, two = int(activities.person[lib[place]]), int(activities.person[lib[place + 1]])
        if {one, two} & taken or seats.site[seat[lib[place]]] == seats.site[seat[lib[place + 1]]]:
            continue
        who.surname[two], who.first_name[two] = who.surname[one], who.first_name[one]
        who.woman[two] = who.woman[one]
        if draw.chance(1, 0.6)[0]:
            who.speciality[two] = who.speciality[one]
        taken |= {one, two}
        made |= {one, two}
    who.homonym[list(made)] = True
