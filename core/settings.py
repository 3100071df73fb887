"""Settings, read once from the environment (`REPERE_…`); each package declares its own class."""

from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class RepereSettings(BaseSettings):
    """Base of every settings class: environment variables prefixed `REPERE_`, immutable."""

    model_config = SettingsConfigDict(env_prefix="REPERE_", frozen=True, extra="ignore")


class CoreSettings(RepereSettings):
    """What the foundations need: where state lives, which services to talk to, which mode we run in."""

    home: Path = Path(".repere")
    files: Path | None = Field(
        default=None, description="Folder of the files that the application makes, when it is not HOME/files."
    )
    database_url: str = Field(
        default="postgresql+psycopg://repere@127.0.0.1:5432/repere",
        description="SQLAlchemy URL of the database; may go through a transaction pooler.",
    )
    database_direct_url: str | None = Field(
        default=None,
        description="URL that reaches PostgreSQL itself, for LISTEN, session locks and COPY.",
    )
    broker_url: str = "redis://127.0.0.1:6379/0"
    demo: bool = False
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="What signatures are made with; the same on every machine of a service."
    )
    public_url: str = "http://127.0.0.1:8000"
    statement_timeout_ms: int = 15_000
    lock_timeout_ms: int = 5_000
    pool_size: int = 8

    @property
    def direct_url(self) -> str:
        """SQLAlchemy URL that bypasses any pooler; the ordinary one when no other is given."""
        return self.database_direct_url or self.database_url


S = TypeVar("S", bound=RepereSettings)


@cache
def load(cls: type[S]) -> S:
    """Return the process-wide instance of a settings class.

    Raises:
        pydantic.ValidationError: a variable has a value of the wrong form.
    """
    return cls()


def core_settings() -> CoreSettings:
    """Return the settings of the foundations."""
    settings: CoreSettings = load(CoreSettings)
    return settings
