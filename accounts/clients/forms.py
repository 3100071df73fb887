"""The form of a client, read field by field; what was typed is kept, right or wrong."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from starlette.datastructures import FormData

from accounts import inputs
from accounts.clients.scopes import EXPORT, READ, READ_PROFESSIONAL, WEBHOOKS
from accounts.models_clients import Client
from core.clock import PARIS, local
from core.errors import InvalidInput
from maps.api import PlaceHit, resolve_ref, suggest

ZONE_KINDS: Final = ("commune", "departement", "region")
LONGEST_ZONE: Final = 200
FOUND: Final = 10
MOST_A_MINUTE: Final = 100_000
MOST_A_DAY: Final = 100_000_000
LEVELS: Final = {
    READ: "Ce que voit le grand public",
    READ_PROFESSIONAL: "Aussi ce qui est réservé aux professionnels",
}
EXTRAS: Final = {EXPORT: "Extraire l’annuaire entier", WEBHOOKS: "Être prévenue des changements (webhooks)"}
ACCESS: Final = {
    "key": "Une clé d’API, envoyée à chaque requête",
    "secret": "Un identifiant et un secret OAuth2, contre des jetons d’une heure",
    "jwks": "Des clés publiques : l’application signe ses demandes de jetons (private_key_jwt)",
}
"""First access of a new client."""


@dataclass(frozen=True, slots=True)
class ClientForm:
    """What was typed of a client, and where the search of its zone stands."""

    name: str = ""
    purpose: str = ""
    contact: str = ""
    level: str = READ
    extras: tuple[str, ...] = ()
    zone: tuple[str, ...] = ()
    per_minute: str = "600"
    per_day: str = "100000"
    ends: str = ""
    access: str = "key"
    version: int = 0
    request_id: str = ""
    words: str = ""
    found: Sequence[PlaceHit] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ClientValues:
    """A client as its form says it, every value being right."""

    name: str
    purpose: str
    contact: str
    scopes: list[str]
    zone: list[str]
    per_minute: int
    per_day: int
    expires_at: datetime | None


def typed(form: FormData) -> ClientForm:
    """Return what a form holds, as it was typed."""

    def one(name: str) -> str:
        value = form.get(name, "")
        return value if isinstance(value, str) else ""

    def many(name: str) -> list[str]:
        return [value for value in form.getlist(name) if isinstance(value, str)]

    version = one("version")
    return ClientForm(
        name=one("nom"),
        purpose=one("usage"),
        contact=one("contact"),
        level=one("lecture"),
        extras=tuple(scope for scope in EXTRAS if scope in many("portee")),
        zone=tuple(dict.fromkeys([*many("zone"), *many("nouveau")]))[: LONGEST_ZONE + 1],
        per_minute=one("par_minute"),
        per_day=one("par_jour"),
        ends=one("fin"),
        access=one("acces"),
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
        request_id=one("demande"),
        words=one("lieu"),
    )


def shown(client: Client) -> ClientForm:
    """Return the form of a client that exists."""
    # The last day that it is valid: it ends with it.
    ends = local(client.expires_at - timedelta(seconds=1)).date().isoformat() if client.expires_at else ""
    return ClientForm(
        name=client.name,
        purpose=client.purpose,
        contact=client.contact,
        level=READ_PROFESSIONAL if READ_PROFESSIONAL in client.scopes else READ,
        extras=tuple(scope for scope in EXTRAS if scope in client.scopes),
        zone=tuple(client.zone),
        per_minute=str(client.per_minute),
        per_day=str(client.per_day),
        ends=ends,
        version=client.version,
    )


async def places(words: str) -> list[PlaceHit]:
    """Return the places that a zone may hold and that answer these words."""
    text = inputs.line(words)[:100]
    return await asyncio.to_thread(suggest, text, FOUND, ZONE_KINDS) if text else []


async def read(form: ClientForm, today: date) -> ClientValues:
    """Return the values of a form.

    Raises:
        InvalidInput: with a message at each field.
    """
    errors = inputs.Errors()
    name = errors.check("nom", _name, form.name)
    purpose = errors.check("usage", _purpose, form.purpose)
    contact = errors.check("contact", inputs.needed_email, form.contact)
    if form.level not in LEVELS:
        errors.refuse("lecture", "Choisissez ce que l’application peut lire.")
    zone = await asyncio.to_thread(_zone, form.zone, errors)
    per_minute = _number(errors, "par_minute", form.per_minute, MOST_A_MINUTE)
    per_day = _number(errors, "par_jour", form.per_day, MOST_A_DAY)
    expires_at = _end(errors, form.ends, today)
    errors.stop()
    scopes = [form.level, *form.extras]
    return ClientValues(name, purpose, contact, scopes, zone, per_minute, per_day, expires_at)


def request_id(form: ClientForm) -> uuid.UUID:
    """Return the reference of the form that makes a client.

    Raises:
        InvalidInput: the form has none.
    """
    try:
        return uuid.UUID(form.request_id)
    except ValueError:
        raise InvalidInput("Ce formulaire est incomplet : rechargez la page, puis recommencez.") from None


def place_names(zone: Sequence[str]) -> Mapping[str, str]:
    """Return the names of the places of a zone; those that are not known keep their reference."""
    found = {}
    for ref in zone:
        kind, _, code = ref.partition(":")
        hit = resolve_ref(kind, code) if kind in ZONE_KINDS else None
        found[ref] = hit.label if hit is not None else ref
    return found


def _name(given: str) -> str:
    text = inputs.line(given)
    if not text:
        raise InvalidInput("Donnez un nom à l’application.")
    if len(text) > 120:
        raise InvalidInput("Ce nom est trop long (120 caractères au plus).")
    return text


def _purpose(given: str) -> str:
    text = inputs.paragraphs(given)
    if len(text) > 1000:
        raise InvalidInput(f"Ce texte est trop long : {len(text)} caractères, 1 000 au plus.")
    return text


def _zone(given: Sequence[str], errors: inputs.Errors) -> list[str]:
    if len(given) > LONGEST_ZONE:
        errors.refuse("zone", f"Trop de lieux ({LONGEST_ZONE} au plus) : choisissez-en de plus grands.")
    kept: list[str] = []
    for ref in given[:LONGEST_ZONE]:
        kind, _, code = ref.partition(":")
        hit = resolve_ref(kind, code) if kind in ZONE_KINDS and code else None
        if hit is None:
            errors.refuse("zone", f"Le lieu « {ref[:40]} » n’est plus connu : retirez-le.")
        elif hit.ref not in kept:
            kept.append(hit.ref)
    return kept


def _number(errors: inputs.Errors, name: str, given: str, most: int) -> int:
    text = "".join(given.split())
    if text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= most:
        return int(text)
    errors.refuse(name, f"Un nombre entier est attendu, de 1 à {most:,}.".replace(",", "\u202f"))
    return 1


def _end(errors: inputs.Errors, given: str, today: date) -> datetime | None:
    text = given.strip()
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%d/%m/%Y").date() if "/" in text else date.fromisoformat(text)
    except ValueError:
        errors.refuse("fin", "Une date est attendue, par exemple 31/12/2026.")
        return None
    if not today <= day <= today.replace(year=today.year + 10, day=1):
        errors.refuse("fin", "La date de fin est à venir, dans dix ans au plus.")
        return None
    return datetime.combine(day + timedelta(days=1), time(), PARIS)
