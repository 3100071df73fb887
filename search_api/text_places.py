"""The place that a free text holds: after a preposition, at its end behind what is looked for, or at its start."""

import re
from collections.abc import Callable, Sequence
from functools import cache, partial

from rapidfuzz.distance import OSA

from maps.api import PlaceHit, normal_name, suggest
from search_api.folding import fold, stem, words
from search_api.lexicon import SYSTEMS, Lexicon, synonyms

_NEAR = re.compile(
    r"(?:^|\s)(?:pres\s+(?:de\s+|d'|du\s+|des\s+)|proches?\s+(?:de\s+|d'|du\s+|des\s+)|autour\s+(?:de\s+|d'|du\s+|des\s+)"
    r"|a\s+cote\s+(?:de\s+|d'|du\s+|des\s+)|vers\s+|aux?\s+|a\s+|en\s+|sur\s+|dans\s+(?:le\s+|la\s+|les\s+|l')?)"
)
TRAILING_POPULATION = 2_000
"""A town that ends the text without a preposition must be this large: smaller ones are mostly family names."""
LIKELY_POPULATION = 10_000
"""The same for a town whose name is mistyped, or begins the text."""
CITY_POPULATION = 30_000
LONG_NAME = 9
"""Letters of a mistyped name that mean a city even where a person is called so: « Versaille »."""
PLACE_WORDS = 6
PREPOSITIONS = 8
"""Prepositions behind which a place is looked for, the last ones: each costs as many lookups as a place has words."""
_CONTRACTED = {"au": "le ", "du": "le ", "aux": "les ", "des": "les "}
"""Articles of names that a preposition swallows: « aux Mureaux », « près du Mans »."""
_ARTICLES = frozenset({"le", "la", "les", "l"})
_IDIOMS = frozenset({"ville", "ligne", "place", "l hopital", "hopital"})
"""What « en », « sur » and « à » mostly mean before words that are towns too: Villé, Ligné, Placé, L'Hôpital."""
SHORTEST_TOWN = 6
"""Letters of a name from which one may be wrong; with twice as many, two."""
_NUMBER = re.compile(r"\d{2,3}|2[ab]")
_POSTAL = re.compile(r"\d{5}")
_CEDEX = re.compile(r"\b(?:cedex|cdx)\b")
_DAYS = frozenset({"le", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"})
_COUNTED = _DAYS | {"de", "plus", "moins", "covid"}
"""Words after which a number is no département: « enfants de moins de 18 », « ouvert dimanche 14 », « covid 19 »."""
_OWN_NAMES = frozenset({"commune", "arrondissement", "departement", "region"})
"""Kinds that people also call by another name than theirs: « La Défense », « Paris 8 », « PACA »."""
NUMBERED = 95
"""Score from which a place answers a name with a number beside it."""

Named = Callable[[str], PlaceHit | None]


def find_place(
    typed: str, lex: Lexicon, meant: frozenset[str] = frozenset(), named: Named | None = None
) -> tuple[PlaceHit | None, str]:
    """Take out of a text the place that it names: after « près de », « à », « en » …, at its end, or at its start.

    Args:
        typed: cleaned text.
        lex: words of the nomenclatures: a place ends the text only behind one of these, and begins it only where
            these are all that follows.
        meant: words that stand for some of these without being so.
        named: what finds the place of a name, `named_place` by default.

    Returns:
        The place and the text without it, or None and the text.
    """
    # The same words come again behind each preposition, and behind what is looked for.
    named = cache(partial(_named, named or named_place))
    folded = fold(typed)
    if len(folded) != len(typed):
        # A ligature changed the length: positions no longer correspond, work on the folded text.
        typed = folded
    for match in list(_NEAR.finditer(folded))[: -PREPOSITIONS - 1 : -1]:
        article = _CONTRACTED.get(match.group().split()[-1], "")
        whole = not match.group().endswith(("le ", "du "))
        if found := _leading_place(folded[match.end() :], named, article, whole=whole):
            hit, used = found
            start, end = match.start(), match.end() + used
            if wider := _extended_place(folded[:end], start, named):
                hit, start = wider
            rest = typed[:start] + " " + typed[end:]
            return hit, " ".join(rest.split())
    spans = [(m.start(), m.group()) for m in re.finditer(r"\S+", folded)]
    for count in range(min(PLACE_WORDS, len(spans) - 1), 0, -1):
        start, ending = spans[len(spans) - count][0], folded[spans[len(spans) - count][0] :]
        before = [word for word in words(folded[:start]) if word not in synonyms().stop]
        if not any(word in meant or lex.exact([stem(word)], SYSTEMS) for word in before):
            continue
        if _says_more(spans[len(spans) - count - 1][1], ending, lex):
            continue
        town = named(ending)
        if town is not None and (town.population >= TRAILING_POPULATION or _numbered(ending)):
            return town, typed[:start].strip()
    for count in range(min(PLACE_WORDS, len(spans) - 1), 0, -1):
        end = spans[count][0]
        beginning = folded[:end].strip(" ,.;")
        after = [word for word in words(folded[end:]) if word not in synonyms().stop]
        if not after or not all(word in meant or lex.exact([stem(word)], SYSTEMS) for word in after):
            continue
        # « 12 ans », « 20 séances » begin with no département.
        if _NUMBER.fullmatch(beginning) or lex.exact([stem(word) for word in words(beginning)], SYSTEMS):
            continue
        town = named(beginning)
        if town is not None and (town.population >= LIKELY_POPULATION or _numbered(beginning)):
            return town, typed[end:].strip()
    return None, typed


def _named(named: Named, name: str) -> PlaceHit | None:
    return None if normal_name(name) in _IDIOMS else named(name)


def _says_more(last: str, ending: str, lex: Lexicon) -> bool:
    """Tell whether the end of a text is something else than a place: words of a label, a number that goes with one."""
    said = [stem(word) for word in words(ending)]
    if _NUMBER.fullmatch(ending):
        # Some label or other holds most numbers; « COVID 19 » holds both.
        return last in _COUNTED or bool(lex.labelled([*map(stem, words(last)), *said]))
    return bool(lex.exact(said, SYSTEMS))


def _numbered(name: str) -> bool:
    return any(char.isdigit() for char in name)


def _leading_place(following: str, named: Named, article: str, *, whole: bool) -> tuple[PlaceHit, int] | None:
    spans = list(re.finditer(r"\S+", following))
    for count in range(min(PLACE_WORDS, len(spans)), 0, -1):
        end = spans[count - 1].end()
        name = following[:end].strip(" ,.;")
        if whole and count < len(spans) and _NUMBER.fullmatch(name):
            # « dans 15 jours » is not in the Cantal; « dans le 15 » may be.
            continue
        hit = (named(article + name) if article else None) or named(name)
        if hit is not None:
            return hit, end
    return None


def _extended_place(through: str, start: int, named: Named) -> tuple[PlaceHit, int] | None:
    """Return the longer place that a preposition is part of: « Saint-Germain en Laye », even mistyped, is not Laye."""
    begins = [span.start() for span in re.finditer(r"\S+", through) if span.start() < start][-PLACE_WORDS:]
    for called in (named, partial(_likely_place, frozenset())):
        for begin in begins:
            if wider := called(through[begin:].strip(" ,.;")):
                return wider, begin
    return None


def named_place(name: str) -> PlaceHit | None:
    """Return the place that is called so, the most populated first; None when none is.

    It has exactly this name, or another that people give it; or this code; or the name and the postal code or number
    of the département beside it.
    """
    wanted = normal_name(name)
    if not wanted:
        return None
    hits = suggest(name, 5)
    if _POSTAL.fullmatch(_compact(wanted)):
        return hits[0] if hits else None
    cedex = bool(_CEDEX.search(fold(name)))
    return next((hit for hit in hits if _called(hit, wanted, cedex=cedex)), None)


def _called(hit: PlaceHit, wanted: str, *, cedex: bool) -> bool:
    own = normal_name(hit.name)
    if own == wanted:
        return True
    if _NUMBER.fullmatch(wanted):
        return hit.kind == "departement" and hit.code.lower() == wanted
    if _numbered(wanted) and not _compact(wanted).isdigit():
        # A number proves the place: the name may be the start of the whole one, or mistyped.
        town = " ".join(word for word in wanted.split() if not word.isdigit())
        if town in _ARTICLES:
            # « ouvert le 14 » is a day, not the first town of the Calvados that begins so.
            return False
        numbered = hit.kind == "arrondissement" and own.split()[0] in wanted.split()
        return hit.score >= NUMBERED or (not hit.doubtful and (numbered or _nearly(town, own)))
    if cedex:
        return hit.kind == "commune" and hit.score >= NUMBERED
    if hit.kind == "epci":
        # Without what it is, « Cergy-Pontoise » is still a name; one word may be anybody's.
        return hit.score == 100 and " " in wanted
    # A name without its article, or in one word, is a family's as often as a town's: « Blanc », « Lagarde ».
    return hit.kind in _OWN_NAMES and hit.score == 100 and not _compact(own).endswith(_compact(wanted))


def _compact(name: str) -> str:
    return name.replace(" ", "")


def strange_words(said: Sequence[str], lex: Lexicon, known: frozenset[str]) -> frozenset[str]:
    """Return the words that are neither in a name nor in a label: unfinished or mistyped ones."""
    return frozenset(word for word in said if word not in known and not lex.exact([stem(word)], SYSTEMS))


def mistyped_place(typed: str, lex: Lexicon, strange: frozenset[str]) -> tuple[PlaceHit | None, str]:
    """Take out the place of a text with strange words: behind one that stands for a label's, or mistyped itself.

    Returns as `find_place` does.
    """
    meant = frozenset(word for word in strange if lex.starting([word], SYSTEMS) or lex.mended(word))
    place, rest = find_place(typed, lex, meant) if meant else (None, typed)
    if place is None:
        place, rest = find_place(typed, lex, meant, partial(_likely_place, strange - meant))
    return place, rest


def _likely_place(strange: frozenset[str], name: str) -> PlaceHit | None:
    """Return the large town whose name this one is but for one letter, or two of a long name.

    Where no word is strange, somebody is called so as well: a city's long name is meant then, but for one letter.
    """
    wanted = normal_name(name)
    least, most = LIKELY_POPULATION, 2
    if strange.isdisjoint(words(name)):
        if len(_compact(wanted)) < LONG_NAME:
            return None
        least, most = CITY_POPULATION, 1
    large = (hit for hit in suggest(name, 5) if hit.population >= least)
    return next((hit for hit in large if _nearly(wanted, normal_name(hit.name), most)), None)


def _nearly(wanted: str, own: str, most: int = 2) -> bool:
    if _compact(wanted) == _compact(own):
        # « Lagarde » is a family before it is a way to write La Garde.
        return False
    allowed = min(len(_compact(wanted)) // SHORTEST_TOWN, most)
    return OSA.distance(wanted, own, score_cutoff=allowed) <= allowed
