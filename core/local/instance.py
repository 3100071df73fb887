"""Start, stop and show one instance: the web, its worker, its scheduler and their private services."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from core.local import packages, steps
from core.local.console import Failure, duration, say, step
from core.local.home import REPOSITORY, Home, Lock, read_json
from core.local.identities import demo_identities
from core.local.process import is_alive, wait_gone
from core.local.services import Services, host_of, port_of, using_services
from core.local.supervisor import (
    Supervisor,
    answers,
    listen,
    local_address,
    process_table,
    reap_leftovers,
    wait_until_ready,
)

SUPERVISE = "_supervise"


def install(home: Home, *, system_only: bool) -> int:
    """Prepare the machine and the environment; start nothing. The system's packages alone leave no REPERE_HOME."""
    if system_only:
        with tempfile.TemporaryDirectory(prefix="repere-install-") as scratch:
            trial = Home(Path(scratch))
            trial.prepare()
            packages.ensure(trial, os.environ, tests=False)
        say("Les paquets du système sont installés.")
        return 0
    steps.ensure_environment(home)
    say("Tout est installé. Démarrer : ./repere demo (avec des données d’exemple) ou ./repere up.")
    return 0


def launch(home: Home, *, demo: bool, detach: bool) -> int:
    """Set everything up and run the instance, in the foreground or detached; a second launch is told so."""
    began = time.monotonic()
    port = port_of(os.environ)
    steps.check_space(home, data=not os.environ.get("REPERE_DATABASE_URL"))
    home.prepare()
    lock = Lock(home, "instance")
    if not lock.take(wait=False):
        return _already(home, lock, demo=demo, detach=detach)
    lock.sign("demo" if demo else "up")
    reap_leftovers(home)
    listening = listen(host_of(os.environ), port)
    say("Repère démarre." if home.stamp("mode") else "Repère se prépare : quelques minutes la première fois.")
    steps.ensure_environment(home)
    with using_services(home) as services:
        steps.migrate(home, services, demo=demo)
        steps.load_data(home, services, demo=demo)
        if detach:
            return _detach(home, lock, listening, demo=demo, began=began)
        return _foreground(home, services, listening, demo=demo, began=began)


def _already(home: Home, lock: Lock, *, demo: bool, detach: bool) -> int:
    state = read_json(home.state_file)
    if not state:
        holder = lock.holder()
        who = f" (processus {holder[0]})" if holder else ""
        raise Failure(
            f"Une autre mise en place est en cours dans {home.root}{who} :"
            " attendez qu’elle finisse, ou interrompez-la avec ./repere stop."
        )
    if demo and state.get("mode") != "demo":
        raise Failure("Repère tourne déjà sans données d’exemple : arrêtez-le (./repere stop) puis relancez.")
    say(f"Repère tourne déjà : {state.get('url')} (arrêter : ./repere stop).")
    return 0 if detach else 1


def _facts(environ: dict[str, str], *, demo: bool) -> dict[str, object]:
    return {
        "mode": "demo" if demo else "up",
        "url": environ["REPERE_PUBLIC_URL"],
        "local": local_address(host_of(environ), port_of(environ)),
        "since": int(time.time()),
    }


def _supervisor(home: Home, services: Services, listening: socket.socket, *, demo: bool) -> Supervisor:
    environ = services.settings(demo=demo)
    identities = demo_identities(home, environ) if demo else None
    specs = process_table(home, environ, listening.fileno(), identities.fileno() if identities else None)
    return Supervisor(home, services, environ, specs, _facts(environ, demo=demo), identities)


def _foreground(home: Home, services: Services, listening: socket.socket, *, demo: bool, began: float) -> int:
    supervisor = _supervisor(home, services, listening, demo=demo)

    def announce() -> None:
        try:
            wait_until_ready(home, str(supervisor.facts["local"]))
        except Failure as failure:
            say(failure.message)
        else:
            _announce(str(supervisor.facts["url"]), began, "Ctrl-C pour arrêter.")

    threading.Thread(target=announce, daemon=True).start()
    supervisor.run()
    say("Repère est arrêté.")
    return 0


def _announce(url: str, began: float, end: str) -> None:
    say("")
    say(f"Repère est prêt en {duration(time.monotonic() - began)} : {url}")
    say(end)


