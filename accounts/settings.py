"""Settings of accounts."""

from pydantic import Field

from core.settings import RepereSettings, load


class AccountSettings(RepereSettings):
    """How long people stay signed in."""

    sign_in_hours: int = Field(default=12, ge=1, le=168, description="Longest life of a sign-in.")
    sign_in_idle_minutes: int = Field(default=120, ge=5, le=1440, description="Rest after which a sign-in ends.")


def account_settings() -> AccountSettings:
    """Return the settings of accounts."""
    settings: AccountSettings = load(AccountSettings)
    return settings
