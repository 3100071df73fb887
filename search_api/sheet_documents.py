"""What the PDF of a sheet shows: the sheet in plain French texts, ready for the templates in `documents/`."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from core import clock
from core.ui.filters import calm, counted, hour, long_date, lower_first, number, phone, upper_first, weekday
from directory.api import (
    PUBLIC,
    ConceptRef,
    Contact,
    Hours,
    Identifier,
    OfferSheet,
    OfferSummary,
    Position,
    PostalAddress,
    RegisterSource,
    SiteSheet,
)
from maps.api import Sketch
from search_api.hours_words import special_lines

FOLDER: Final = Path(__file__).parent / "documents"
OFFER, SITE = FOLDER / "offer.typ", FOLDER / "site.typ"
OTHERS: Final = 6
"""Other offers of the address named on an offer's document, as on its page."""
PEOPLE: Final = 12
"""Offers of a site of which the document says how to book: as many as the page shows unfolded."""
ATTRIBUTION: Final = "Contours IGN, Insee"
NAMED: Final = 6
"""Places that the description of a map names."""
_NO_CONTACT: Final = (
    "Aucun moyen de prendre rendez-vous n’est connu : ni les registres ni le professionnel n’ont donné de téléphone "
    "public."
)
_UNPUBLISHED: Final = "Cette offre n’est pas publiée : ni la recherche ni la page de la fiche ne la montrent."

Data = dict[str, Any]


def offer(sheet: OfferSheet, level: int, today: date, address: str, *, published: bool = True) -> Data:
    """Return what the document of an offer shows.

    Args:
        sheet: read at the caller's level.
        level: 1 public, 2 professional: said on every page, since paper circulates.
        today: the day in Paris.
        address: where the page of the sheet is.
        published: False for the document that only those who write the offer can draw.
    """
    who = sheet.practitioner
    title = who.name if who else calm(sheet.name)
    kind = who.profession.label if who and who.profession else sheet.kind_label
    place = calm(sheet.site.name)
    subtitle = f"{sheet.type.label} · {place}" if who and sheet.type else place
    return _frame(title, sheet.address, sheet.registers, level, today, address) | {
        "eyebrow": kind,
        "subtitle": subtitle,
        "tags": _offer_tags(sheet),
        "notice": " ".join(filter(None, (None if published else _UNPUBLISHED, sheet.status_message))) or None,
        "booking": _contacts(sheet.contacts),
        "no_booking": _NO_CONTACT,
        "place": _place(sheet.address, sheet.position),
        "hours": _hours(sheet.hours),
        "concepts": _concepts(
            ("Actes", sheet.acts),
            ("Activités", sheet.activities),
            ("Actes hors cabinet", sheet.outside_acts),
            ("Compétences", sheet.skills),
            ("Niveau d’expertise", sheet.specialisations),
            ("Équipements", sheet.equipment),
        ),
        "received": _pairs(
            ("Patients", _joined([sheet.patients, *(one.label for one in sheet.publics)])),
            ("Nouveaux patients", _new_patients(sheet)),
            ("Mode de prise en charge", sheet.mode.label if sheet.mode else None),
            ("Accueil", _labels(sheet.reception)),
            ("Accessibilité du lieu", sheet.accessibility.label if sheet.accessibility else None),
            ("Langues", ", ".join(sheet.languages)),
        ),
        "territory": _towns(sheet),
        "practical": _pairs(
            ("Conventionnement", sheet.convention.label if sheet.convention else None),
            ("Option tarifaire", sheet.fee_option),
            ("Carte Vitale", _card(sheet.carte_vitale)),
        ),
        "comment": sheet.comment,
        "others": [_offer_line(one) for one in sheet.others[:OTHERS]],
        **_sources(sheet.identifiers, sheet.registers, sheet.updated_at, described=sheet.described),
    }


