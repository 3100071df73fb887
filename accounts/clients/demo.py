"""Programs of the demonstration, whose secrets the documentation gives: they open nothing anywhere else."""

import uuid
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.clients import secrets, service
from accounts.clients.scopes import EXPORT, READ, READ_PROFESSIONAL, WEBHOOKS
from accounts.models_clients import Client, ClientSecret
from accounts.service import DEMO_ACTOR
from core.settings import core_settings

KEY: Final = "rpk_bac-a-sable-de-la-demonstration"
PUBLIC_ID: Final = "app_demonstration"
SECRET: Final = "rps_portail-des-yvelines-de-la-demonstration"  # noqa: S105 - given to all, of the demonstration only
DEPARTEMENT: Final = "departement:78"

_CLIENTS: Final[tuple[tuple[str, secrets.Kind, str, dict[str, Any]], ...]] = (
    (
        "bac-a-sable",
        "key",
        KEY,
        {
            "public_id": "app_bac_a_sable",
            "name": "Bac à sable",
            "purpose": "Essayer l’API sans rien demander : la clé est dans la documentation de la démonstration.",
            "contact": "bac-a-sable@demo.example.org",
            "scopes": [READ, EXPORT],
            "zone": [],
            "per_minute": 300,
            "per_day": 50_000,
        },
    ),
    (
        "portail-yvelines",
        "secret",
        SECRET,
        {
            "public_id": PUBLIC_ID,
            "name": "Portail des Yvelines",
            "purpose": "Portail de professionnels, limité à son département.",
            "contact": "portail-yvelines@demo.example.org",
            "scopes": [READ_PROFESSIONAL, EXPORT, WEBHOOKS],
            "zone": [DEPARTEMENT],
            "per_minute": 600,
            "per_day": 100_000,
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What the documentation of the demonstration gives to whoever wants to try."""

    key: str
    client_id: str
    client_secret: str


def sandbox() -> Sandbox | None:
    """Return the key and the secret that anybody may try; None outside of the demonstration."""
    return Sandbox(KEY, PUBLIC_ID, SECRET) if core_settings().demo else None


async def demo_clients(session: AsyncSession) -> int:
    """Make the programs of the demonstration; running it again changes nothing. Return how many were missing."""
    made = 0
    for name, kind, secret, values in _CLIENTS:
        client = await session.scalar(select(Client).where(Client.demo == name))
        if client is None:
            client = Client(demo=name, request_id=uuid.uuid4(), **values)
            session.add(client)
            await session.flush()
            service.note(session, client.id, DEMO_ACTOR, "created")
            made += 1
        # The digest is made with the key of the instance, which may be another one since.
        await session.execute(
            insert(ClientSecret)
            .values(client_id=client.id, kind=kind, hint=secrets.hint(secret), digest=secrets.keyed(kind, secret))
            .on_conflict_do_nothing(index_elements=["digest"])
        )
    return made
