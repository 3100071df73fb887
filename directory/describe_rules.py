"""Rules of what professionals write, each with its French message at its field."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit

from core.errors import InvalidInput
from directory import phones
from directory.concepts import ConceptIndex
from directory.labels import LANGUAGES, PURPOSES
from directory.schemas import ContactIn, OfferDescription
from directory.settings import mssante_domains

PLACES_MAX = 500
CODES_MAX = 200

CONCEPT_FIELDS = {
    "activities": "J17",
    "acts": "J16",
    "outside_acts": "J16",
    "skills": "J33",
    "specialisations": "J35",
    "publics": "J29",
    "reception": "R338",
}
"""Fields of an offer that hold concepts, and their nomenclature."""

CHANNELS = {"email": "3", "url": "4", "fax": "6"}
"""R200 channels by form of contact; a telephone is mobile (1) or fixed (2)."""

_EMAIL = re.compile(r"^[A-Za-z0-9.!#$%*+/=^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass
class Problems:
    """Messages gathered by field, so that a person sees all of them at once."""

    fields: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, message: str) -> None:
        """Note a message; the first one of a field stays."""
        self.fields.setdefault(name, message)

    def refuse(self) -> None:
        """Raise what was gathered.

        Raises:
            InvalidInput: at least one message was noted.
        """
        if self.fields:
            raise InvalidInput("Certaines informations sont à corriger : " + " ".join(self.fields.values()),
                               fields=self.fields)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckedContact:
    """A contact ready to store: R287 nature, R200 channel, confidentiality of its purpose."""

    purpose: str
    nature: str
    channel: str
    value: str
    confidentiality: int


def concepts(description: OfferDescription, index: ConceptIndex, problems: Problems) -> dict[str, list[int]]:
    """Return the concept ids of each list that was given."""
    found: dict[str, list[int]] = {}
    for name, system in CONCEPT_FIELDS.items():
        if name not in description.model_fields_set:
            continue
        refs: list[str] = getattr(description, name) or []
        if len(refs) > CODES_MAX:
            problems.add(name, f"Pas plus de {CODES_MAX} codes.")
            continue
        try:
            found[name] = index.ids(refs, system, name)
        except InvalidInput as error:
            problems.add(name, error.detail)
    if found.get("activities") == []:
        problems.add("activities", "Au moins une activité opérationnelle est nécessaire.")
    return found


def languages(codes: Sequence[str], problems: Problems) -> list[str]:
    """Return known language codes, each once."""
    unknown = [code for code in codes if code not in LANGUAGES]
    if unknown:
        problems.add("languages", f"Langue inconnue : {unknown[0]}.")
    return list(dict.fromkeys(codes))


def ages(age_min: int, age_max: int, problems: Problems) -> None:
    """Refuse a youngest patient older than the oldest."""
    if age_min > age_max:
        problems.add("age_min", "L’âge minimum dépasse l’âge maximum.")


def period(start: date | None, end: date | None, name: str, message: str, problems: Problems) -> None:
    """Refuse a period that ends before it begins."""
    if start is not None and end is not None and end < start:
        problems.add(name, message)


def cleaned(text: str | None) -> str | None:
    """Return a text without control characters nor outer spaces; None when nothing is left."""
    return _CONTROL.sub("", text or "").strip() or None


def _url(value: str) -> str | None:
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    plain = not set(value) & set(" <>\"'`\\") and not _CONTROL.search(value)
    return value if parts.scheme in ("https", "http") and parts.hostname and "." in parts.hostname and plain else None


_BARE_ADDRESS = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?:[/?#].*)?", re.IGNORECASE)


def _with_scheme(value: str) -> str:
    return f"https://{value}" if _BARE_ADDRESS.fullmatch(value) else value


def _secure_mail(value: str) -> bool:
    domain = value.partition("@")[2].lower()
    return any(domain == known or domain.endswith(f".{known}") for known in mssante_domains())


def contacts(given: Sequence[ContactIn], problems: Problems) -> list[CheckedContact]:
    """Return contacts ready to store; an empty value is no contact."""
    checked: list[CheckedContact] = []
    seen: set[str] = set()
    for contact in given:
        purpose = PURPOSES.get(contact.purpose)
        name = f"contacts.{contact.purpose}"
        if purpose is None:
            problems.add("contacts", f"Type de contact inconnu : {contact.purpose[:40]}.")
            continue
        text = contact.value.strip()
        if not text:
            continue
        if contact.purpose in seen:
            problems.add(name, f"{purpose.label} : une seule valeur est possible.")
            continue
        seen.add(contact.purpose)
        if purpose.form in ("phone", "fax"):
            value, form = phones.stored(text), "10 chiffres, par exemple 01 99 00 12 34, ou +32 2 123 45 67"
        elif purpose.form == "email":
            value, form = (text if _EMAIL.match(text) else None), "par exemple cabinet@example.org"
            if value and contact.purpose == "mssante" and not _secure_mail(value):
                value, form = None, "une adresse d’un domaine MSSanté"
        else:
            value, form = _url(_with_scheme(text)), "une adresse qui commence par https://"
        if value is None:
            problems.add(name, f"{purpose.label} : la forme n’est pas correcte ({form}).")
            continue
        channel = CHANNELS.get(purpose.form) or ("1" if phones.is_mobile(value) else "2")
        checked.append(CheckedContact(contact.purpose, purpose.nature, channel, value, purpose.confidentiality))
    return checked
