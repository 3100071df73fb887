"""A territory drawn as a small standalone SVG, for paper: its places, what lies around, the site, the largest towns."""

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

import shapely
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from maps.schemas import REF_NAMES

WIDTH, HEIGHT = 680, 400
"""Size of the drawing, in its own units."""
LABELS: Final = 12
"""Names written at most."""
AROUND: Final = 900
"""Neighbours drawn at most."""
TOWNS_UNTIL: Final = 0.9
"""Degrees of latitude up to which the neighbours are communes; départements beyond."""
FARTHEST: Final = 8.0
"""Degrees from the middle of the drawing beyond which a place is left out: the sea would be all that one sees."""
_SMALLEST: Final = 0.05
_MARGIN: Final = 0.12
_FILL, _EDGE, _GREY, _GREY_EDGE, _INK, _SITE = "#b9d9da", "#0b5a60", "#f3f4f4", "#d5dcdb", "#1c2526", "#9a3d0a"
_TEXT: Final = 13

_CHOSEN = """
    SELECT p.id, p.kind, p.name, p.population, ST_AsBinary(p.contour) AS shape,
           ST_X(p.point::geometry) AS lon, ST_Y(p.point::geometry) AS lat
      FROM maps.place p
     WHERE (kind, code) IN (SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:codes AS text[])))
     ORDER BY p.id
"""
_NEAR = """
    SELECT id, ST_AsBinary(contour) AS shape FROM maps.place
     WHERE kind = :kind AND retired_at IS NULL AND contour && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
       AND NOT id = ANY(:chosen)
     ORDER BY id LIMIT :most
"""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Sketch:
    """A drawing: the SVG, the names of the places shown, largest first, and how many are left out as too far."""

    svg: str
    names: tuple[str, ...]
    beyond: int


@dataclass(frozen=True, slots=True)
class _Shape:
    id: int
    name: str
    population: int
    shape: Any
    lon: float
    lat: float


class _Frame:
    """From degrees to the drawing: equirectangular around its middle, which is true enough for a territory."""

    def __init__(self, box: Box) -> None:
        west, south, east, north = box
        self.stretch = math.cos(math.radians((south + north) / 2))
        lon, lat = (west + east) / 2, (south + north) / 2
        span_x = max((east - west) * self.stretch, _SMALLEST) * (1 + 2 * _MARGIN)
        span_y = max(north - south, _SMALLEST) * (1 + 2 * _MARGIN)
        self.scale = min(WIDTH / span_x, HEIGHT / span_y)
        half_x, half_y = WIDTH / 2 / self.scale / self.stretch, HEIGHT / 2 / self.scale
        self.box: Box = (lon - half_x, lat - half_y, lon + half_x, lat + half_y)

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        west, _, _, north = self.box
        return (lon - west) * self.stretch * self.scale, (north - lat) * self.scale

    def path(self, shape: Any) -> str:
        rings = []
        for polygon in shapely.get_parts(shape):
            if polygon.geom_type != "Polygon":
                continue
            for ring in (polygon.exterior, *polygon.interiors):
                points = " ".join("{:.1f},{:.1f}".format(*self.at(lon, lat)) for lon, lat in ring.coords)
                rings.append(f"M{points}Z")
        return "".join(rings)


async def sketch(
    session: AsyncSession, refs: Sequence[tuple[str, str]], point: tuple[float, float] | None
) -> Sketch | None:
    """Return the drawing of a territory. See `maps.api.sketch`."""
    # A sheet names an arrondissement as the commune that people take it for.
    pairs = [*refs, *(("arrondissement", code) for kind, code in refs if kind == "commune")]
    values = {"kinds": [REF_NAMES.get(kind, kind) for kind, _ in pairs], "codes": [code for _, code in pairs]}
    chosen = [
        _Shape(
            row.id,
            row.name,
            row.population,
            shapely.from_wkb(bytes(row.shape)) if row.shape is not None else None,
            row.lon,
            row.lat,
        )
        for row in await session.execute(text(_CHOSEN), values)
    ]
    kept, box = await asyncio.to_thread(_near_enough, chosen, point)
    if box is None:
        return None
    frame = _Frame(box)
    west, south, east, north = frame.box
    kind = "commune" if north - south <= TOWNS_UNTIL else "departement"
    rows = await session.execute(
        text(_NEAR),
        {
            "kind": kind,
            "west": west,
            "south": south,
            "east": east,
            "north": north,
            "chosen": [shape.id for shape in kept],
            "most": AROUND,
        },
    )
    around = [bytes(row.shape) for row in rows]
    svg, names = await asyncio.to_thread(_draw, frame, kept, around, point)
    return Sketch(svg, names, len(chosen) - len(kept))


