"""Settings of the search and of its pages."""

from pathlib import Path

from core.settings import RepereSettings, load


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
    """`REPERE_SYNONYMS` names a synonyms file in place of the product's own."""

    synonyms: Path | None = None


def search_settings() -> SearchSettings:
    """Return the settings of the search."""
    settings: SearchSettings = load(SearchSettings)
    return settings


class CoverageSettings(RepereSettings):
    """`REPERE_COVERAGE_DAYS`: how long reports are kept; `REPERE_COVERAGE_WAITING`: how many may wait at once."""

    coverage_days: int = 30
    coverage_waiting: int = 20


def coverage_settings() -> CoverageSettings:
    """Return the settings of the coverage reports."""
    settings: CoverageSettings = load(CoverageSettings)
    return settings
