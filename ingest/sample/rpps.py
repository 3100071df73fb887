"""The three files of RPPS "libre accès", written as the ANS does: `|`, no quoting, no byte order mark."""

from collections.abc import Iterator
from typing import TextIO

from ingest.sample.batch import Activity, Batch
from ingest.sample.categories import CATEGORIES
from ingest.sample.codes import OTHER_SECTOR, PRACTICE_SECTORS, SECTORS, SHOP_SECTOR
from ingest.sample.draw import Draw
from ingest.sample.identifiers import spaced
from ingest.sample.output import Output
from ingest.sample.practices import HOUSE, SHOP, SOLO
from ingest.sample.streets import STREET_TYPES
from ingest.sample.text import long_town, plain

_WHERE = " (coord. structure)"
PERSON_COLUMNS = [
    "Type d'identifiant PP",
    "Identifiant PP",
    "Identification nationale PP",
    "Code civilité d'exercice",
    "Libellé civilité d'exercice",
    "Code civilité",
    "Libellé civilité",
    "Nom d'exercice",
    "Prénom d'exercice",
    "Code profession",
    "Libellé profession",
    "Code catégorie professionnelle",
    "Libellé catégorie professionnelle",
    "Code type savoir-faire",
    "Libellé type savoir-faire",
    "Code savoir-faire",
    "Libellé savoir-faire",
    "Code mode exercice",
    "Libellé mode exercice",
    "Numéro SIRET site",
    "Numéro SIREN site",
    "Numéro FINESS site",
    "Numéro FINESS établissement juridique",
    "Identifiant technique de la structure",
    "Raison sociale site",
    "Enseigne commerciale site",
]
ADDRESS_COLUMNS = [
    column + _WHERE
    for column in [
        "Complément destinataire",
        "Complément point géographique",
        "Numéro Voie",
        "Indice répétition voie",
        "Code type de voie",
        "Libellé type de voie",
        "Libellé Voie",
        "Mention distribution",
        "Bureau cedex",
        "Code postal",
        "Code commune",
        "Libellé commune",
        "Code pays",
        "Libellé pays",
        "Téléphone",
        "Téléphone 2",
        "Télécopie",
        "Adresse e-mail",
    ]
]
LAST_COLUMNS = [
    "Code Département (structure)",
    "Libellé Département (structure)",
    "Ancien identifiant de la structure",
    "Autorité d'enregistrement",
    "Code secteur d'activité",
    "Libellé secteur d'activité",
    "Code section tableau pharmaciens",
    "Libellé section tableau pharmaciens",
    "Code rôle",
    "Libellé rôle",
    "Code genre activité",
    "Libellé genre activité",
]
COLUMNS = [*PERSON_COLUMNS, *ADDRESS_COLUMNS, *LAST_COLUMNS]
_IDENTITY = [
    "Type d'identifiant PP",
    "Identifiant PP",
    "Identification nationale PP",
    "Nom d'exercice",
    "Prénom d'exercice",
]
SKILL_COLUMNS = [
    *_IDENTITY,
    *[
        "Code profession",
        "Libellé profession",
        "Code catégorie professionnelle",
        "Libellé catégorie professionnelle",
        "Code type savoir-faire",
        "Libellé type savoir-faire",
        "Code savoir-faire",
        "Libellé savoir-faire",
    ],
]
DIPLOMA_COLUMNS = [
    *_IDENTITY,
    *[
        "Code type diplôme obtenu",
        "Libellé type diplôme obtenu",
        "Code diplôme obtenu",
        "Libellé diplôme obtenu",
        "Code type autorisation",
        "Libellé type autorisation",
        "Code discipline autorisation",
        "Libellé discipline autorisation",
    ],
]

_CATEGORIES = {"C": "Civil", "M": "Militaire", "E": "Etudiant"}
_SPECIALITY = ("S", "Spécialité ordinale")
_PHARMACY_SECTIONS = {
    "620": (("A", "Officine: pharmaciens titulaires"), ("D", "Pharmaciens adjoints d'officine")),
    "611": (("G", "Biologie médicale"), ("G", "Biologie médicale")),
}
_HOSPITAL_SECTION = ("H", "Etablissements de santé")
_ORDINARY = ("GENR01", "Activité standard de soin ou de pharmacien")
_LOCUM = ("GENR02", "Activité de remplacement")


