"""People and ads of the tests: people are written as registers and councils leave them, ads live through services."""

import uuid
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import select

from accounts import queries
from accounts.models import Account
from accounts.models_coordinates import Coordinate, CoordinateUse, GivenStanding, OrdinalFile
from accounts.person import Person, Right
from accounts.service import give
from core import clock
from core.db import unit_of_work
from directory.api import offer_known_people
from directory.models import Concept, Nomenclature, Practitioner
from maps.api import PlaceHit, ready, resolve_ref
from modules.ads import life
from modules.ads.models import Ad
from modules.ads.people import Reader, reader_of
from modules.ads.rules import usual_end
from modules.ads.schemas import AdContent, Period

GENERAL, ALLERGY = "R38|SM54", "R38|SM57"
SPECIALTIES: Final = {GENERAL: "Médecine générale", ALLERGY: "Allergologie"}

_NOTHING: Final = object()
_NATIONAL: Final = uuid.UUID("00000000-0000-4000-8000-000000000000")
_count = 0


def _next() -> int:
    global _count
    _count += 1
    return _count


async def make_specialties() -> None:
    """Write the specialties that the tests name; a database that has them keeps them."""
    async with unit_of_work() as session:
        if await session.scalar(select(Nomenclature.system).where(Nomenclature.system == "R38")) is None:
            session.add(Nomenclature(system="R38", version="test", source="test"))
            await session.flush()
            for ref, label in SPECIALTIES.items():
                session.add(Concept(system="R38", code=ref.partition("|")[2], label=label, version="test"))


async def make_person(
    kind: str | None = "doctor",
    council: str | None = "78",
    *,
    name: tuple[str, str] = ("Camille", "Martin"),
    grants: tuple[tuple[str, str], ...] = (),
    email: str | object | None = _NOTHING,
    phone: str | None = "+33600000001",
    shown_email: str | object | None = _NOTHING,
    specialty: str | None = GENERAL,
    confirmed: bool = True,
    visited: bool = True,
) -> Account:
    """Make an active account, known as `kind` (doctor, junior, licensed, intern, or None for nobody of ours).

    Args:
        kind: what the registers or the council say that they are.
        council: their council.
        name: first and last names.
        grants: roles over scopes, such as `("moderator", "council:78")`.
        email: of the account, confirmed: that of the Order; one of its own by default.
        phone: assigned to ads.
        shown_email: assigned to ads; one of its own by default.
        specialty: by the registers of a doctor, by the council of others.
        confirmed: whether they confirmed their council.
        visited: whether their first visit is done.
    """
    # The application does so when it is assembled; services may be called without one.
    offer_known_people()
    mark = _next()
    rpps = f"{10100000000 + mark}" if kind else None
    own = f"personne{mark}@exemple.test" if email is _NOTHING else email
    seen = f"annonces{mark}@exemple.test" if shown_email is _NOTHING else shown_email
    await make_specialties()
    async with unit_of_work() as session:
        now = await clock.now(session)
        account = Account(
            status="active",
            first_name=name[0],
            last_name=name[1],
            email=own,
            email_confirmed_at=now if own else None,
            rpps=rpps,
        )
        session.add(account)
        await session.flush()
        if kind:
            session.add(
                Practitioner(
                    national_id=f"8{rpps}",
                    rpps=rpps,
                    last_name=name[1].upper(),
                    first_name=name[0],
                    profession="10",
                    category="C" if kind == "doctor" else "E",
                    specialties=[specialty] if specialty and kind == "doctor" else [],
                )
            )
        if kind in ("junior", "licensed", "intern"):
            session.add(GivenStanding(account_id=account.id, kind=kind, specialty=specialty, given_by="essai"))
        session.add(
            OrdinalFile(
                account_id=account.id,
                council=council,
                council_confirmed_at=now if confirmed and council else None,
                visited_at=now if visited else None,
            )
        )
        for sort, value in (("mobile", phone), ("email", seen)):
            if value:
                held = Coordinate(account_id=account.id, kind=sort, value=str(value))
                session.add(held)
                await session.flush()
                session.add(CoordinateUse(account_id=account.id, use="annonces", kind=sort, coordinate_id=held.id))
        for role, scope in grants:
            await give(session, account.id, role, scope, origin="administrator", by="essai")
        await session.refresh(account)
    return account


