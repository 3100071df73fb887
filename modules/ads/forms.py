"""The form of an ad: what its fields hold as they were typed, and the content that they make."""

import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from starlette.datastructures import FormData

from directory.api import read_day
from maps.api import PlaceHit, normal_name, place_by_id, resolve_ref, suggest
from modules.ads.labels import CATEGORIES, OFFERS, SEEKS
from modules.ads.schemas import (
    CONDITIONS_MAX,
    DESCRIPTION_MAX,
    MOST_FILES,
    MOST_PERIODS,
    MOST_PLACES,
    TITLE_MAX,
    AdContent,
    Period,
)

PLACE_KINDS: Final = ("commune", "arrondissement", "departement", "region", "pays")
"""Kinds of places that an ad may name."""
CANDIDATES: Final = 8
SAME_PLACE: Final = "Ce lieu est déjà dans la liste."
_LONGEST: Final = 20_000
"""Characters of a field that are read at all: more than any page lets anybody type."""
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
_HIDDEN: Final = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""What nobody sees, or what turns the direction of a text round, and so what a reader takes it for."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form holds. Places are references (`commune:78361`), files their identifiers."""

    uid: str = ""
    version: int = 0
    category: str = ""
    side: str = ""
    specialty: str = ""
    title: str = ""
    description: str = ""
    conditions: str = ""
    urgent: bool = False
    anonymous: bool = False
    places: tuple[str, ...] = ()
    place_text: str = ""
    periods: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    ends_on: str = ""


@dataclass(slots=True)
class Checked:
    """What was typed, as far as it can be kept: `errors` say what cannot, by field."""

    content: AdContent
    ends_on: date | None
    files: list[uuid.UUID] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def read(form: FormData) -> Typed:
    """Read what a browser sent, whatever it is; nothing is judged yet."""

    def one(name: str) -> str:
        value = form.get(name)
        return value[:_LONGEST] if isinstance(value, str) else ""

    def several(name: str, most: int) -> list[str]:
        return [value[:200] for value in form.getlist(name)[:most] if isinstance(value, str)]

    version = one("version")
    starts, ends = several("debut", MOST_PERIODS + 1), several("fin", MOST_PERIODS + 1)
    ends += [""] * (len(starts) - len(ends))
    return Typed(
        uid=one("uid"),
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
        category=one("categorie"),
        side=one("situation"),
        specialty=one("specialite"),
        title=one("titre"),
        description=one("description"),
        conditions=one("conditions"),
        urgent=bool(one("urgent")),
        anonymous=bool(one("anonyme")),
        places=tuple(dict.fromkeys(several("lieu", MOST_PLACES + 1))),
        place_text=one("lieu_saisi"),
        periods=tuple(zip(starts, ends, strict=False)),
        files=tuple(dict.fromkeys(several("fichier", MOST_FILES + 1))),
        ends_on=one("fin_publication"),
    )


def typed_of(content: AdContent, ends_on: date | None, *, uid: str, version: int, files: tuple[str, ...] = ()) -> Typed:
    """Return the form of a content that is kept."""
    hits = [place_by_id(place) for place in content.places]
    return Typed(
        uid=uid,
        version=version,
        category=content.category or "",
        side=content.side or "",
        specialty=content.specialty or "",
        title=content.title,
        description=content.description,
        conditions=content.conditions,
        urgent=content.urgent,
        anonymous=content.anonymous,
        places=tuple(hit.ref for hit in hits if hit is not None),
        periods=tuple(
            (period.starts_on.isoformat(), period.ends_on.isoformat() if period.ends_on else "")
            for period in content.periods
        ),
        files=files,
        ends_on=ends_on.isoformat() if ends_on else "",
    )


def line(text: str) -> str:
    """Return a text on one line: what cannot be seen is taken out, spaces are brought together."""
    return " ".join(_seen(text).split())


def lines(text: str) -> str:
    """Return a text of several lines: ends of lines in one form, no space at their ends, two empty lines at most."""
    kept = _seen(text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n"))
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(one.rstrip() for one in kept.split("\n"))).strip()


def _seen(text: str) -> str:
    whole = _HIDDEN.sub("", unicodedata.normalize("NFC", text))
    return "".join(
        " " if char == "\t" else char
        for char in whole
        # Surrogates are no characters; joiners (Cf) make emoji of several.
        if char in "\t\n" or unicodedata.category(char) not in ("Cc", "Cs")
    )


def place_of(ref: str) -> PlaceHit | None:
    """Return the place of a reference, when an ad may name it."""
    kind, _, code = ref.partition(":")
    found = resolve_ref(kind, code) if kind else None
    return found if found is not None and found.kind in PLACE_KINDS else None


