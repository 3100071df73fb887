"""Vector tiles (MVT): any Select drawn as a layer, and the layers of places."""

import math
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import InvalidInput
from maps.models import Place
from maps.schemas import PlaceKind

LAST_ZOOM: Final = 22
EXTENT: Final = 4096
"""Units of a tile's side."""
BUFFER: Final = 64
"""Units drawn around a tile, so that the stroke of a contour does not show where tiles meet."""
SHAPE: Final = "shape"
"""Column of a Select that is drawn; the others become attributes."""
SCREEN: Final = 1024
"""Pixels that a tile is drawn on, on a dense screen: contours are simplified to about one of them."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the web map: zoom, column from the west, row from the north."""

    z: int
    x: int
    y: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees; neighbours share the very same numbers."""
        return self._longitude(self.x), self._latitude(self.y + 1), self._longitude(self.x + 1), self._latitude(self.y)

    def around(self, units: int = BUFFER) -> tuple[float, float, float, float]:
        """The bounds with a margin."""
        margin = units / EXTENT
        east, south = self._longitude(self.x + 1 + margin), self._latitude(self.y + 1 + margin)
        return self._longitude(self.x - margin), south, east, self._latitude(self.y - margin)

    def _longitude(self, column: float) -> float:
        return max(-180.0, min(180.0, column * (360 / (1 << self.z)) - 180))

    def _latitude(self, row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / (1 << self.z)))))


def tile_at(z: int, x: int, y: int, first_zoom: int = 0) -> Tile:
    """Return a tile of the web map.

    Raises:
        InvalidInput: no such zoom for the layer, or no such tile at this zoom.
    """
    if not first_zoom <= z <= LAST_ZOOM:
        message = f"Le zoom de cette couche va de {first_zoom} à {LAST_ZOOM}."
        raise InvalidInput(message, fields={"z": message})
    last = 2**z - 1
    wrong = {name: value for name, value in (("x", x), ("y", y)) if not 0 <= value <= last}
    if wrong:
        message = f"Au zoom {z}, les tuiles vont de 0 à {last}."
        raise InvalidInput(message, fields=dict.fromkeys(wrong, message))
    return Tile(z, x, y)


async def draw(session: AsyncSession, shapes: Select[Any], layer: str, at: Tile, *, clip: bool = True) -> bytes:
    """Return a Select drawn as the one layer of a tile. See `maps.api.tile`."""
    rows = shapes.subquery("rows")
    inside = func.ST_TileEnvelope(at.z, at.x, at.y)
    drawn = select(
        func.ST_AsMVTGeom(func.ST_Transform(rows.c[SHAPE], 3857), inside, EXTENT, BUFFER, clip).label(SHAPE),
        *(column for column in rows.c if column.key != SHAPE),
    ).subquery("drawn")
    encoded = select(func.ST_AsMVT(literal_column("drawn.*"), layer, EXTENT, SHAPE)).select_from(drawn)
    return bytes(await session.scalar(encoded.where(drawn.c[SHAPE].is_not(None))) or b"")


@dataclass(frozen=True, slots=True)
class PlaceLayer:
    """A layer of contours: the kind of place that it draws, its zooms, its attributes with what they say."""

    kind: PlaceKind
    title: str
    first_zoom: int
    last_zoom: int
    fields: dict[str, str]


_FIELDS: Final = {"code": "Code INSEE", "name": "Nom", "population": "Habitants"}

LAYERS: Final = {
    "departements": PlaceLayer("departement", "Départements", 0, 12, _FIELDS),
    "communes": PlaceLayer("commune", "Communes", 7, 14, {**_FIELDS, "departement": "Numéro du département"}),
}
"""`last_zoom` is where contours have all their detail: a map draws its tiles larger beyond."""


def contours(layer: PlaceLayer, at: Tile) -> Select[Any]:
    """Select the contours that a tile of a layer shows, simplified to a pixel."""
    tolerance = 360 / 2**at.z / SCREEN
    columns: list[Any] = [Place.code, Place.name, Place.population]
    if layer.kind == "commune":
        columns.append(Place.departement_code.label("departement"))
    return (
        select(func.ST_SimplifyPreserveTopology(Place.contour, tolerance).label(SHAPE), *columns)
        .where(
            Place.kind == layer.kind,
            Place.retired_at.is_(None),
            Place.contour.op("&&", is_comparison=True)(func.ST_MakeEnvelope(*at.around(), 4326)),
        )
        .order_by(Place.id)
    )
