"""Settings of the Meilisearch engine."""

from pydantic import SecretStr

from core.settings import RepereSettings, load


class MeiliSettings(RepereSettings):
    """`REPERE_MEILI_URL` selects the engine; the key must allow indexes, documents, settings, tasks and searches.

    `REPERE_MEILI_INDEX` tells apart the instances that share a server.
    """

    meili_url: str = ""
    meili_key: SecretStr = SecretStr("")
    meili_index: str = "repere"


def meili_settings() -> MeiliSettings:
    """Return the settings of the Meilisearch engine."""
    settings: MeiliSettings = load(MeiliSettings)
    return settings


def configured() -> bool:
    """Tell whether a Meilisearch server was named."""
    return bool(meili_settings().meili_url)
