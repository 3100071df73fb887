"""Settings of the directory."""

from core.settings import RepereSettings, core_settings, load

_INVENTED = "mssante.example.org"
"""Domain of the invented people of the demonstration."""


class DirectorySettings(RepereSettings):
    """`REPERE_MSSANTE_DOMAINS`: domains of the MSSanté space, separated by commas; their sub-domains count too."""

    mssante_domains: str = "mssante.fr,apicrypt.org"


def mssante_domains() -> tuple[str, ...]:
    """Return the domains whose addresses belong to the MSSanté space."""
    settings: DirectorySettings = load(DirectorySettings)
    given = tuple(domain.strip().lower() for domain in settings.mssante_domains.split(",") if domain.strip())
    return (*given, _INVENTED) if core_settings().demo else given
