"""Programs that read the API, as tests make them, and a network that they call from."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, get_args

import httpx
from fastapi import FastAPI

from accounts.callers import Caller, CallerDep
from accounts.clients import quota, secrets, usage
from accounts.models_clients import Client, ClientSecret
from core.db import unit_of_work

BASE = "http://repere.test"
NETWORK = ("9.9.9.9", 4000)
"""An address of the Internet: callers of this machine and of private networks are not limited."""


async def make_client(*scopes: str, kind: secrets.Kind = "key", **values: Any) -> tuple[Client, str]:
    """Make a client and commit it; return it with its secret."""
    secret = secrets.new(kind)
    fields: dict[str, Any] = {
        "public_id": secrets.new_public_id(),
        "request_id": uuid.uuid4(),
        "name": "Portail d’essai",
        "contact": "portail@exemple.fr",
        "scopes": list(scopes or ("directory.read",)),
        "per_minute": 600,
        "per_day": 100_000,
    }
    async with unit_of_work() as session:
        client = Client(**fields | values)
        session.add(client)
        await session.flush()
        session.add(
            ClientSecret(client_id=client.id, kind=kind, hint=secrets.hint(secret), digest=secrets.keyed(kind, secret))
        )
        await session.refresh(client)
    return client, secret


@cache
def application_of(caller: Caller) -> FastAPI:
    """Return an application all of whose requests come from a caller."""
    from web.app import create_app

    app = create_app()
    app.dependency_overrides[get_args(CallerDep)[1].dependency] = lambda: caller
    return app


@asynccontextmanager
async def called(network: tuple[str, int] = NETWORK) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application that stands on a network of the Internet."""
    from web.app import app

    quota.forget()
    usage.forget()
    transport = httpx.ASGITransport(app=app, client=network)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as opened:
        yield opened
    quota.forget()
