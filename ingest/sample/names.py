"""Invented people: surnames and first names with the variety and the accents of a French register.

A quarter of the surnames come from a list of common ones (so that namesakes occur as they do in life), the
rest is built from syllables.
"""

from ingest.sample.draw import Bools, Draw
from ingest.sample.tables import words

_COMMON, _WOMEN, _MEN = words("surnames"), words("women"), words("men")
_STARTS, _ENDS = words("starts"), words("ends")
_LINKS = ["B", "C", "CH", "D", "F", "G", "GN", "L", "M", "N", "P", "QU", "R", "S", "T", "V"]
_LONG_LINKS = [
    "BL",
    "BR",
    "CH",
    "CL",
    "CR",
    "DR",
    "FL",
    "FR",
    "GN",
    "GR",
    "LL",
    "LV",
    "MB",
    "MP",
    "NT",
    "RN",
    "RR",
    "SS",
    "ST",
    "TR",
    "TT",
    "VR",
]
_VOWELS = ["A", "E", "I", "O", "U"]
_PARTICLES = ("DE ", "LE ", "LA ", "EL ", "DU ", "D'", "N'", "BEN ", "VAN ", "DE LA ")


def surnames(draw: Draw, size: int) -> list[str]:
    """Draw `size` surnames in capitals: common, built, double (7 %) or with a particle (3 %)."""
    names = _simple(draw, size)
    second = _simple(draw, size)
    double = draw.chance(size, 0.07).tolist()
    particle = draw.chance(size, 0.03).tolist()
    which = draw.integers(size, len(_PARTICLES)).tolist()
    separator = draw.chance(size, 0.8).tolist()
    for i in range(size):
        if double[i]:
            names[i] = f"{names[i]}{'-' if separator[i] else ' '}{second[i]}"
        elif particle[i]:
            names[i] = _PARTICLES[which[i]] + names[i]
    return names


def _simple(draw: Draw, size: int) -> list[str]:
    common = draw.chance(size, 0.25).tolist()
    rank = draw.pick([1 / (i + 6) for i in range(len(_COMMON))], size).tolist()
    start = draw.integers(size, len(_STARTS)).tolist()
    link = draw.integers(size, len(_LINKS) * len(_LONG_LINKS)).tolist()
    middle = draw.integers(size, 2 * len(_VOWELS)).tolist()
    link_2 = draw.integers(size, len(_LINKS)).tolist()
    end = draw.integers(size, len(_ENDS)).tolist()
    names = []
    for i in range(size):
        if common[i]:
            names.append(_COMMON[rank[i]])
            continue
        name = _STARTS[start[i]]
        name += _LONG_LINKS[link[i] % len(_LONG_LINKS)] if name[-1] in "AEIOU" else _LINKS[link[i] % len(_LINKS)]
        if middle[i] < len(_VOWELS):
            name += _VOWELS[middle[i]] + _LINKS[link_2[i]]
        names.append(name + _ENDS[end[i]])
    return names


def first_names(draw: Draw, women: Bools) -> list[str]:
    """Draw a first name for each person, capitalised and with its accents."""
    size = len(women)
    for_woman = draw.pick([1 / (i + 12) for i in range(len(_WOMEN))], size).tolist()
    for_man = draw.pick([1 / (i + 12) for i in range(len(_MEN))], size).tolist()
    return [
        _WOMEN[w] if is_woman else _MEN[m] for is_woman, w, m in zip(women.tolist(), for_woman, for_man, strict=True)
    ]
