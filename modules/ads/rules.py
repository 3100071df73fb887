"""What a content must hold to be transmitted, and the bounds of the end of publication."""

import unicodedata
from datetime import date
from typing import Final

from dateutil.relativedelta import relativedelta

from modules.ads.labels import CATEGORIES, OFFERS, SEEKS
from modules.ads.schemas import AdContent
from modules.ads.situations import MAY_PUBLISH, Kind

USUAL_MONTHS: Final = 6
MOST_MONTHS: Final = 12


def usual_end(today: date) -> date:
    """Return the last day of publication that is proposed: six months from today."""
    end: date = today + relativedelta(months=USUAL_MONTHS)
    return end


def latest_end(today: date) -> date:
    """Return the last day that may be chosen: one year from today."""
    end: date = today + relativedelta(months=MOST_MONTHS)
    return end


def end_error(ends_on: date | None, today: date) -> str | None:
    """Return what is wrong with an end of publication, or None."""
    if ends_on is None:
        return "Indiquez la date de fin de publication."
    if ends_on < today:
        return "Cette date est passée : choisissez aujourd’hui ou un jour à venir."
    if ends_on > latest_end(today):
        return f"Une annonce est publiée un an au plus : choisissez une date jusqu’au {latest_end(today):%d/%m/%Y}."
    return None


def _says(text: str) -> bool:
    """Tell whether there is anything to read in a text, beyond spaces and joiners."""
    return any(unicodedata.category(char)[0] not in "CZM" for char in text)


def complete(content: AdContent, kind: Kind, today: date) -> dict[str, str]:
    """Return what keeps a content from being transmitted by somebody of this standing: field → French message."""
    errors: dict[str, str] = {}
    if content.category not in CATEGORIES:
        errors["category"] = "Choisissez une catégorie."
    elif content.side not in (SEEKS, OFFERS):
        errors["side"] = "Choisissez votre situation."
    elif content.side not in MAY_PUBLISH[kind].get(content.category, ()):
        errors["side"] = "Votre statut ne permet pas de publier cette annonce."
    if not content.specialty:
        errors["specialty"] = "Choisissez une spécialité."
    if not _says(content.title):
        errors["title"] = "Donnez un titre à l’annonce."
    if not _says(content.description):
        errors["description"] = "Décrivez l’annonce."
    if not content.places:
        errors["places"] = "Ajoutez au moins un lieu."
    if not content.periods:
        errors["periods"] = "Indiquez au moins une date de début."
    for position, period in enumerate(content.periods):
        if period.ends_on is not None and period.ends_on < period.starts_on:
            errors[f"periods.{position}"] = "La fin ne peut pas précéder le début."
    ends = [period.ends_on for period in content.periods]
    if ends and "periods.0" not in errors and all(end is not None and end < today for end in ends):
        errors["periods.0"] = "Cette période est passée : indiquez-en une qui ne l’est pas."
    return errors
