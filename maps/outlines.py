"""Contours and points as GeoJSON, for maps and the offline basemap."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import InvalidInput
from maps.schemas import REF_NAMES

MAX_FEATURES = 2_000
"""Contours in one answer."""
_DIGITS, _COARSE_DIGITS = 5, 3
"""Decimals of degrees in answers: about a metre, about 100 m when simplified by more than that."""

_FEATURES = """
    SELECT kind, code, name, population,
           ST_AsGeoJSON(CASE WHEN :tolerance > 0 THEN ST_SimplifyPreserveTopology(contour, :tolerance)
                             ELSE contour END, :digits)
      FROM maps.place p
     WHERE contour IS NOT NULL AND retired_at IS NULL AND {condition}
     ORDER BY kind, code
     LIMIT :most
"""


async def outline(session: AsyncSession, refs: Sequence[tuple[str, str]], *, tolerance: float = 0.0) -> dict[str, Any]:
    """Return the contours of places as a FeatureCollection. See `maps.api.outline`."""
    condition = "(kind, code) IN (SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:codes AS text[])))"
    values = {"kinds": [REF_NAMES.get(kind, kind) for kind, _ in refs], "codes": [code for _, code in refs]}
    return await _features(session, condition, values, tolerance)


async def communes_of(session: AsyncSession, departement: str, *, tolerance: float) -> dict[str, Any]:
    """Return the contours of the communes of a département."""
    condition = "kind = 'commune' AND departement_code = :departement"
    return await _features(session, condition, {"departement": departement}, tolerance)


async def _features(session: AsyncSession, condition: str, values: dict[str, Any], tolerance: float) -> dict[str, Any]:
    digits = _COARSE_DIGITS if tolerance > 0.002 else _DIGITS
    rows = await session.execute(
        text(_FEATURES.format(condition=condition)),
        {**values, "tolerance": tolerance, "digits": digits, "most": MAX_FEATURES + 1},
    )
    features = [
        {
            "type": "Feature",
            "id": f"{kind}:{code}",
            "properties": {"kind": kind, "code": code, "name": name, "population": population},
            "geometry": orjson.loads(shape),
        }
        for kind, code, name, population, shape in rows
    ]
    if len(features) > MAX_FEATURES:
        raise InvalidInput(
            f"Cette demande touche plus de {MAX_FEATURES} contours.", fields={"refs": "Demandez moins de lieux."}
        )
    return collection(features)


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
