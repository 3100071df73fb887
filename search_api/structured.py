"""What search engines read of a sheet: schema.org descriptions, of what is public only, whoever reads the page."""

import json
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from directory.api import PUBLIC, ConceptRef, Contact, Hours, OfferSheet, Position, PostalAddress, SiteSheet

CONTEXT: Final = "https://schema.org"
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PROFESSIONS: Final = {"G15|10": "Physician", "G15|40": "Dentist", "G15|21": "Pharmacy"}
_CATEGORIES: Final = {
    "R66|101": "Hospital",
    "R66|106": "Hospital",
    "R66|355": "Hospital",
    "R66|365": "Hospital",
    "R66|620": "Pharmacy",
    "R66|611": "DiagnosticLab",
}
_RECEIVED: Final = frozenset({"appointment", "walk-in", "opening"})
"""Marks of the hours when people are received at the place."""
_MOST: Final = 20

Thing = dict[str, Any]


def of_site(sheet: SiteSheet, url: str) -> Markup:
    """Return the description of a site, ready for a `application/ld+json` block."""
    kind = _CATEGORIES.get(sheet.category.code if sheet.category else "", "MedicalClinic")
    return _block(_place(kind, sheet.name, url, sheet.address, sheet.position, sheet.contacts))


def of_offer(sheet: OfferSheet, url: str) -> Markup:
    """Return the description of an offer: of the practice of a professional, else of the clinic that it is."""
    who = sheet.practitioner
    profession = who.profession.code if who and who.profession else ""
    kind = _PROFESSIONS.get(profession, "MedicalBusiness" if who else "MedicalClinic")
    name = who.name if who else sheet.name
    made = _place(kind, name, url, sheet.address, sheet.position, sheet.contacts)
    if hours := _hours(sheet.hours):
        made["openingHoursSpecification"] = hours
    if services := _names((*sheet.activities, *sheet.acts)):
        made["availableService"] = [{"@type": "MedicalTherapy", "name": name} for name in services]
    if sheet.accepts_new is not None:
        made["isAcceptingNewPatients"] = sheet.accepts_new
    if sheet.territory.places:
        made["areaServed"] = [{"@type": "City", "name": place.name} for place in sheet.territory.places[:_MOST]]
    if sheet.languages:
        made["knowsLanguage"] = sheet.languages[:_MOST]
    return _block(made)


def _place(
    kind: str, name: str, url: str, address: PostalAddress, position: Position | None, contacts: Sequence[Contact]
) -> Thing:
    where = {
        "@type": "PostalAddress",
        "streetAddress": address.street,
        "postalCode": address.postal_code,
        "addressLocality": address.town,
        "addressRegion": address.departement.name if address.departement else None,
        "addressCountry": "FR",
    }
    made: Thing = {"@context": CONTEXT, "@type": kind, "@id": url, "name": name, "url": url}
    made["address"] = {key: value for key, value in where.items() if value}
    if position is not None and position.exact:
        made["geo"] = {"@type": "GeoCoordinates", "latitude": position.lat, "longitude": position.lon}
    shown = [contact for contact in contacts if contact.confidentiality == PUBLIC]
    phone = next((contact for contact in shown if contact.channel == "phone" and contact.href), None)
    if phone is not None and phone.href:
        made["telephone"] = phone.href.removeprefix("tel:")
    booking = next((contact.href for contact in shown if contact.channel == "url" and contact.href), None)
    if booking:
        made["potentialAction"] = {"@type": "ReserveAction", "target": booking}
    return made


def _hours(hours: Hours) -> list[Thing]:
    return [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": f"{CONTEXT}/{_DAYS[day.weekday - 1]}",
            "opens": f"{slot.opens:%H:%M}",
            "closes": f"{slot.closes:%H:%M}",
        }
        for day in hours.week
        for slot in day.slots
        if slot.mark in _RECEIVED
    ]


def _names(concepts: Sequence[ConceptRef]) -> list[str]:
    return list(dict.fromkeys(concept.label for concept in concepts))[:_MOST]


def _block(made: Thing) -> Markup:
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    # A block ends at the first « </script », and « <!-- » would hide that end: no « < » is left.
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704 - nothing in it can end the block
