"""One spelling for the names of places, however a register or a person wrote them."""

import re
import unicodedata
from functools import lru_cache

ABBREVIATIONS = {
    "st": "saint",
    "ste": "sainte",
    "sts": "saints",
    "stes": "saintes",
    "nd": "notre dame",
}

ARTICLES = frozenset({"le", "la", "les", "l"})

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "Œ": "oe", "Æ": "ae", "Ø": "o"})
_SLASHES = (
    (re.compile(r"\bs/s\b"), "sous"),
    (re.compile(r"\bs/"), "sur "),
    (re.compile(r"/s/"), " sur "),
    (re.compile(r"\bp/"), "pres "),
)
_CEDEX = re.compile(r"\b(?:cedex|cdx|cidex)\b(?:\s*\d{1,2}\b)?")
_INVERSION = re.compile(r"^(.*?)\s*\(\s*(le|la|les|l|aux|las|los)\b[’']?\s*\)\s*$")
_OTHER = re.compile(r"[^a-z0-9]+")
_CEDEX_NUMBER = re.compile(r"\b(?:cedex|cdx)\s*0*(\d{1,2})\b")
_LEADING_POSTAL = re.compile(r"^\s*(\d{2}\s?\d{3})\b[\s,-]*")
LINKS = frozenset(
    {"le", "la", "les", "l", "de", "du", "des", "d", "en", "sur", "sous", "s", "et", "au", "aux", "a", "lez"}
)
"""Words that link the others, and that people leave out or mistake."""


def fold(text: str) -> str:
    """Return the text in lower case ASCII letters: accents, ligatures and case are gone, the rest stays."""
    lowered = text.lower().translate(_LIGATURES)
    if lowered.isascii():
        return lowered
    return "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))


@lru_cache(maxsize=8_192)
def normal_name(text: str) -> str:
    """Return the words of a place's name, spelled out: "ST-GERMAIN S/MORIN" gives "saint germain sur morin".

    Hyphens, apostrophes and stray spaces become one space; "Celle-Saint-Cloud (La)" gets its article back in
    front; the word CEDEX and its number are dropped.
    """
    value = fold(text).replace("’", "'").strip()
    inverted = _INVERSION.match(value)
    if inverted:
        value = f"{inverted[2]} {inverted[1]}"
    for pattern, full in _SLASHES:
        value = pattern.sub(full, value)
    value = _CEDEX.sub(" ", value)
    words = _OTHER.sub(" ", value).split()
    return " ".join(ABBREVIATIONS.get(word, word) for word in words)


def bare_name(normal: str) -> str:
    """Return a normalised name without its leading article ("le havre" gives "havre")."""
    first, _, rest = normal.partition(" ")
    return rest if rest and first in ARTICLES else normal


@lru_cache(maxsize=8_192)
def skeleton(normal: str) -> str:
    """Return a normalised name without its link words: "fontenay s bois", "fontenay sous bois" → "fontenay bois"."""
    words = [word for word in normal.split() if word not in LINKS]
    return " ".join(words) or normal


def cedex_number(text: str) -> int | None:
    """Return the number after CEDEX ("PARIS CEDEX 19" gives 19), or None."""
    found = _CEDEX_NUMBER.search(fold(text))
    return int(found[1]) if found else None


def split_postal(postal: str, town: str) -> tuple[str, str]:
    """Return the postal code (5 digits, or empty) and the town's label without it.

    Stray spaces are taken out ("78 200", "78200 "), a lost leading zero is given back ("1440"), and a code
    that stands before the town ("01440 VIRIAT") serves when there is no other.
    """
    digits = "".join(c for c in postal if c.isdecimal() and c.isascii())
    if len(digits) == 4:
        digits = "0" + digits
    found = _LEADING_POSTAL.match(town)
    if found:
        town = town[found.end() :]
        if len(digits) != 5:
            digits = found[1].replace(" ", "")
    return (digits if len(digits) == 5 else ""), town.strip()