def site(sheet: SiteSheet, level: int, today: date, address: str) -> Data:
    """Return what the document of a site shows. See `offer`."""
    name = calm(sheet.name)
    people = [
        {"name": one.name, "what": _joined([*([one.profession.label] if one.profession else []), *_first(one)])}
        for one in sheet.practitioners
    ]
    return _frame(name, sheet.address, sheet.registers, level, today, address) | {
        "eyebrow": sheet.category.label if sheet.category else sheet.kind_label,
        "subtitle": calm(sheet.long_name) if sheet.long_name and sheet.long_name != sheet.name else None,
        "tags": [one.label for one in (sheet.sector,) if one],
        "booking": [
            *_contacts(sheet.contacts),
            *(
                contact | {"label": f"{calm(one.name)} : {lower_first(contact['label'])}"}
                for one in sheet.booking[:PEOPLE]
                for contact in _contacts(one.contacts)
            ),
        ],
        "no_booking": _NO_CONTACT,
        "place": _place(sheet.address, sheet.position),
        "practical": _pairs(
            ("Géré par", calm(sheet.legal_entity) if sheet.legal_entity != sheet.name else None),
            ("Accessibilité", sheet.accessibility.label if sheet.accessibility else None),
        ),
        "offers": [_offer_line(one) for one in sheet.offers],
        "offers_count": counted(sheet.offers_count, "offre"),
        "offers_left": _left(sheet.offers_count - len(sheet.offers), "offre"),
        "people": people,
        "people_count": number(sheet.practitioners_count),
        "people_left": _left(sheet.practitioners_count - len(people), "professionnel"),
        "equipment": [one.label for one in sheet.equipment],
        **_sources(sheet.identifiers, sheet.registers, sheet.updated_at),
    }


def territory_map(found: Sketch | None, sheet: OfferSheet) -> Data | None:
    """Return the map of a territory: the drawing, what it says in words, and what stands under it."""
    if found is None:
        return None
    names, count = found.names, len(found.names)
    listed = ", ".join(names[:NAMED])
    rest = f" et {counted(count - NAMED, 'autre')}" if count > NAMED else ""
    town = sheet.address.commune.name if sheet.address.commune else ""
    dot, exact = sheet.position is not None, sheet.position is not None and sheet.position.exact
    where = f" Un point marque le lieu d’exercice{f', à {town}' if town else ''}." if dot else ""
    legend = ["En couleur : où l’offre se déplace."]
    if dot:
        legend.append("Point : lieu d’exercice." if exact else "Point : commune du lieu d’exercice.")
    if found.beyond:
        legend.append(f"{upper_first(counted(found.beyond, 'lieu', 'lieux'))} hors de la carte.")
    return {
        "svg": found.svg,
        "alt": f"Carte du territoire d’intervention : {listed}{rest}.{where}",
        "legend": f"{' '.join(legend)} {ATTRIBUTION}.",
    }


def _frame(
    title: str, where: PostalAddress, registers: Sequence[RegisterSource], level: int, today: date, address: str
) -> Data:
    names = list(dict.fromkeys(one.register_name for one in registers))
    town = where.commune.name if where.commune else where.town
    restricted = " · Réservé aux professionnels : ne pas diffuser" if level > PUBLIC else ""
    return {
        "title": f"{title}, {calm(town)}" if town else title,
        "heading": title,
        "running": f"{title} · {calm(town)}" if town else title,
        "date": f"Document établi le {long_date(today)}{restricted}",
        "source": f"Sources : {', '.join([*names, 'professionnels'])}. Vérifiez par téléphone avant de vous déplacer.",
        "address": address.partition("://")[2],
        "page": {"text": address.partition("://")[2], "href": address},
    }


def _offer_tags(sheet: OfferSheet) -> list[str]:
    found = []
    if sheet.accepts_new_on:
        found.append(f"Accepte de nouveaux patients à partir du {long_date(sheet.accepts_new_on)}")
    elif sheet.accepts_new is not None:
        found.append("Accepte de nouveaux patients" if sheet.accepts_new else "Ne prend plus de nouveaux patients")
    if sheet.convention:
        found.append(sheet.convention.label)
    if sheet.carte_vitale:
        found.append("Carte Vitale")
    if sheet.territory.places:
        found.append("Se déplace à domicile")
    if sheet.practitioner:
        found += [one.label for one in sheet.practitioner.specialties[:3]]
    return found


def _new_patients(sheet: OfferSheet) -> str | None:
    if sheet.accepts_new_on:
        return f"acceptés à partir du {long_date(sheet.accepts_new_on)}"
    return None if sheet.accepts_new is None else "acceptés" if sheet.accepts_new else "ne sont plus acceptés"


def _card(accepted: bool | None) -> str | None:
    return None if accepted is None else "acceptée" if accepted else "non acceptée"


def _contacts(contacts: Iterable[Contact]) -> list[Data]:
    """Return how to reach: the online address first, then telephones, then the rest, as on the page."""
    order = {"url": 0, "phone": 1}
    return [
        {
            "label": one.label,
            "value": {
                "text": phone(one.value) if one.channel in ("phone", "fax") else one.value,
                "href": one.href,
            },
            "restricted": one.confidentiality > PUBLIC,
        }
        for one in sorted(contacts, key=lambda one: order.get(one.channel, 2))
    ]


