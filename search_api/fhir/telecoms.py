"""Contacts as FHIR writes them, each channel with its level of confidentiality (R283)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from directory.api import PUBLIC, PURPOSES
from search_api.fhir.codes import Codes, Json
from search_api.fhir.rows import MSSANTE
from search_api.fhir.systems import ROR

MOBILE, LANDLINE, EMAIL, WEB, FAX = "1", "2", "3", "4", "6"
"""Channels (R200)."""
_SYSTEMS: Final = {MOBILE: "phone", LANDLINE: "phone", EMAIL: "email", WEB: "url", FAX: "fax"}


@lru_cache(maxsize=64)
def _marks(codes: Codes, channel: str, level: int) -> list[Json]:
    return [
        codes.extension("ror-telecom-communication-channel", "R200", channel),
        codes.level("ror-telecom-confidentiality-level", level),
    ]


def phone_channel(number: str) -> str:
    """Return the channel of a telephone number: mobile or not."""
    digits = number.removeprefix("+33").lstrip("0 ")
    return MOBILE if digits.startswith(("6", "7")) else LANDLINE


def telecom(codes: Codes, channel: str, value: str, level: int = PUBLIC) -> Json:
    """Return a ContactPoint with its channel and its confidentiality."""
    return {
        "extension": _marks(codes, channel, level),
        "system": _SYSTEMS.get(channel, "other"),
        "value": value,
    }


def mailboxes(codes: Codes, contacts: Iterable[Any]) -> list[Json]:
    """Return the secure mailboxes among contacts, each address once."""
    found = {one.value: telecom(codes, EMAIL, one.value, level_of(one)) for one in contacts if one.purpose == MSSANTE}
    return list(found.values())


def registered(codes: Codes, row: Any) -> list[Json]:
    """Return the telephones, fax and address that the registers publish of a place, each once."""
    found: dict[str, Json] = {}
    for number in (row.phone, row.phone2):
        if number:
            found.setdefault(number, telecom(codes, phone_channel(number), number))
    if row.fax:
        found.setdefault(row.fax, telecom(codes, FAX, row.fax))
    if row.email:
        found.setdefault(row.email, telecom(codes, EMAIL, row.email))
    return list(found.values())


def level_of(contact: Any) -> int:
    """Return the level of a contact: its own confidentiality and that of its field, the stricter wins."""
    purpose = PURPOSES.get(contact.purpose)
    return max(int(contact.confidentiality), purpose.confidentiality if purpose else PUBLIC)


def contact(codes: Codes, point: Any) -> Json:
    """Return a contact of an offer: what it is for, its level, and its channel with its own level.

    The 3.0 definition holds the channel beside the rest, the example of the guide and later versions hold it in an
    extension of its own: readers of both find it.
    """
    purpose = PURPOSES.get(point.purpose)
    channel = [
        *_marks(codes, point.channel, int(point.confidentiality)),
        {"url": "telecomAddress", "valueString": point.value},
    ]
    parts: list[Json] = []
    if purpose is not None:
        parts.append({"url": "name", "valueString": purpose.label})
    nature = point.nature or (purpose.nature if purpose else None)
    if nature:
        parts.append({"url": "purposeContact", "valueCodeableConcept": codes.code("R287", nature)})
    parts.append(codes.level("ror-confidentiality-level", purpose.confidentiality if purpose else PUBLIC))
    nested = {"url": ROR + "ror-healthcareservice-contact-telecom", "extension": channel}
    return {"url": ROR + "ror-healthcareservice-contact", "extension": [*parts, *channel, nested]}
