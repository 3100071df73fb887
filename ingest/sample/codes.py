"""Professions, specialities and their codes in the registers, with how many there are in the country.

Codes: professions of TRE-G15, specialities of TRE-R38, further skills of TRE-R39/R40/R43, AMELI specialities
of its own list. Counts are of the order of the national ones: activities in a practice, salaried activities,
people on the register without any activity.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.sample.tables import rows


@dataclass(frozen=True, slots=True)
class Speciality:
    """A speciality of RPPS, its code and label, and the AMELI code and label that stand for it."""

    code: str
    label: str
    weight: float
    ameli: str
    ameli_label: str


@dataclass(frozen=True, slots=True)
class Group:
    """People who work alike: a profession, or a part of one.

    `independent`, `salaried` and `inactive` count activities in the country; `women` and `growth` are the share
    of women and how strongly the group gathers in large towns (1 = as the population); `places` weighs the
    FINESS categories where the salaried work; `shop` means that they work in a firm outside FINESS.
    """

    key: str
    code: str
    label: str
    independent: int
    salaried: int
    inactive: int
    women: float
    growth: float
    authority: str
    places: Mapping[str, float]
    ameli: tuple[str, str] | None = None
    specialities: tuple[Speciality, ...] = ()
    title: bool = False
    shop: bool = False
    adeli: float = 0.0
    extra_skills: tuple[tuple[str, str, str, str], ...] = ()
    extra_share: float = 0.0


def _specialities(group: str) -> tuple[Speciality, ...]:
    return tuple(
        Speciality(row["code"], row["label"], float(row["weight"]), row["ameli"], row["ameli_label"])
        for row in rows("specialities.tsv")
        if row["group"] == group
    )


MEDICAL_EXTRAS = tuple((row["kind"], row["kind_label"], row["code"], row["label"]) for row in rows("skills.tsv"))

_HOSPITAL = {"355": 50, "365": 22, "101": 25, "109": 6, "292": 6, "131": 2, "106": 3, "128": 5}
_HOSPITAL_CARE = _HOSPITAL | {"500": 14, "354": 6, "124": 3, "127": 1, "141": 1, "156": 2, "255": 2, "445": 1}
_REHABILITATION = {
    "355": 30,
    "365": 18,
    "109": 22,
    "500": 12,
    "182": 6,
    "183": 6,
    "190": 3,
    "189": 3,
    "124": 2,
}
_CHILDREN = {"182": 20, "183": 20, "189": 15, "190": 12, "355": 20, "365": 6, "109": 6, "156": 6}
_DENTAL = {"125": 70, "124": 25, "355": 10, "101": 5}
_DOCTORS = _HOSPITAL | {"124": 6, "500": 4, "156": 4, "223": 3, "197": 1, "141": 1, "114": 0.4}
ARS = "ARS/ARS/ARS"

GROUPS = (
    Group(
        "mg",
        "10",
        "Médecin",
        95_000,
        30_000,
        60_000,
        0.48,
        1.02,
        "CNOM/CNOM/CNOM",
        _DOCTORS,
        specialities=_specialities("mg"),
        title=True,
        extra_skills=MEDICAL_EXTRAS,
        extra_share=0.26,
    ),
    Group(
        "spe",
        "10",
        "Médecin",
        85_000,
        130_000,
        35_000,
        0.47,
        1.35,
        "CNOM/CNOM/CNOM",
        _DOCTORS,
        specialities=_specialities("spe"),
        title=True,
        extra_skills=MEDICAL_EXTRAS,
        extra_share=0.36,
    ),
    Group(
        "ide",
        "60",
        "Infirmier",
        190_000,
        630_000,
        130_000,
        0.87,
        1.0,
        "CNOI/CNOI/CNOI",
        _HOSPITAL_CARE,
        specialities=_specialities("ide"),
    ),
    Group(
        "mk",
        "70",
        "Masseur-Kinésithérapeute",
        125_000,
        30_000,
        12_000,
        0.52,
        1.1,
        "CNOMK/CNOMK/CNOMK",
        _REHABILITATION,
        ameli=("26", "Masseur-kinésithérapeute"),
    ),
    Group(
        "cd",
        "40",
        "Chirurgien-Dentiste",
        62_000,
        9_000,
        10_000,
        0.49,
        1.12,
        "ONCD/ONCD/ONCD",
        _DENTAL,
        specialities=_specialities("cd"),
        title=True,
    ),
    Group(
        "sf",
        "50",
        "Sage-Femme",
        13_000,
        24_000,
        5_000,
        0.97,
        1.1,
        "CNOSF/CNOSF/CNOSF",
        _HOSPITAL | {"223": 8},
        ameli=("21", "Sage-femme"),
    ),
    Group(
        "ortho", "91", "Orthophoniste", 42_000, 12_000, 3_000, 0.96, 1.12, ARS, _CHILDREN, ameli=("28", "Orthophoniste")
    ),
    Group(
        "pedicure",
        "80",
        "Pédicure-Podologue",
        20_000,
        600,
        800,
        0.69,
        1.05,
        "CNOPP/CNOPP/CNOPP",
        {"355": 1, "500": 1, "124": 1},
        ameli=("27", "Pédicure-podologue"),
    ),
    Group(
        "orthoptiste",
        "92",
        "Orthoptiste",
        6_000,
        3_000,
        300,
        0.91,
        1.3,
        ARS,
        {"355": 3, "365": 2, "124": 1},
        ameli=("29", "Orthoptiste"),
    ),
    Group("ergo", "94", "Ergothérapeute", 4_000, 14_000, 1_500, 0.87, 1.1, ARS, _REHABILITATION, adeli=0.01),
    Group("diet", "95", "Diététicien", 7_000, 9_000, 1_500, 0.94, 1.2, ARS, _HOSPITAL, adeli=0.01),
    Group("psychomot", "96", "Psychomotricien", 6_000, 13_000, 1_000, 0.9, 1.15, ARS, _CHILDREN, adeli=0.01),
    Group(
        "pharma",
        "21",
        "Pharmacien",
        30_000,
        75_000,
        12_000,
        0.67,
        1.0,
        "CNOP/CNOP/CNOP",
        {"620": 78, "611": 8, "355": 7, "365": 3, "101": 3, "500": 1},
        title=True,
    ),
    Group("merm", "98", "Manipulateur ERM", 0, 42_000, 2_000, 0.72, 1.0, ARS, _HOSPITAL),
    Group("opticien", "28", "Opticien-Lunetier", 9_000, 48_000, 6_000, 0.6, 1.1, ARS, {}, shop=True, adeli=0.02),
    Group("audio", "26", "Audioprothésiste", 2_000, 6_000, 500, 0.5, 1.1, ARS, {}, shop=True, adeli=0.01),
    Group(
        "labo",
        "86",
        "Technicien de labo médical",
        0,
        48_000,
        4_000,
        0.78,
        1.0,
        ARS,
        {"611": 60, "355": 25, "365": 8, "101": 10},
        adeli=0.01,
    ),
    Group("oprothesiste", "81", "Orthoprothésiste", 300, 800, 50, 0.3, 1.2, ARS, {}, shop=True),
    Group("podo", "82", "Podo-Orthésiste", 200, 400, 20, 0.3, 1.2, ARS, {}, shop=True),
    Group("opediste", "83", "Orthopédiste-Orthésiste", 1_000, 2_500, 100, 0.5, 1.1, ARS, {}, shop=True, adeli=0.02),
    Group("oculariste", "84", "Oculariste", 50, 100, 10, 0.4, 1.3, ARS, {}, shop=True),
    Group("epithesiste", "85", "Epithésiste", 15, 40, 5, 0.4, 1.3, ARS, {}, shop=True),
)

# Label of the sector of activity of a salaried role, by FINESS category.
SECTORS = {
    "355": ("SA01", "Etablissement public de santé"),
    "101": ("SA01", "Etablissement public de santé"),
    "106": ("SA01", "Etablissement public de santé"),
    "292": ("SA01", "Etablissement public de santé"),
    "365": ("SA04", "Etablissement privé non PSPH"),
    "128": ("SA04", "Etablissement privé non PSPH"),
    "109": ("SA03", "Etablissement Privé PSPH"),
    "131": ("SA03", "Etablissement Privé PSPH"),
    "114": ("SA02", "Hôpital militaire du Service de santé des armées"),
    "124": ("SA05", "Centre de santé"),
    "125": ("SA05", "Centre de santé"),
    "620": ("SA33", "Pharmacie d'officine"),
    "611": ("SA25", "Laboratoire de biologie médicale"),
    "500": ("SA17", "Etablissement pour personnes âgées"),
    "223": ("SA15", "PMI, Planification familiale"),
}
OTHER_SECTOR = ("SA41", "Autre établissement du domaine social ou médico-social")
PRACTICE_SECTORS = (
    ("SA07", "Cabinet individuel"),
    ("SA08", "Cabinet de groupe"),
    ("SA52", "Maison de santé, pôle de santé"),
)
SHOP_SECTOR = ("SA48", "Entreprise industrielle et tertiaire")