class RppsWriter:
    """Writes the batches, one after the other, into the three files of a folder."""

    def __init__(self, output: Output, stamp: str, *, trailing_bar: bool) -> None:
        moment = f"{stamp}0731"
        self._end = "|\n" if trailing_bar else "\n"
        self._persons = self._open(output, f"PS_LibreAcces_Personne_activite_{moment}.txt", COLUMNS)
        self._skills = self._open(output, f"PS_LibreAcces_SavoirFaire_{moment}.txt", SKILL_COLUMNS)
        self._diplomas = self._open(output, f"PS_LibreAcces_Dipl_AutExerc_{moment}.txt", DIPLOMA_COLUMNS)
        self.counts = {"rpps_rows": 0, "people": 0, "activities": 0, "no_structure": 0, "cedex": 0}

    def _open(self, output: Output, name: str, columns: list[str]) -> TextIO:
        file = output.text(name)
        file.write("|".join(columns) + self._end)
        return file

    def write(self, batch: Batch) -> None:
        """Write every line of a département."""
        people = [_Person(batch, person) for person in range(len(batch.people.group))]
        active = {activity.person for activity in batch.activities}
        lines = list(self._activity_lines(batch, people))
        for index, person in enumerate(people):
            if index not in active:
                self.counts["no_structure"] += 1
                lines += [f"{head}{'|' * 39}" for head in person.heads()]
        self._persons.writelines(lines[i] + self._end for i in batch.draw.order(len(lines)).tolist())
        # Guests have theirs in the file already.
        own = people[: len(people) - int(batch.people.guest.sum())]
        self._skills.writelines(line + self._end for person in own for line in person.skill_lines())
        self._diplomas.writelines(person.diploma_line() + self._end for person in own)
        self.counts["rpps_rows"] += len(lines)
        self.counts["people"] += len(own)
        self.counts["activities"] += len(batch.activities)

    def _activity_lines(self, batch: Batch, people: list["_Person"]) -> Iterator[str]:
        dirt = _Dirt(batch.draw, len(batch.activities))
        for index, activity in enumerate(batch.activities):
            tail, cedex = _tail(batch, activity, dirt, index, people[activity.person])
            self.counts["cedex"] += cedex
            for head in people[activity.person].heads():
                yield head + tail


class _Person:
    """The fields of a person, the same on each of the lines."""

    def __init__(self, batch: Batch, person: int) -> None:
        who = batch.people
        group = batch.group_of(person)
        kind, number = batch.rpps(person)
        surname, first_name = batch.written_name(person)
        category = "E" if who.student[person] else "M" if who.rank[person] % 997 == 0 else "C"
        title = ("DR", "Docteur") if group.title and category != "E" else ("", "")
        civility = ("MME", "Madame") if who.woman[person] else ("M", "Monsieur")
        self.identity = f"{kind}|{number}|{kind}{number}"
        self.names = f"{surname}|{first_name}"
        self.profession = f"{group.code}|{group.label}|{category}|{_CATEGORIES[category]}"
        self.start = f"{self.identity}|{'|'.join(title)}|{'|'.join(civility)}|{self.names}|{self.profession}"
        self.code = group.code
        self.label = group.label
        self.student = category == "E"
        speciality = batch.speciality(person)
        self.skills = []
        if speciality.code and not self.student:
            self.skills.append("|".join((*_SPECIALITY, speciality.code, speciality.label)))
        if who.extra_skill[person] >= 0 and not self.student:
            self.skills.append("|".join(group.extra_skills[who.extra_skill[person]]))

    def heads(self) -> list[str]:
        """Return the first 17 fields, once per skill."""
        return [f"{self.start}|{skill}" for skill in self.skills or ["|||"]]

    def skill_lines(self) -> list[str]:
        """Return the lines of the file of skills."""
        return [f"{self.identity}|{self.names}|{self.profession}|{skill}" for skill in self.skills]

    def diploma_line(self) -> str:
        """Return the line of the file of diplomas."""
        return f"{self.identity}|{self.names}|DE|Diplôme d'Etat français|DE{self.code}|DE {self.label}||||"


class _Dirt:
    """Where the register is unclean: drawn once for all the activities of a batch."""

    def __init__(self, draw: Draw, size: int) -> None:
        self.cedex = draw.chance(size, 0.025).tolist()
        self.office = draw.chance(size, 0.68).tolist()
        self.capitals = draw.chance(size, 0.5).tolist()
        self.town_code = draw.uniform(size).tolist()
        self.country = draw.uniform(size).tolist()
        self.phone = draw.uniform(size).tolist()
        self.spaces = draw.chance(size, 0.45).tolist()
        self.name = draw.uniform(size).tolist()
        self.complement = draw.uniform(size).tolist()
        self.rest = draw.uniform(size).tolist()


