"""The instance's surroundings for a command: private services shared between commands, and the environment."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from core.local.console import Failure, step
from core.local.environment import clean_environ
from core.local.home import Home, Lock, locked
from core.local.postgres import Postgres
from core.local.valkey import Valkey

DEFAULT_PORT = 8000


def port_of(environ: Mapping[str, str]) -> int:
    """Return REPERE_PORT.

    Raises:
        Failure: it is no port number.
    """
    given = environ.get("REPERE_PORT", "").strip() or str(DEFAULT_PORT)
    if not given.isascii() or not given.isdigit() or not 0 < int(given) < 65536:
        raise Failure(f"REPERE_PORT={given} n’est pas un numéro de port (1 à 65535).", code=2)
    return int(given)


def host_of(environ: Mapping[str, str]) -> str:
    """Return REPERE_HOST, the address to listen on: this machine only unless the operator says otherwise."""
    return environ.get("REPERE_HOST", "").strip() or "127.0.0.1"


class Services:
    """Private PostgreSQL and Valkey, unless the operator's own are named in the environment.

    Every command that uses them holds a shared lock; the last one to end stops them. A killed command loses
    its lock with its life, so what it left running is stopped by the next one, or by `./repere stop`.
    """

    def __init__(self, home: Home, environ: Mapping[str, str] = os.environ) -> None:
        self.home = home
        self.environ = environ
        self.postgres = None if environ.get("REPERE_DATABASE_URL") else Postgres(home)
        self.valkey = None if environ.get("REPERE_BROKER_URL") else Valkey(home)

    def start(self) -> None:
        """Start what is stopped, one command at a time."""
        with locked(self.home, "services-start"):
            if self.postgres and not self.postgres.ready():
                known = self.postgres.version is not None
                with step("Démarrage de PostgreSQL" if known else "Création de la base PostgreSQL privée"):
                    self.postgres.ensure()
                    self.postgres.ensure_database()
            elif self.postgres:
                self.postgres.ensure_database()
            if self.valkey and not self.valkey.ready():
                with step("Démarrage de la file de tâches"):
                    self.valkey.ensure()

    def stop(self) -> None:
        """Stop what runs."""
        with locked(self.home, "services-start"):
            if self.valkey:
                self.valkey.stop()
            if self.postgres:
                self.postgres.stop()

    def settings(self, *, demo: bool) -> dict[str, str]:
        """Return the environment of our processes: addresses, mode, secrets; the operator's values win."""
        port = port_of(self.environ)
        ours = {
            "REPERE_HOME": str(self.home.root),
            "REPERE_PORT": str(port),
            "REPERE_PUBLIC_URL": f"http://localhost:{port}",
            "REPERE_DEMO": "true" if demo else "false",
            "REPERE_SECRET_KEY": self.home.secret("secret_key"),
        }
        if demo:
            ours["REPERE_PSC_CARDS"] = str(self.home.root / "psc-cards.json")
        if self.postgres:
            ours["REPERE_DATABASE_URL"] = self.postgres.url()
        if self.valkey:
            ours["REPERE_BROKER_URL"] = self.valkey.url()
        environ = clean_environ(self.environ) | self.home.interpreter
        given = {name: value for name, value in environ.items() if name.startswith("REPERE_") and value}
        return environ | ours | given | {"REPERE_HOME": ours["REPERE_HOME"]}


@contextmanager
def using_services(home: Home) -> Iterator[Services]:
    """Have the services running for a block; stop them afterwards unless another command uses them."""
    lock = Lock(home, "services")
    services = Services(home)
    try:
        lock.take(shared=True)
        services.start()
        yield services
    finally:
        try:
            if lock.take(wait=False):
                services.stop()
        finally:
            lock.free()
