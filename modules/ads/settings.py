"""Settings of the ads."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from core.settings import RepereSettings, load


class AdsSettings(RepereSettings):
    """How ads live (`REPERE_ADS_…`)."""

    model_config = SettingsConfigDict(env_prefix="REPERE_ADS_", frozen=True, extra="ignore")

    escalate_days: int = Field(
        default=5, ge=1, le=365, description="Days after which an ad that nobody read goes up to the national level."
    )
    digest_hour: int = Field(
        default=8, ge=0, le=23, description="Hour, in Paris, from which moderators are told each day of what waits."
    )
    draft_days: int = Field(
        default=365, ge=30, le=3650, description="Days after which a draft that nobody touched is deleted."
    )
    closed_days: int = Field(
        default=730, ge=30, le=3650, description="Days after which an ad that is no longer shown is deleted."
    )


def ads_settings() -> AdsSettings:
    """Return the settings of the ads."""
    settings: AdsSettings = load(AdsSettings)
    return settings
