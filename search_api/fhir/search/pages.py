"""Pages that follow one another by position, never by number: what comes or goes meanwhile moves nothing else.

The order always ends with the internal id, which never changes. With the default order no resource comes twice and
none that was there throughout is missed. With another one, the same holds of every resource whose sort value stayed
the same; one that changes between two pages stands, like its value, at its new place.

The position, the search and its total travel in a link that is signed for the level and the zone of its caller.
"""

import base64
import hmac
import json
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from accounts.api import Caller
from core.security import signature
from search_api.fhir.search.refusals import LostPage, Refused

NAME: Final = "_page"
KEPT: Final = timedelta(days=7)
"""How long a link leads to its page, at least."""
_PURPOSE: Final = "fhir page"
_SIGNED: Final = 40
_LOST = (
    "ce lien de page n’est pas valable : il a été modifié, ou il a été fait pour un autre appelant. Reprenez la "
    "recherche à sa première page."
)

Scalar = str | int | datetime | uuid.UUID


@dataclass(frozen=True, slots=True)
class Position:
    """The place of a resource in the order of a search: its sort values, then the rank of its table, then its id."""

    values: tuple[Scalar, ...]
    rank: int
    id: int


@dataclass(frozen=True, slots=True)
class Link:
    """A page: the search, the position that it begins after or, `back`, ends before, and the total told first."""

    type: str
    pairs: tuple[tuple[str, str], ...]
    position: Position
    back: bool
    total: int | None
    made: datetime


def made_at(now: datetime) -> datetime:
    """Return the end of the hour: links of one hour are the same, so that answers have the same validators."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _out(value: Scalar) -> Any:
    if isinstance(value, datetime):
        return {"t": value.astimezone(UTC).isoformat()}
    return {"u": str(value)} if isinstance(value, uuid.UUID) else value


def _in(value: Any) -> Scalar:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["t"]) if "t" in value else uuid.UUID(value["u"])
    assert isinstance(value, str | int)  # noqa: S101 - we signed it
    return value


def _signature(caller: Caller, body: str) -> str:
    return signature(_PURPOSE, "\0".join([str(caller.level), *sorted(caller.zone), body]))[:_SIGNED]


def write(link: Link, caller: Caller) -> str:
    """Return the text of a link, which only callers of the same level and zone can follow."""
    content = {
        "k": link.type,
        "q": link.pairs,
        "v": [_out(value) for value in link.position.values],
        "r": link.position.rank,
        "i": link.position.id,
        "b": int(link.back),
        "n": link.total,
        "m": int(link.made.timestamp()),
    }
    packed = zlib.compress(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(), 9)
    body = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return f"{body}.{_signature(caller, body)}"


def read(text: str, caller: Caller, type_: str, now: datetime) -> Link:
    """Return the page that a link leads to.

    Raises:
        Refused: it is not one of ours, or was made for another caller or another type.
        LostPage: it is too old.
    """
    body, _, signed = text.partition(".")
    if not text.isascii() or not hmac.compare_digest(signed, _signature(caller, body)):
        raise Refused(_LOST, NAME)
    content = json.loads(zlib.decompress(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))
    if content["k"] != type_:
        raise Refused(_LOST, NAME)
    made = datetime.fromtimestamp(content["m"], UTC)
    if now - made > KEPT:
        raise LostPage(
            f"ce lien de page a expiré : il valait {KEPT.days} jours. Reprenez la recherche à sa première page."
        )
    position = Position(tuple(map(_in, content["v"])), content["r"], content["i"])
    pairs = tuple((name, value) for name, value in content["q"])
    return Link(type_, pairs, position, bool(content["b"]), content["n"], made)


def link_of(pairs: Sequence[tuple[str, str]]) -> str | None:
    """Return the link among the parameters of a request; None when it is a first page.

    Raises:
        Refused: something else stands beside it than what a client adds to every address.
    """
    given = [value for name, value in pairs if name == NAME]
    if not given:
        return None
    if len(given) > 1 or any(name not in (NAME, "_format", "_pretty") for name, _ in pairs):
        raise Refused("Un lien de page se suit tel quel, sans autre paramètre.", NAME)
    return given[0]
