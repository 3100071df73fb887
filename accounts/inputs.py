"""What people type in forms of accounts, made safe to keep; each refusal names its field."""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

import phonenumbers

from core import mail
from core.errors import InvalidInput

RPPS: Final = re.compile(r"\d{11}")
NEEDED: Final = "Ce champ est obligatoire."


def paragraphs(text: str) -> str:
    """Return a text of several lines without what PostgreSQL or a reader cannot take."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(one for one in lines if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs")).strip()


def line(text: str) -> str:
    """Return a text on one line."""
    return " ".join(paragraphs(text).split())


class Errors:
    """The refusals of a form, in the order of its fields."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def check(self, field: str, read: Callable[[str], str], text: str) -> str:
        """Return what a field holds; what it refuses is kept under its name, and what was typed is returned."""
        try:
            return read(text)
        except InvalidInput as error:
            self.found.setdefault(field, error.detail)
            return text

    def refuse(self, field: str, message: str) -> None:
        """Refuse a field."""
        self.found.setdefault(field, message)

    def stop(self) -> None:
        """Raise what was refused, if anything was.

        Raises:
            InvalidInput: with a message for each field.
        """
        if self.found:
            raise InvalidInput("Certaines réponses sont à corriger.", fields=self.found)


def needed_text(longest: int, *, missing: str = NEEDED) -> Callable[[str], str]:
    """Return the reading of a text of several lines that cannot be empty."""

    def read(given: str) -> str:
        text = paragraphs(given)
        if not text:
            raise InvalidInput(missing)
        if len(text) > longest:
            raise InvalidInput(f"Ce texte est trop long : {len(text)} caractères, {longest} au plus.")
        return text

    return read


def short_text(longest: int) -> Callable[[str], str]:
    """Return the reading of one line that may be empty."""

    def read(given: str) -> str:
        text = line(given)
        if len(text) > longest:
            raise InvalidInput(f"Ce texte est trop long ({longest} caractères au plus).")
        return text

    return read


def needed_email(given: str) -> str:
    """Read an address that mails can be sent to."""
    if not given.strip():
        raise InvalidInput("Écrivez une adresse électronique.")
    return mail.valid_address(line(given))


def optional_phone(given: str) -> str:
    """Read a telephone number as it is stored (E.164), or nothing."""
    text = line(given)
    if not text:
        return ""
    refused = InvalidInput("Ce numéro n’a pas la forme d’un numéro de téléphone, par exemple 01 99 00 12 34.")
    try:
        number = phonenumbers.parse(text, "FR")
    except phonenumbers.NumberParseException:
        raise refused from None
    if not phonenumbers.is_possible_number(number):
        raise refused
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def needed_rpps(given: str) -> str:
    """Read a RPPS number, with or without spaces."""
    text = re.sub(r"[\s.]", "", line(given))
    if not RPPS.fullmatch(text) or not text.isascii():
        raise InvalidInput("Un numéro RPPS a 11 chiffres, par exemple 10101010101.")
    return text
