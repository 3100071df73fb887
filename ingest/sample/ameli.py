"""The AMELI file liste-ps and the truth: which RPPS activity each of its lines stands for."""

import csv
from typing import Any

import numpy as np

from ingest.sample.batch import Address, Batch, address_of
from ingest.sample.draw import Draw, Floats, Ints
from ingest.sample.identifiers import MOBILE_RANGE
from ingest.sample.names import first_names, surnames
from ingest.sample.output import Output
from ingest.sample.streets import STREET_TYPES, draw_numbers
from ingest.sample.text import long_town, plain, register_town

COLUMNS = [
    "ps_activite_nom",
    "ps_activite_prenom",
    "ps_activite_civilite",
    "ps_activite_raison_sociale",
    "ps_activite_carte_vitale",
    "ps_activite_apcv",
    "specialite_code",
    "specialite_libelle",
    "type_ps_code",
    "type_ps_libelle",
    "activite_particuliere_code",
    "activite_particuliere_libelle",
    "coordonnees_num_tel",
    "coordonnees_voie",
    "coordonnees_complement",
    "coordonnees_lieu_dit",
    "coordonnees_code_postal",
    "coordonnees_ville",
    "secteur_conventionnel_code",
    "secteur_conventionnel_libelle",
    "nature_exercice_code",
    "nature_exercice_libelle",
    "option_tarifaire_code",
    "option_tarifaire_libelle",
]
TRUTH_COLUMNS = ("ameli_row", "rpps", "structure", "secteur", "kind")
SECTORS = {
    "0": "Non conventionné",
    "1": "Secteur 1",
    "2": "Secteur 1 avec droit permanent à dépassement",
    "3": "Secteur 2",
}
PLAIN, HOMONYM, RELATIVE, CHANGED, MOVED_TOWN, MOVED_STREET = (
    "plain", "homonym", "relative", "changed_name", "moved_town", "moved_street",
)  # fmt: skip
TYPO, PART_DROPPED, EXTRA_FIRST, INITIAL, ONLY, ONLY_HOMONYM = (
    "typo", "part_dropped", "extra_first_name", "initial", "ameli_only", "ameli_only_homonym",
)  # fmt: skip
# Part of the independent activities of these professions that AMELI lists.
_LISTED = 0.875
_TYPES = {True: ("1", "Médecins"), False: ("2", "Auxiliaires médicaux")}


def _ameli_speciality(batch: Batch, person: int) -> tuple[str, str] | None:
    group = batch.group_of(person)
    if group.ameli:
        return group.ameli
    speciality = batch.speciality(person)
    return (speciality.ameli, speciality.ameli_label) if speciality.ameli else None


class AmeliWriter:
    """Writes the batches into liste-ps and truth.csv, and counts the lines of each kind."""

    def __init__(self, output: Output, stamp: str) -> None:
        lines = output.text(f"liste-ps-{stamp}-040312.csv", mark=True)
        self._rows: Any = csv.writer(lines, delimiter=";", lineterminator="\n")
        self._truth_rows: Any = csv.writer(output.text("truth.csv"), lineterminator="\n")
        self._rows.writerow(COLUMNS)
        self._truth_rows.writerow(TRUTH_COLUMNS)
        self.counts = {"ameli": 0, "ameli_linked": 0, "ameli_only": 0}
        self.kinds: dict[str, int] = {}

    def write(self, batch: Batch) -> None:
        """Write the AMELI lines of a département, in an order of their own."""
        lines = _Lines(batch)
        rows = lines.listed() + lines.ameli_only()
        for i in batch.draw.order(len(rows)).tolist():
            row, rpps, structure, kinds = rows[i]
            self.counts["ameli"] += 1
            self.counts["ameli_linked" if rpps else "ameli_only"] += 1
            for kind in kinds:
                self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self._rows.writerow(row)
            self._truth_rows.writerow((self.counts["ameli"], rpps, structure, row[18], "+".join(kinds)))


_Row = tuple[list[str], str, str, list[str]]