def _near_enough(chosen: Sequence[_Shape], point: tuple[float, float] | None) -> tuple[list[_Shape], Box | None]:
    """Return the places that one drawing can show, and the box that holds them."""

    def boxes(shapes: Iterable[_Shape]) -> list[Box]:
        found: list[Box] = []
        for one in shapes:
            if one.shape is not None:
                found.append(tuple(one.shape.bounds))
            elif one.lon is not None:
                found.append((one.lon, one.lat, one.lon, one.lat))
        return found

    placed = [one for one in chosen if one.shape is not None or one.lon is not None]
    if not placed:
        return [], None
    lat, lon = point or _middle(placed[0])
    kept = [one for one in placed if math.dist((lat, lon), _middle(one)) <= FARTHEST]
    edges = boxes(kept) + ([(lon, lat, lon, lat)] if point and kept else [])
    if not edges:
        return [], None
    west, south, east, north = zip(*edges, strict=True)
    return kept, (min(west), min(south), max(east), max(north))


def _middle(one: _Shape) -> tuple[float, float]:
    if one.lon is not None:
        return one.lat, one.lon
    west, south, east, north = one.shape.bounds
    return (south + north) / 2, (west + east) / 2


def _simplified(shapes: Sequence[Any], tolerance: float) -> list[Any]:
    if not shapes:
        return []
    # As one coverage: a border that two communes share stays one line.
    return list(shapely.coverage_simplify(shapes, tolerance))


def _draw(
    frame: _Frame, chosen: Sequence[_Shape], around: Sequence[bytes], point: tuple[float, float] | None
) -> tuple[str, tuple[str, ...]]:
    tolerance = 0.7 / frame.scale
    drawn = [one for one in chosen if one.shape is not None]
    near = list(shapely.from_wkb(around)) if around else []
    simple = _simplified([*(one.shape for one in drawn), *near], tolerance)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<g fill="{_GREY}" stroke="{_GREY_EDGE}" stroke-width="0.8" stroke-linejoin="round">',
        *(f'<path d="{path}"/>' for shape in simple[len(drawn) :] if (path := frame.path(shape))),
        f'</g><g fill="{_FILL}" fill-opacity="0.75" stroke="{_EDGE}" stroke-width="1.2" stroke-linejoin="round">',
        *(f'<path d="{path}"/>' for shape in simple[: len(drawn)] if (path := frame.path(shape))),
    ]
    for one in chosen:
        if one.shape is None:
            x, y = frame.at(one.lon, one.lat)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
    parts.append("</g>")
    largest = sorted(chosen, key=lambda one: (-one.population, one.id))
    parts += _site(frame, point)
    parts += _names(frame, largest, point)
    parts += _ruler(frame)
    parts.append("</svg>")
    return "".join(parts), tuple(one.name for one in largest)


def _site(frame: _Frame, point: tuple[float, float] | None) -> list[str]:
    if point is None:
        return []
    x, y = frame.at(point[1], point[0])
    return [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{_SITE}" stroke="#ffffff" stroke-width="2"/>']


def _names(frame: _Frame, largest: Sequence[_Shape], point: tuple[float, float] | None) -> list[str]:
    taken: list[Box] = [(0, HEIGHT - 30, 170, HEIGHT)]
    if point is not None:
        x, y = frame.at(point[1], point[0])
        taken.append((x - 8, y - 8, x + 8, y + 8))
    found: list[str] = []
    for one in largest:
        if len(found) == LABELS:
            break
        lat, lon = _middle(one)
        x, y = frame.at(lon, lat)
        half = len(one.name) * _TEXT * 0.29
        for below in (0, -16, 18):
            box = (x - half, y + below - 9, x + half, y + below + 6)
            inside = box[0] >= 2 and box[2] <= WIDTH - 2 and box[1] >= 2 and box[3] <= HEIGHT - 2
            free = all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in taken)
            if inside and free:
                taken.append(box)
                found.append(
                    f'<text x="{x:.1f}" y="{y + below + 4:.1f}" text-anchor="middle" font-family="Inter"'
                    f' font-size="{_TEXT}" fill="{_INK}" stroke="#ffffff" stroke-width="3" stroke-linejoin="round"'
                    f' paint-order="stroke">{escape(one.name)}</text>'
                )
                break
    return found


def _ruler(frame: _Frame) -> list[str]:
    kilometre = frame.scale / 111.2
    length = max((km for km in (1, 2, 5, 10, 20, 50, 100, 200) if km * kilometre <= 120), default=1)
    end, y = 14 + length * kilometre, HEIGHT - 12
    return [
        f'<path d="M14,{y - 4}V{y}H{end:.1f}V{y - 4}" fill="none" stroke="{_INK}" stroke-width="1.2"/>',
        f'<text x="{end + 6:.1f}" y="{y + 1}" font-family="Inter" font-size="11" fill="{_INK}" stroke="#ffffff"'
        f' stroke-width="3" paint-order="stroke">{length}\u00a0km</text>',
    ]
