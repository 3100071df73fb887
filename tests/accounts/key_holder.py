"""A program that signs with keys of its own, and the place where it publishes them."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from accounts.clients.assertions import TYPE
from accounts.clients.keys import ALGORITHMS, read_key
from accounts.models_clients import Client, ClientKeys, ClientSecret
from core.db import unit_of_work
from tests.accounts.clients import BASE, make_client

TOKEN = f"{BASE}/oauth/token"
Key = RSAKey | ECKey
RSA: Key = RSAKey.generate_key(2048, {"kid": "rsa"})
OTHER_RSA: Key = RSAKey.generate_key(2048, {"kid": "rsa"})
P256: Key = ECKey.generate_key("P-256", {"kid": "p256"})
P384: Key = ECKey.generate_key("P-384", {"kid": "p384"})
KEYS = {"RS384": RSA, "RS256": RSA, "ES256": P256, "ES384": P384}


def public(*keys: Key) -> dict[str, Any]:
    """The set that holds the public part of some keys."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


async def give(client: Client, *keys: Key, url: str | None = None) -> None:
    """Give a client its public keys and commit them."""
    async with unit_of_work() as session:
        row = ClientSecret(client_id=client.id, kind="jwks", hint=url or "collé")
        session.add(row)
        await session.flush()
        read = [read_key(one).jwk for one in public(*keys)["keys"]]
        session.add(ClientKeys(secret_id=row.id, url=url, keys=read))


async def signer(*keys: Key, url: str | None = None, **values: Any) -> Client:
    """Make a client that has no secret, only keys."""
    client, _ = await make_client(kind="secret", **values)
    await give(client, *(keys or (RSA, P256, P384)), url=url)
    return client


def claims_of(client_id: str, **changes: Any) -> dict[str, Any]:
    """What an honest assertion claims; None takes a claim away."""
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": TOKEN, "exp": now + 240, "jti": uuid.uuid4().hex}
    return {name: value for name, value in (claims | changes).items() if value is not None}


def signed(client_id: str, alg: str = "RS384", key: Key | None = None, kid: Any = None, **changes: Any) -> str:
    """An assertion of a client."""
    signing = key or KEYS[alg]
    header = {"alg": alg, "typ": "JWT", "kid": kid or signing.kid}
    registry = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    claims = json.dumps(claims_of(client_id, **changes))
    return jws.serialize_compact(header, claims, signing, registry=registry)


async def asks(client: httpx.AsyncClient, assertion: str, **more: str) -> httpx.Response:
    """Ask for a token with an assertion."""
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion} | more
    return await client.post("/oauth/token", data=form)


@dataclass
class Publisher:
    """What an address of keys answers, and how often it was asked."""

    port: int = 0
    asked: int = 0
    status: int = 200
    body: bytes = b"{}"
    slow: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks.json"

    def publish(self, *keys: Key) -> None:
        self.body = json.dumps(public(*keys)).encode()


@contextmanager
def publishing(*keys: Key) -> Iterator[Publisher]:
    """Serve keys on this machine."""
    publisher = Publisher()
    publisher.publish(*keys)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked += 1
            time.sleep(publisher.slow)
            self.send_response(publisher.status)
            for name, value in publisher.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(publisher.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    publisher.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
