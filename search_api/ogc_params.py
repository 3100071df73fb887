"""From the parameters of an OGC request to what it asks, with a French message for each one that is refused.

The standard answers 400 to a parameter that it does not know or cannot read, where the rest of the API says 422.
"""

import math
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from core.errors import DomainError
from directory.api import PUBLIC
from search_api.ogc_collections import Collection
from search_api.params import ONCE
from search_api.schemas import BBox

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_CRS: Final = {CRS84, "http://www.opengis.net/def/crs/OGC/0/CRS84h"}
PAGE: Final = 100
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(?:(\d{2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?(Z|[+-]\d{2}:?\d{2})?)?)?", re.I)
_FORMS = {
    "commune": re.compile(r"\d{5}|2[AB]\d{3}"),
    "code": re.compile(r"\d{5}|2[AB]\d{3}"),
    "departement": re.compile(r"\d{2,3}|2[AB]"),
    "profession": re.compile(r"(?:G15\|)?[A-Za-z0-9]{1,10}"),
    "category": re.compile(r"(?:R66\|)?[A-Za-z0-9]{1,10}"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of a collection. `boxes` are united; `since` ≤ modification < `before`.

    `level` and `zone` are those of the caller, whatever the parameters.
    """

    boxes: tuple[BBox, ...] = ()
    since: datetime | None = None
    before: datetime | None = None
    values: tuple[tuple[str, str], ...] = ()
    limit: int = PAGE
    after: str | None = None
    hits: bool = False
    level: int = PUBLIC
    zone: frozenset[int] | None = None


def refused(fields: dict[str, str]) -> DomainError:
    """Return the error that says which parameters are wrong (400)."""
    detail = "Certains paramètres sont incorrects : " + " ; ".join(f"{k} : {v}" for k, v in fields.items())
    return DomainError(detail, fields=fields)


def only_format(params: Iterable[tuple[str, str]]) -> None:
    """Refuse the parameters of an address that takes none but the format.

    Raises:
        DomainError: there is another, or another format (400).
    """
    _read(params, {"f": _format}, "Ce paramètre est inconnu.")


def _numbers(value: str) -> list[float]:
    try:
        found = [float(part) for part in value.split(",")]
    except ValueError:
        raise ValueError("Quatre ou six nombres sont attendus : ouest,sud,est,nord.") from None
    if len(found) not in (4, 6) or not all(map(math.isfinite, found)):
        raise ValueError("Quatre ou six nombres sont attendus : ouest,sud,est,nord.")
    return found


def boxes(value: str) -> tuple[BBox, ...]:
    """Read a bbox of four numbers, or six with heights, which nothing here has; two boxes across the antimeridian.

    Raises:
        ValueError: with a French message.
    """
    found = _numbers(value)
    if len(found) == 6:
        west, south, low, east, north, high = found
        if low > high:
            raise ValueError("Le bas doit précéder le haut.")
    else:
        west, south, east, north = found
    if not (-180 <= west <= 180 and -180 <= east <= 180):
        raise ValueError("La longitude va de -180 à 180 degrés.")
    if not (-90 <= south <= 90 and -90 <= north <= 90):
        raise ValueError("La latitude va de -90 à 90 degrés.")
    if south > north:
        raise ValueError("Le sud doit précéder le nord.")
    if west <= east:
        return (BBox(west=west, south=south, east=east, north=north),)
    return (
        BBox(west=west, south=south, east=180.0, north=north),
        BBox(west=-180.0, south=south, east=east, north=north),
    )


def _instant(text: str) -> tuple[datetime, datetime]:
    """Return the start and the end of what a date or an instant covers: a day, or a second."""
    found = _INSTANT.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        day, hour, zone = found.groups()
        if hour is None:
            start = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
            return start, start + _DAY
        # Without a zone, the instant is UTC: the standard asks for one, some clients leave it out.
        start = datetime.fromisoformat(f"{day}T{hour}{'+00:00' if zone is None or zone in 'zZ' else zone}")
        return start.astimezone(UTC), start.astimezone(UTC) + _SECOND
    except (ValueError, OverflowError):
        raise ValueError(
            "Un instant ou un intervalle est attendu, par exemple 2026-11-01T00:00:00Z/2026-11-28T00:00:00Z, "
            "ou 2026-11-01T00:00:00Z/.."
        ) from None


def interval(value: str) -> tuple[datetime | None, datetime | None]:
    """Read the parameter `datetime`: an instant, a date, or an interval with one or both ends open.

    Raises:
        ValueError: with a French message.
    """
    # A « + » that was not percent-encoded arrives as a space.
    first, slash, last = re.sub(r" (?=\d{2}:?\d{2}(/|$))", "+", value).partition("/")
    if not slash:
        return _instant(first)
    since = None if first.strip() in ("", "..") else _instant(first)[0]
    before = None if last.strip() in ("", "..") else _instant(last)[1]
    if since is not None and before is not None and since >= before:
        raise ValueError("Le début de l’intervalle doit précéder sa fin.")
    return since, before


def _limit(collection: Collection) -> Callable[[str], int]:
    def read(value: str) -> int:
        digits = value.lstrip("0") if re.fullmatch(r"[0-9]+", value) else ""
        if not digits:
            most = collection.largest
            raise ValueError(f"Un entier à partir de 1 est attendu ; {most} objets au plus sont donnés à la fois.")
        # Python refuses to read numbers of thousands of digits.
        return collection.most if len(digits) > 9 else min(int(digits), collection.most)

    return read


def _crs(value: str) -> str:
    if value not in _CRS:
        raise ValueError(f"Seul {CRS84} est servi : longitude puis latitude, en degrés.")
    return value


def _format(value: str) -> str:
    # Clients that know other servers ask for what the standard leaves to each.
    if value != "json":
        raise ValueError("Seul « json » est servi.")
    return value


def _result_type(value: str) -> bool:
    if value not in ("results", "hits"):
        raise ValueError("« results » ou « hits » est attendu.")
    return value == "hits"


def commune_code(value: str) -> str | None:
    """Return a commune's code as it is written in the directory; None when it has not the form of one."""
    code = value.strip().upper()
    return code if _FORMS["code"].fullmatch(code) else None


def _after(collection: Collection) -> Callable[[str], str]:
    def read(value: str) -> str:
        try:
            if collection.id != "communes":
                return str(uuid.UUID(value))
            if (code := commune_code(value)) is not None:
                return code
            raise ValueError
        except ValueError:
            raise ValueError("Suivez le lien « next » tel qu’il est donné.") from None

    return read


def _filter(collection: Collection, name: str) -> Callable[[str], str]:
    known = next(one for one in collection.filters if one.name == name)

    def read(value: str) -> str:
        if known.values:
            if value not in known.values:
                raise ValueError(f"Valeur inconnue (valeurs : {', '.join(known.values)}).")
            return value
        text = value.strip()
        text = text.upper() if name in ("commune", "code", "departement") else text
        if not _FORMS[name].fullmatch(text):
            raise ValueError(f"Cette valeur n’a pas la forme attendue, par exemple {known.example}.")
        return text

    return read


def _read(
    params: Iterable[tuple[str, str]], readers: Mapping[str, Callable[[str], Any]], unknown: str
) -> dict[str, Any]:
    errors: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, value in params:
        if name not in readers:
            errors[name[:40]] = unknown
        elif name in values or name in errors:
            errors[name] = ONCE
        else:
            try:
                values[name] = readers[name](value)
            except ValueError as error:
                errors[name] = str(error)
    if errors:
        raise refused(errors)
    return values


def parse(collection: Collection, params: Iterable[tuple[str, str]]) -> Asked:
    """Read the parameters of `…/items`.

    Raises:
        DomainError: with one French message per refused parameter (400).
    """
    readers: dict[str, Callable[[str], Any]] = {
        "bbox": boxes,
        "bbox-crs": _crs,
        "datetime": interval,
        "limit": _limit(collection),
        "after": _after(collection),
        "resultType": _result_type,
        "f": _format,
        **{one.name: _filter(collection, one.name) for one in collection.filters},
    }
    values = _read(params, readers, f"Ce paramètre est inconnu (paramètres : {', '.join(readers)}).")
    since, before = values.get("datetime", (None, None))
    return Asked(
        boxes=values.get("bbox", ()),
        since=since,
        before=before,
        values=tuple((one.name, values[one.name]) for one in collection.filters if one.name in values),
        limit=values.get("limit", PAGE),
        after=values.get("after"),
        hits=values.get("resultType", False),
    )
