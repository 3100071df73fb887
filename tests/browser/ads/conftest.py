"""The whole site on the people of `ads_seed`, its mails, and a clock that moves."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from tests.browser import conftest
from tests.browser.conftest import moving_clock
from tests.conftest import made_once, make_database
from tests.smtp import SmtpSink

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(scope="session")
def ads_database(database: URL) -> Iterator[URL]:
    """A database of its own for the people of `ads_seed`: these tests write, and move its clock."""
    with made_once(database, "browser_ads") as (connection, name, _):
        target = database.set(database=name)
        make_database(connection, name, name.removesuffix("browser_ads") + "template")
        command = [sys.executable, "-m", "tests.browser.ads_seed"]
        subprocess.run(command, cwd=conftest.ROOT, env=conftest._environment(target), check=True, timeout=170)
    yield target


@pytest.fixture(scope="session")
def sink() -> Iterator[SmtpSink]:
    """The server that takes the mails of the site."""
    taking = SmtpSink()
    taking.start()
    yield taking
    taking.stop()


@pytest.fixture(scope="session")
def environment(ads_database: URL, sink: SmtpSink, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the site and its worker know."""
    return conftest._environment(ads_database) | {
        "REPERE_FILES": str(tmp_path_factory.mktemp("files")),
        "REPERE_SMTP_URL": sink.url,
        "REPERE_MAIL_FROM": "Repère <ne-pas-repondre@repere.test>",
    }


class Site:
    """The whole site, and what a worker beside it would do."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.environment = environment | {"REPERE_PUBLIC_URL": self.address}
        self.command = [sys.executable, "-m", "uvicorn", "web.app:app", "--host", "127.0.0.1", "--port", str(port)]
        self.log = log

    @contextmanager
    def running(self) -> Iterator["Site"]:
        """Run it for the length of a block."""
        with self.log.open("w") as output:
            server = subprocess.Popen(
                self.command, cwd=conftest.ROOT, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                self._wait(server)
                yield self
            finally:
                server.terminate()
                server.wait(timeout=20)

    def _wait(self, server: "subprocess.Popen[bytes]") -> None:
        for _ in range(300):
            if server.poll() is not None:
                break
            try:
                if httpx.get(f"{self.address}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")

    def work(self) -> None:
        """Do what is due for ads, then send the mails of it."""
        due = "from core.mail import tasks as mails; from modules.ads import tasks as ads; ads.turn(); mails.deliver()"
        command = [sys.executable, "-c", due]
        subprocess.run(command, cwd=conftest.ROOT, env=self.environment, check=True, timeout=120)


@pytest.fixture(scope="session")
def running(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, running."""
    with Site(environment, tmp_path_factory.mktemp("ads") / "server.log").running() as site:
        yield site


@pytest.fixture(scope="session")
def site(running: Site) -> str:
    """The address of the site."""
    return running.address


Passes = Callable[[date], None]


@pytest.fixture
def passes(running: Site, ads_database: URL) -> Iterator[Passes]:
    """Let time pass until noon of a day: the clock of the database moves, people sign in again, the worker works."""
    address = ads_database.set(drivername="postgresql").render_as_string(hide_password=False)

    with moving_clock(ads_database) as move:

        def until(day: date) -> None:
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=PARIS)
            move(noon - datetime.now(UTC))
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(
                    "UPDATE accounts.sign_in SET seen_at = core.now(), expires_at = core.now() + interval '10 hours'"
                )
            running.work()

        yield until
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("UPDATE accounts.sign_in SET seen_at = core.now()")
