"""Use cases of support: asking for help, from the form or from another page."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import inputs
from accounts.labels import SUPPORT_KINDS
from accounts.models_support import SupportPassage, SupportRequest
from accounts.person import Person
from accounts.support import HOUR, LONGEST_TEXT, TOO_MANY, number, say, write_to_asker
from core import clock
from core.errors import TooMany
from core.security import new_token, signature

ANONYMOUS_PER_HOUR: Final = 5
SIGNED_IN_PER_HOUR: Final = 10
ANONYMOUS: Final = "anonyme"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form of support holds, as it was typed."""

    kind: str = ""
    text: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    page: str = ""
    key: str = field(default_factory=new_token)


def source_of(address: str | None) -> bytes:
    """Return what is kept a day of a network address to bound its requests: of an IPv6 one, its network."""
    try:
        known = ip_address(address or "")
        kept = str(ip_network((known, 64), strict=False) if known.version == 6 else known)
    except ValueError:
        kept = address or ""
    return bytes.fromhex(signature("support", kept))


def read_form(asked: Asked) -> Asked:
    """Return what the form says, ready to be kept.

    Raises:
        InvalidInput: with a message for each field.
    """
    errors = inputs.Errors()
    if asked.kind not in SUPPORT_KINDS:
        errors.refuse("objet", "Choisissez l’objet de votre demande.")
    missing = "Écrivez votre demande : ce que vous vouliez faire, et ce qui s’est passé."
    text = errors.check("texte", inputs.needed_text(LONGEST_TEXT, missing=missing), asked.text)
    name = errors.check("nom", inputs.short_text(120), asked.name)
    email = errors.check("email", inputs.needed_email, asked.email)
    phone = errors.check("telephone", inputs.optional_phone, asked.phone)
    page = errors.check("page", inputs.short_text(500), asked.page)
    errors.stop()
    return Asked(asked.kind, text, name, email, phone, page, asked.key)


async def open_request(
    session: AsyncSession,
    asked: Asked,
    *,
    person: Person | None,
    ref: tuple[str, uuid.UUID] | None = None,
    source: bytes | None = None,
    bounded: bool = True,
) -> SupportRequest:
    """Put a request in the queue and tell its author by mail; the same key twice is one request.

    Args:
        session: the unit of work, which the caller commits.
        asked: a form that `read_form` accepted, or the same from another page.
        person: who asks, when they are signed in.
        ref: what it is about: an entity and its public identifier.
        source: digest of the network address of somebody who is not signed in.
        bounded: whether asking too often is refused.

    Raises:
        TooMany: the person, the address or the network asked too often within the hour.
    """
    origin = hashlib.sha256(f"{person.account_id if person else 0}:{asked.key}".encode()).hexdigest()
    # A double click asks twice at once: the second waits for the first, and finds what it made.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"support:{origin}"})
    known = await session.scalar(select(SupportRequest).where(SupportRequest.origin_key == origin))
    if known is not None:
        return known
    if bounded:
        await _bound(session, asked, person, source)
    now = await clock.now(session)
    request = SupportRequest(
        account_id=person.account_id if person else None,
        name=asked.name or (person.name if person else ""),
        email=asked.email or None,
        phone=asked.phone or None,
        kind=asked.kind,
        page=asked.page or None,
        ref_entity=ref[0] if ref else None,
        ref_uid=ref[1] if ref else None,
        state="new",
        origin_key=origin,
        source=None if person else source,
        opened_at=now,
        touched_at=now,
        version=1,
    )
    session.add(request)
    await session.flush()
    actor = person.actor if person else ANONYMOUS
    say(session, request, actor, request.name or "Demandeur", "person", asked.text)
    session.add(SupportPassage(request_id=request.id, actor=actor, action="open", from_state=None, to_state="new"))
    await write_to_asker(session, request, "received", str(request.id), {"kind": SUPPORT_KINDS[request.kind]})
    return request


async def ask_support(
    session: AsyncSession,
    *,
    kind: str,
    text: str,
    person: Person | None = None,
    ref: tuple[str, uuid.UUID] | None = None,
    page: str = "",
    email: str = "",
    name: str = "",
    key: str | None = None,
    source: str | None = None,
    bounded: bool = True,
) -> str:
    """Ask for help on behalf of a page (an error of a register, « je n’exerce plus ici »); return the number.

    Args:
        session: the unit of work, which the caller commits.
        kind: one of `accounts.labels.SUPPORT_KINDS`.
        text: what the person wrote, or what the page says for them.
        person: who asks, when they are signed in; their address is used unless `email` is given.
        ref: what it is about: an entity and its public identifier.
        page: the address where they were.
        email: where to answer.
        name: who asks, when they are not signed in.
        key: which demand this is, when asking again must not make another one.
        source: the network address of somebody who is not signed in, to bound how many they send.
        bounded: whether asking too often is refused; False for what a page says by itself after a rare act.

    Raises:
        InvalidInput: the text or the address is refused; fields are those of the form of support.
        TooMany: too many requests within the hour.
    """
    asked = Asked(
        kind=kind,
        text=text,
        name=name or (person.name if person else ""),
        email=email or (person.email if person and person.email else ""),
        page=page,
        key=key or new_token(),
    )
    if person is not None and not asked.email:
        # Nobody to write to: the answer goes to their messages.
        text = inputs.needed_text(LONGEST_TEXT)(text)
        ready = Asked(kind=kind, text=text, name=asked.name, page=page[:500], key=asked.key)
    else:
        ready = read_form(asked)
    request = await open_request(
        session,
        ready,
        person=person,
        ref=ref,
        source=source_of(source) if source is not None else None,
        bounded=bounded,
    )
    return number(request)


async def _bound(session: AsyncSession, asked: Asked, person: Person | None, source: bytes | None) -> None:
    now = await clock.now(session)
    await session.execute(
        update(SupportRequest)
        .where(SupportRequest.source.is_not(None), SupportRequest.opened_at < now - timedelta(days=1))
        .values(source=None)
    )
    recent = select(func.count()).where(SupportRequest.opened_at > now - HOUR)
    if person is not None:
        bounds = [(SupportRequest.account_id == person.account_id, SIGNED_IN_PER_HOUR)]
    else:
        bounds = [(func.lower(SupportRequest.email) == asked.email.lower(), ANONYMOUS_PER_HOUR)]
        if source is not None:
            bounds.append((SupportRequest.source == source, ANONYMOUS_PER_HOUR))
    for condition, most in bounds:
        if (await session.scalar(recent.where(condition)) or 0) >= most:
            raise TooMany(TOO_MANY)
