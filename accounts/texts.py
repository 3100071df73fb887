"""Reading of what people type about themselves: names, phones, identifiers; each refusal says what is expected."""

import re
import unicodedata
from typing import Final

import phonenumbers

REGIONS: Final = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM", "NC", "PF", "WF")
"""Where a number without a country may be of."""

_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f '’\-]|\.(?= |$))*")
_RPPS = re.compile(r"\d{11}")
_IDENTIFIER = re.compile(r"[0-9A-Z]{4,20}")


class Refused(ValueError):
    """What was typed cannot be kept; the message says why, in French."""


def line(text: str, longest: int) -> str:
    """Return a text on one line, without control characters.

    Raises:
        Refused: it is too long.
    """
    visible = "".join(" " if char.isspace() else char for char in unicodedata.normalize("NFC", text))
    kept = " ".join("".join(char for char in visible if unicodedata.category(char)[0] != "C").split())
    if len(kept) > longest:
        raise Refused(f"Ce texte est trop long ({longest} caractères au plus).")
    return kept


def paragraph(text: str, longest: int) -> str:
    """Return a text of several lines, without control characters.

    Raises:
        Refused: it is too long.
    """
    given = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in given if char == "\n" or unicodedata.category(char)[0] != "C").strip()
    if len(kept) > longest:
        raise Refused(f"Ce texte est trop long ({longest} caractères au plus).")
    return kept


def name(text: str) -> str:
    """Return the name of a person.

    Raises:
        Refused: it is not made of letters. Mails greet with it: no address, no number can be slipped in.
    """
    kept = line(text, 80)
    if not kept:
        raise Refused("Ce champ est obligatoire.")
    if not _NAME.fullmatch(kept):
        raise Refused("Un nom ne contient que des lettres, des traits d’union, des apostrophes et des espaces.")
    return kept


def telephone(text: str) -> str | None:
    """Return a telephone number in its international form, None when there is none.

    Raises:
        Refused: nobody has this number.
    """
    given = line(text, 60)
    if not given:
        return None
    for region in REGIONS:
        try:
            number = phonenumbers.parse(given, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise Refused("Ce numéro n’existe pas. Écrivez par exemple 01 99 00 12 34, ou +590 690 12 34 56.")


def identifier(text: str) -> tuple[str | None, str | None]:
    """Return the RPPS that a person claims, or another identifier of theirs (ADELI, FINESS, staff number).

    Raises:
        Refused: it has the form of none of them.
    """
    given = re.sub(r"[\s.\-]", "", line(text, 60)).upper()
    if not given:
        return None, None
    if _RPPS.fullmatch(given):
        return given, None
    if not _IDENTIFIER.fullmatch(given) or (given.isdigit() and len(given) in (10, 12)):
        raise Refused("Un numéro RPPS a 11 chiffres ; ADELI et FINESS ont 9 caractères, un matricule 20 au plus.")
    return None, given
