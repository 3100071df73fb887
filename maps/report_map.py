"""Reports as maps: any frame of shapes drawn by folium as one page that needs nothing else, and asks nothing of anyone.

folium names thirteen addresses of others for its scripts and styles: here Leaflet, installed with the pages, is
written into the page itself, and nothing else is needed. Names and figures never pass through a template: they are
written as JSON that no HTML parser can leave, and drawn as text.
"""

import base64
import html
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import folium
import orjson
import pandas as pd
import shapely
from branca.element import Figure
from folium.template import Template

from core.errors import Unavailable
from core.ui.assets import vendor_folder
from maps.report import UNKNOWN_FILL, MapText, Measure

STATIC: Final = Path(__file__).parent / "static"
CANVAS_FROM: Final = 3_000
"""Shapes beyond which one canvas is drawn instead of as many SVG elements."""
_IMAGE = re.compile(r"url\(\"?(images/[\w.-]+)\"?\)")
_VIEWPORT = re.compile(r'<meta name="viewport"[^>]*/>')
_HOLLOW = {"type": "FeatureCollection", "features": []}
_HOLE = '{"features": [], "type": "FeatureCollection"}'
"""What folium writes of a collection without features: where ours is put."""


class _Page(Figure):
    """The page around folium's map: language, title, legend and notes; values are escaped here, once."""

    _template = Template(
        """<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<title>{{ this.text.title|e }}</title>
<style>{{ this.css }}</style>
<script>{{ this.leaflet }}</script>
{{ this.header.render(**kwargs) }}
</head>
<body>
<header>
<h1>{{ this.text.title|e }}</h1>
<p>{{ this.text.subtitle|e }}</p>
</header>
<main>
<div class="map" role="region" aria-label="Carte">{{ this.html.render(**kwargs) }}</div>
<section class="legend" aria-label="Légende">
{% if this.measures|length > 1 %}<fieldset><legend>Colorer par</legend>
{% for measure in this.measures %}<label><input type="radio" name="measure" value="{{ loop.index0 }}"
{%- if loop.first %} checked{% endif %}> {{ measure.title|e }}</label>
{% endfor %}</fieldset>{% endif %}
{% for measure in this.measures %}<div data-legend="{{ loop.index0 }}"{% if not loop.first %} hidden{% endif %}>
<h2>{{ measure.title|e }}</h2>
<ul>{% for one in measure.classes %}<li data-fill="{{ one.fill|e }}" data-ink="{{ one.ink|e }}">{{ one.label|e }}</li>
{% endfor %}<li data-fill="{{ this.unknown }}" data-ink="#15211f">{{ this.text.unknown|e }}</li></ul>
</div>
{% endfor %}</section>
<noscript><p>Cette carte demande JavaScript.</p></noscript>
</main>
<footer>
{% for note in this.text.notes %}<p>{{ note|e }}</p>
{% endfor %}<p>{{ this.text.source|e }}</p>
</footer>
<script>{{ this.script.render(**kwargs) }}
{{ this.drawing }}
reportMap({{ this.map_name }}, {{ this.layer_name }}, {{ this.config }});
</script>
</body>
</html>
"""
    )

    def __init__(self, text: MapText, measures: Sequence[Measure]) -> None:
        super().__init__()
        self.text, self.measures, self.unknown = text, measures, UNKNOWN_FILL
        self.css = _leaflet_css() + (STATIC / "report_map.css").read_text(encoding="utf-8")
        self.leaflet = _leaflet_js()
        self.drawing = (STATIC / "report_map.js").read_text(encoding="utf-8")
        self.map_name = self.layer_name = self.config = ""


