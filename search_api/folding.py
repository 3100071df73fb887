"""French text to comparable words: accents, case, elision, ligatures, plural and feminine.

`words` gives the lexemes that PostgreSQL's `directory.simple_fr` makes of the same text (unaccented, lower
case); `stem` goes further and is used for labels of nomenclatures only, on both sides.
"""

import re
import unicodedata

_LIGATURES = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "’": "'", "ʼ": "'", "`": "'"}
)
_WORD = re.compile(r"[a-z0-9]+")
_COMPOUND = re.compile(r"[a-z0-9]+(?:[-'’][a-z0-9]+)+")
_APOSTROPHES = re.compile("['’]")
_APOSTROPHE = re.compile(r"\b(l|d|s|n|m|t|c|j|qu)'")

# Endings that the feminine changes, longest first; each pair meets in one stem.
_FEMININE = (
    ("euses", "eur"),
    ("euse", "eur"),
    ("trices", "teur"),
    ("trice", "teur"),
    ("ieres", "ier"),
    ("iere", "ier"),
    ("iennes", "ien"),
    ("ienne", "ien"),
    ("elles", "el"),
    ("elle", "el"),
    ("ives", "if"),
    ("ive", "if"),
    ("aux", "al"),
    ("ales", "al"),
    ("ale", "al"),
)
_SHORTEST_STEM = 3


def fold(text: str) -> str:
    """Return the text in lower case without accents nor ligatures, apostrophes straight."""
    if text.isascii():
        return text.lower().replace("`", "'")
    lowered = text.lower().translate(_LIGATURES)
    decomposed = unicodedata.normalize("NFKD", lowered)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """Return the folded words of a text in order, elided articles left out."""
    return _words(fold(text))


def _words(folded: str) -> list[str]:
    return _WORD.findall(_APOSTROPHE.sub(" ", folded))


def name_words(name: str) -> list[str]:
    """Return the words by which a name is found: its own, and its compounds in one."""
    folded = fold(name)
    return _words(folded) + joint(folded)


def joint(folded: str) -> list[str]:
    """Return the compounds of a folded text in one word, as people also type them: « jeanpierre », « dartagnan »."""
    found: list[str] = []
    for compound in _COMPOUND.findall(folded):
        pieces = _APOSTROPHES.split(compound)
        whole = pieces if len(pieces) == 1 else ["".join(pieces), *(piece for piece in pieces if "-" in piece)]
        found += [one.replace("-", "") for one in whole]
    return found


def stem(word: str) -> str:
    """Return what the singular and plural, masculine and feminine of a folded word have in common."""
    for ending, common in _FEMININE:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)] + common
    if len(word) > _SHORTEST_STEM and word[-1] in "sx":
        word = word[:-1]
    if len(word) > _SHORTEST_STEM and word[-1] == "e":
        word = word[:-1]
        if len(word) > _SHORTEST_STEM and word[-1] == "e":
            word = word[:-1]
    return word
