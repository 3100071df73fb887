"""French labels of the directory: contacts, positions, registers and who corrects them, languages, names."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from directory.days import read_day

NBSP = "\u00a0"

ContactForm = Literal["phone", "fax", "email", "url"]


@dataclass(frozen=True, slots=True)
class Purpose:
    """A contact field: label, what its value is, R287 nature, R283 confidentiality (1 public, 2 professionals)."""

    label: str
    form: ContactForm
    nature: str
    confidentiality: int


PURPOSES: dict[str, Purpose] = {
    "booking_phone": Purpose("Téléphone de prise de rendez-vous", "phone", "02", 1),
    "booking_url": Purpose("Prise de rendez-vous en ligne", "url", "02", 1),
    "booking_email": Purpose("Adresse électronique de prise de rendez-vous", "email", "02", 1),
    "teleconsultation_url": Purpose("Téléconsultation", "url", "09", 1),
    "mssante": Purpose("Boîte de Messagerie Sécurisée de Santé", "email", "04", 1),
    "pro_phone": Purpose("Tél. à usage professionnel", "phone", "04", 2),
    "emergency_phone": Purpose("Tél. d’urgence", "phone", "14", 2),
    "teleexpertise_url": Purpose("Téléexpertise", "url", "15", 2),
    "other_email": Purpose("Autre adresse email", "email", "07", 2),
    "fax": Purpose("Télécopie", "fax", "07", 2),
}
"""Contact fields of the guide, and the fax, in the order of the sheets, each with its own confidentiality."""

KINDS = {"liberal": "Offre libérale", "establishment": "Établissement", "practice": "Cabinet"}

POSITION_LEVELS = {
    "pin": "Position placée par le professionnel",
    "number": "Position à l’adresse",
    "street": "Position dans la rue",
    "place": "Position donnée par FINESS",
    "commune": "Position approximative : centre de la commune",
}

WEEKDAYS = ("", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")

MONTHS = (
    "", "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
    "novembre", "décembre",
)  # fmt: skip

ORDERS = {
    "10": "au conseil départemental de l’Ordre des médecins",
    "21": "à l’Ordre des pharmaciens",
    "40": "au conseil départemental de l’Ordre des chirurgiens-dentistes",
    "50": "au conseil départemental de l’Ordre des sages-femmes",
    "60": "au conseil départemental de l’Ordre des infirmiers",
    "69": "au conseil départemental de l’Ordre des infirmiers",
    "70": "au conseil départemental de l’Ordre des masseurs-kinésithérapeutes",
    "80": "au conseil régional de l’Ordre des pédicures-podologues",
}
"""Who keeps the RPPS, by profession (G15); the ARS for professions without an Order."""

MODES = {"L": "Libéral", "S": "Salarié", "B": "Bénévole"}

FEE_OPTIONS = {"3": "OPTAM", "4": "OPTAM-ACO"}
"""Option tarifaire of AMELI; other codes are none."""

TITLES = {"DR": "Docteur", "PR": "Professeur", "M": None, "MME": None}

NOMENCLATURES: dict[str, str] = {
    "J16": "Actes spécifiques",
    "J17": "Activités opérationnelles",
    "J18": "Équipements spécifiques",
    "J33": "Compétences spécifiques",
    "J35": "Niveaux d’expertise (spécialisations)",
    "J238": "Types d’unité (offres)",
    "J19": "Modes de prise en charge",
    "R338": "Modalités d’accueil",
    "J29": "Publics reçus",
    "R252": "Types de plage horaire",
    "R227": "Champs d’activité",
    "R202": "Accessibilité des lieux",
    "R282": "Conventionnement",
    "G15": "Professions",
    "R38": "Spécialités ordinales",
    "R39": "Compétences de médecin",
    "R40": "Compétences exclusives de médecin",
    "R42": "DESC non qualifiants",
    "R43": "Capacités de médecine",
    "R44": "Qualifications de praticien adjoint contractuel",
    "R45": "Fonctions qualifiées",
    "R97": "Droits d’exercice complémentaires",
    "R66": "Catégories d’établissement",
    "R02": "Secteurs d’activité",
    "R287": "Natures de contact",
    "R200": "Canaux de contact",
    "R283": "Niveaux de confidentialité",
}
"""Nomenclatures that are given as lists, in the order in which they are shown."""

LANGUAGES = {
    "ar": "arabe", "bg": "bulgare", "bn": "bengali", "br": "breton", "co": "corse", "cs": "tchèque", "de": "allemand",
    "el": "grec", "en": "anglais", "es": "espagnol", "fa": "persan", "fr": "français", "he": "hébreu", "hi": "hindi",
    "hr": "croate", "hu": "hongrois", "hy": "arménien", "it": "italien", "ja": "japonais", "kab": "kabyle",
    "ko": "coréen", "ln": "lingala", "nl": "néerlandais", "pl": "polonais", "pt": "portugais", "ro": "roumain",
    "ru": "russe", "so": "somali", "sr": "serbe", "ta": "tamoul", "th": "thaï", "tr": "turc", "uk": "ukrainien",
    "ur": "ourdou", "vi": "vietnamien", "wo": "wolof", "zh": "chinois",
}  # fmt: skip
"""Languages that an offer may name: ISO 639 code and French name."""


def rpps_correction(profession: str | None) -> str:
    """Return the sentence that says who corrects RPPS data of a profession (G15 code)."""
    whom = ORDERS.get(profession or "", "à l’agence régionale de santé (ARS)")
    return f"Une information est incorrecte ? La correction se demande {whom}."


FINESS_CORRECTION = "Une information est incorrecte ? La correction se demande à l’agence régionale de santé (ARS)."
AMELI_CORRECTION = (
    "Une information est incorrecte ? La correction se demande à la caisse primaire d’assurance maladie (CPAM)."
)


def french_date(day: date) -> str:
    """Return « 3 novembre 2026 », « 1er mai 2026 »."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number}{NBSP}{MONTHS[day.month]} {day.year}"


def date_text(text: str) -> str:
    """Return a day in French, however it was typed; what is no day, as it was typed."""
    try:
        return french_date(read_day(text))
    except ValueError:
        return text


def person_name(first_name: str | None, last_name: str | None) -> str:
    """Return « Prénom NOM »."""
    return " ".join(filter(None, ((first_name or "").title(), (last_name or "").upper())))


def patients(age_min: int, age_max: int) -> str:
    """Return the ages of the patients in words."""
    if age_min <= 0 and age_max >= 120:
        return "Tout âge"
    if age_max >= 120:
        return f"À partir de {age_min}{NBSP}ans"
    if age_min <= 0:
        return f"Jusqu’à {age_max}{NBSP}ans"
    return f"De {age_min} à {age_max}{NBSP}ans"


def phone_text(value: str) -> str:
    """Return a French phone number in pairs; another one as it is."""
    digits = "".join(c for c in value if c.isdigit())
    if len(digits) == 10 and digits.startswith("0"):
        return NBSP.join(digits[i : i + 2] for i in range(0, 10, 2))
    return value


def contact_href(form: ContactForm, value: str) -> str | None:
    """Return the address that opens the contact, or None when the value is no safe one."""
    if form == "phone":
        digits = "".join(c for c in value if c.isdigit() or c == "+")
        return f"tel:{digits}" if len(digits) >= 3 else None
    if form == "fax":
        return None
    if form == "email":
        return f"mailto:{value}" if value.count("@") == 1 and not set(value) & set(" <>\"'?&") else None
    return value if value.startswith(("https://", "http://")) and not set(value) & set(" <>\"'") else None