def look_up(text: str) -> tuple[PlaceHit | None, list[PlaceHit]]:
    """Return the place that a text names without any doubt, if one does, and those that it may name."""
    hits = suggest(line(text), CANDIDATES, PLACE_KINDS)
    name = normal_name(text)
    same = [hit for hit in hits if name in (normal_name(hit.name), normal_name(hit.label)) or text.strip() == hit.code]
    return (same[0] if len(same) == 1 else None), hits


def add_place(typed: Typed, hit: PlaceHit) -> Typed:
    """Return the form with one more place, once whatever is done."""
    return replace(typed, places=tuple(dict.fromkeys((*typed.places, hit.ref))), place_text="")


def check(typed: Typed, specialties: Mapping[str, str]) -> Checked:
    """Return the content that was typed, and what keeps it from being kept, a draft even.

    What a submission wants beyond that is said by `missing.lacking`.
    """
    errors: dict[str, str] = {}
    if typed.category and typed.category not in CATEGORIES:
        errors["category"] = "Choisissez une catégorie de la liste."
    if typed.side and typed.side not in (SEEKS, OFFERS):
        errors["side"] = "Choisissez l’une des situations."
    if typed.specialty and typed.specialty not in specialties:
        errors["specialty"] = "Choisissez une spécialité de la liste."
    texts = {}
    for name, value, most in (
        ("title", line(typed.title), TITLE_MAX),
        ("description", lines(typed.description), DESCRIPTION_MAX),
        ("conditions", lines(typed.conditions), CONDITIONS_MAX),
    ):
        texts[name] = value
        if len(value) > most:
            errors[name] = f"Ce texte est trop long : {most} caractères au plus, il y en a {len(value)}."
    places = []
    for ref in typed.places:
        hit = place_of(ref)
        if hit is None:
            errors["places"] = "Un lieu de la liste n’est plus connu : retirez-le."
        else:
            places.append(hit.id)
    if len(places) > MOST_PLACES:
        errors["places"] = f"{MOST_PLACES} lieux au plus : retirez-en, ou choisissez un département ou une région."
    periods = _periods(typed, errors)
    ends_on = _day(typed.ends_on, "ends_on", errors)
    files = []
    for text in typed.files:
        try:
            files.append(uuid.UUID(text))
        except ValueError:
            errors["files"] = "Un fichier n’est plus là : ajoutez-le de nouveau."
    if len(files) > MOST_FILES:
        errors["files"] = f"{MOST_FILES} fichiers au plus : retirez-en."
    content = AdContent(
        category=typed.category if "category" not in errors and typed.category else None,
        side=typed.side if "side" not in errors and typed.side else None,
        specialty=typed.specialty if "specialty" not in errors and typed.specialty else None,
        title="" if "title" in errors else texts["title"],
        description="" if "description" in errors else texts["description"],
        conditions="" if "conditions" in errors else texts["conditions"],
        urgent=typed.urgent,
        anonymous=typed.anonymous,
        places=tuple(places[:MOST_PLACES]),
        periods=tuple(periods[:MOST_PERIODS]),
    )
    return Checked(content, ends_on, files, errors)


def _periods(typed: Typed, errors: dict[str, str]) -> list[Period]:
    periods: list[Period] = []
    if len(typed.periods) > MOST_PERIODS:
        errors["periods.0"] = f"{MOST_PERIODS} périodes au plus : retirez-en."
    for position, (start, end) in enumerate(typed.periods):
        name = f"periods.{position}"
        if not start.strip() and not end.strip():
            continue
        if not start.strip():
            errors.setdefault(name, "Indiquez le début de cette période, ou retirez-la.")
            continue
        starts_on, ends_on = _day(start, name, errors), _day(end, name, errors)
        if starts_on and ends_on and ends_on < starts_on:
            errors[name] = "La fin ne peut pas précéder le début."
        elif starts_on:
            periods.append(Period(starts_on=starts_on, ends_on=ends_on))
    return list(dict.fromkeys(periods))


def _day(text: str, name: str, errors: dict[str, str]) -> date | None:
    if not text.strip():
        return None
    try:
        day = read_day(text)
    except ValueError:
        errors[name] = f"« {text[:20]} » n’est pas une date qui existe : écrivez par exemple 31/12/2026."
        return None
    if not _FIRST_DAY <= day <= _LAST_DAY:
        errors[name] = "Cette date est trop lointaine : vérifiez l’année."
        return None
    return day
