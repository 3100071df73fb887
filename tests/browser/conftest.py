"""A real server on a real directory, driven by Chromium; nothing may leave the machine, nothing may complain."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx
import psycopg
import pytest
from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright, expect
from psycopg import sql
from sqlalchemy.engine import URL

from accounts.person import cookie_name
from tests.accounts import provider as identities
from tests.browser.seed import cards as cards_of_seed
from tests.browser.seed import token_of
from tests.conftest import RUN, made_once, make_database

ROOT = Path(__file__).parent.parent.parent
HOME = Path(os.environ.get("REPERE_HOME", ROOT / ".repere")).absolute()
CHROMIUM = os.environ.get("REPERE_CHROMIUM") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = (1366, 900)
NARROW = (390, 844)
AXE: Final = HOME / "static" / "vendor" / "axe" / "axe.min.js"
PATIENCE_MS: Final = 20_000
"""How long a page may take to do what is expected of it: a busy machine is slow, not wrong."""
expect.set_options(timeout=PATIENCE_MS)
MISSING = (
    "Chromium is not on this machine (REPERE_CHROMIUM)"
    if not Path(CHROMIUM).is_file()
    else "the front-end packages are not installed (./repere test installs them)"
    if not AXE.is_file()
    else ""
)


@pytest.fixture(scope="session")
def directory_database(database: URL) -> URL:
    """A seeded database that the workers of one run share; the tests only read it."""
    with made_once(database, "browser") as (connection, name, made):
        target = database.set(database=name)
        if not made:
            make_database(connection, name, name.removesuffix("browser") + "template")
            subprocess.run(
                [sys.executable, "-m", "tests.browser.seed"],
                cwd=ROOT,
                env=_environment(target),
                check=True,
                timeout=170,
            )
    return target


def _environment(target: URL) -> dict[str, str]:
    url = target.render_as_string(hide_password=False)
    kept = {name: value for name, value in os.environ.items() if name != "REPERE_DATABASE_DIRECT_URL"}
    return kept | {"REPERE_DATABASE_URL": url, "REPERE_HOME": str(HOME)}


@contextmanager
def moving_clock(database: URL) -> Iterator[Callable[[timedelta], None]]:
    """Move the clock of a database, and so every deadline, until the block ends.

    Its function is replaced: a setting would not reach the connections that a server keeps.
    """
    dsn = database.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        (own,) = connection.execute("SELECT pg_get_functiondef('core.now()'::regprocedure)").fetchone() or ("",)

        def move(by: timedelta) -> None:
            connection.execute(sql.SQL(_CLOCK).format(sql.Literal(f"{by.total_seconds():.0f} seconds")))

        try:
            yield move
        finally:
            connection.execute(own)


_CLOCK: Final = (
    "CREATE OR REPLACE FUNCTION core.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE"
    " AS $$ SELECT now() + {}::interval $$"
)


@pytest.fixture(scope="session")
def site(directory_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server on the seeded directory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "server.log"
    # The servers of one run share a database, hence its files.
    files = tmp_path_factory.getbasetemp().parent / f"files-{RUN}"
    environment = _environment(directory_database) | {"REPERE_FILES": str(files)}
    subprocess.run([sys.executable, "cli.py", "index", "build"], cwd=ROOT, env=environment, check=True, timeout=120)
    command = [sys.executable, "-m", "uvicorn", "web.app:app", "--host", "127.0.0.1", "--port", str(port)]
    near = identities.free_port()
    environment |= identities.environ(near) | {"REPERE_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    cards = tmp_path_factory.mktemp("cards")
    with identities.running(near, f"http://127.0.0.1:{port}", cards, cards_of_seed()), log.open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_ready(address, server, log)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_ready(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            answer = httpx.get(f"{address}/readyz")
            if answer.status_code == 200 and answer.json()["search"]["engine"] == "columns":
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; the test is skipped, visibly, without it or without the front-end packages."""
    if MISSING:
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        await opened.close()


@dataclass
class Watch:
    """What a page did that it must not do."""

    problems: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def allow(self, text: str) -> None:
        """Expect a message that holds this text."""
        self.expected.append(text)

    def unexpected(self) -> list[str]:
        """Return the problems that nobody expected."""
        return [problem for problem in self.problems if not any(text in problem for text in self.expected)]


OpenPage = Callable[..., Awaitable[Page]]

_under_way: Final[WeakKeyDictionary[Page, set[Request]]] = WeakKeyDictionary()
"""What each page waits for."""
_STILL: Final = """() => Promise.all(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished.catch(() => 0)))
    .then(() => null)"""


def _follow(page: Page) -> None:
    waited = _under_way[page] = set()
    page.on("request", lambda request: waited.add(request))
    page.on("requestfinished", lambda request: waited.discard(request))
    page.on("requestfailed", lambda request: waited.discard(request))


async def settled(page: Page) -> None:
    """Wait until a page has all that it asked for and stands still.

    Playwright's own wait takes half a second of silence, everywhere; it stays for maps, which ask again a while after
    they have moved.
    """
    await page.wait_for_load_state()
    waited = _under_way.get(page)
    quiet = 0
    for _ in range(100):
        if waited is None or quiet == 3:
            break
        await asyncio.sleep(0.03)
        quiet = 0 if waited else quiet + 1
    if quiet < 3 or await page.locator("canvas").count():
        await page.wait_for_load_state("networkidle")
    await page.evaluate(_STILL)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Console errors, page errors and requests to other hosts; there must be none at the end."""
    watched = Watch()
    yield watched
    assert watched.unexpected() == []


@pytest.fixture
async def open_page(browser: Browser, site: str, watch: Watch) -> AsyncIterator[OpenPage]:
    """Open a page of the site in a fresh context, at a width, with or without scripts, as nobody or as someone."""
    contexts: list[BrowserContext] = []

    async def opened(path: str, size: tuple[int, int] = WIDE, *, scripts: bool = True, who: str | None = None) -> Page:
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=scripts,
            locale="fr-FR",
            base_url=site,
            accept_downloads=True,
            geolocation={"latitude": 48.9894, "longitude": 1.7154},
            permissions=["geolocation"],
        )
        contexts.append(context)
        if who is not None:
            await context.add_cookies([{"name": cookie_name(), "value": token_of(who), "url": site}])
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        _follow(page)
        page.on(
            "console",
            lambda m: watch.problems.append(f"{m.type}: {m.text} {m.location['url']}") if m.type == "error" else None,
        )
        page.on("pageerror", lambda error: watch.problems.append(f"exception: {error}"))
        page.on("dialog", lambda dialog: watch.problems.append(f"dialog: {dialog.message}"))
        host = urlsplit(site).netloc
        page.on(
            "request",
            lambda r: (
                watch.problems.append(f"third party: {r.url}") if urlsplit(r.url).netloc not in (host, "") else None
            ),
        )
        await page.goto(path)
        return page

    yield opened
    for context in contexts:
        await context.close()
