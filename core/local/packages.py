"""System packages by apt: what is missing is found by what it gives, so that other sources of it count too."""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.local.console import Failure, say, step
from core.local.home import Home
from core.local.process import run_logged, tail

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Debian makes and starts a cluster of its own with the server; this file forbids it while we install.
_NO_CLUSTER = "/etc/postgresql-common/createcluster.d/repere.conf"


@dataclass(frozen=True)
class Need:
    """One thing that the machine must give, and the Debian packages that bring it."""

    label: str
    packages: tuple[str, ...]
    present: bool


def postgres_bin(version: str | None = None) -> Path | None:
    """Return the folder of a PostgreSQL 15 or later that has PostGIS, the newest unless a version is named."""
    found: list[tuple[int, Path]] = []
    for control in Path("/usr/share/postgresql").glob("*/extension/postgis.control"):
        number = control.parts[4]
        binaries = Path("/usr/lib/postgresql") / number / "bin"
        if number.isdigit() and int(number) >= 15 and (binaries / "postgres").exists():
            found.append((int(number), binaries))
    if version is not None:
        return next((path for number, path in found if str(number) == version), None)
    return max(found)[1] if found else None


def chromium() -> str | None:
    """Return the browser that the tests drive: REPERE_CHROMIUM, else the system's Chromium."""
    given = os.environ.get("REPERE_CHROMIUM")
    return given or next((path for name in _CHROMIUM_NAMES if (path := shutil.which(name))), None)


def _has_fonts() -> bool:
    return any(Path(folder).is_dir() for folder in ("/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu"))


def needs(environ: Mapping[str, str], *, tests: bool) -> list[Need]:
    """List what this machine must have, present or not; a database elsewhere needs no server here."""
    wanted = [
        Need("Python venv", ("python3-venv",), bool(importlib.util.find_spec("ensurepip"))),
        Need("certificats", ("ca-certificates",), Path("/etc/ssl/certs/ca-certificates.crt").exists()),
    ]
    if not environ.get("REPERE_DATABASE_URL"):
        wanted.append(Need("PostgreSQL et PostGIS", ("postgresql", "postgresql-postgis"), bool(postgres_bin())))
    if tests:
        wanted.append(Need("Chromium (tests)", ("chromium",), bool(chromium())))
        wanted.append(Need("GDAL (tests)", ("gdal-bin",), bool(shutil.which("ogr2ogr"))))
        wanted.append(Need("Poppler (tests)", ("poppler-utils",), bool(shutil.which("pdftotext"))))
        wanted.append(Need("polices (tests)", ("fonts-dejavu-core",), _has_fonts()))
    return wanted


def install_script(packages: Sequence[str]) -> str:
    """Return the shell line that installs packages: what is run, and what is shown when it cannot be."""
    install = (
        "dpkg --configure -a && apt-get update && DEBIAN_FRONTEND=noninteractive"
        f" apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends {' '.join(packages)}"
    )
    if not any(name.startswith("postgresql") for name in packages):
        return install
    forbid = f"mkdir -p {Path(_NO_CLUSTER).parent} && echo create_main_cluster=false >{_NO_CLUSTER}"
    return f"{forbid} && {install}; done=$?; rm -f {_NO_CLUSTER}; exit $done"


def ensure(home: Home, environ: Mapping[str, str], *, tests: bool) -> None:
    """Install what is missing, as root or through sudo; else say the exact command to have run.

    Raises:
        Failure: not allowed to install, apt failed, or the machine still lacks something afterwards.
    """
    missing = [need for need in needs(environ, tests=tests) if not need.present]
    if not missing:
        return
    labels = ", ".join(need.label for need in missing)
    script = install_script([package for need in missing for package in need.packages])
    by_hand = f"su -c '{script}'" if os.geteuid() != 0 else f"sh -c '{script}'"
    if not shutil.which("apt-get"):
        raise Failure(
            f"Il manque à cette machine : {labels}. Elle n’a pas apt (Debian 12 ou 13, Ubuntu 24.04) :"
            " installez-les par ses propres moyens, puis relancez la même commande."
        )
    if os.geteuid() != 0:
        _allow_sudo(labels, by_hand)
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    with step(f"Paquets du système : {labels}"):
        try:
            run_logged([*prefix, "sh", "-c", script], home.setup_log, "apt n’a pas pu installer les paquets")
        except Failure as failure:
            raise Failure(f"{failure.message}\nPour le faire à la main :", command=by_hand) from failure
    importlib.invalidate_caches()
    still = [need.label for need in needs(environ, tests=tests) if not need.present]
    if still:
        raise Failure(
            f"Après l’installation il manque encore : {', '.join(still)}. Fin du journal {home.setup_log} :\n"
            f"{tail(home.setup_log)}"
        )


def _allow_sudo(labels: str, by_hand: str) -> None:
    if not shutil.which("sudo"):
        raise Failure(
            f"Il manque à cette machine : {labels}. sudo n’est pas installé :"
            " faites exécuter ceci par un administrateur, puis relancez la même commande :",
            command=by_hand,
        )
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return
    if sys.stdin.isatty():
        say(f"Il manque à cette machine : {labels}. sudo va demander votre mot de passe.")
        if subprocess.run(["sudo", "-v"], check=False).returncode == 0:
            return
    raise Failure(
        f"Il manque à cette machine : {labels}. Vous n’avez pas les droits d’administration (sudo) :"
        " faites exécuter ceci par un administrateur, puis relancez la même commande :",
        command=by_hand,
    )
