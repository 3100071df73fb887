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
    except texts.Refused as refused:
        raise InvalidInput(str(refused)) from None
    if text is None:
        raise InvalidInput("Écrivez un numéro de téléphone.")
    return phonenumbers.parse(text)


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _mobile(given: str) -> str:
    number = _number(given)
    # Some countries number both alike: only what is surely a landline is refused.
    if phonenumbers.number_type(number) == PhoneNumberType.FIXED_LINE:
        raise InvalidInput("Ce numéro est celui d’une ligne fixe : ajoutez-le parmi les téléphones fixes.")
    return _e164(number)


def _phone(given: str) -> str:
    number = _number(given)
    if phonenumbers.number_type(number) == PhoneNumberType.MOBILE:
        raise InvalidInput("Ce numéro est celui d’un mobile : ajoutez-le parmi les mobiles.")
    return _e164(number)


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
