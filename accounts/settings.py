"""Settings of accounts."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from core.settings import RepereSettings, load


class AccountSettings(RepereSettings):
    """How long people stay signed in."""

    sign_in_hours: int = Field(default=12, ge=1, le=168, description="Longest life of a sign-in.")
    sign_in_idle_minutes: int = Field(default=120, ge=5, le=1440, description="Rest after which a sign-in ends.")


class ClientSettings(RepereSettings):
    """What programs may ask of the API (`REPERE_API_…`)."""

    model_config = SettingsConfigDict(env_prefix="REPERE_API_", frozen=True, extra="ignore")

    anonymous_per_minute: int = Field(
        default=600, ge=0, description="Requests a minute of a network whose programs show no key; 0 without limit."
    )
    pages_per_minute: int = Field(
        default=12_000,
        ge=0,
        description="Requests a minute of the site's own pages open in a network; 0 without limit.",
    )
    token_minutes: int = Field(default=60, ge=1, le=1440, description="Life of an access token.")
    keys_local: bool = Field(
        default=False,
        description="Also read keys of clients on this machine, in clear: for trials, never in a real service.",
    )


class PscSettings(RepereSettings):
    """How to reach Pro Santé Connect; without its three first values, nobody is offered to sign in by it."""

    model_config = SettingsConfigDict(env_prefix="REPERE_PSC_", frozen=True, extra="ignore")

    issuer: str | None = Field(default=None, description="Issuer, exactly as its discovery document names it.")
    client_id: str | None = None
    client_secret: SecretStr | None = None
    discovery_url: str | None = Field(
        default=None, description="Address of the discovery document, when it is not the issuer's usual one."
    )
    cards: Path | None = Field(
        default=None, description="File of the cards that the provider of the demonstration offers."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _nothing(cls, value: object) -> object:
        # A compose file passes the variables that nobody gave as empty texts.
        return None if value == "" else value

    @property
    def offered(self) -> bool:
        """Tell whether people may sign in by Pro Santé Connect."""
        return bool(self.issuer and self.client_id and self.client_secret)

    @property
    def discovery(self) -> str:
        """Where the discovery document is read."""
        return self.discovery_url or f"{(self.issuer or '').rstrip('/')}/.well-known/openid-configuration"


def account_settings() -> AccountSettings:
    """Return the settings of accounts."""
    settings: AccountSettings = load(AccountSettings)
    return settings


def client_settings() -> ClientSettings:
    """Return what programs may ask of the API."""
    settings: ClientSettings = load(ClientSettings)
    return settings


def psc_settings() -> PscSettings:
    """Return how to reach Pro Santé Connect."""
    settings: PscSettings = load(PscSettings)
    return settings
