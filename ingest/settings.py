"""Settings of ingestion: resources, downloads, guards."""

from functools import cache

from pydantic import Field

from core.settings import RepereSettings, load

DATAGOUV = "https://www.data.gouv.fr"


class IngestSettings(RepereSettings):
    """What an operator may change about ingestion, as `REPERE_INGEST_…` variables."""

    ingest_memory: str = Field(default="1000MB", description="Memory of duckdb; beyond it, it spills to disk.")
    ingest_threads: int = Field(default=2, ge=1, le=64)
    ingest_max_fall: float = Field(default=0.10, ge=0, le=1, description="Greatest fall of a register's rows.")
    ingest_max_bytes: int = Field(default=12_000_000_000, description="Largest uncompressed file that is read.")
    ingest_nightly: bool = Field(default=False, description="Download and load the registers every night.")
    ingest_nightly_hour: int = Field(default=3, ge=0, le=23, description="Local hour of the nightly load.")
    ingest_rpps_url: str = Field(
        default=f"{DATAGOUV}/api/1/datasets/annuaire-sante-extractions-des-donnees-en-libre-acces-des-"
        "professionnels-intervenant-dans-le-systeme-de-sante-rpps/",
        description="File, or data.gouv.fr dataset, of the RPPS extraction.",
    )
    ingest_rpps_pattern: str = r"fffda7e9-0ea2-4c35-bba0-4496f3af935d|personne[-_]activite"
    ingest_finess_url: str = Field(
        default=f"{DATAGOUV}/api/1/datasets/finess-structures-1/",
        description="File, or data.gouv.fr dataset, of the FINESS structures.",
    )
    ingest_finess_pattern: str = r"finess-structures-journalier"
    ingest_ameli_url: str = Field(
        default=f"{DATAGOUV}/api/1/datasets/68e51e04c4258097a201a3cc/",
        description="File, or data.gouv.fr dataset, of the AMELI liste-ps file.",
    )
    ingest_ameli_pattern: str = r"liste-ps"
    ingest_download_timeout: float = Field(default=60, gt=0, description="Seconds without a byte before a retry.")
    ingest_download_tries: int = Field(default=5, ge=1)


@cache
def ingest_settings() -> IngestSettings:
    """Return the settings of ingestion."""
    settings: IngestSettings = load(IngestSettings)
    return settings
