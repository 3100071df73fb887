"""French writing of numbers, distances, dates, hours and telephones, as Jinja filters.

Non-breaking spaces (U+00A0) group thousands and keep a figure with its unit.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time

from core.clock import local

NBSP = "\u00a0"

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
"""Names of ISO weekdays, Monday first."""

_FRENCH_PHONE = re.compile(r"(?:\+33|0033|0)([1-9]\d{8})")


def number(value: float | None) -> str:
    """Write a number with thousands grouped and a decimal comma (« 1 630 », « 3,5 »)."""
    if value is None:
        return ""
    text = f"{value:,.10g}" if isinstance(value, float) else f"{value:,}"
    return text.replace(",", NBSP).replace(".", ",")


def distance(metres: float | None) -> str:
    """Write a distance in metres as people say it: « 850 m », « 3,2 km », « 48 km »."""
    if metres is None:
        return ""
    if metres < 995:
        return f"{round(metres / 10) * 10}{NBSP}m"
    kilometres = metres / 1000
    if kilometres < 9.95:
        return f"{kilometres:.1f}".replace(".", ",") + f"{NBSP}km"
    return f"{number(round(kilometres))}{NBSP}km"


def _day(value: date | datetime) -> date:
    if isinstance(value, datetime):
        return local(value if value.tzinfo else value.replace(tzinfo=UTC)).date()
    return value


def long_date(value: date | datetime | None) -> str:
    """Write a day: « 10 mai 2026 », « 1er mai 2026 »; an instant is read on the wall clock of Paris."""
    if value is None:
        return ""
    day = _day(value)
    first = "1er" if day.day == 1 else str(day.day)
    return f"{first}{NBSP}{MONTHS[day.month - 1]} {day.year}"


def hour(value: time | datetime | None) -> str:
    """Write a time of day: « 9 h », « 9 h 30 »."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = local(value).time()
    minutes = f"{NBSP}{value.minute:02d}" if value.minute else ""
    return f"{value.hour}{NBSP}h{minutes}"


def weekday(value: int) -> str:
    """Name an ISO weekday (1 is Monday)."""
    return WEEKDAYS[(value - 1) % 7]


def phone(value: str | None) -> str:
    """Write a telephone number by pairs when it is French (« 01 99 00 12 34 »), as it stands otherwise."""
    if not value:
        return ""
    digits = re.sub(r"[\s.\-()]", "", value)
    match = _FRENCH_PHONE.fullmatch(digits)
    if match is None:
        return value.strip()
    national = "0" + match.group(1)
    return NBSP.join(national[i : i + 2] for i in range(0, 10, 2))


def tel(value: str | None) -> str:
    """Return the `tel:` address of a number, international when it is French (RFC 3966)."""
    digits = re.sub(r"[^\d+]", "", value or "")
    match = _FRENCH_PHONE.fullmatch(digits)
    return f"tel:+33{match.group(1)}" if match else f"tel:{digits}"


def web_url(value: str | None) -> str | None:
    """Return an address that a link may carry: http or https only, None for anything else (`javascript:`…)."""
    text = (value or "").strip()
    return text if re.match(r"https?://[^\s/]", text, re.IGNORECASE) else None


def plural(count: float, one: str, many: str | None = None) -> str:
    """Choose the French form for a count: below two is singular; `many` defaults to `one` with an s."""
    return one if abs(count) < 2 else (many or f"{one}s")


def counted(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun, kept together: « 1 630 sites »."""
    return f"{number(count)}{NBSP}{plural(count, one, many)}"


def upper_first(text: str) -> str:
    """Raise the first letter only."""
    return text[:1].upper() + text[1:]


_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=\w)")


def _typographic(text: str) -> str:
    """Write the apostrophes of a name as the pages do."""
    return _APOSTROPHE.sub("’", text)


_VOWEL = re.compile(r"[aeiouyàâäéèêëîïôöùûüœæh]", re.IGNORECASE)


def of_place(name: str) -> str:
    """Write « de » before the name of a town: « d’Achères », « du Havre », « des Mureaux », « de Limay »."""
    name = _typographic(name)
    return _contracted(name, "de", "du", "des") or (f"d’{name}" if _VOWEL.match(name) else f"de {name}")


def to_place(name: str) -> str:
    """Write « à » before the name of a town: « à Achères », « au Havre », « aux Mureaux », « à la Celle »."""
    name = _typographic(name)
    return _contracted(name, "à", "au", "aux") or f"à {name}"


def _contracted(name: str, word: str, le: str, les: str) -> str | None:
    """Write a word before a name that begins with an article, which may become one with it; None without article."""
    for article, form in (("Le ", le), ("Les ", les)):
        if name.startswith(article):
            return f"{form} {name[len(article) :]}"
    return f"{word} {name[0].lower()}{name[1:]}" if name.startswith(("La ", "L’")) else None


def lower_first(text: str) -> str:
    """Lower the first letter, unless the word is an acronym."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


_SMALL = """
a à au aux d de des du en et l la le les lès ou par pour sous sur allée avenue boulevard chemin cité cours esplanade
faubourg impasse lotissement mail passage place promenade quai résidence rond route rue ruelle sente square venelle voie
"""
_ACRONYMS = """
CATTP CCAS CDS CH CHI CHR CHRU CHS CHU CIAS CMP CMPP CPTS CSAPA EARL EHPAD ESAT ESPIC FAM GCS GHT GIE GIP HAD HDJ IDE
IME IMG IRM ITEP LBM MAS MCO MSP PMI SA SARL SAS SCM SCP SEL SELARL SELAS SESSAD SISA SSIAD SSR SMR UGECAM USLD
II III IV VI VII VIII IX XI XII XIII XIV XV XVI
"""
SMALL_WORDS = frozenset(_SMALL.split())
"""Words that stay in small letters inside a name: articles, and the kinds of streets."""
ACRONYMS = frozenset(_ACRONYMS.split())
"""Words that stay in capitals."""


def calm(text: str | None) -> str:
    """Write in ordinary letters a name or a street that a register wrote in capitals only; others keep their letters.

    « CENTRE HOSPITALIER DE L'ISLE » becomes « Centre Hospitalier de l’Isle », acronyms stay. Every name that is drawn
    takes its apostrophes here: « Boissy-l’Aillerie ».
    """
    text = _typographic(text or "")
    if text != text.upper() or not re.search(r"[A-ZÀ-Ý]{4}", text):
        return text
    words = re.split(r"([\s'’\-/]+)", text)
    return "".join(_calm_word(word, first=index == 0) for index, word in enumerate(words))


def _calm_word(word: str, *, first: bool) -> str:
    if word in ACRONYMS or "." in word or not word.isalpha():
        return word
    lower = word.lower()
    return lower if lower in SMALL_WORDS and not first else lower.capitalize()


FILTERS: Mapping[str, Callable[..., object]] = {
    "number": number,
    "distance": distance,
    "long_date": long_date,
    "hour": hour,
    "weekday": weekday,
    "phone": phone,
    "tel": tel,
    "web_url": web_url,
    "plural": plural,
    "counted": counted,
    "upper_first": upper_first,
    "lower_first": lower_first,
    "of_place": of_place,
    "to_place": to_place,
    "calm": calm,
}
