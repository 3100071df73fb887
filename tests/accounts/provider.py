"""The identity provider of the demonstration as a real process, and a forger that answers whatever a test wants."""

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from core.local.environment import node_of
from core.local.home import Home

ROOT = Path(__file__).parent.parent.parent
HOME = Home(Path(os.environ.get("REPERE_HOME", ROOT / ".repere")).absolute())
MISSING = (
    ""
    if node_of(HOME).is_file() and (HOME.root / "npm" / "node_modules" / "oidc-provider").is_dir()
    else "oidc-provider is not installed (./repere test installs it)"
)
CLIENT, SECRET = "essai", "un-secret-d-essai-de-plus-de-trente-deux-signes"
CARDS: list[dict[str, str]] = [
    {"id": "anne", "national_id": "810101010101", "first_name": "ANNE", "last_name": "DURAND", "civility": "MME",
     "profession": "70", "category": "C", "label": "Masseur-kinésithérapeute"},
    {"id": "marc", "national_id": "810202020202", "first_name": "MARC", "last_name": "O’BRIEN", "civility": "M",
     "profession": "50", "category": "C", "label": "Maïeuticien <b>"},
    {"id": "lea", "national_id": "810303030303", "first_name": "LÉA", "last_name": "PETIT", "civility": "MME",
     "profession": "10", "category": "E", "label": "Étudiante"},
    {"id": "paul", "national_id": "0780000001", "first_name": "PAUL", "last_name": "RENARD", "civility": "M",
     "profession": "", "category": "C", "label": "Sans RPPS"},
]  # fmt: skip


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


@contextmanager
def running(
    port: int, site: str, folder: Path, more: Iterable[dict[str, str]] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the provider for a site, with more cards than its own; it answers once the block begins."""
    cards = folder / "cards.json"
    cards.write_text(json.dumps([*CARDS, *more]))
    log = folder / f"provider-{port}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [node_of(HOME), ROOT / "accounts" / "dev_provider" / "provider.mjs"],
            env=environ(port) | {"REPERE_PUBLIC_URL": site, "REPERE_PSC_CARDS": str(cards)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/style.css")
                break
            except httpx.TransportError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


def environ(port: int) -> dict[str, str]:
    """Return the settings by which an application, and the provider itself, know the provider."""
    return {
        "REPERE_HOME": str(HOME.root),
        "REPERE_PSC_ISSUER": f"http://127.0.0.1:{port}",
        "REPERE_PSC_CLIENT_ID": CLIENT,
        "REPERE_PSC_CLIENT_SECRET": SECRET,
    }


async def show_card(outside: httpx.AsyncClient, address: str, card: str | None) -> str:
    """Follow the browser from the provider's door to the address of ours that it is sent back to.

    Args:
        outside: the browser, as the provider knows it.
        address: where our page sent it.
        card: the card to choose, "" to give up, None when a session is open there and nothing is asked.
    """
    answer = await outside.get(address)
    for _ in range(6):
        if answer.status_code in (302, 303):
            location = str(httpx.URL(address).join(answer.headers["location"]))
            if urlsplit(location).netloc != urlsplit(address).netloc:
                return location
            answer = await outside.get(location)
            continue
        assert answer.status_code == 200, answer.text
        assert card is not None, "the provider asks for a card"
        form = re.search(r'action="(/interaction/[^"]+)"', answer.text)
        assert form, answer.text
        target = str(httpx.URL(address).join(form[1]))
        answer = await outside.post(target, data={"card": card} if card else {})
    raise AssertionError("the provider never sends back")


# Making keys takes longer than the tests that use them.
_KEY, _OTHER = (RSAKey.generate_key(2048, {"use": "sig", "kid": "one", "alg": "RS256"}) for _ in range(2))


class Forger:
    """A provider that signs, or does not sign, what a test wants."""

    def __init__(self) -> None:
        self.key, self.other = _KEY, _OTHER
        self.published = [self.key]
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.signer: RSAKey = self.key
        self.userinfo: dict[str, Any] = {}
        self.raw: str | None = None
        self.document: dict[str, Any] = {}
        self.statuses: dict[str, int] = {}
        self.asked: list[str] = []
        self.nonce = ""
        self.delay = 0.0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self.server.server_address[1]
        self.issuer = f"http://127.0.0.1:{self.port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        forger = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                path = urlsplit(self.path).path
                self.rfile.read(int(self.headers.get("content-length", 0)))
                forger.asked.append(path)
                time.sleep(forger.delay)
                body = json.dumps(forger.answer(path)).encode()
                self.send_response(forger.statuses.get(path, 200))
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _answer  # noqa: N815 - named by the library

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def answer(self, path: str) -> object:
        """Return what is answered at a path."""
        if path == "/.well-known/openid-configuration":
            places = {
                f"{name}_endpoint": f"{self.issuer}/{name}"
                for name in ("authorization", "token", "userinfo", "end_session")
            }
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks"} | places | self.document
        if path == "/jwks":
            return {"keys": [key.as_dict(private=False) for key in self.published]}
        if path == "/token":
            if self.statuses.get(path):
                return {"error": "invalid_client"}
            return {"access_token": "acces", "token_type": "Bearer", "id_token": self.raw or self.token()}
        if path == "/userinfo":
            sound = {"sub": "x", "SubjectNameID": "810101010101", "given_name": "ANNE", "family_name": "DURAND"}
            return sound | self.userinfo
        return {}

    def token(self) -> str:
        """Return the id_token of the moment."""
        now = int(time.time())
        sound = {"iss": self.issuer, "sub": "x", "aud": CLIENT, "iat": now, "exp": now + 60, "acr": "eidas1"}
        claims = {
            name: value for name, value in (sound | {"nonce": self.nonce} | self.claims).items() if value is not None
        }
        return jwt.encode(self.header, claims, self.signer, algorithms=["RS256", "HS256"])

    def sees(self, address: str) -> str:
        """Read the browser's request as a provider would; return its state."""
        asked = parse_qs(urlsplit(address).query)
        self.nonce = asked["nonce"][0]
        return asked["state"][0]

    def __enter__(self) -> "Forger":
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
