"""Use cases of the OGC API: pages of features, one feature, how many there are, how far they reach."""

import asyncio
import contextlib
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import time_limit
from core.errors import NotFound, Unavailable
from directory.api import ConceptIndex, concept_index
from maps.api import place_by_id
from search_api import ogc_queries as queries
from search_api.engines import engine
from search_api.hydrate import person
from search_api.ogc_collections import COMMUNES, SITES, Collection
from search_api.ogc_params import Asked, refused

SECONDS: Final = 5
"""Time limit of each statement of a page."""
COUNT_SECONDS: Final = 2
"""Time limit of a total: beyond, it is left out, as the standard allows."""
FRANCE: Final = (-178.2, -50.3, 172.1, 51.2)
"""Bounds told when nothing is loaded, or when reading them takes too long."""


@dataclass(frozen=True, slots=True)
class Page:
    """Features of a page; `next` is where the next one begins, `matched` the exact total or None when unknown."""

    features: list[dict[str, Any]]
    next: str | None
    matched: int | None
    reasons: list[str]


class _Facts:
    """The last totals and bounds of this process, by question and mark of the data; every page tells the total."""

    kept: OrderedDict[Hashable, Any] = OrderedDict()
    most: Final = 512

    @classmethod
    def keep(cls, key: Hashable, fact: Any) -> None:
        cls.kept[key] = fact
        while len(cls.kept) > cls.most:
            cls.kept.popitem(last=False)


async def _fact(session: AsyncSession, key: Hashable, read: Callable[[], Awaitable[Any]]) -> Any:
    """Return what is read once for each mark of the data; None when it took too long."""
    if key in _Facts.kept:
        _Facts.kept.move_to_end(key)
        return _Facts.kept[key]
    fact: Any = None
    with contextlib.suppress(Unavailable):
        async with session.begin_nested(), time_limit(session, COUNT_SECONDS):
            fact = await read()
    _Facts.keep(key, fact)
    return fact


async def _count(session: AsyncSession, collection: Collection, asked: Asked, mark: str) -> int | None:
    """Return the exact number of features that answer, or None when counting takes too long."""
    concepts = await concept_index(session)
    whole = replace(asked, limit=0, after=None, hits=False)

    async def read() -> int:
        query = queries.match_set(collection, whole, concepts)
        if query is not None:
            counts = await engine().count(session, query)
            return counts.sites if collection is SITES else counts.offers
        return int(await session.scalar(queries.count(collection, whole, concepts)) or 0)

    found: int | None = await _fact(session, (collection.id, whole, mark), read)
    return found


async def page(session: AsyncSession, collection: Collection, asked: Asked, mark: str, base: str) -> Page:
    """Return a page of features.

    Raises:
        DomainError: `after` names nothing (400).
        Unavailable: a statement reached its time limit.
    """
    concepts = await concept_index(session)
    reasons = queries.unknown_values(collection, asked, concepts)
    rows: list[Any] = []
    if not asked.hits:
        async with time_limit(session, SECONDS):
            start = await _start(session, collection, asked)
            rows = list(await session.execute(queries.page(collection, asked, concepts, start)))
    more = len(rows) > asked.limit
    # Ten thousand features take half a second of pure computation: it must not hold the other requests.
    features = await asyncio.to_thread(_features, collection, rows[: asked.limit], concepts, base)
    matched: int | None = len(features)
    if more or asked.after is not None or asked.hits:
        matched = await _count(session, collection, asked, mark)
    return Page(features, str(features[-1]["id"]) if more else None, matched, reasons)


def _features(collection: Collection, rows: list[Any], concepts: ConceptIndex, base: str) -> list[dict[str, Any]]:
    return [feature(collection, row, concepts, base) for row in rows]


async def _start(session: AsyncSession, collection: Collection, asked: Asked) -> int | None:
    if asked.after is None or collection is COMMUNES:
        return None
    found: int | None = await session.scalar(queries.rank(collection, asked.after))
    if found is None:
        raise refused({"after": "Suivez le lien « next » tel qu’il est donné."})
    return found


async def one(
    session: AsyncSession, collection: Collection, feature_id: str, asked: Asked, base: str
) -> dict[str, Any]:
    """Return a feature.

    Raises:
        NotFound: no such feature, or the caller may not see it.
    """
    statement = queries.one(collection, feature_id, asked)
    if statement is not None:
        async with time_limit(session, SECONDS):
            row = (await session.execute(statement)).one_or_none()
        if row is not None:
            return feature(collection, row, await concept_index(session), base)
    raise NotFound("Cet objet n’existe pas dans cette collection, ou plus.")


async def extent(session: AsyncSession, collection: Collection, mark: str) -> list[float]:
    """Return west, south, east, north of a collection; those of France when they are not known."""
    statement = queries.communes_extent() if collection is COMMUNES else queries.offers_extent()

    async def read() -> tuple[Any, ...]:
        return tuple((await session.execute(statement)).one())

    found = await _fact(session, ("extent", collection is COMMUNES, mark), read)
    known = found is not None and all(value is not None for value in found)
    return [round(float(value), 6) for value in (found if known else FRANCE)]


def _feature(feature_id: str | uuid.UUID, geometry: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": feature_id, "geometry": geometry, "properties": properties}


def feature(collection: Collection, row: Any, concepts: ConceptIndex, base: str) -> dict[str, Any]:
    """Return a row as a GeoJSON feature; ids and instants are left to `ogc_documents.dumps`."""
    if collection is COMMUNES:
        properties = {
            "code": row.code,
            "name": row.name,
            "population": row.population,
            "departement": row.departement_code,
            "postal_codes": " ".join(row.postal_codes),
        }
        return _feature(row.code, orjson.loads(row.shape), properties)
    point = None if row.lon is None else {"type": "Point", "coordinates": [round(row.lon, 6), round(row.lat, 6)]}
    own = _site(row, concepts) if collection is SITES else _offer(row, concepts)
    path = "sites" if collection is SITES else "offres"
    last = {"url": f"{base}/{path}/{row.uid}", "updated_at": row.updated_at}
    return _feature(row.uid, point, own | last)


def _labelled(name: str, ref: str | None, concepts: ConceptIndex) -> dict[str, Any]:
    return {name: ref, f"{name}_label": concepts.label(ref) if ref else None}


def _placed(row: Any) -> dict[str, Any]:
    place = place_by_id(row.commune_id) if row.commune_id is not None else None
    return {
        "postal_code": row.postal_code,
        "commune": place.code if place else None,
        "commune_name": place.name if place else None,
        "departement": place.departement if place else None,
        "exact": row.exact,
    }


def _site(row: Any, concepts: ConceptIndex) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        **_labelled("category", f"R66|{row.category}" if row.category else None, concepts),
        "finess": row.finess,
        "street": row.street,
        **_placed(row),
        "offers": row.offers,
    }


def _offer(row: Any, concepts: ConceptIndex) -> dict[str, Any]:
    kind = concepts.by_id.get(row.type_id) if row.type_id is not None else None
    return {
        "name": row.name,
        "kind": row.kind,
        **_labelled("type", kind.ref if kind else None, concepts),
        "practitioner": person(row.title, row.first_name, row.last_name),
        **_labelled("profession", f"G15|{row.profession}" if row.profession else None, concepts),
        "category": f"R66|{row.category}" if row.category else None,
        "site": row.site_uid,
        "site_name": row.site_name,
        **_placed(row),
        "age_min": row.age_min,
        "age_max": row.age_max,
        "accepts_new": row.accepts_new,
        "described": row.described,
    }