def _detach(home: Home, lock: Lock, listening: socket.socket, *, demo: bool, began: float) -> int:
    """Hand the instance over to a supervisor of its own, with the locks and the socket already taken."""
    shared = Lock(home, "services")
    shared.take(shared=True)
    handles = (lock.handle, shared.handle, listening.fileno())
    log = home.logs / "supervisor.log"
    with step("Démarrage de l’application"), log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "repere"), SUPERVISE, "demo" if demo else "up", *map(str, handles)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env=os.environ | {"REPERE_HOME": str(home.root)},
            start_new_session=True,
            pass_fds=handles,
        )
        try:
            wait_until_ready(home, local_address(host_of(os.environ), port_of(os.environ)))
        except BaseException:
            child.terminate()
            child.wait()
            raise
        finally:
            shared.free()
    url = read_json(home.state_file).get("url", "")
    _announce(str(url), began, "Arrêter : ./repere stop. État : ./repere status.")
    return 0


def supervise_detached(home: Home, arguments: Sequence[str]) -> int:
    """Run the supervisor of a detached instance (started by `launch`, never by hand)."""
    if len(arguments) != 4:
        raise Failure("Cette commande est réservée à ./repere demo --detach.", code=2)
    demo = arguments[0] == "demo"
    instance_lock, services_lock, handle = (int(part) for part in arguments[1:])
    lock = Lock(home, "instance", instance_lock)
    lock.sign(arguments[0])
    shared = Lock(home, "services", services_lock)
    listening = socket.socket(fileno=handle)
    services = Services(home)
    try:
        _supervisor(home, services, listening, demo=demo).run()
    finally:
        if shared.take(wait=False):
            services.stop()
        shared.free()
        lock.free()
    return 0


def stop(home: Home) -> int:
    """Stop the instance, whatever state it is in, and the services that no other command uses."""
    if not home.instance:
        say("Rien ne tourne : Repère n’est pas installé ici.")
        return 0
    lock = Lock(home, "instance")
    running = not lock.take(wait=False)
    if running:
        with step("Arrêt de Repère"):
            _end_holder(home, lock)
    reap_leftovers(home)
    shared = Lock(home, "services")
    if shared.take(wait=False):
        Services(home).stop()
        say("Repère est arrêté." if running else "Rien ne tournait.")
    else:
        say("L’application est arrêtée ; PostgreSQL reste en marche pour une commande en cours.")
    shared.free()
    lock.free()
    return 0


def _end_holder(home: Home, lock: Lock) -> None:
    holder = lock.holder()
    if holder:
        os.kill(holder[0], signal.SIGTERM)
        if not wait_gone(*holder, 60):
            os.kill(holder[0], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not lock.take(wait=False):
        if time.monotonic() > deadline:
            raise Failure(f"Repère ne s’arrête pas : voyez {home.logs / 'supervisor.log'}.")
        time.sleep(0.1)


def status(home: Home, *, as_json: bool) -> int:
    """Show what runs; exit code 0 when the application answers, 1 otherwise."""
    state = read_json(home.state_file)
    alive = isinstance(state.get("pid"), int) and is_alive(state["pid"], str(state.get("start")))
    services = Services(home)
    answer = {
        "running": alive,
        "answers": alive and answers(str(state.get("local"))),
        "url": state.get("url") if alive else None,
        "mode": state.get("mode") if alive else None,
        "processes": state.get("processes", []) if alive else [],
        "postgresql": "external" if services.postgres is None else services.postgres.running_pid() is not None,
        "valkey": "external" if services.valkey is None else services.valkey.running_pid() is not None,
        "home": str(home.root),
    }
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
        return 0 if answer["answers"] else 1
    say(f"Repère tourne : {answer['url']}" if alive else "Repère ne tourne pas (démarrer : ./repere demo ou up).")
    for one in answer["processes"]:
        since = "en marche" if one["pid"] else f"arrêté (code {one['last_exit']})"
        say(f"  {one['name']:<10} {since}, {one['restarts']} redémarrage(s)")
    for name in ("postgresql", "valkey"):
        word = {"external": "externe", True: "en marche", False: "arrêté"}[answer[name]]
        say(f"  {name:<10} {word}")
    return 0 if answer["answers"] else 1


def reset(home: Home, *, confirmed: bool, everything: bool) -> int:
    """Erase the instance's data after a confirmation."""
    if not home.instance:
        say(f"Rien à effacer : {home.root} ne contient pas d’instance de Repère.")
        return 0
    if not confirmed:
        if not sys.stdin.isatty():
            raise Failure("./repere reset demande une confirmation : ajoutez --yes hors d’un terminal.", code=2)
        say(f"Les données de {home.root} (base, fichiers, secrets) seront effacées pour toujours.")
        if input("Tapez « oui » pour continuer : ").strip().lower() not in {"oui", "o"}:
            say("Rien n’est effacé.")
            return 1
    stop(home)
    shared = Lock(home, "services")
    if not shared.take(wait=False):
        raise Failure("Une commande travaille encore sur cette instance : attendez sa fin, puis recommencez.")
    steps.erase(home, Services(home), everything=everything)
    shared.free()
    return 0
