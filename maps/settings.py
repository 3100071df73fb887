"""Settings of the location index."""

from core.settings import RepereSettings, load


class MapsSettings(RepereSettings):
    """`REPERE_PLACES_REFRESH` turns the monthly refresh on; `REPERE_PLACES_URL` names the API."""

    places_refresh: bool = False
    places_url: str = "https://geo.api.gouv.fr"


def maps_settings() -> MapsSettings:
    """Return the settings of the location index."""
    settings: MapsSettings = load(MapsSettings)
    return settings
