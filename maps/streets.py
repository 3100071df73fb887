"""One spelling for street names and numbers, shared by BAN, the registers and linkage."""

import re
from functools import lru_cache
from typing import NamedTuple

from maps.text import fold

TYPES = {
    "all": "allee",
    "allees": "allee",
    "av": "avenue",
    "ave": "avenue",
    "aven": "avenue",
    "bd": "boulevard",
    "bld": "boulevard",
    "blvd": "boulevard",
    "boul": "boulevard",
    "bvd": "boulevard",
    "carr": "carrefour",
    "car": "carrefour",
    "ctre": "centre",
    "cc": "centre commercial",
    "ccal": "centre commercial",
    "chem": "chemin",
    "che": "chemin",
    "chm": "chemin",
    "chs": "chaussee",
    "chse": "chaussee",
    "cite": "cite",
    "cor": "corniche",
    "cote": "cote",
    "cours": "cours",
    "crs": "cours",
    "dom": "domaine",
    "esp": "esplanade",
    "fg": "faubourg",
    "fbg": "faubourg",
    "faub": "faubourg",
    "gal": "galerie",
    "gr": "grande rue",
    "grand rue": "grande rue",
    "ham": "hameau",
    "hle": "halle",
    "imm": "immeuble",
    "imp": "impasse",
    "ld": "lieu dit",
    "lot": "lotissement",
    "lotiss": "lotissement",
    "mte": "montee",
    "pass": "passage",
    "pas": "passage",
    "pl": "place",
    "pln": "plaine",
    "prom": "promenade",
    "pte": "porte",
    "qu": "quai",
    "qua": "quartier",
    "quar": "quartier",
    "quart": "quartier",
    "r": "rue",
    "rd pt": "rond point",
    "rpt": "rond point",
    "rle": "ruelle",
    "rte": "route",
    "res": "residence",
    "sen": "sentier",
    "sent": "sentier",
    "sq": "square",
    "ter": "terrasse",
    "trav": "traverse",
    "tra": "traverse",
    "tsse": "terrasse",
    "val": "vallee",
    "ven": "venelle",
    "vla": "villa",
    "vlge": "village",
    "za": "zone artisanale",
    "zac": "zac",
    "zi": "zone industrielle",
    "zone artisanale": "zone artisanale",
}
"""Abbreviations of street types (RPPS, FINESS, AMELI, FANTOIR), folded; only the first word of a street is one."""

WORDS = {
    "st": "saint",
    "ste": "sainte",
    "sts": "saints",
    "gal": "general",
    "gen": "general",
    "gl": "general",
    "mal": "marechal",
    "mar": "marechal",
    "mchal": "marechal",
    "col": "colonel",
    "cdt": "commandant",
    "cne": "capitaine",
    "cap": "capitaine",
    "lt": "lieutenant",
    "sgt": "sergent",
    "cpl": "caporal",
    "pdt": "president",
    "pres": "president",
    "prof": "professeur",
    "pr": "professeur",
    "dr": "docteur",
    "doct": "docteur",
    "mgr": "monseigneur",
    "gd": "grand",
    "gds": "grands",
    "gde": "grande",
    "gdes": "grandes",
    "pt": "petit",
    "pte": "petite",
    "vx": "vieux",
    "nd": "notre dame",
    "j": "jean",
    "rep": "republique",
    "fbg": "faubourg",
    "fg": "faubourg",
    "div": "division",
    "regt": "regiment",
    "1er": "premier",
    "ier": "premier",
}

WEAK = frozenset({"de", "du", "des", "d", "la", "le", "les", "l", "a", "au", "aux", "et", "en", "sur", "sous"})

REPETITIONS = {
    "b": "bis",
    "t": "ter",
    "q": "quater",
    "bis": "bis",
    "ter": "ter",
    "quater": "quater",
    "quinquies": "quinquies",
}

_NUMBER = re.compile(
    r"^\s*(?P<number>\d{1,5})(?:\s*(?:/|-|et|à|,)\s*\d{1,5})*\s*"
    r"(?:(?P<repetition>bis|ter|quater|quinquies|[a-z])(?=[\s,/.-]|$))?[\s,./-]*",
    re.IGNORECASE,
)
_OTHER = re.compile(r"[^a-z0-9]+")


class StreetAddress(NamedTuple):
    """House number (None when there is none), repetition ("bis", "ter", "c" or "") and street as written."""

    number: int | None
    repetition: str
    street: str


def repetition_of(text: str | None) -> str:
    """Return a repetition mark in the form of BAN: "B" and "Bis" give "bis", "C" gives "c", nothing gives ""."""
    value = fold(text or "").strip(" .")
    return REPETITIONS.get(value, value)


def split_street(text: str | None) -> StreetAddress:
    """Split "12 BIS RUE DE LA RÉPUBLIQUE" into its number, repetition and street."""
    value = (text or "").strip()
    found = _NUMBER.match(value)
    if not found or found.end() == len(value):
        return StreetAddress(None, "", value)
    return StreetAddress(int(found["number"]), repetition_of(found["repetition"]), value[found.end() :].strip())


@lru_cache(maxsize=131_072)
def street_key(street: str) -> str:
    """Return the key under which a street is found: type and titles spelled out, link words dropped.

    "AV DU GAL DE GAULLE" and "Avenue du Général-de-Gaulle" both give "avenue general gaulle".
    """
    words = _OTHER.sub(" ", fold(street)).split()
    if not words:
        return ""
    first = TYPES.get(words[0], words[0])
    rest = [WORDS.get(word, word) for word in words[1:]]
    kept = [word for word in rest if word not in WEAK] or rest
    return " ".join([first, *kept])
