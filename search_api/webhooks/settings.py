"""Settings of the webhooks."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from core.settings import RepereSettings, load


class WebhookSettings(RepereSettings):
    """How programs are told of changes (`REPERE_WEBHOOKS_…`)."""

    model_config = SettingsConfigDict(env_prefix="REPERE_WEBHOOKS_", frozen=True, extra="ignore")

    every_seconds: int = Field(default=10, ge=1, le=3600, description="Least time between two notices to an address.")
    local: bool = Field(
        default=False, description="Also write to this machine itself, in clear: for trials, never in a real service."
    )


def webhook_settings() -> WebhookSettings:
    """Return the settings of the webhooks."""
    settings: WebhookSettings = load(WebhookSettings)
    return settings
