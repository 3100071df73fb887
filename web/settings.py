"""Settings of the legal pages: who publishes the site, who hosts it, whom to write to."""

from core.settings import RepereSettings, load


class SiteSettings(RepereSettings):
    """What the law asks a site to say of its publisher (`REPERE_PUBLISHER`, `REPERE_HOST_NAME`, …)."""

    publisher: str = ""
    host_name: str = ""
    contact_email: str = ""


def site_settings() -> SiteSettings:
    """Return the settings of the legal pages."""
    settings: SiteSettings = load(SiteSettings)
    return settings
