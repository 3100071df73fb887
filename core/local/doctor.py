"""`./repere doctor`: what is missing or broken, in plain words, and how to mend it. It changes nothing."""

import json
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from core.local.console import Failure, french, say
from core.local.environment import VENDOR
from core.local.home import REPOSITORY, Home, Lock, read_json
from core.local.packages import chromium, install_script, needs
from core.local.postgres import DATABASE
from core.local.process import is_alive, output_of
from core.local.services import Services, host_of, port_of
from core.local.steps import pending_data
from core.local.supervisor import answers, readiness

_LITTLE_SPACE = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok` is None when it could not be judged or does not matter now."""

    check: str
    ok: bool | None
    detail: str
    mend: str = ""


def examine(home: Home, *, as_json: bool) -> int:
    """Look at everything; print the findings; return 0 when nothing is broken, else 1."""
    findings: list[Finding] = []
    for check in (
        _python,
        _packages,
        _space,
        _home,
        _environment,
        _static,
        _services,
        _schema,
        _data,
        _mail,
        _application,
        _search,
        _port,
    ):
        try:
            findings += check(home)
        except (Failure, OSError) as error:
            findings.append(Finding(_label(check), False, str(error), "./repere install"))
    findings = [Finding(f.check, f.ok, french(f.detail), f.mend if f.ok is False else "") for f in findings]
    broken = [finding for finding in findings if finding.ok is False]
    if as_json:
        answer = {"ok": not broken, "home": str(home.root), "checks": [asdict(finding) for finding in findings]}
        print(json.dumps(answer, ensure_ascii=False))
        return 1 if broken else 0
    for finding in findings:
        mark = {True: "✓", False: "✗", None: "·"}[finding.ok]
        say(f"  {mark} {finding.check} : {finding.detail}")
        if finding.mend:
            print(f"      → {finding.mend}")
    say("")
    say("Rien n’est cassé." if not broken else f"{len(broken)} point(s) à réparer.")
    return 1 if broken else 0


def _label(check: Callable[[Home], Iterator[Finding]]) -> str:
    return check.__name__.strip("_")


def _python(_: Home) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", (3, 11) <= sys.version_info[:2] <= (3, 13), version, "Installez Python 3.11, 3.12 ou 3.13.")


def _packages(home: Home) -> Iterator[Finding]:
    for need in needs(os.environ, tests=home.stamp("venv").endswith("+test")):
        sudo = "" if os.geteuid() == 0 else "sudo "
        mend = f"{sudo}sh -c '{install_script(need.packages)}'"
        yield Finding(need.label, need.present, "présent" if need.present else "absent de la machine", mend)
    if not chromium():
        yield Finding("Chromium", None, "absent (il ne sert qu’aux essais)")


def _space(home: Home) -> Iterator[Finding]:
    for place in {home.root, home.services}:
        free = home.free_bytes(place)
        detail = f"{free / 1e9:.1f} Go libres pour {place}".replace(".", ",", 1)
        yield Finding("Espace disque", free > _LITTLE_SPACE, detail, "Faites de la place, ou changez REPERE_HOME.")


def _home(home: Home) -> Iterator[Finding]:
    if not home.instance:
        yield Finding("Instance", False, f"Repère n’est pas encore installé dans {home.root}", "./repere demo")
        return
    if home.root.stat().st_uid != os.geteuid():
        yield Finding("Instance", False, f"{home.root} appartient à un autre utilisateur", "Changez d’utilisateur.")
        return
    writable = os.access(home.root, os.W_OK | os.X_OK)
    yield Finding("Instance", writable, str(home.root), f"chmod u+rwx {home.root}")
    if home.secrets_file.exists():
        mode = stat.S_IMODE(home.secrets_file.stat().st_mode)
        closed, readable = mode & 0o077 == 0, bool(read_json(home.secrets_file))
        detail = (
            "illisibles" if not readable else "gardés pour leur propriétaire" if closed else "lisibles par d’autres"
        )
        mend = f"chmod 600 {home.secrets_file}" if readable else f"rm {home.secrets_file} puis relancez Repère"
        yield Finding("Secrets", closed and readable, detail, mend)


def _environment(home: Home) -> Iterator[Finding]:
    if not home.stamp("venv"):
        yield Finding("Environnement Python", False, "absent, ou installation interrompue", "./repere install")
        return
    needed = "import fastapi, sqlalchemy, psycopg, celery, uvicorn"
    code, output = output_of([home.python, "-c", needed], env=os.environ | home.interpreter)
    detail = "complet" if code == 0 else f"abîmé ({output.splitlines()[-1] if output else code})"
    yield Finding("Environnement Python", code == 0, detail, f"rm -rf {home.venv} && ./repere install")


def _static(home: Home) -> Iterator[Finding]:
    vendor = home.root / "static" / "vendor"
    missing = [name for name in VENDOR.values() if not (vendor / name).exists()]
    detail = "complets" if not missing else f"il manque {', '.join(missing[:3])}"
    mend = f"rm -f {home.root}/stamps/static && ./repere install"
    yield Finding("Fichiers statiques", not missing, detail, mend)


def _services(home: Home) -> Iterator[Finding]:
    services = Services(home)
    active = _running(home)
    if services.postgres is None:
        yield Finding("PostgreSQL", None, "adresse donnée par REPERE_DATABASE_URL")
    elif services.postgres.version is None:
        yield Finding("PostgreSQL", False, "la base privée n’existe pas encore", "./repere up")
    else:
        services.postgres.binary("postgres")
        whole = (services.postgres.data / "global" / "pg_control").exists()
        if not whole:
            yield Finding("PostgreSQL", False, "les fichiers de la base sont abîmés", "./repere reset, puis rechargez")
        elif services.postgres.ready():
            yield Finding("PostgreSQL", True, f"version {services.postgres.version}, en marche")
        else:
            detail = f"version {services.postgres.version}, arrêté"
            yield Finding("PostgreSQL", False if active else None, detail, "./repere stop puis ./repere up")
    if services.valkey is None:
        yield Finding("File de tâches", None, "adresse donnée par REPERE_BROKER_URL")
    else:
        services.valkey.binary()
        up = services.valkey.running_pid() is not None and services.valkey.ready()
        state = True if up else False if active else None
        yield Finding("File de tâches", state, "en marche" if up else "arrêtée", "./repere stop puis ./repere up")


def _schema(home: Home) -> Iterator[Finding]:
    postgres = Services(home).postgres
    if postgres is not None and not postgres.ready():
        yield Finding("Schéma de la base", None, "pas vérifié, PostgreSQL est arrêté")
        return
    if postgres is not None:
        code, found = postgres.sql("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'", DATABASE)
        detail = "présent dans la base" if found == "1" else f"absent de la base ({found})"
        yield Finding("PostGIS", code == 0 and found == "1", detail, "./repere reset, puis ./repere up")
    environ = Services(home).settings(demo=False)
    code, output = output_of([home.python, "-m", "alembic", "check"], env=environ)
    behind = "not up to date" in output
    detail = "à jour" if code == 0 else "en retard sur le programme" if behind else "ne correspond pas au programme"
    yield Finding("Schéma de la base", code == 0, detail, "./repere stop puis ./repere up")


def _data(home: Home) -> Iterator[Finding]:
    mode = home.stamp("mode")
    if not mode:
        return
    pending = pending_data(home)
    detail = "chargées" if not pending else f"pas encore faites : {', '.join(pending)}"
    yield Finding("Données de départ", not pending, detail, f"./repere stop puis ./repere {mode}")


def _mail(home: Home) -> Iterator[Finding]:
    postgres = Services(home).postgres
    if not home.stamp("venv") or (postgres is not None and not postgres.ready()):
        return
    demo = home.stamp("mode") == "demo"
    environ = Services(home).settings(demo=demo)
    _, output = output_of([home.python, REPOSITORY / "cli.py", "mail", "status", "--json"], env=environ)
    try:
        told = json.loads(output)
    except ValueError:
        yield Finding("Mails", None, "pas vérifiés, la base ne dit pas ce qu’elle contient")
        return
    problem = told["problem"]
    if told["kept_here"]:
        yield Finding("Mails", True, "gardés dans la messagerie de démonstration, à l’adresse /demo/messagerie")
    elif not told["configured"]:
        # The directory works without them; accounts do not.
        detail = (
            "l’envoi n’est pas configuré : aucun mail ne part (confirmation d’adresse, mot de passe oublié, code)."
            " Donnez REPERE_SMTP_URL et REPERE_MAIL_FROM"
        )
        yield Finding("Mails", None, detail)
    else:
        detail = problem or "le serveur répond"
        yield Finding("Mails", not problem, detail, "Corrigez REPERE_SMTP_URL, puis ./repere mail test ADRESSE")
    if told["failed_lately"]:
        count = told["failed_lately"]
        yield Finding("Mails en échec", None, f"{count} depuis une semaine ; les voir : ./repere mail list --failed")


def _running(home: Home) -> bool:
    state = read_json(home.state_file)
    return isinstance(state.get("pid"), int) and is_alive(state["pid"], str(state.get("start")))


def _application(home: Home) -> Iterator[Finding]:
    state = read_json(home.state_file)
    if not _running(home):
        if state:
            yield Finding("Application", False, "elle a été tuée sans être arrêtée", "./repere stop")
        else:
            yield Finding("Application", None, "arrêtée (démarrer : ./repere up)")
        return
    well = answers(str(state.get("local")))
    detail = f"en marche, {state.get('url')}" if well else "elle ne répond pas"
    yield Finding("Application", well, detail, f"Voyez {home.logs}/web-1.log, puis ./repere stop et ./repere up")
    for one in state.get("processes", []):
        if not one.get("pid"):
            mend = f"Voyez {home.logs}/{one['name']}.log"
            yield Finding(f"Processus {one['name']}", False, f"arrêté (code {one.get('last_exit')})", mend)


def _search(home: Home) -> Iterator[Finding]:
    state = read_json(home.state_file)
    told = readiness(str(state.get("local"))) if _running(home) else None
    search = (told or {}).get("search")
    if not isinstance(search, dict):
        return
    if not search.get("degraded"):
        yield Finding("Recherche", True, f"moteur {search.get('engine')}")
    elif search.get("index") is None:
        yield Finding("Recherche", None, "la base répond elle-même (REPERE_SEARCH_ENGINE=postgis)")
    else:
        why = search["index"].get("problem") or "l’index n’est pas encore construit"
        yield Finding("Recherche", False, f"mode dégradé, la base répond elle-même : {why}", "./repere index build")


def _port(home: Home) -> Iterator[Finding]:
    port = port_of(os.environ)
    if _running(home):
        return
    if home.run.is_dir():
        lock = Lock(home, "instance")
        holder = lock.holder()
        lock.free()
        if holder:
            yield Finding("Mise en place", None, "une mise en place est en cours")
            return
    with socket.socket(socket.AF_INET6 if ":" in host_of(os.environ) else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host_of(os.environ), port))
            trial.listen(1)
        except OSError as error:
            detail = f"le port {port} n’est pas libre ({error.strerror})"
            yield Finding("Port", False, detail, "Choisissez-en un autre : REPERE_PORT=8001 ./repere up")
        else:
            yield Finding("Port", True, f"{port} est libre")
