"""Telephone numbers as people write them, in one stored form."""

import re

import phonenumbers
from phonenumbers import PhoneNumberType

REGIONS = ("FR", "GP", "MQ", "GF", "RE", "YT", "BL", "MF")
"""Regions that write their numbers with ten digits from 0."""

_SHORT = re.compile(r"1\d|1\d{2}|3\d{3}|1\d{3}|11[0-9]{1,4}")
_TEN = re.compile(r"0[1-9]\d{8}")
_INTERNATIONAL = re.compile(r"\+\d{6,17}")
_COUNTRY_CODES = {33, 262, 590, 594, 596}


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def stored(text: str) -> str | None:
    """Return a number as it is stored: ten digits for France and its départements overseas, else « +… ».

    Emergency and four-figure numbers (15, 3624) stay as they are. Anything else is no number: None.
    """
    digits = re.sub(r"[\s.\-()/\u00a0\u202f]", "", text)
    if _SHORT.fullmatch(digits):
        return digits
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if not digits.startswith("+"):
        # A number plan newer than the library must not shut anyone out: ten digits are enough.
        return digits if _TEN.fullmatch(digits) else None
    found = _parsed(digits, None) if _INTERNATIONAL.fullmatch(digits) else None
    if found is None or not phonenumbers.is_possible_number(found):
        return None
    if found.country_code in _COUNTRY_CODES:
        national = f"0{phonenumbers.national_significant_number(found)}"
        return national if _TEN.fullmatch(national) else None
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def is_mobile(number: str) -> bool:
    """Tell whether a stored number is that of a mobile telephone."""
    for region in REGIONS if number.startswith("0") else (None,):
        found = _parsed(number, region)
        if found is not None and phonenumbers.number_type(found) == PhoneNumberType.MOBILE:
            return True
    return number.startswith(("06", "07"))
