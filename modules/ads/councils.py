"""Names of the councils: « CD38 », « Conseil départemental de l’Isère »; the national level is one of them."""

from typing import Final

from maps.api import ready, resolve_ref

NATIONAL: Final = "national"
"""Stands where the code of a département would."""
_DU: Final = frozenset("14 15 18 25 29 30 32 39 41 45 46 47 56 59 62 63 67 68 69 81 82 83 84 90 94 95".split())
_DE_LA: Final = frozenset(
    "16 17 19 21 23 24 26 2A 2B 31 33 42 43 44 48 50 51 52 53 55 57 58 70 72 73 74 76 80 85 86 87 93 971 972 973"
    " 987 988".split()
)
_DES: Final = frozenset("04 05 06 08 13 22 40 64 65 66 78 79 88 92".split())
_ELIDED: Final = frozenset("28 35 37".split())
_DE_L: Final = frozenset("01 02 03 07 09 10 11 12 27 34 36 38 60 61 89 91".split())


def _of(code: str, name: str) -> str:
    for codes, article in ((_DU, "du "), (_DE_LA, "de la "), (_DES, "des "), (_ELIDED, "d’"), (_DE_L, "de l’")):
        if code in codes:
            return article + name
    # The name of La Réunion holds its article.
    return "de " + (name.replace("La ", "la ", 1) if name.startswith("La ") else name)


def short(council: str | None) -> str:
    """Return how histories call a council: « CD38 »."""
    if council is None:
        return "–"
    return "Conseil national" if council == NATIONAL else f"CD{council}"


def short_of_line(council: str | None) -> str:
    """Return how a history calls the council of one of its lines, which is written there in short already."""
    return "Conseil national" if council == NATIONAL else council or "–"


def title(council: str | None) -> str:
    """Return the name of a council, « Conseil départemental de l’Isère »; call `ready` first."""
    if council is None:
        return "Conseil de l’Ordre"
    if council == NATIONAL:
        return "Conseil national"
    place = resolve_ref("departement", council)
    if place is None:
        return f"Conseil départemental ({council})"
    return f"Conseil départemental {_of(council, place.name.replace(chr(39), '’'))}"


__all__ = ["NATIONAL", "ready", "short", "short_of_line", "title"]
