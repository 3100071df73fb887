"""Alembic environment: every package's models, one head, only our own schemas compared."""

import importlib
import importlib.util
import pkgutil

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool

from core.db import Base, libpq_dsn
from core.settings import core_settings

PACKAGES = ("core", "maps", "accounts", "directory", "ingest", "search_api", "modules.ads")
SCHEMAS = {"core", "maps", "accounts", "directory", "ingest", "search_api", "ads"}


def _import_models() -> None:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.submodule_search_locations is None:
            continue
        for found in pkgutil.iter_modules(spec.submodule_search_locations):
            if found.name.startswith("models"):
                importlib.import_module(f"{package}.{found.name}")


def _include_name(name: str | None, kind: str, parents: object) -> bool:
    return name in SCHEMAS if kind == "schema" else True


def run() -> None:
    """Run the migrations on the direct address, under a lock so that two launchers never run them at once."""
    _import_models()
    engine = create_engine(core_settings().direct_url, poolclass=pool.NullPool)
    with psycopg.connect(libpq_dsn()) as guard, engine.connect() as connection:
        guard.execute("SELECT pg_advisory_lock(hashtext('repere-migrations'))")
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_schemas=True,
            include_name=_include_name,
            version_table="alembic_version",
            compare_server_default=False,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
