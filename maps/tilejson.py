"""TileJSON 3.0: what a map needs to know of a layer before it asks for tiles."""

from collections.abc import Mapping
from typing import Any


def document(
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
    """Return the TileJSON of a layer. See `maps.api.tilejson`."""
    first, last = zooms
    return {
        "tilejson": "3.0.0",
        "name": title,
        "description": description or title,
        "attribution": attribution,
        "scheme": "xyz",
        "tiles": [f"{base}/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt" + (f"?{query}" if query else "")],
        "minzoom": first,
        "maxzoom": last,
        "bounds": list(bounds),
        "vector_layers": [
            {"id": layer, "description": title, "minzoom": first, "maxzoom": last, "fields": dict(fields)}
        ],
    }