def _tail(batch: Batch, activity: Activity, dirt: _Dirt, index: int, person: _Person) -> tuple[str, bool]:
    """Return the last 39 fields with the bar before them, and whether the postal code is a CEDEX one."""
    address, towns = activity.address, batch.towns
    town = address.town
    name = towns.name[town]
    postal = towns.postal_code[town][address.street % len(towns.postal_code[town])]
    cedex = dirt.cedex[index] or (activity.at_site and bool(batch.sites.cedex[activity.place]))
    office = f"{postal} {long_town(name)}" if dirt.office[index] else ""
    if cedex:
        postal = f"{postal[:2]}9{(activity.place * 7 + town) % 100:02d}"
        office = f"{postal} {long_town(name)} CEDEX"
    insee = _town_code(batch, town, dirt.town_code[index])
    town_label = long_town(name) if dirt.capitals[index] else name.removeprefix("Le ").removeprefix("La ")
    phone = ""
    if dirt.phone[index] > batch.hard.rpps_without_phone or activity.at_site:
        phone = spaced(activity.phone) if dirt.spaces[index] else activity.phone
    finess, entity = ("", "")
    if activity.at_site:
        finess, entity = activity.structure[1:], batch.entity_of(activity.place)
    complement = 'BAT "C" 2E ETAGE' if dirt.complement[index] < 0.02 else ""
    point = "RESIDENCE LES TILLEULS" if 0.02 < dirt.complement[index] < 0.04 else ""
    mention = f"BP {town % 900 + 10}" if 0.04 < dirt.complement[index] < 0.05 else ""
    country = "99000|France" if dirt.country[index] < 0.1 else "99000|" if dirt.country[index] < 0.4 else "|"
    mode = "L|Libéral" if activity.independent else "S|Salarié"
    former = f"C{activity.structure[1:12]}" if dirt.rest[index] < 0.04 else ""
    kind = _LOCUM if dirt.rest[index] > 0.985 and activity.independent else _ORDINARY
    fields = (
        mode,
        activity.siret,
        activity.siret[:9] if activity.siret and dirt.rest[index] > 0.5 else "",
        finess,
        entity,
        activity.structure,
        _place_name(batch, activity, dirt.name[index], person),
        "OPTIQUE DU MARCHE" if activity.practice_kind == SHOP and dirt.name[index] < 0.3 else "",
        complement,
        point,
        str(address.number),
        "B" if address.repeated else "",
        address.type_code,
        STREET_TYPES[address.kind][1],
        address.street_name,
        mention,
        office,
        postal,
        insee,
        town_label,
        country,
        phone,
        "",
        phone if dirt.rest[index] < 0.08 else "",
        f"contact{activity.place}@exemple.invalid" if dirt.rest[index] > 0.97 else "",
        batch.departement,
        batch.departement_name,
        former,
        batch.authority(activity, student=person.student),
        "|".join(_sector(batch, activity)),
        "|".join(_section(batch, activity, person)),
        "|",
        "|".join(kind),
    )
    return "|" + "|".join(fields), cedex


def _town_code(batch: Batch, town: int, chance: float) -> str:
    """Return the INSEE code, at times none, or that of a merged commune, or of the whole of Paris."""
    code = batch.towns.code[town]
    if chance < 0.015:
        return ""
    if chance < 0.05 and batch.towns.former_code[town]:
        return batch.towns.former_code[town][int(chance * 1000) % len(batch.towns.former_code[town])]
    if chance < 0.03 and code.startswith("751"):
        return "75056"
    return code


def _place_name(batch: Batch, activity: Activity, chance: float, person: _Person) -> str:
    if activity.at_site:
        return batch.sites.name[activity.place]
    if activity.practice_kind == HOUSE:
        return f"MSP {long_town(batch.towns.name[activity.address.town])}"
    if activity.practice_kind == SHOP:
        return f"SARL {plain(STREET_TYPES[activity.address.kind][1])} {activity.address.street_name}"
    if chance < 0.35:
        return ""
    if chance < 0.39:
        return 'CABINET "LES TILLEULS"'
    return f"CABINET {person.names.split('|')[0]}"


def _sector(batch: Batch, activity: Activity) -> tuple[str, str]:
    if activity.at_site:
        return SECTORS.get(CATEGORIES[batch.sites.category[activity.place]].code, OTHER_SECTOR)
    if activity.practice_kind == SHOP:
        return SHOP_SECTOR
    if activity.practice_kind == HOUSE:
        return PRACTICE_SECTORS[2]
    return PRACTICE_SECTORS[0 if activity.practice_kind == SOLO else 1]


def _section(batch: Batch, activity: Activity, person: _Person) -> tuple[str, str]:
    if person.code != "21":
        return "", ""
    category = CATEGORIES[batch.sites.category[activity.place]].code if activity.at_site else ""
    sections = _PHARMACY_SECTIONS.get(category, (_HOSPITAL_SECTION, _HOSPITAL_SECTION))
    return sections[0 if activity.independent else 1]