class _Lines:
    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.draw = batch.draw
        self.towns = batch.towns
        here = batch.towns.by_departement[batch.departement]
        self.near = here[np.argsort(batch.towns.rank[here], kind="stable")]
        self.position = {town: i for i, town in enumerate(self.near.tolist())}

    def listed(self) -> list[_Row]:
        """Return the lines of people that RPPS knows."""
        batch, hard = self.batch, self.batch.hard
        chosen = [
            activity
            for activity, listed in zip(
                batch.activities, self.draw.chance(len(batch.activities), _LISTED).tolist(), strict=True
            )
            if activity.independent
            and not activity.at_site
            and not batch.people.adeli[activity.person]
            and (listed or batch.people.homonym[activity.person])
            and _ameli_speciality(batch, activity.person)
        ]
        names = self._names([activity.person for activity in chosen])
        moved_town = self.draw.chance(len(chosen), hard.moved_towns).tolist()
        moved_street = self.draw.chance(len(chosen), hard.moved_streets).tolist()
        elsewhere = self._elsewhere([activity.address.town for activity in chosen], moved_town)
        phone, kept_phone = (
            self.draw.uniform(len(chosen)).tolist(),
            self.draw.chance(len(chosen), 0.5).tolist(),
        )
        other = self.draw.chance(len(chosen), hard.other_phones).tolist()
        mobiles = self.draw.integers(len(chosen), 10_000).tolist()
        look = _Look(self.draw, len(chosen))
        rows = []
        for i, activity in enumerate(chosen):
            person = activity.person
            surname, first_name, kinds = names[i]
            kinds = list(kinds)
            if batch.people.homonym[person]:
                kinds.append(HOMONYM)
            if batch.people.relative[person]:
                kinds.append(RELATIVE)
            address, number = activity.address, activity.phone
            if moved_town[i] or moved_street[i]:
                address = elsewhere[i]
                kinds.append(MOVED_TOWN if moved_town[i] else MOVED_STREET)
            if other[i] or (moved_town[i] and not kept_phone[i]):
                number = f"{MOBILE_RANGE}{mobiles[i]:04d}"
            if phone[i] < hard.ameli_without_phone:
                number = ""
            rpps = batch.rpps(person)[1]
            row = self._row(surname, first_name, person, address, number, look, i)
            rows.append((row, rpps, activity.structure, kinds or [PLAIN]))
        self.known = chosen
        return rows

    def ameli_only(self) -> list[_Row]:
        """Return the lines of people that RPPS does not know, some of them namesakes of one it knows."""
        batch, draw = self.batch, self.draw
        known = self.known
        size = round(len(known) * batch.hard.ameli_only)
        if not size:
            return []
        models = [known[i] for i in draw.integers(size, len(known)).tolist()]
        namesake = draw.chance(size, batch.hard.ameli_only_homonyms).tolist()
        same_town = draw.chance(size, 0.5).tolist()
        women = batch.people.woman[[model.person for model in models]]
        family, given = surnames(draw, size), first_names(draw, women)
        elsewhere = self._elsewhere([model.address.town for model in models], [not same for same in same_town])
        mobiles, look = draw.integers(size, 10_000).tolist(), _Look(draw, size)
        with_phone = draw.chance(size, 0.7).tolist()
        rows: list[_Row] = []
        for i, model in enumerate(models):
            surname, first_name = plain(family[i]), plain(given[i])
            if namesake[i]:
                surname = plain(batch.people.surname[model.person])
                first_name = plain(batch.people.first_name[model.person])
            number = f"{MOBILE_RANGE}{mobiles[i]:04d}" if with_phone[i] else ""
            row = self._row(surname, first_name, model.person, elsewhere[i], number, look, i)
            rows.append((row, "", "", [ONLY_HOMONYM if namesake[i] else ONLY]))
        return rows

    def _names(self, persons: list[int]) -> list[tuple[str, str, list[str]]]:
        """Return surname, first name and kinds of alteration of each line."""
        batch, hard, size = self.batch, self.batch.hard, len(persons)
        # A person keeps one AMELI identity whatever the number of places.
        drawn: dict[int, tuple[str, str, list[str]]] = {}
        married, women = surnames(self.draw, size), batch.people.woman
        more = first_names(self.draw, women[persons] if persons else np.zeros(0, dtype=bool))
        dice = self.draw.uniform(size * 7).reshape(7, size)
        for i, person in enumerate(persons):
            if person not in drawn:
                drawn[person] = _ameli_name(
                    batch.people.surname[person], batch.people.first_name[person], married[i], more[i],
                    dice[:, i].tolist(), hard.changed_names * (1.6 if women[person] else 0.4), batch,
                )  # fmt: skip
        return [drawn[person] for person in persons]

    def _elsewhere(self, towns: list[int], leave: list[bool]) -> list[Address]:
        """Return another address in the same town, or in a town nearby for those who leave."""
        size = len(towns)
        jump = (1 + self.draw.integers(size, 12)).tolist()
        target = [
            int(self.near[(self.position[town] + step) % len(self.near)]) if go else town
            for town, step, go in zip(towns, jump, leave, strict=True)
        ]
        street = self.batch.streets.draw_in(self.draw, np.array(target, dtype=np.int64)).tolist()
        number, repeated = draw_numbers(self.draw, size)
        return [
            address_of(self.batch.streets, s, n, r)
            for s, n, r in zip(street, number.tolist(), repeated.tolist(), strict=True)
        ]

    def _row(
        self, surname: str, first_name: str, person: int, address: Address, phone: str, look: "_Look", i: int
    ) -> list[str]:
        batch = self.batch
        speciality = _ameli_speciality(batch, person) or ("", "")
        doctor = batch.group_of(person).code == "10"
        sector = look.sector(i, doctor=doctor, specialist=batch.group_of(person).key == "spe")
        option = ("3", "OPTAM") if sector == "3" and look.option[i] < 0.45 else ("", "")
        if sector == "3" and speciality[0] in ("04", "41", "07", "77") and look.option[i] > 0.7:
            option = ("4", "OPTAM-ACO")
        postal, town = look.town(self.batch, address, i)
        return [
            surname, first_name, "F" if batch.people.woman[person] else "H",
            f"SCP {surname}" if look.complement[i] > 0.97 else "",
            "N" if look.card[i] < 0.22 else "O", "O" if look.card[i] > 0.9 else "N",
            *speciality, *_TYPES[doctor], "", "", phone, look.street(address, i),
            "BAT B" if look.complement[i] < 0.05 else "", "LE BOURG" if 0.05 < look.complement[i] < 0.06 else "",
            postal, town, sector, SECTORS[sector], "1", "Libéral intégral", *option,
        ]  # fmt: skip


