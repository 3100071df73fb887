"""What is published of an offer, as its steps type it; and any value in readable French."""

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from directory import offer_hours, phones
from directory.concepts import ConceptIndex
from directory.days import read_day
from directory.hours_editor import hours_draft
from directory.labels import LANGUAGES, NBSP, PURPOSES, french_date, phone_text
from directory.models import Site
from directory.models_offer import ContactPoint, Offer
from directory.offer_steps import LISTS, Values
from directory.queries_sheets import equipment, territory
from maps.api import resolve_ref

LABELS: Final = {
    "age_min": "Âge minimum",
    "age_max": "Âge maximum",
    "activities": "Activités opérationnelles",
    "accepts_new": "Accepte de nouveaux patients",
    "accepts_new_on": "Nouveaux patients à partir du",
    "acts": "Actes spécifiques réalisés en cabinet",
    "outside_acts": "Actes spécifiques réalisés hors cabinet",
    "publics": "Publics pris en charge",
    "specialisations": "Spécialisations",
    "equipment": "Équipements spécifiques",
    "skills": "Compétences spécifiques",
    "accessibility": "Accessibilité du lieu",
    "reception": "Modalités d’accueil",
    "territory": "Communes du territoire d’intervention",
    "languages": "Langues parlées",
    "comment": "Commentaire",
    "booking_phone": "Tél. prise de rendez-vous",
    "pro_phone": "Tél. à usage professionnel",
    "emergency_phone": "Tél. d’urgence",
    "booking_email": "Mail public de prise de RDV",
    "booking_url": "URL/lien vers site de prise de RDV",
    "teleconsultation_url": "URL/lien de téléconsultation",
    "teleexpertise_url": "URL/lien de téléexpertise",
    "mssante": "Boîte de Messagerie Sécurisée de Santé",
    "other_email": "Autre adresse email",
    "fax": "Télécopie",
    "hours": "Horaires de consultation",
}
"""Fields of the path in the words of the guide, in the order of its steps."""

SITE_FIELDS: Final = ("equipment", "accessibility")
"""Fields that belong to the place, and so to everybody who works there."""


async def published(session: AsyncSession, offer: Offer, site: Site, index: ConceptIndex) -> Values:
    """Return what stands of an offer and of its place, as the steps type it."""
    values: Values = dict.fromkeys(PURPOSES, "")
    for name in ("activities", "acts", "outside_acts", "publics", "specialisations", "skills", "reception"):
        values[name] = [index.by_id[i].ref for i in getattr(offer, name) if i in index.by_id]
    values["equipment"] = [index.by_id[i].ref for i in await session.scalars(equipment(site.id)) if i in index.by_id]
    values["accessibility"] = site.accessibility or ""
    values["languages"] = list(offer.languages)
    values["age_min"], values["age_max"] = str(offer.age_min), str(offer.age_max)
    values["accepts_new"] = {True: "oui", False: "non", None: ""}[offer.accepts_new]
    values["accepts_new_on"] = offer.accepts_new_on.isoformat() if offer.accepts_new_on else ""
    values["comment"] = offer.comment or ""
    points = await session.scalars(
        select(ContactPoint).where(ContactPoint.offer_id == offer.id).order_by(ContactPoint.id).limit(50)
    )
    values.update({point.purpose: point.value for point in points if point.purpose in PURPOSES})
    values["territory"] = [f"{row.kind}:{row.code}" for row in await session.execute(territory(offer.id))]
    values["hours"] = offer_hours.typed(await hours_draft(session, offer.uid))
    return values


def place_text(ref: str) -> str:
    """Return a place with its postal code: « Buchelay (78200) »."""
    hit = resolve_ref(*ref.split(":", 1)) if ":" in ref else None
    if hit is None:
        return ref
    return f"{hit.name} ({hit.postal_codes[0]})" if hit.postal_codes else hit.name


def readable(name: str, value: Any, index: ConceptIndex) -> list[str]:
    """Return a value of the path as people read it, one text per item; nothing for an empty one."""
    if not value:
        return []
    if name == "territory":
        return [place_text(ref) for ref in value]
    if name == "languages":
        return [LANGUAGES.get(code, code) for code in value]
    if name == "hours":
        return offer_hours.readable(value)
    if name in LISTS:
        return [index.label(ref) or ref for ref in value]
    if name == "accessibility":
        return [index.label(f"R202|{value}") or value]
    if name in ("age_min", "age_max"):
        return [f"{value}{NBSP}ans"]
    if name == "accepts_new":
        return [str(value).capitalize()]
    if name == "accepts_new_on":
        return [_date_text(str(value))]
    if name in PURPOSES and PURPOSES[name].form in ("phone", "fax"):
        return [phone_text(phones.stored(value) or value)]
    return [str(value)]


def _date_text(text: str) -> str:
    try:
        return french_date(read_day(text))
    except ValueError:
        return text


def same(name: str, one: Any, other: Any) -> bool:
    """Tell whether two values of a field say the same, whatever their order."""
    if name in LISTS:
        return set(one) == set(other)
    if name == "hours":
        return offer_hours.same(one, other)
    return bool(one == other)