def _place(address: PostalAddress, position: Position | None) -> Data:
    approximate = position is not None and not position.exact
    return {
        "lines": [calm(line) for line in address.lines],
        "departement": address.departement.name if address.departement else None,
        "note": position.label if position is not None and approximate else None,
    }


def _hours(hours: Hours) -> Data:
    kinds = list(dict.fromkeys(slot.kind.label for day in hours.week for slot in day.slots))
    slots = {day.weekday: day.slots for day in hours.week}
    week = [
        [upper_first(weekday(day)), *(_slots(slots.get(day, []), kind, len(kinds) > 1) for kind in kinds)]
        for day in range(1, 8)
    ]
    special = [{"label": period.label, "lines": special_lines(period)} for period in hours.special]
    return {"kinds": kinds, "week": week if kinds else [], "special": special}


def _slots(slots: Sequence[Any], kind: str, several: bool) -> str:
    found = [slot.label for slot in slots if slot.kind.label == kind]
    return ", ".join(found) or ("–" if several and slots else "fermé")


def _concepts(*groups: tuple[str, Sequence[ConceptRef]]) -> list[list[Data]]:
    """Return the groups that have codes, in one column or in two of about the same height, in order."""
    found = [
        {"title": title, "items": [one.label + ("" if one.active else " (code retiré)") for one in concepts]}
        for title, concepts in groups
        if concepts
    ]
    heights = [len(group["items"]) + 2 for group in found]
    cut = min(range(1, len(found) + 1), key=lambda n: max(sum(heights[:n]), sum(heights[n:])), default=0)
    return [column for column in (found[:cut], found[cut:]) if column]


def _towns(sheet: OfferSheet) -> Data | None:
    places = sheet.territory.places
    if not places:
        return None
    names = [f"{one.name} {one.postal_code}" if one.postal_code else one.name for one in places]
    towns = all(ref.startswith("commune:") for ref in sheet.territory.refs)
    count = counted(len(places), "commune") if towns else counted(len(places), "lieu", "lieux")
    return {"count": count, "names": names}


def _offer_line(one: OfferSummary) -> Data:
    who = one.practitioner
    parts = [who.profession.label] if who and who.profession else []
    if one.type:
        parts.append(one.type.label)
    parts += _first(who) if who else []
    more = [label for label, holds in (("à domicile", one.visits), ("carte Vitale", one.carte_vitale)) if holds]
    if one.convention:
        more.append(one.convention)
    return {
        "name": who.name if who else calm(one.name),
        "what": _joined(dict.fromkeys(parts)),
        "does": _joined(label.label for label in one.activities[:4]),
        "more": _joined(more),
    }


def _first(person: Any) -> list[str]:
    return [one.label for one in person.specialties[:2]]


def _left(count: int, noun: str) -> str | None:
    if count <= 0:
        return None
    shown = f"{counted(count, 'autre')} {noun}{'s' if count > 1 else ''}"
    return f"Et {shown} : la page de la fiche les montre."


def _sources(
    identifiers: Iterable[Identifier],
    registers: Iterable[RegisterSource],
    updated_at: datetime,
    *,
    described: bool | None = None,
) -> Data:
    silent = " Le professionnel n’a pas encore décrit son offre : seuls les registres parlent ici."
    local = clock.local(updated_at)
    return {
        "updated": f"Fiche mise à jour le {long_date(updated_at)} à {hour(local)}."
        + (silent if described is False else ""),
        "identifiers": [[one.system, one.value] for one in identifiers],
        "registers": [
            {
                "title": f"Ce que dit {one.register_name}"
                + (f", lu le {long_date(one.updated_at)}" if one.updated_at else ""),
                "fields": [[field.label, field.value] for field in one.fields],
                "correction": one.correction,
            }
            for one in registers
        ],
    }


def _pairs(*pairs: tuple[str, str | None]) -> list[list[str]]:
    return [[label, value] for label, value in pairs if value]


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(part for part in parts if part)


def _labels(concepts: Sequence[ConceptRef]) -> str:
    return ", ".join(one.label for one in concepts)


def refs(sheet: OfferSheet) -> list[tuple[str, str]]:
    """Return the places of a territory as the maps name them."""
    return [(kind, code) for kind, _, code in (ref.partition(":") for ref in sheet.territory.refs)]
