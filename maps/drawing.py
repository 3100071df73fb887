"""Maps: contours, sketches, clusters, tiles and pages, of anything that has a place."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy.typing as npt
import pandas as pd
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from maps import areas as _areas
from maps import clusters as _clusters
from maps import outlines as _outlines
from maps import sketch as _sketch
from maps import tilejson as _tilejson
from maps import tiles as _tiles
from maps.clusters import Cluster
from maps.report import MapText, Measure
from maps.sketch import Sketch
from maps.tiles import Tile


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
