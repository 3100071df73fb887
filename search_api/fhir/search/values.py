"""Values of FHIR search parameters: what a caller wrote, read once, without a word about tables.

Times without an offset are those of Paris, as everything that people read here. A partial date or a number stands
for all that its precision leaves open: `2026-03` is a month, `18` goes from 17.5 to 18.5.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from core.clock import PARIS
from search_api.engine import LatLon
from search_api.fhir.search.refusals import Refused

LONGEST: Final = 500
"""Characters of one value."""
MOST_VALUES: Final = 500
"""Values that one parameter may give, separated by commas."""
PREFIXES: Final = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Token:
    """`system|code`, `|code` (no system: an empty text), `code` (any system: None), `system|` (any code: None)."""

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Text:
    """What a string parameter looks for."""

    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """A date with its prefix: from `low`, included, to `high`, excluded; both UTC."""

    prefix: str
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its prefix; `low`, included, and `high`, excluded, are what its precision leaves open."""

    prefix: str
    value: Decimal
    low: Decimal
    high: Decimal
    system: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference: the type, when it is said, and the logical id; None when it cannot be one of ours."""

    type: str | None
    id: UUID | None


@dataclass(frozen=True, slots=True)
class Disc:
    """A centre and a radius."""

    centre: LatLon
    metres: float


Value = Token | Text | Span | Amount | Ref | Disc


def checked(name: str, value: str, longest: int = LONGEST) -> str:
    """Return a value that PostgreSQL can hold, with composed accents.

    Raises:
        Refused: too long, or a character that no text of ours has.
    """
    if len(value) > longest:
        raise Refused(f"Une valeur est trop longue ({longest} caractères au plus).", name, code="too-long")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise Refused("Une valeur contient un caractère de commande, ou qui n’existe pas : retapez-la.", name)
    return unicodedata.normalize("NFC", value)


def split(value: str, mark: str) -> list[str]:
    """Return the parts of a value between marks that no backslash precedes; the parts keep their backslashes."""
    parts, part, escaped = [], "", False
    for char in value:
        if char == mark and not escaped:
            parts.append(part)
            part = ""
        else:
            part += char
        escaped = char == "\\" and not escaped
    return [*parts, part]


def plain(part: str) -> str:
    r"""Return a part without the backslashes of `\,`, `\|`, `\$` and `\\`."""
    return re.sub(r"\\([,|$\\])", r"\1", part)


def token(name: str, value: str) -> Token:
    """Read a token; several bars are part of the code, as some identifiers have."""
    system, *rest = split(checked(name, value), "|")
    if not rest:
        return Token(None, plain(system).strip())
    code = plain("|".join(rest)).strip()
    if not code and not system:
        raise Refused("Un code s’écrit système|code, |code ou code.", name)
    return Token(plain(system).strip(), code or None)


def string(name: str, value: str) -> Text:
    """Read a text."""
    return Text(plain(checked(name, value)))


def _prefixed(value: str) -> tuple[str, str]:
    return (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)


def date(name: str, value: str) -> Span:
    """Read a date, whole or partial, after its prefix.

    Raises:
        Refused: it is not one, or no calendar has it.
    """
    prefix, text = _prefixed(checked(name, value).strip())
    # A « + » that was not percent-encoded arrives as a space.
    found = _DATE.fullmatch(re.sub(r" (\d\d:\d\d)$", r"+\1", text))
    try:
        if found is None:
            raise ValueError
        return Span(prefix, *_bounds(found.groups()))
    except ValueError:
        raise Refused(
            "Une date s’écrit AAAA, AAAA-MM, AAAA-MM-JJ ou AAAA-MM-JJThh:mm:ss+01:00, après un préfixe "
            f"({', '.join(PREFIXES)}) s’il en faut un.",
            name,
        ) from None


def _bounds(parts: tuple[str | None, ...]) -> tuple[datetime, datetime]:
    year, month, day, hour, minute, second, fraction, zone = parts
    civil = (int(year or 0), int(month or 1), int(day or 1))
    micros = int((fraction or "0").ljust(6, "0")[:6])
    low = datetime(*civil, int(hour or 0), int(minute or 0), int(second or 0), micros)
    try:
        if hour is None:
            following = _following(low, month, day)
            return _utc(low, None), _utc(following, None)
        start = _utc(low, zone)
        step = timedelta(microseconds=10 ** (6 - min(len(fraction), 6))) if fraction else None
        return start, start + (step or timedelta(seconds=1) if second is not None else timedelta(minutes=1))
    except OverflowError:
        return (_utc(low, None), _LAST) if low.year > 1 else (_FIRST, _FIRST)


def _following(low: datetime, month: str | None, day: str | None) -> datetime:
    if day is not None:
        return low + timedelta(days=1)
    if month is not None:
        return low.replace(year=low.year + low.month // 12, month=low.month % 12 + 1) if low < _DECEMBER else _END
    return low.replace(year=low.year + 1) if low.year < _END.year else _END


_END: Final = datetime.max
_DECEMBER: Final = datetime(9999, 12, 1)


def _utc(instant: datetime, zone: str | None) -> datetime:
    if zone is not None and zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        if hours > 14 or minutes > 59:
            raise ValueError("no such offset")
        shift = timedelta(hours=hours, minutes=minutes)
        return (instant - shift if zone[0] == "+" else instant + shift).replace(tzinfo=UTC)
    return instant.replace(tzinfo=UTC if zone == "Z" else PARIS).astimezone(UTC)


def amount(name: str, value: str) -> Amount:
    """Read a number, or a quantity (`18||a`, `18|http://unitsofmeasure.org|a`), after its prefix.

    Raises:
        Refused: it is not one.
    """
    number, *unit = split(checked(name, value).strip(), "|")
    prefix, text = _prefixed(number.strip())
    try:
        if not _NUMBER.fullmatch(text) or len(unit) not in (0, 2):
            raise InvalidOperation
        exact = Decimal(text)
        exponent = exact.as_tuple().exponent
        assert isinstance(exponent, int)  # noqa: S101 - a number that is finite
        half = Decimal(5).scaleb(exponent - 1)
    except InvalidOperation:
        raise Refused(
            "Un nombre est attendu, après un préfixe s’il en faut un, avant |système|unité s’il y en a une "
            "(par exemple ge18 ou 18|http://unitsofmeasure.org|a).",
            name,
        ) from None
    system, code = (plain(part).strip() for part in unit) if unit else ("", "")
    return Amount(prefix, exact, exact - half, exact + half, system, code)


def reference(name: str, value: str, base: str) -> Ref:
    """Read `Type/id`, `id` or an absolute address; one of another server finds nothing here."""
    text = plain(checked(name, value)).strip()
    if "://" in text:
        if not text.startswith(f"{base}/"):
            return Ref(None, None)
        text = text.removeprefix(f"{base}/")
    parts = text.split("/")
    if len(parts) == 4 and parts[2] == "_history":
        parts = parts[:2]
    return Ref(parts[0] if len(parts) == 2 else None, uuid(parts[-1]) if len(parts) <= 2 else None)


def uuid(text: str) -> UUID | None:
    """Return a logical id, or None when it cannot be one of ours."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    # Other spellings of the same number are other logical ids.
    return found if str(found) == text else None
