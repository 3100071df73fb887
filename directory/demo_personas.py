"""The demonstration's personas: accounts that hold rights over people and places of the sample registers."""

import re
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import DemoCard, demo_account, demo_clients, demo_numbers, demo_standing, write_cards
from directory.labels import person_name
from directory.models import Concept, Practitioner, Role, Site
from directory.models_offer import Offer

TOWN = "78361"
"""Mantes-la-Jolie."""
DEPARTEMENT = "78"


def _liberal(profession: str, present: str | None = None, but: str | None = None) -> Select[Any]:
    """Select a practitioner of a profession with a liberal offer: of the town, the present one, then undescribed.

    One of a number is left to somebody else.
    """
    return (
        select(Practitioner)
        .join(Role, Role.practitioner_id == Practitioner.id)
        .join(Offer, Offer.role_id == Role.id)
        .join(Site, Site.id == Role.site_id)
        .where(
            Role.profession == profession,
            Role.closed_on.is_(None),
            Offer.closed_on.is_(None),
            Offer.kind == "liberal",
            Site.commune_code.like(f"{DEPARTEMENT}%"),
            Practitioner.rpps.is_not(None),
            Practitioner.rpps.is_distinct_from(but),
            Practitioner.closed_on.is_(None),
        )
        .order_by(
            (Site.commune_code == TOWN).desc(),
            func.coalesce(Practitioner.rpps == present, False).desc(),
            Offer.described,
            Practitioner.id,
        )
        .limit(1)
    )


def _hospital() -> Select[Any]:
    """Select the establishment of the département with the most offers, the town's first."""
    return (
        select(Site)
        .join(Offer, Offer.site_id == Site.id)
        .where(
            Site.finess.is_not(None),
            Site.closed_on.is_(None),
            Offer.closed_on.is_(None),
            Offer.kind == "establishment",
            Site.commune_code.like(f"{DEPARTEMENT}%"),
        )
        .group_by(Site.id)
        .order_by((Site.commune_code == TOWN).desc(), func.count().desc(), Site.id)
        .limit(1)
    )


TITLES = {"M": "Monsieur", "MME": "Madame"}


def _card(key: str, who: Practitioner, label: str = "") -> DemoCard:
    return DemoCard(
        id=key,
        national_id=f"8{who.rpps}",
        first_name=(who.first_name or "").upper(),
        last_name=who.last_name.upper(),
        civility=who.civility or "M",
        profession=who.profession or "",
        label=label,
    )


def _address(name: str) -> str:
    return re.sub(r"[^a-z]+", ".", name.lower()).strip(".") + "@demo.example.org"


async def make_personas(session: AsyncSession) -> int:
    """Make the accounts of the demonstration, over people that the registers know, and its programs.

    Returns how many accounts there are.

    The cards by which the professionals may sign in are written for the identity provider, with that of a doctor who
    has no account. Running it again changes nothing; a persona whose person left the registers gets another one.
    """
    made = 0
    cards: list[DemoCard] = []
    labels = {
        row.code: row.label
        for row in await session.execute(
            select(Concept.code, Concept.label).where(Concept.system == "G15", Concept.active).order_by(Concept.code)
        )
    }

    async def known(key: str, who: Practitioner | None, *more: tuple[str, str]) -> None:
        nonlocal made
        if who is None or who.rpps is None:
            return
        await demo_account(
            session,
            key,
            title=TITLES.get(who.civility or ""),
            first_name=person_name(who.first_name, ""),
            last_name=person_name("", who.last_name),
            email=f"{key}@demo.example.org",
            rpps=who.rpps,
            profession=labels.get(who.profession or ""),
            grants=(("professional", f"rpps:{who.rpps}"), *more),
        )
        cards.append(_card(key, who))
        made += 1

    async def invented(key: str, first: str, last: str, *grants: tuple[str, str]) -> None:
        nonlocal made
        await demo_account(
            session,
            key,
            title="Madame" if first.endswith(("e", "a")) else "Monsieur",
            first_name=first,
            last_name=last,
            email=_address(f"{first} {last}"),
            rpps=None,
            profession=None,
            grants=grants,
        )
        made += 1

    numbers = await demo_numbers(session)
    physiotherapist = await session.scalar(_liberal("70", numbers.get("kine")))
    midwife = await session.scalar(_liberal("50", numbers.get("sage-femme")))
    hospital = await session.scalar(_hospital())
    await known("kine", physiotherapist)
    await known("sage-femme", midwife)
    accepted = [("delegate", f"rpps:{who.rpps}") for who in (physiotherapist, midwife) if who is not None]
    await invented("secretaire", "Camille", "Aubert", *accepted)
    if hospital is not None:
        await invented("hopital", "Hélène", "Roussel", ("site_manager", f"finess:{hospital.finess}"))
        await invented("affaires-medicales", "Thomas", "Girard", ("site_manager", f"finess:{hospital.finess}"))
    await invented("coordinateur", "Sophie", "Lambert", ("coordinator", f"departement:{DEPARTEMENT}"))
    await invented("moderateur", "Bernard", "Perrin", ("moderator", f"council:{DEPARTEMENT}"))
    await invented("agent", "Nadia", "Benali", ("agent", "region:11"))
    await invented("interne-1", "Lucas", "Moreau")
    await invented("interne-2", "Inès", "Fabre")
    await invented("administrateur", "Claire", "Dumas", ("administrator", ""))
    await invented("interne", "Julie", "Marchand")
    # No term: a demonstration may run for years.
    await demo_standing(
        session,
        "interne",
        council=DEPARTEMENT,
        kind="licensed",
        specialty="R38|SM54",
        coordinates={"email": "julie.marchand.interne@demo.example.org", "mobile": "+33639981278"},
    )
    held = numbers.get("medecin-annonces")
    doctor = await session.scalar(_liberal("10", but=held))
    await known("medecin-annonces", await session.scalar(_liberal("10", held, but=doctor.rpps if doctor else None)))
    if doctor is not None:
        cards.append(_card("medecin", doctor, "Médecin : aucun compte ne connaît encore cette carte"))
    write_cards(cards)
    await demo_clients(session)
    return made
