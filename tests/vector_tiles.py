"""Vector tiles as GDAL reads them."""

import json
import math
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

MVT = "application/vnd.mapbox-vector-tile"


def decode(body: bytes, layer: str, z: int, x: int, y: int) -> list[dict[str, Any]]:
    """Return the features of a tile's layer, in degrees; an empty tile has none."""
    if not body:
        return []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tile.mvt"
        path.write_bytes(body)
        command = ["ogr2ogr", "-f", "GeoJSON", "/vsistdout/", f"MVT:{path}", layer, "-t_srs", "EPSG:4326"]
        for name, value in (("X", x), ("Y", y), ("Z", z), ("CLIP", "NO")):
            command += ["-oo", f"{name}={value}"]
        done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    features: list[dict[str, Any]] = json.loads(done.stdout)["features"]
    return features


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Return the column and row of the tile that holds a point."""
    side = 2**z
    sine = math.sin(math.radians(lat))
    row = (0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)) * side
    return math.floor((lon + 180) / 360 * side), math.floor(row)
