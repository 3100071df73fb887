"""From ids to FHIR JSON: a few statements for a batch, whatever its size, and no reading for each resource.

Resources share their parts (codes, places, profiles): whoever wants to change a resource copies it first.

A version is the instant of the last change, in microseconds, and a digest of what the caller may read. The instant
grows, and names the parent whose change brings a resource back; the digest makes the version change with anything else
that a resource says (the label of a code, the name of a commune), and with nothing that it does not say.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Caller
from directory.api import concept_index
from maps.api import ready
from search_api.fhir import offers, places, registers, rows
from search_api.fhir.codes import Codes, Json, codes_of
from search_api.fhir.kinds import KINDS, KINDS_OF_TYPE, RESOURCE_TYPES, Kind
from search_api.fhir.systems import PROFILES

__all__ = ["KINDS", "KINDS_OF_TYPE", "RESOURCE_TYPES", "Kind", "lines", "prepare", "render", "stamped"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNVERSIONED: Final = b'"versionId":""'
_MICRO: Final = timedelta(microseconds=1)
_MAKERS: Final[Mapping[Kind, Callable[[rows.Batch, Codes], dict[int, Json]]]] = {
    "legal_entity": registers.legal_entities,
    "site": registers.sites,
    "location": registers.locations,
    "practitioner": registers.practitioners,
    "role": registers.roles,
    "offer": offers.offers,
}
_PROFILES: Final = {kind: [PROFILES[name]] for kind, name in RESOURCE_TYPES.items()}


async def render(
    session: AsyncSession, kind: Kind, ids: Sequence[int], caller: Caller, *, within: float = 0.0
) -> dict[int, dict[str, Any]]:
    """Return the resources of internal ids, by id, in the order given; what the caller may not read is left out.

    Args:
        session: any session, a `reading` as well.
        kind: one of `KINDS`.
        ids: internal ids of that kind's rows; a location has the id of its site.
        caller: who reads.
        within: see `prepare`.
    """
    if not ids:
        return {}
    codes = await prepare(session, within=within)
    batch = await rows.read(session, kind, ids, caller)
    made = {one: resource for one, resource, _ in _stamped(kind, batch, codes)}
    return {one: made[one] for one in ids if one in made}


async def prepare(session: AsyncSession, *, within: float = 0.0) -> Codes:
    """Return the codes in force, with the places in memory: what `rows.read` and `lines` then need.

    `within` is how long, in seconds, labels may be those of before; whoever gives a position must have those of now,
    since what came before it is told no more.
    """
    await ready()
    places.refresh()
    return codes_of(await concept_index(session, within=within))


def lines(kind: Kind, batch: rows.Batch, codes: Codes) -> list[bytes]:
    """Return the resources of a batch as lines of NDJSON, by internal id; meant for a thread."""
    found = []
    for one, resource, written in _stamped(kind, batch, codes):
        version = f'"versionId":"{resource["meta"]["versionId"]}"'.encode()
        # Written once without its version, which is made of what was written.
        found.append((one, written.replace(_UNVERSIONED, version, 1)))
    return [line for _, line in sorted(found)]


def _stamped(kind: Kind, batch: rows.Batch, codes: Codes) -> Iterator[tuple[int, Json, bytes]]:
    """Give the id of each row, its resource, and its JSON but for the version."""
    for one, body in _MAKERS[kind](batch, codes).items():
        yield one, *_whole(kind, body, batch.moments[one], batch.towns[one])


def stamped(kind: Kind, body: Json, at: datetime, commune: int | None) -> Json:
    """Return a resource of which `body` holds the id and what it says: with its type and `meta`, version included.

    Args:
        kind: one of `KINDS`.
        body: `id` and elements; it is used up.
        at: when it last changed.
        commune: the place where it stands, whose région is the source of the data.
    """
    return _whole(kind, body, at, commune)[0]


def _whole(kind: Kind, body: Json, at: datetime, commune: int | None) -> tuple[Json, bytes]:
    meta: Json = {"versionId": "", "lastUpdated": at.isoformat(), "profile": _PROFILES[kind]}
    if (town := places.town(commune)) is not None and town.tags:
        meta["tag"] = town.tags
    resource = {"resourceType": RESOURCE_TYPES[kind], "id": body.pop("id"), "meta": meta} | body
    written = orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE)
    meta["versionId"] = f"{(at - _EPOCH) // _MICRO}-{blake2b(written, digest_size=5).hexdigest()}"
    return resource, written
