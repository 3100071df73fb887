"""Places in memory: what requests ask of them, in process."""

import asyncio
import contextlib
import gc
from collections.abc import Collection, Iterable

import psycopg

from maps import areas as _areas
from maps import store as _store
from maps import suggest as _suggest
from maps import text as _text
from maps.schemas import PlaceHit


async def warm() -> None:
    """Read the places in a thread, so that the first request does not wait; call it at start-up.

    A database that does not answer yet is no reason not to start: the first use will read them.
    """
    with contextlib.suppress(psycopg.Error):
        await asyncio.to_thread(_suggest.warm)
        # Hundreds of thousands of lasting objects: the collector must not walk them during a request.
        gc.collect()
        gc.freeze()


async def ready() -> None:
    """Have the places in memory before they are used in a request; waits, in a thread, at the first use only.

    Raises:
        psycopg.OperationalError: first use, and the database cannot be reached.
    """
    if not _store.in_memory():
        await asyncio.to_thread(_store.current)


def invalidate() -> None:
    """Make the next use look at the database first: for tests that empty or fill the tables themselves."""
    _store.invalidate()


def places_version() -> str:
    """Return the mark of the places in use; it changes when they do (for validators and caches)."""
    return _store.current().token


def suggest(
    text: str, limit: int = 10, kinds: Collection[str] | None = None, within: Collection[int] | None = None
) -> list[PlaceHit]:
    """Return the places that answer what a person typed, best first: by match, population, then id.

    Understands names without accents, hyphens, apostrophes or articles, "st" for "saint", one or two typing
    errors, the start of a postal code, an INSEE code, a département by name or number. In process, about a
    millisecond; the empty text gives an empty list.

    Args:
        text: as typed, whole or unfinished; cut at 100 characters.
        limit: how many at most.
        kinds: only these (all by default), among `KINDS`.
        within: keys of places; only these and what lies in any of them.
    """
    return _suggest.suggest(text, limit, kinds, within)


def resolve_ref(kind: str, code: str = "") -> PlaceHit | None:
    """Return the place that a reference names, or None.

    Args:
        kind: one of `KINDS`, or the name used in `where`: `cp`, `france`. `commune` also finds municipal
            arrondissements (75112), delegated communes, former codes and Saint-Martin under its old 97127.
        code: INSEE code, SIREN, number, postal code …; ignored for `france`.
    """
    places = _store.current()
    row = places.find(kind, code)
    return None if row is None else places.hit(row)


def place_by_id(place_id: int) -> PlaceHit | None:
    """Return the place that has this key, or None."""
    places = _store.current()
    row = places.by_id.get(place_id)
    return None if row is None else places.hit(row)


def names_of(place_id: int) -> tuple[str, str | None] | None:
    """Return the name of the place that has this key and that of its département, or None; for lists of addresses."""
    places = _store.current()
    row = places.by_id.get(place_id)
    return None if row is None else (places.names[row], places.departement_name(row))


def containers_of(place_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """Return, for each place, the keys of all that contains it (EPCI, département, région, France, territories …).

    The place itself is not among them. In SQL, the same stands in `maps.place_containment`
    (`PlaceContainment`): `place_id` lies in `container_id`, transitively.
    """
    return _store.containers_of(_store.current(), place_ids)


def members_of(place_id: int) -> frozenset[int]:
    """Return the keys of the places that lie in a place: the communes of a territory, of an EPCI …"""
    return _store.members_of(_store.current(), place_id)


def communes_of(place_id: int) -> list[PlaceHit]:
    """Return the communes that lie in a place, by code, each piece of land once.

    An arrondissement of Paris, Lyon or Marseille is a part of its commune: it comes only where the place holds
    it without the commune, as a territory may.
    """
    return _areas.communes_of(_store.current(), place_id)


def normal_name(text: str) -> str:
    """Return the words of a town's name in one spelling: "ST GERMAIN S/ MORIN CEDEX" → "saint germain sur morin"."""
    return _text.normal_name(text)
