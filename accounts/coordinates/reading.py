"""Coordinates as people type them, by kind, made safe to keep."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from accounts import inputs, texts
from core.errors import InvalidInput

MOST: Final = 10
"""Coordinates of a kind that somebody may keep."""
LONGEST_ADDRESS: Final = 250
FRANCE: Final = 33
"""Its country code."""
NAMES: Final[Mapping[str, str]] = {
    "address": "Adresse",
    "email": "Adresse mail",
    "mobile": "Mobile",
    "phone": "Téléphone fixe",
}
USE_NAMES: Final[Mapping[str, str]] = {
    "ordre": "Ordre",
    "rpps": "RPPS",
    "domicile": "Domicile",
    "annonces": "Annonces",
}
USE_HELP: Final[Mapping[str, str]] = {
    "ordre": "où l’Ordre vous écrit",
    "rpps": "correspondance du répertoire",
    "domicile": "chez vous",
    "annonces": "ce que montrent vos annonces",
}


def _address(given: str) -> str:
    text = inputs.short_text(LONGEST_ADDRESS)(given)
    if not text:
        raise InvalidInput("Écrivez une adresse postale.")
    if not re.search(r"[^\W\d_]{2}", text):
        raise InvalidInput("Écrivez l’adresse entière, par exemple 12 rue de la Paix, 78200 Mantes-la-Jolie.")
    return text


def _number(given: str) -> phonenumbers.PhoneNumber:
    try:
        text = texts.telephone(given)
    except texts.Refused:
        # A numbering plan newer than the library must not shut anyone out.
        text = inputs.optional_phone(given)
    if not text:
        raise InvalidInput("Écrivez un numéro de téléphone.")
    return phonenumbers.parse(text)


def _sort(number: phonenumbers.PhoneNumber) -> str | None:
    """Return whether a number is surely a mobile or a landline; some countries number both alike."""
    sort = phonenumbers.number_type(number)
    if sort == PhoneNumberType.MOBILE:
        return "mobile"
    if number.country_code == FRANCE:
        return "mobile" if str(number.national_number)[0] in "67" else "phone"
    return "phone" if sort == PhoneNumberType.FIXED_LINE else None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _mobile(given: str) -> str:
    number = _number(given)
    if _sort(number) == "phone":
        raise InvalidInput("Ce numéro n’est pas celui d’un mobile : ajoutez-le parmi les téléphones fixes.")
    return _e164(number)


def _phone(given: str) -> str:
    number = _number(given)
    if _sort(number) == "mobile":
        raise InvalidInput("Ce numéro est celui d’un mobile : ajoutez-le parmi les mobiles.")
    return _e164(number)


def sorted_phone(given: str) -> tuple[str, str] | None:
    """Return the kind (mobile or phone) and the stored form of a number; None when it is none."""
    try:
        number = _number(given)
    except InvalidInput:
        return None
    return _sort(number) or "phone", _e164(number)


READERS: Final[Mapping[str, Callable[[str], str]]] = {
    "address": _address,
    "email": inputs.needed_email,
    "mobile": _mobile,
    "phone": _phone,
}


def read(kind: str, given: str) -> str:
    """Return a coordinate as it is kept.

    Raises:
        InvalidInput: it is refused; `fields` bears the message at the kind.
    """
    try:
        return READERS[kind](given)
    except InvalidInput as refused:
        raise InvalidInput(refused.detail, fields={kind: refused.detail}) from None


def used_for(uses: list[str]) -> str:
    """Write uses in French: « Ordre, Annonces », in the order of the table."""
    return ", ".join(USE_NAMES[use] for use in USE_NAMES if use in uses)
