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


def fold(text: str) -> str:
    """Return the text in lower case ASCII letters: accents, ligatures and case are gone, the rest stays."""
    lowered = text.lower().translate(_LIGATURES)
    if lowered.isascii():
        return lowered
    return "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))


@lru_cache(maxsize=65_536)
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
