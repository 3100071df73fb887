"""From request parameters to a `SearchQuery`, with a French message for each field that is refused.

One reading for the page, the JSON API, the exports and the map: the same address means the same search.
Only the form of values is judged here; whether a place or a code exists is judged by `service`.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from core.clock import PARIS, local
from core.errors import InvalidInput
from search_api.folding import words
from search_api.labels import (
    AGE_BANDS,
    CENTRE_KINDS,
    FACET_SYSTEMS,
    KINDS,
    SCOPES,
)
from search_api.param_places import (
    MAX_WHERE,
    bounding_box,
    latitude,
    longitude,
    number,
    place_group,
    place_ref,
    ref_text,
    visited,
)
from search_api.schemas import CAP, PAGE_SIZE, FacetKey, Point, SearchQuery, Sort

MAX_TEXT = 200
"""Characters of free text; longer is refused rather than cut."""
MAX_RADIUS_KM = 1000.0
MIN_RADIUS_KM = 0.1
MAX_AGE = 150
LAST_PAGE = math.ceil(CAP / PAGE_SIZE)
"""Last page that may be asked for: 200 results at 15 a page."""
MAX_WITHIN = 5
MAX_CODES = 20
MAX_VALUES = 100

_CODE = re.compile(r"[A-Z][A-Za-z0-9_-]{0,19}\|[A-Za-z0-9._-]{1,40}")
_BARE = re.compile(r"[A-Za-z0-9._-]{1,40}")
ONCE = "Ce paramètre ne peut être donné qu’une fois."
NOW = ("maintenant", "now")
"""Values of `open_at` that name no day."""
_TRUE = {"1", "true", "oui", "on"}
_FALSE = {"0", "false", "non", "off"}


def clean_text(value: str) -> str:
    """Return free text with single spaces, composed accents and no invisible character.

    Raises:
        ValueError: too long, or a control character (French message).
    """
    if len(value) > MAX_TEXT:
        raise ValueError(f"Ce texte est trop long ({MAX_TEXT} caractères au plus).")
    text = re.sub(r"[\t\r\n]+", " ", unicodedata.normalize("NFC", value))
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise ValueError("Ce texte contient un caractère de commande : retapez-le.")
    text = "".join(" " if unicodedata.category(char) in ("Cf", "Cs", "Co", "Zl", "Zp") else char for char in text)
    return " ".join(text.split())


def search_text(value: str) -> str:
    """Return the text of a search as `clean_text` does: a text without words would find the whole directory.

    Raises:
        ValueError: too long, a control character, or nothing that the search reads as a word (French message).
    """
    text = clean_text(value)
    if text and not words(text):
        raise ValueError("Ce texte n’a aucun mot que la recherche puisse lire : écrivez un métier, un acte ou un nom.")
    return text


def _radius(value: str) -> float:
    kilometres = number(value)
    if not MIN_RADIUS_KM <= kilometres <= MAX_RADIUS_KM:
        raise ValueError("Le rayon va de 0,1 à 1 000 km.")
    return kilometres


def _integer(value: str, low: int, high: int, message: str) -> int:
    text = value.strip()
    if not re.fullmatch(r"[+-]?\d{1,9}", text):
        raise ValueError("Un nombre entier est attendu.")
    number = int(text)
    if not low <= number <= high:
        raise ValueError(message)
    return number


def _page(value: str) -> int:
    return _integer(
        value,
        1,
        LAST_PAGE,
        f"La page va de 1 à {LAST_PAGE} : {CAP} résultats au plus sont montrés, affinez la recherche.",
    )


def _age(value: str) -> int:
    return _integer(value, 0, MAX_AGE, f"L’âge va de 0 à {MAX_AGE} ans.")


def _flag(value: str) -> bool:
    text = value.strip().casefold()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("« 1 » ou « 0 » est attendu.")


def instant(value: str) -> datetime:
    """Read an instant in UTC; a time without offset stays on the wall clock, which `resolve` takes for the place's.

    Raises:
        ValueError: it names no moment (French message).
    """
    text = value.strip()
    if text.casefold() in NOW:
        return datetime.now(UTC).replace(second=0, microsecond=0)
    # A « + » that was not percent-encoded arrives as a space.
    text = re.sub(r" (\d{2}:?\d{2})$", r"+\1", text) if "T" in text else text
    try:
        found = datetime.fromisoformat(text)
        if len(text) < 16:
            raise ValueError
        return found.replace(tzinfo=PARIS) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("Une date et une heure sont attendues, par exemple 2026-11-28T09:30.") from None


def _sort(value: str) -> Sort:
    try:
        return Sort(value.strip().casefold())
    except ValueError:
        raise ValueError("Le tri est « distance » ou « relevance ».") from None


def _scope(value: str) -> str:
    text = value.strip()
    if text in SCOPES:
        return text
    raise ValueError(f"Ce domaine de recherche est inconnu (domaines : {', '.join(SCOPES)}).")


def code_ref(value: str) -> str:
    """Read `system|code`.

    Raises:
        ValueError: it is not written so (French message).
    """
    text = value.strip()
    if not _CODE.fullmatch(text):
        raise ValueError("Un code s’écrit nomenclature|code, par exemple J17|195.")
    return text


def facet_value(key: FacetKey, value: str) -> str:
    """Return the canonical form of a facet's value: `system|code`, an age band or a kind of offer.

    A bare code is completed when the facet has one nomenclature (`modes=32` means `J19|32`).

    Raises:
        ValueError: not a value of this facet (French message).
    """
    text = value.strip()
    if key is FacetKey.kind:
        if (word := text.removeprefix("KIND|")) in KINDS:
            return word
        raise ValueError(f"Valeur inconnue (valeurs : {', '.join(KINDS)}).")
    if key is FacetKey.patients and (word := text.removeprefix("AGE|")) in AGE_BANDS:
        return word
    systems = FACET_SYSTEMS[key]
    if "|" not in text and len(systems) == 1 and _BARE.fullmatch(text):
        return f"{systems[0]}|{text}"
    if not _CODE.fullmatch(text) or text.partition("|")[0] not in systems:
        raise ValueError(f"Un code s’écrit nomenclature|code (nomenclatures : {', '.join(systems)}).")
    return text


_READERS: dict[str, Callable[[str], Any]] = {
    "q": search_text,
    "scope": _scope,
    "lat": latitude,
    "lon": longitude,
    "radius_km": _radius,
    "origin": place_ref,
    "bbox": bounding_box,
    "sort": _sort,
    "page": _page,
    "age": _age,
    "open_at": instant,
    "visits": visited,
    "accepts_new": _flag,
    "explain": _flag,
}


SINGLE = tuple(_READERS)
"""Parameters given at most once."""
REPEATED = ("code", "where", "within", *(key.value for key in FacetKey))
"""Parameters that may be given several times."""
NAMES = frozenset([*SINGLE, *REPEATED])
"""Every parameter that a search takes."""


def _read(name: str, reader: Callable[[str], Any], value: str, errors: dict[str, str]) -> Any:
    try:
        return reader(value)
    except ValueError as error:
        errors.setdefault(name, str(error))
        return None


def _distinct(
    name: str, values: list[str], reader: Callable[[str], Any], most: int, errors: dict[str, str]
) -> tuple[Any, ...]:
    if len(values) > most:
        errors[name] = f"Trop de valeurs ({most} au plus)."
        return ()
    read = (_read(name, reader, value, errors) for value in values)
    return tuple(dict.fromkeys(value for value in read if value is not None))


def parse_query(params: Iterable[tuple[str, str]], *, ignore: frozenset[str] = frozenset()) -> SearchQuery:
    """Read the parameters of a request (`request.query_params.multi_items()`).

    An empty value counts as absent, as a form sends it. `ignore` names parameters of the caller's own.

    Raises:
        InvalidInput: with one French message per refused parameter.
    """
    given: dict[str, list[str]] = {}
    for name, value in params:
        if name not in ignore and value.strip(" ") != "":
            given.setdefault(name, []).append(value)
        elif name not in ignore:
            given.setdefault(name, [])
    errors: dict[str, str] = {}
    for name in given.keys() - NAMES:
        errors[name[:40]] = "Ce paramètre est inconnu."
    values: dict[str, Any] = {}
    for name in SINGLE:
        found = given.get(name, [])
        if len(found) > 1:
            errors[name] = ONCE
        elif found and (value := _read(name, _READERS[name], found[0], errors)) is not None:
            values[name] = value
    facets: dict[FacetKey, tuple[str, ...]] = {}
    for key in FacetKey:

        def reader(value: str, key: FacetKey = key) -> str:
            return facet_value(key, value)

        if ticked := _distinct(key.value, given.get(key, []), reader, MAX_VALUES, errors):
            facets[key] = ticked
    where = _distinct("where", given.get("where", []), place_ref, MAX_WHERE, errors)
    within = _distinct("within", given.get("within", []), place_group, MAX_WITHIN, errors)
    codes = _distinct("code", given.get("code", []), code_ref, MAX_CODES, errors)
    lat, lon = values.pop("lat", None), values.pop("lon", None)
    if (lat is None) != (lon is None) and not {"lat", "lon"} & errors.keys():
        errors["lon" if lon is None else "lat"] = "Un point a une latitude et une longitude."
    centred = lat is not None or any(ref.kind in CENTRE_KINDS for ref in where)
    if "radius_km" in values and not centred and not errors:
        errors["radius_km"] = "Un rayon demande un centre : une commune, un code postal ou un point."
    if errors:
        detail = "Certains paramètres sont incorrects : " + " ; ".join(f"{k} : {v}" for k, v in errors.items())
        raise InvalidInput(detail, fields=errors)
    values["q"] = values.get("q") or None
    point = Point(lat=lat, lon=lon) if lat is not None and lon is not None else None
    return SearchQuery(codes=codes, where=where, within=within, point=point, facets=facets, **values)


def query_params(query: SearchQuery) -> list[tuple[str, str]]:
    """Return the canonical parameters of a query: what its shareable address is made of."""
    pairs: list[tuple[str, str]] = []

    def add(name: str, value: object) -> None:
        if value is not None and value != "":
            pairs.append((str(name), str(value)))

    add("q", query.q)
    add("scope", query.scope)
    for code in query.codes:
        add("code", code)
    for ref in query.where:
        add("where", ref_text(ref))
    for group in query.within:
        add("within", ",".join(map(ref_text, group)))
    if query.point is not None:
        add("lat", query.point.lat)
        add("lon", query.point.lon)
    add("radius_km", f"{query.radius_km:g}" if query.radius_km is not None else None)
    add("origin", ref_text(query.origin) if query.origin else None)
    if query.bbox is not None:
        box = query.bbox
        add("bbox", f"{box.west:.6f},{box.south:.6f},{box.east:.6f},{box.north:.6f}")
    for key in FacetKey:
        for value in query.facets.get(key, ()):
            add(key, value)
    add("age", query.age)
    add("open_at", local(query.open_at).strftime("%Y-%m-%dT%H:%M") if query.open_at else None)
    add("visits", query.visits)
    add("accepts_new", "1" if query.accepts_new else None)
    add("sort", query.sort if query.sort is not Sort.distance else None)
    add("page", query.page if query.page > 1 else None)
    add("explain", "1" if query.explain else None)
    return pairs
