"""Names, towns, phones and postcodes brought to comparable forms.

Everything here works on one distinct value at a time: callers encode columns as dictionaries first, so a
surname shared by thousands of people is normalised once.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_LIGATURES = str.maketrans({"Œ": "OE", "Æ": "AE", "ẞ": "SS", "Ø": "O", "Ł": "L", "Đ": "D"})
_NOT_WORD = re.compile(r"[^A-Z0-9]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAME_PARTICLES = _words("DE DU DES D LE LA LES L VAN VON DER DEN DA DI DO DOS EL AL ET EP EPOUSE NEE MME MR M DR")
_TOWN_ARTICLES = _words("LE LA LES L")


def plain(text: str) -> str:
    """Upper case, no accents, only letters, digits and single spaces; an apostrophe becomes a space."""
    upper = text.upper().translate(_LIGATURES)
    if not upper.isascii():
        upper = "".join(c for c in unicodedata.normalize("NFKD", upper) if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", upper).strip()


class Name(NamedTuple):
    """A surname or a first name: all letters glued (D'ALMEIDA = D ALMEIDA) and its significant words."""

    glued: str
    words: tuple[str, ...]


def name(text: str) -> Name:
    """Comparable form of a surname: accents, hyphens, apostrophes and particles do not count."""
    words = plain(text).split()
    significant = [w for w in words if w not in _NAME_PARTICLES] or words
    return Name("".join(words), tuple(dict.fromkeys(significant)))


def first_name(text: str) -> Name:
    """Comparable form of a first name; the words of a compound one are kept in order."""
    words = plain(text).split()
    return Name("".join(words), tuple(words))


_PHONETIC = tuple(
    (re.compile(pattern), repl)
    for pattern, repl in (
        (r"Y", "I"),
        (r"PH", "F"),
        (r"SCH|SH|CH", "J"),
        (r"H", ""),
        (r"EAU|AU", "O"),
        (r"OEU|OE", "E"),
        (r"AI|EI", "E"),
        (r"QU|Q|CK|K", "K"),
        (r"C(?=[EI])", "S"),
        (r"C", "K"),
        (r"G(?=[EI])", "J"),
        (r"GU(?=[EI])", "G"),
        (r"Z", "S"),
        (r"W", "V"),
        (r"AM|AN|EM|EN", "A"),
        (r"(.)\1+", r"\1"),
        (r"(?<=..)[ESTXDRLP]+$", ""),
    )
)


@lru_cache(maxsize=65536)
def phonetic(glued: str) -> str:
    """Short French sound key of a glued name: spellings that are heard alike share it."""
    key = glued
    for pattern, repl in _PHONETIC:
        key = pattern.sub(repl, key)
    return key or glued


_SAINTS = {"ST": "SAINT", "STE": "SAINTE", "STS": "SAINTS", "STES": "SAINTES"}
_CEDEX = re.compile(r"\bCEDEX\b.*$")
_TOWN_NUMBER = re.compile(r"\b\d+(ER|E|EME)?( ARRONDISSEMENT)?\b|\bARRONDISSEMENT\b")


def town(text: str) -> str:
    """Town label without articles, CEDEX, arrondissement; ST is SAINT, S is SUR."""
    label = _TOWN_NUMBER.sub(" ", _CEDEX.sub("", plain(text)))
    words = [_SAINTS.get(w, w) for w in label.split()]
    words = ["SUR" if w == "S" else "SOUS" if w == "SS" else w for w in words]
    kept = [w for w in words if w not in _TOWN_ARTICLES and w != "D"]
    return " ".join(kept or words)


_DIGITS = re.compile(r"\D+")


def phone_sql(column: str) -> str:
    """SQL expression (duckdb) of the nine significant digits of a French number as an integer, 0 when it is none.

    In SQL because nearly every phone is distinct: a dictionary of them would cost more than it spares.
    """
    digits = f"regexp_replace({column}, '[^0-9]', '', 'g')"
    last = f"CAST(right({digits}, 9) AS INTEGER)"
    return f"CASE WHEN length({digits}) BETWEEN 9 AND 15 AND {last} % 111111111 <> 0 THEN {last} ELSE 0 END"


def postcode(text: str) -> str:
    """Five digits, or empty; a lost leading zero (1440) is put back."""
    digits = _DIGITS.sub("", text)
    if len(digits) == 4:
        digits = "0" + digits
    return digits[:5] if len(digits) >= 5 else ""


def department(code: str) -> str:
    """Département of a postcode (Corsica stays 20, overseas has three digits)."""
    return code[:3] if code[:2] in ("97", "98") else code[:2]


_ARRONDISSEMENTS = ((re.compile(r"^751(\d\d)$"), "750"), (re.compile(r"^132(\d\d)$"), "130"))
_LYON = re.compile(r"^6938(\d)$")


def arrondissement_postcode(insee: str) -> str:
    """Postcode that a municipal arrondissement's INSEE code stands for (75112 is 75012), else empty."""
    for pattern, prefix in _ARRONDISSEMENTS:
        if found := pattern.match(insee):
            return prefix + found[1]
    found = _LYON.match(insee)
    return "6900" + found[1] if found else ""
