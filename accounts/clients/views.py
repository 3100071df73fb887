"""What the pages of a client show: its use day by day, its history in French."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.clients import queries
from accounts.clients.keys import PublicKey, usable
from accounts.clients.mails import KINDS
from accounts.clients.usage import FAMILIES
from accounts.models_clients import Client, ClientHistory, ClientSecret
from core.clock import local
from core.ui.filters import long_date, number

DAYS: Final = 30
CHART_HEIGHT: Final = 80
ACTIONS: Final[dict[str, str]] = {
    "created": "Application enregistrée",
    "edited": "Fiche modifiée",
    "secret_given": "Accès donné",
    "secret_ended": "Accès retiré",
    "keys_read": "Clés publiques changées à leur adresse",
    "suspended": "Accès suspendu",
    "resumed": "Accès rétabli",
    "closed": "Application fermée",
}
FIELDS: Final = {
    "name": "nom",
    "purpose": "usage prévu",
    "contact": "contact",
    "scopes": "ce qu’elle peut lire",
    "zone": "zone",
    "per_minute": "requêtes par minute",
    "per_day": "requêtes par jour",
    "expires_at": "date de fin",
}


@dataclass(frozen=True, slots=True)
class Day:
    """Requests of a day, by family, and the height of its bar."""

    day: date
    requests: int
    errors: int
    refused: int
    families: dict[str, int]
    height: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """What a client asked over the last days, the latest first, and in all."""

    days: list[Day]
    families: list[tuple[str, str, int]]
    requests: int
    errors: int
    refused: int
    most: int


async def use_of(session: AsyncSession, client_id: int, today: date) -> Use:
    """Return what a client asked over the last thirty days, those without any request too."""
    rows = (await session.scalars(queries.usage_since(client_id, today - timedelta(days=DAYS - 1)))).all()
    days = []
    for back in range(DAYS):
        day = today - timedelta(days=back)
        own = [row for row in rows if row.day == day]
        days.append(
            Day(
                day=day,
                requests=sum(row.requests for row in own),
                errors=sum(row.errors for row in own),
                refused=sum(row.refused for row in own),
                families={row.family: row.requests for row in own},
            )
        )
    most = max(day.requests for day in days)
    drawn = [Day(d.day, d.requests, d.errors, d.refused, d.families, _height(d.requests, most)) for d in days]
    totals = {name: sum(d.families.get(name, 0) for d in days) for name in FAMILIES}
    return Use(
        days=drawn,
        families=[(name, FAMILIES[name], total) for name, total in totals.items() if total],
        requests=sum(day.requests for day in days),
        errors=sum(day.errors for day in days),
        refused=sum(day.refused for day in days),
        most=most,
    )


def _height(requests: int, most: int) -> int:
    return max(2, round(CHART_HEIGHT * requests / most)) if requests else 0


def secret_state(secret: ClientSecret, now: datetime) -> str:
    """Say where a secret stands: `live`, `ending` (a newer one takes over), `over` or `ended`."""
    if secret.ended_at is not None:
        return "ended"
    if secret.expires_at is None:
        return "live"
    return "ending" if secret.expires_at > now else "over"


@dataclass(frozen=True, slots=True)
class Keys:
    """The public keys of an access, and when their address last gave them."""

    keys: list[PublicKey]
    url: str | None
    read_at: datetime
    silent: bool
    """Tell whether the address gave nothing the last time that it was asked."""


async def keys_of(session: AsyncSession, client_id: int) -> dict[int, Keys]:
    """Return the public keys of a client by access."""
    rows = (await session.scalars(queries.keys_of(client_id))).all()
    return {
        row.secret_id: Keys(usable({"keys": row.keys}), row.url, row.read_at, row.tried_at > row.read_at)
        for row in rows
    }


def history_line(line: ClientHistory, places: dict[str, str]) -> str:
    """Say what happened, in French."""
    said = ACTIONS.get(line.action, line.action)
    detail: dict[str, Any] = line.detail if isinstance(line.detail, dict) else {}
    if prints := detail.get("thumbprints"):
        where = f" ({detail['url']})" if detail.get("url") else ""
        what = "empreinte" if len(prints) == 1 else "empreintes"
        return f"{said}{where}\u00a0: {KINDS['jwks']}, {what} {', '.join(prints)}"
    if line.action in ("secret_given", "secret_ended"):
        return f"{said}\u00a0: {KINDS.get(str(detail.get('kind')), 'secret')} {detail.get('hint', '')}"
    if detail.get("url"):
        return f"{said}\u00a0: {detail['url']}"
    if detail.get("why"):
        return f"{said}\u00a0: {detail['why']}"
    if line.action == "edited":
        changes = [_change(name, pair, places) for name, pair in detail.items() if name in FIELDS]
        return said + "\u00a0: " + "\u00a0; ".join(changes)
    return said


def _change(name: str, pair: Sequence[Any], places: dict[str, str]) -> str:
    former, latter = (_value(name, value, places) for value in pair)
    return f"{FIELDS[name]}, de «\u00a0{former}\u00a0» à «\u00a0{latter}\u00a0»"


def _value(name: str, value: Any, places: dict[str, str]) -> str:
    if name == "zone":
        return ", ".join(places.get(ref, ref) for ref in value) or "toute la France"
    if isinstance(value, list):
        return ", ".join(value)
    if name == "expires_at":
        return long_date(local(datetime.fromisoformat(value)) - timedelta(seconds=1)) if value else "aucune"
    return number(value) if isinstance(value, int) else str(value or "rien")


def zones_in(client: Client, history: Collection[ClientHistory]) -> list[str]:
    """Return the places that a page of a client names."""
    found = list(client.zone)
    for line in history:
        if isinstance(line.detail, dict) and isinstance(line.detail.get("zone"), list):
            for part in line.detail["zone"]:
                found += part if isinstance(part, list) else [part]
    return list(dict.fromkeys(str(ref) for ref in found))
