"""Settings of the search and of its pages."""

from pathlib import Path
from typing import Literal

from core.settings import RepereSettings, core_settings, load


class MapSettings(RepereSettings):
    """Basemap of the pages; with no address, the contours of the location index are drawn instead."""

    tiles_url: str = ""
    tiles_attribution: str = ""


def map_settings() -> MapSettings:
    """Return the settings of the basemap.

    `REPERE_TILES_URL` is a raster address with {z}, {x} and {y}; its host must allow being shown.
    """
    settings: MapSettings = load(MapSettings)
    return settings


class SearchSettings(RepereSettings):
    """Engine, index and words of the search.

    `REPERE_SYNONYMS` names a synonyms file in place of the product's own, `REPERE_SEARCH_ENGINE` the engine,
    `REPERE_INDEX_FOLDER` where this node keeps its index (REPERE_HOME/index by default).
    """

    synonyms: Path | None = None
    index_folder: Path | None = None
    search_engine: Literal["columns", "postgis"] = "columns"


def search_settings() -> SearchSettings:
    """Return the settings of the search."""
    settings: SearchSettings = load(SearchSettings)
    return settings


COLUMNS, TEXTS = "columns", "texts"
"""Folders of the index: snapshots, names and words."""


def index_folder() -> Path:
    """Return where this node keeps its index: snapshots and texts."""
    return search_settings().index_folder or core_settings().home / "index"


class CoverageSettings(RepereSettings):
    """`REPERE_COVERAGE_DAYS`: how long reports are kept; `REPERE_COVERAGE_WAITING`: how many may wait at once."""

    coverage_days: int = 30
    coverage_waiting: int = 20


def coverage_settings() -> CoverageSettings:
    """Return the settings of the coverage reports."""
    settings: CoverageSettings = load(CoverageSettings)
    return settings


class ExportSettings(RepereSettings):
    """Bounds of the bulk exports of the feed.

    `REPERE_EXPORT_HOURS`: how long the files are kept; `REPERE_EXPORT_WAITING`: how many may wait at once in all;
    `REPERE_EXPORT_AT_ONCE`: how many are written at once; `REPERE_EXPORT_LINES`: resources of a file.
    """

    export_hours: int = 24
    export_waiting: int = 20
    export_at_once: int = 1
    export_lines: int = 100_000


def export_settings() -> ExportSettings:
    """Return the bounds of the bulk exports."""
    settings: ExportSettings = load(ExportSettings)
    return settings
