"""Settings of mails: the server that takes them, who they come from, how long they are kept."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from core.settings import RepereSettings, core_settings, load


class MailSettings(RepereSettings):
    """`REPERE_SMTP_URL`, `REPERE_MAIL_FROM`, `REPERE_MAIL_DAYS`, and the contact that answers are sent to."""

    smtp_url: SecretStr = SecretStr("")
    mail_from: str = ""
    contact_email: str = ""
    mail_days: int = Field(default=90, ge=1, description="Days after which the content of a mail is erased.")

    @property
    def configured(self) -> bool:
        """Whether a server was named."""
        return bool(self.smtp_url.get_secret_value().strip())

    @property
    def kept_here(self) -> bool:
        """Whether mails stay in the mailbox of the demonstration instead of leaving."""
        return core_settings().demo and not self.configured


def mail_settings() -> MailSettings:
    """Return the settings of mails."""
    settings: MailSettings = load(MailSettings)
    return settings


def public_host() -> str:
    """Return the name of the machine in the public address."""
    return urlsplit(core_settings().public_url).hostname or "localhost"