def draw(
    frame: pd.DataFrame, measures: Sequence[Measure], fields: Mapping[str, str], text: MapText, *, name: str = "name"
) -> str:
    """Return a page that holds the whole map: scripts, styles, shapes and figures.

    Args:
        frame: a row per shape: `geometry` (shapely, WGS84; a point is drawn as a disc, None not at all), the
            name, the classes of the measures, and the fields as they should read.
        measures: at least one; the first is shown, the others are a choice away.
        fields: column → label of what a shape says when it is pointed at, in order.
        text: what stands around the map.
        name: the column that names a shape.

    Raises:
        Unavailable: Leaflet is not installed.
    """
    drawn = frame[frame["geometry"].notna()]
    page = _Page(text, measures)
    west, south, east, north = text.bounds
    board = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        zoom_start=8,
        tiles=None,
        control_scale=False,
        zoom_control=False,
        prefer_canvas=len(drawn) > CANVAS_FROM,
        max_zoom=16,
        min_zoom=3,
    )
    # Names of variables that follow from nothing but the page: the same figures make the same file.
    board._id = "report"
    board.default_js, board.default_css = [], []
    if text.tiles_url:
        layer = folium.TileLayer(text.tiles_url, attr=html.escape(text.tiles_attribution) or " ", control=False)
        layer._id = "tiles"
        layer.add_to(board)
    shapes = folium.GeoJson(_HOLLOW, smooth_factor=0.5, marker=folium.CircleMarker(radius=7))
    shapes._id = "shapes"
    shapes.add_to(board)
    page.add_child(board)
    page.map_name, page.layer_name = board.get_name(), shapes.get_name()
    page.config = _script_json(
        {
            "bounds": [[south, west], [north, east]],
            "attribution": html.escape(text.attribution),
            "unknown": UNKNOWN_FILL,
            "fields": list(fields.values()),
            "fills": [[one.fill for one in measure.classes] for measure in measures],
            "tiles": bool(text.tiles_url),
            "dense": len(drawn) > CANVAS_FROM,
        }
    )
    written: str = page.render()
    if written.count(_HOLE) != 1:
        raise RuntimeError("folium no longer writes an empty collection as it did")
    written = _VIEWPORT.sub('<meta name="viewport" content="width=device-width, initial-scale=1">', written)
    return written.replace(_HOLE, _script_json(_collection(drawn, measures, fields, name)))


def _collection(
    frame: pd.DataFrame, measures: Sequence[Measure], fields: Mapping[str, str], name: str
) -> dict[str, object]:
    geometries = shapely.to_geojson(frame["geometry"].to_numpy(dtype=object))
    names = frame[name].tolist()
    texts = list(zip(*(frame[column].tolist() for column in fields), strict=True)) if fields else [()] * len(frame)
    classes = list(zip(*(frame[measure.column].tolist() for measure in measures), strict=True))
    features = [
        {
            "type": "Feature",
            "geometry": orjson.Fragment(geometry),
            "properties": {"name": names[row], "fields": texts[row], "classes": classes[row]},
        }
        for row, geometry in enumerate(geometries)
    ]
    return {"type": "FeatureCollection", "features": features}


def _script_json(value: object) -> str:
    """Write a value so that it can stand in a script: no text of it can end the script or begin a comment."""
    written = orjson.dumps(value).decode()
    for char in "<>&\u2028\u2029":
        written = written.replace(char, f"\\u{ord(char):04x}")
    return written


def _vendor(path: str) -> bytes:
    try:
        return (vendor_folder() / "leaflet" / path).read_bytes()
    except FileNotFoundError:
        raise Unavailable("Leaflet n’est pas installé : relancez « ./repere install ».") from None


def _text(path: str) -> str:
    # Browsers read a line end as « \n », and hash what they read.
    return _vendor(path).decode().replace("\r\n", "\n")


@cache
def _leaflet_js() -> str:
    script = _text("leaflet.js")
    return re.sub(r"//# sourceMappingURL=.*", "", script).replace("</script", "<\\/script")


@cache
def _leaflet_css() -> str:
    def embedded(found: re.Match[str]) -> str:
        image = base64.b64encode(_vendor(found[1])).decode()
        return f"url(data:image/png;base64,{image})"

    return _IMAGE.sub(embedded, _text("leaflet.css"))
