"""The work of a report, in a request or in a task: read, measure, draw, keep the files, then write the row.

It may be done twice without harm: the files are named by their content, and the first that finishes is kept.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, files
from core.db import unit_of_work, was_stopped
from core.errors import DomainError
from directory.api import PUBLIC, concept_index
from maps.api import contours
from search_api import service as search
from search_api.addresses import Pair
from search_api.coverage import figures, nearest, queries, service, writing
from search_api.coverage import question as questions
from search_api.coverage.question import Question
from search_api.engine import EngineQuery
from search_api.schemas import BBox
from search_api.settings import map_settings

log = structlog.get_logger("repere.coverage")

FAILED: Final = "Une erreur inattendue a arrêté le calcul ; elle a été consignée. Vous pouvez le relancer."
TOO_LONG: Final = "Le calcul demandait trop de temps à la base de données. Vous pouvez le relancer, ou choisir un \
territoire plus petit."
MARGIN_DEGREES: Final = 0.5
"""How far around the territory the nearest is first looked for."""
SURE_M: Final = 30_000.0
"""Less than the margin in metres at the latitudes where people live: what is found nearer is the nearest."""
MINUTES: Final = 10
"""What the database may take for one statement of a country's report."""

Advance = Callable[[int], Awaitable[None]]


async def carry_out(uid: uuid.UUID) -> None:
    """Establish a report, unless it is ready or in other hands; whatever happens, its row says how it ended."""
    async with unit_of_work() as session:
        claimed = await service.claim(session, uid)
    if claimed is None:
        return

    async def advance(progress: int) -> None:
        async with unit_of_work() as session:
            await service.advance(session, uid, progress)

    try:
        report = await _measure(*claimed, advance)
        named = await _write(report, advance)
    except DomainError as error:
        await _fail(uid, error.detail)
        return
    except DBAPIError as error:
        if not was_stopped(error):
            await _fail(uid, FAILED)
            raise
        log.warning("coverage_time_limit", report=str(uid))
        await _fail(uid, TOO_LONG)
        return
    except Exception:
        await _fail(uid, FAILED)
        raise
    async with unit_of_work() as session:
        await service.finish(session, uid, report.summary, named)


async def _fail(uid: uuid.UUID, reason: str) -> None:
    async with unit_of_work() as session:
        await service.fail(session, uid, reason)


async def _measure(pairs: list[Pair], zone: list[str], advance: Advance) -> writing.Report:
    asked = await asyncio.to_thread(questions.read, pairs, zone)
    async with unit_of_work() as session:
        # Counts, positions and visits must be those of one instant.
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        await session.execute(text(f"SET LOCAL statement_timeout = '{MINUTES}min'"))
        query, counts = await _counts(session, asked)
        await advance(20)
        everywhere = replace(query, boundaries=frozenset())
        places = [row.place for row in await session.execute(queries.visited(everywhere))]
        await advance(30)
        near, points = await _nearest(session, asked, everywhere)
        await advance(50)
        shapes = await contours(session, [commune.id for commune in asked.communes])
        concepts = await concept_index(session)
        asked_at = await clock.now(session)
    await advance(65)
    what = questions.what_label(asked.query, concepts)
    base = map_settings()

    def computed() -> writing.Report:
        visited = figures.visited_units(asked.communes, places)
        frame = figures.table(asked.communes, figures.by_unit(asked.communes, counts), visited, near, points)
        return writing.Report(
            title=f"{what} · {asked.where}",
            what=what,
            where=asked.where,
            asked_at=asked_at,
            frame=frame,
            summary=figures.summary(frame, zone=questions.zone_labels(asked.query.zone)),
            shapes=shapes,
            tiles_url=base.tiles_url,
            tiles_attribution=base.tiles_attribution,
        )

    return await asyncio.to_thread(computed)


async def _counts(session: AsyncSession, asked: Question) -> tuple[EngineQuery, dict[int, figures.Count]]:
    """Return the query that the search would make of the question, and its counts by commune in the territory."""
    prepared = await search.prepare(session, asked.query, PUBLIC)
    query = prepared.query
    found = await _by_commune(session, query)
    if not found and prepared.reading.loose:
        # As the search does: words that find nothing together are read each on its own.
        loose = replace(query, terms=prepared.reading.loose)
        if again := await _by_commune(session, loose):
            return loose, again
    return query, found


async def _by_commune(session: AsyncSession, query: EngineQuery) -> dict[int, figures.Count]:
    rows = await session.execute(queries.by_commune(query))
    return {row.commune_id: figures.Count(row.offers, row.sites, row.visiting) for row in rows}


async def _nearest(
    session: AsyncSession, asked: Question, everywhere: EngineQuery
) -> tuple[nearest.Nearest, nearest.Points]:
    """Measure to the nearest site anywhere: around the territory first, in the whole country where that is not sure."""
    lon = np.array([np.nan if one.lon is None else one.lon for one in asked.communes])
    lat = np.array([np.nan if one.lat is None else one.lat for one in asked.communes])
    known = np.isfinite(lon) & np.isfinite(lat)
    if known.any() and asked.place.kind in ("epci", "departement", "territory"):
        box = BBox(
            west=max(-180.0, float(lon[known].min()) - MARGIN_DEGREES),
            south=max(-90.0, float(lat[known].min()) - MARGIN_DEGREES),
            east=min(180.0, float(lon[known].max()) + MARGIN_DEGREES),
            north=min(90.0, float(lat[known].max()) + MARGIN_DEGREES),
        )
        points = await _points(session, replace(everywhere, bbox=box))
        found = await asyncio.to_thread(nearest.nearest, lon, lat, points)
        if (found.metres[known] <= SURE_M).all():
            return found, points
    points = await _points(session, everywhere)
    return await asyncio.to_thread(nearest.nearest, lon, lat, points), points


async def _points(session: AsyncSession, query: EngineQuery) -> nearest.Points:
    rows = (await session.execute(queries.positions(query))).all()
    return nearest.Points(
        lon=np.array([row[0] for row in rows], dtype=np.float64),
        lat=np.array([row[1] for row in rows], dtype=np.float64),
        exact=np.array([row[2] for row in rows], dtype=np.bool_),
        commune=np.array([-1 if row[3] is None else row[3] for row in rows], dtype=np.int64),
    )


async def _write(report: writing.Report, advance: Advance) -> dict[str, str]:
    """Make the files one after the other, each in a thread, and keep them; return what names them."""
    frame, measures = await asyncio.to_thread(writing.classes, report)
    makers: list[tuple[str, int, Callable[[], bytes]]] = [
        ("rows", 70, lambda: writing.rows(report)),
        ("geojson", 78, lambda: writing.geojson(report, frame, measures)),
        ("html", 88, lambda: writing.html(report, frame, measures)),
        ("xlsx", 98, lambda: writing.excel(report)),
    ]
    named: dict[str, str] = {}
    for kind, progress, make in makers:
        named[kind] = await asyncio.to_thread(_kept, make)
        await advance(progress)
    return named


def _kept(make: Callable[[], Any]) -> str:
    return files.put(make())
