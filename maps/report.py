"""Reports as maps: what a map is told, its policy, classes of values; light, for `report_map` loads folium."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import pandas as pd

_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


UNKNOWN_FILL: Final = "#e3e6e5"
"""Colour of the shapes of which the measure is not known."""


@dataclass(frozen=True, slots=True)
class MapClass:
    """A class of values: what the legend says, its colour, and the colour of a text that stands on it."""

    label: str
    fill: str
    ink: str


@dataclass(frozen=True, slots=True)
class Measure:
    """Something to colour the shapes by. `column` holds the number of the class of each row, -1 for none."""

    key: str
    title: str
    column: str
    classes: tuple[MapClass, ...]


@dataclass(frozen=True, slots=True)
class MapText:
    """What the page says around the map. `bounds` is west, south, east, north in degrees: what is seen first."""

    title: str
    subtitle: str
    source: str
    attribution: str
    unknown: str
    bounds: tuple[float, float, float, float]
    notes: tuple[str, ...] = ()
    tiles_url: str = ""
    tiles_attribution: str = ""


def policy(page: str, tiles_url: str = "") -> str:
    """Return the Content-Security-Policy of such a page: its own scripts by their hash, and no one else's.

    Sandboxed: the page has no origin, hence no cookie, no storage and no request of its own.
    """

    def hashes(parts: re.Pattern[str]) -> str:
        digests = (hashlib.sha256(part.encode()).digest() for part in parts.findall(page))
        return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)

    images = "data:"
    if tiles_url:
        parts = urlsplit(tiles_url)
        # « {s} » stands for one of several hosts.
        images += f" {parts.scheme}://{parts.netloc.replace('{s}', '*')}"
    return (
        f"default-src 'none'; script-src {hashes(_SCRIPT)}; style-src {hashes(_STYLE)}; img-src {images}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts"
    )


def quantile_bounds(values: Sequence[float], most: int = 5) -> list[float]:
    """Return the upper bounds of classes that hold about as many values each, all of them values that exist.

    Fewer than `most` when many values are the same; none without values.
    """
    series = pd.Series(values, dtype="float64").dropna()
    if series.empty:
        return []
    cuts: Any = series.quantile([rank / most for rank in range(1, most + 1)], interpolation="higher")
    return sorted({float(cut) for cut in cuts})
