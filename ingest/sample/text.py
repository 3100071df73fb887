"""How the registers write names, towns and streets."""

import re
import unicodedata
from functools import lru_cache

_CAPITAL_LIGATURES = str.maketrans({"Œ": "OE", "Æ": "AE", "’": "'"})


@lru_cache(maxsize=200_000)
def plain(text: str) -> str:
    """Return `text` in capitals without accents ("Élodie" → "ELODIE")."""
    decomposed = unicodedata.normalize("NFD", text.upper().translate(_CAPITAL_LIGATURES))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@lru_cache(maxsize=50_000)
def register_town(name: str) -> str:
    """Return a town as FINESS writes it: "Mantes-la-Jolie" → "MANTES LA JOLIE", "Saint-Ouen" → "ST OUEN"."""
    text = plain(name).replace("-", " ").replace("'", " ")
    if match := re.match(r"(PARIS|LYON|MARSEILLE) \d", text):
        return match[1]
    text = re.sub(r"\bSAINTE\b", "STE", text)
    return re.sub(r"\bSAINT\b", "ST", text)


@lru_cache(maxsize=50_000)
def long_town(name: str) -> str:
    """Return a town in capitals without accents, hyphens kept, the arrondissement dropped."""
    text = plain(name)
    match = re.match(r"(PARIS|LYON|MARSEILLE) \d", text)
    return match[1] if match else text


@lru_cache(maxsize=20_000)
def street_capitals(name: str) -> str:
    """Return the name of a street in capitals without accents, as RPPS writes it."""
    return plain(name)