async def make_moderator(council: str = "78", name: tuple[str, str] = ("Paule", "Conseil")) -> Account:
    """Make somebody who moderates for a council, and is no doctor."""
    return await make_person(None, None, name=name, grants=(("moderator", f"council:{council}"),))


async def as_reader(account: Account) -> Reader:
    """Return an account as the services of ads see whoever is signed in with it."""
    async with unit_of_work() as session:
        rows = await session.execute(queries.live_grants(account.id))
        person = Person(
            account_id=account.id,
            uid=account.uid,
            sign_in_id=0,
            method="password",
            title=None,
            last_name=account.last_name,
            first_name=account.first_name,
            email=account.email,
            rpps=account.rpps,
            grants=tuple(Right(row.role, row.scope) for row in rows),
        )
        reader = await reader_of(session, person)
    assert reader is not None, "this account reads no ad"
    return reader


async def place(ref: str) -> PlaceHit:
    """Return a place by its reference (`commune:78361`, `departement:78`, `region:11`, `france`)."""
    await ready()
    kind, _, code = ref.partition(":")
    found = resolve_ref(kind, code)
    assert found is not None, f"the places of the tests have no {ref}"
    return found


async def make_content(places: tuple[str, ...] = ("commune:78361",), **said: Any) -> AdContent:
    """Return a content that may be transmitted; `said` replaces what it says."""
    values: dict[str, Any] = {
        "category": "remplacement",
        "side": "seeks",
        "specialty": GENERAL,
        "title": "Cherche un remplaçant en médecine générale",
        "description": "Cabinet de ville.\nHoraires de 8 h à 18 h, du lundi au vendredi.",
        "conditions": "À discuter",
        "places": tuple([(await place(ref)).id for ref in places]),
        "periods": (Period(starts_on=date(2030, 7, 1), ends_on=date(2030, 7, 31)),),
    }
    return AdContent(**(values | said))


async def make_ad(
    author: Account,
    state: str = "published",
    *,
    content: AdContent | None = None,
    ends_in: int | None = None,
    reason: str = "",
    **said: Any,
) -> Ad:
    """Make an ad and bring it to a state through the services, in units of work of its own.

    Args:
        author: who writes it; `side` follows what they may publish when it is not given.
        state: draft, pending, published, unpublished, refused or deleted.
        content: what it says; otherwise `make_content(**said)`.
        ends_in: days until its last day of publication, six months by default.
        reason: of the refusal, or of the unpublication.
        said: for `make_content`.
    """
    writer = await as_reader(author)
    if content is None:
        if "side" not in said and writer.standing and writer.standing.kind != "doctor":
            said["side"] = "offers"
        content = await make_content(**said)
    judge = _judge(writer)
    async with unit_of_work() as session:
        today = clock.today(await clock.now(session))
        ends_on = usual_end(today) if ends_in is None else today + timedelta(days=ends_in)
        ad = await life.create(session, writer, content, ends_on)
        if state in ("pending", "published", "unpublished", "refused"):
            await life.submit(session, writer, ad)
        if state in ("published", "unpublished"):
            await life.accept(session, judge, ad)
        if state == "unpublished":
            await life.unpublish(session, writer, ad, reason or "filled")
        if state == "refused":
            await life.refuse(session, judge, ad, reason)
        if state == "deleted":
            await life.remove(session, writer, ad)
        assert ad.state == state, f"makers know no way to {state}"
        await session.refresh(ad)
    return ad


async def accept(number: int) -> None:
    """Have a council publish an ad that waits."""
    judge = await as_reader(await make_moderator())
    async with unit_of_work() as session:
        ad = await session.scalar(select(Ad).where(Ad.number == number))
        assert ad is not None
        await life.accept(session, judge, ad)


async def reread(ad: Ad) -> Ad:
    """Return an ad as the database has it now."""
    async with unit_of_work() as session:
        found = await session.get(Ad, ad.id)
        assert found is not None
    return found


def _judge(writer: Reader) -> Reader:
    """Return a moderator of the national level, for services that want one."""
    grants = (Right("administrator", ""),)
    person = replace(writer.person, uid=_NATIONAL, grants=grants)
    return replace(writer, person=person, standing=None, councils=frozenset(), national=True)
