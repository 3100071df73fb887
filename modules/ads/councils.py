"""Names of the councils: « CD38 », « Conseil départemental de l’Isère »; the national level is one of them."""

from typing import Final

from maps.api import ready, resolve_ref

NATIONAL: Final = "national"
"""Stands where the code of a département would."""
_OF: Final = {
    "de": "2A 2B 41 44 47 49 54 71 75 77 82 84 93 974 976",
    "d’": "28 35 37",
    "de l’": "01 02 03 07 09 10 11 12 27 34 36 38 60 61 89 91",
    "des": "04 05 06 08 13 22 40 64 65 66 78 79 88 92",
    "du": "14 15 18 25 29 30 32 39 45 46 56 59 62 63 67 68 69 81 83 90 94 95",
    "de la": "16 17 19 21 23 24 26 31 33 42 43 48 50 51 52 53 55 57 58 70 72 73 74 76 80 85 86 87 971 972 973",
}
_BY_CODE: Final = {code: article for article, codes in _OF.items() for code in codes.split()}


def of_departement(code: str) -> str:
    """Write « de » before the name of a département: « des Yvelines », « de l’Isère », « de Paris »."""
    found = resolve_ref("departement", code)
    if found is None:
        return f"du département {code}"
    article = _BY_CODE.get(code, "de")
    return f"{article}{'' if article.endswith('’') else ' '}{found.name.replace(chr(39), '’')}"


def departement_name(code: str) -> str:
    """Return the name of a département with its code, « Yvelines (78) »; have the places `ready` first."""
    found = resolve_ref("departement", code)
    return f"{found.name} ({code})" if found is not None else code


def council_name(code: str) -> str:
    """Return the name of the council of a département; have the places `ready` first."""
    return f"conseil départemental {of_departement(code)}"


def title(council: str | None) -> str:
    """Return how mails and headings call a council, « Conseil départemental de l’Isère »; `ready` first."""
    if council is None:
        return "Conseil de l’Ordre"
    name = "conseil national" if council == NATIONAL else council_name(council)
    return name[0].upper() + name[1:]


def short(council: str | None) -> str:
    """Return how tables and histories call a council: « CD38 »."""
    if council is None:
        return "–"
    return "Conseil national" if council == NATIONAL else f"CD{council}"


def short_of_line(council: str | None) -> str:
    """Return how a history calls the council of one of its lines, which is written there in short already."""
    return "Conseil national" if council == NATIONAL else council or "–"


__all__ = ["NATIONAL", "council_name", "departement_name", "of_departement", "ready", "short", "short_of_line", "title"]
