"""Contours and points as GeoJSON, for maps and the offline basemap."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

MAX_COMMUNES = 2_000
"""Contours of communes in one answer."""

_BY_REF = """
    SELECT p.kind, p.code, p.name,
           ST_AsGeoJSON(CASE WHEN :tolerance > 0 THEN ST_SimplifyPreserveTopology(p.contour, :tolerance)
                             ELSE p.contour END, 5)
      FROM maps.place p
      JOIN unnest(CAST(:kinds AS text[]), CAST(:codes AS text[])) AS r(kind, code)
        ON p.kind = r.kind AND p.code = r.code
     WHERE p.contour IS NOT NULL
     ORDER BY p.kind, p.code
     LIMIT :most
"""


async def outline(session: AsyncSession, refs: Sequence[tuple[str, str]], *, tolerance: float = 0.0) -> dict[str, Any]:
    """Return the contours of places as a FeatureCollection. See `maps.api.outline`."""
    rows = await session.execute(
        text(_BY_REF),
        {
            "kinds": [kind for kind, _ in refs],
            "codes": [code for _, code in refs],
            "tolerance": tolerance,
            "most": MAX_COMMUNES,
        },
    )
    return collection(
        {
            "type": "Feature",
            "id": f"{kind}:{code}",
            "properties": {"kind": kind, "code": code, "name": name},
            "geometry": orjson.loads(shape),
        }
        for kind, code, name, shape in rows
    )


def collection(features: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a GeoJSON FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features)}


def geojson(rows: Iterable[Mapping[str, Any]], *, lon: str = "lon", lat: str = "lat", id: str = "id") -> dict[str, Any]:
    """Return rows that have a longitude and a latitude as a FeatureCollection of points.

    Every other column becomes a property; rows without a position are left out. Works on mappings of a
    Select (`result.mappings()`) and on `frame.to_dict("records")`.
    """
    features = []
    for row in rows:
        x, y = row.get(lon), row.get(lat)
        if x is None or y is None or x != x or y != y:
            continue
        feature: dict[str, Any] = {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(float(x), 6), round(float(y), 6)]},
            "properties": {k: v for k, v in row.items() if k not in (lon, lat, id)},
        }
        if row.get(id) is not None:
            feature["id"] = str(row[id])
        features.append(feature)
    return collection(features)