def _ameli_name(
    surname: str, first_name: str, married: str, more: str, dice: list[float], changed: float, batch: Batch
) -> tuple[str, str, list[str]]:
    hard, kinds = batch.hard, []
    family, given = plain(surname), plain(first_name)
    if dice[0] < changed:
        # The other name replaces the known one, or joins it.
        family = plain(married) if dice[1] < 0.6 else f"{family} {plain(married)}"
        kinds.append(CHANGED)
    elif "-" in family and dice[1] < hard.parts_dropped:
        family = family.split("-")[0 if dice[2] < 0.7 else -1]
        kinds.append(PART_DROPPED)
    if dice[3] < hard.typos and len(family) > 4:
        cut = 1 + int(dice[4] * (len(family) - 2))
        swapped = family[:cut] + family[cut + 1] + family[cut] + family[cut + 2 :]
        family = family[:cut] + family[cut + 1 :] if dice[2] < 0.5 else swapped
        kinds.append(TYPO)
    if dice[5] < hard.initials:
        given = f"{given[0]}."
        kinds.append(INITIAL)
    elif dice[5] < hard.initials + hard.extra_first_names:
        given = f"{given} {plain(more)}"
        kinds.append(EXTRA_FIRST)
    if dice[6] < 0.4:
        family, given = family.replace("-", " "), given.replace("-", " ")
    return family, given, kinds


class _Look:
    """How each line is written: sector, street, town and postal code."""

    def __init__(self, draw: Draw, size: int) -> None:
        self._sector: Floats = draw.uniform(size)
        self.option: Floats = draw.uniform(size)
        self.card: Floats = draw.uniform(size)
        self.complement: Floats = draw.uniform(size)
        self._street: Ints = draw.integers(size, 60)
        self._town: Floats = draw.uniform(size)
        self._postal: Floats = draw.uniform(size)

    def sector(self, i: int, *, doctor: bool, specialist: bool) -> str:
        """Return the code of the sector of agreement."""
        value = self._sector[i]
        if value < 0.015:
            return "0"
        if doctor and value < 0.025:
            return "2"
        return "3" if doctor and value < (0.48 if specialist else 0.1) else "1"

    def street(self, address: Address, i: int) -> str:
        """Return "66 CHE LEON BLUM" or "66 CHEMIN LEON BLUM"."""
        writings = STREET_TYPES[address.kind][2]
        number = f"{address.number}{' BIS' if address.repeated else ''}"
        return f"{number} {writings[int(self._street[i]) % len(writings)]} {address.street_name}"

    def town(self, batch: Batch, address: Address, i: int) -> tuple[str, str]:
        """Return the postal code and town, now and then with spaces, a CEDEX or a letter missing."""
        codes = batch.towns.postal_code[address.town]
        postal = codes[address.street % len(codes)]
        name = batch.towns.name[address.town]
        short = register_town(name) if self._town[i] < 0.9 else long_town(name)
        value = self._postal[i]
        if value < 0.01:
            postal = f"{postal} "
        elif value < 0.015:
            postal = f"{postal[:2]} {postal[2:]}"
        elif value < 0.03:
            postal, short = f"{postal[:2]}9{address.town % 100:02d}", f"{short} CEDEX"
        elif value < 0.03 + batch.hard.towns_unknown and len(short) > 5:
            cut = 2 + int(self._town[i] * 1000) % (len(short) - 3)
            short = short[:cut] + short[cut + 1 :]
        elif value > 0.99:
            short = f" {short}"
        return postal, short
