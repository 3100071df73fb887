"""A small directory around Mantes-la-Jolie, published through the door of bulk loads."""

import asyncio
from datetime import datetime, time, timedelta
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import select

from accounts.models import Account, SignIn
from accounts.models_coordinates import Coordinate, CoordinateUse, GivenStanding, OrdinalFile
from accounts.service import give
from core import clock
from core.db import connect_direct, dispose, unit_of_work
from core.security import digest
from directory import nomenclature
from directory.api import (
    Offer,
    OfferDescription,
    Practitioner,
    Role,
    create_publication_tables,
    describe_offer,
    publish,
)
from directory.schemas import ContactIn
from directory.schemas_hours import SlotIn
from maps.api import invalidate, load_places, resolve_ref
from search_api.portals.schemas import PortalDraft
from search_api.portals.service import create

TOWNS = ("78361", "78335", "78362", "78531", "78267", "78239", "78401", "78440")
"""Mantes-la-Jolie, Limay, Mantes-la-Ville, Rosny-sur-Seine, Gargenville, Follainville, Meulan, Les Mureaux."""
HOSTILE = "<script>alert('x')</script>"
LONG_NAME = "Groupement interprofessionnel de " + "rééducation fonctionnelle " * 8
PHYSIOTHERAPISTS = 40


def fill(conn: psycopg.Connection) -> None:
    """Load the places of the Yvelines, the starter nomenclatures, 40 physiotherapists, 6 midwives, a hospital."""
    load_places(conn, ["78"])
    nomenclature.load(conn)
    conn.commit()
    invalidate()
    create_publication_tables(conn)
    insert(conn, "pub_legal_entity", [_legal_entity()])
    insert(conn, "pub_site", [_site(number) for number in range(46)] + [_hospital()])
    insert(conn, "pub_practitioner", [_practitioner(number) for number in range(46)])
    insert(conn, "pub_role", [_role(number) for number in range(46)])
    conn.commit()
    publish(conn, 1, {"rpps", "finess", "ameli"})
    conn.commit()


def insert(conn: psycopg.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    statement = sql.SQL("INSERT INTO staging.{} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(sql.Placeholder(name) for name in names),
    )
    with conn.cursor() as cursor:
        cursor.executemany(statement, rows)


def _legal_entity() -> dict[str, Any]:
    return {
        "key": "finess:780000001",
        "finess": "780000001",
        "name": "CENTRE HOSPITALIER DE MANTES",
        "town": "MANTES LA JOLIE CEDEX",
        "hash": 1,
    }


def _place(number: int) -> dict[str, Any]:
    town = resolve_ref("commune", TOWNS[number % len(TOWNS)])
    assert town is not None
    assert town.lat is not None
    assert town.lon is not None
    # Every ninth practice is known by its town only.
    exact = number % 9 != 8
    shift = (number % 7 - 3) * 0.0021, (number % 5 - 2) * 0.0031
    return {
        "postal_code": town.postal_codes[0],
        "town": town.name,
        "commune_id": town.id,
        "commune_code": town.code,
        "commune_how": "code",
        "commune_score": 100,
        "lat": town.lat + (shift[0] if exact else 0),
        "lon": town.lon + (shift[1] if exact else 0),
        "position_source": "ban" if exact else "commune",
        "position_level": "number" if exact else "commune",
        "position_score": 95 if exact else 30,
    }


def _site(number: int) -> dict[str, Any]:
    names = {3: f"CABINET {HOSTILE}", 5: LONG_NAME.strip()}
    return {
        "key": f"struct:4100000{number:05d}",
        "old_keys": [],
        "kind": "practice",
        "finess": None,
        "structure_id": f"4100000{number:05d}",
        "legal_key": None,
        "name": names.get(number, "CABINET INDIVIDUEL" if number % 2 else f"CABINET DES CORDELIERS {number}"),
        "category": None,
        "street": f"{number + 1} RUE DE LA REPUBLIQUE",
        "phone": f"01990001{number:02d}" if number % 3 else None,
        "hash": 100 + number,
    } | _place(number)


def _hospital() -> dict[str, Any]:
    return {
        "key": "finess:780000287",
        "old_keys": [],
        "kind": "establishment",
        "finess": "780000287",
        "structure_id": None,
        "legal_key": "finess:780000001",
        "name": "CENTRE HOSPITALIER FRANCOIS QUESNAY",
        "category": "355",
        "street": "2 BOULEVARD SULLY",
        "phone": "0199000999",
        "hash": 99,
    } | _place(0)


def _practitioner(number: int) -> dict[str, Any]:
    midwife = number >= PHYSIOTHERAPISTS
    last_name = HOSTILE if number == 4 else f"ARQUEMBOURG-{chr(65 + number % 26)}{number}"
    return {
        "key": f"8100000{number:05d}",
        "rpps": f"100000{number:05d}",
        "civility": "MME" if number % 2 else "M",
        "last_name": last_name,
        "first_name": "Camille" if number % 2 else "Jean-Baptiste",
        "profession": "50" if midwife else "70",
        "category": "C",
        "specialties": [],
        "hash": 200 + number,
    }


def _role(number: int) -> dict[str, Any]:
    return {
        "key": f"8100000{number:05d}/4100000{number:05d}/L/",
        "practitioner_key": f"8100000{number:05d}",
        "site_key": f"struct:4100000{number:05d}",
        "profession": "50" if number >= PHYSIOTHERAPISTS else "70",
        "category": "C",
        "specialties": [],
        "mode": "L",
        "sector": "SA07",
        "convention": "1" if number % 4 else "3",
        "carte_vitale": number % 2 == 0,
        "hash": 300 + number,
    }


PEOPLE = {"kine": 30, "sage-femme": 41, "voisine": 31, "relancee": 2}
"""Practitioners who may sign in, by the word that names them in tests."""
COORDINATOR = "coordinatrice"
"""Someone who may read the figures of the Yvelines."""
ADMINISTRATOR = "administratrice"
INTERN = "interne"
"""Someone whom the council of the Yvelines says may replace."""


def token_of(name: str) -> str:
    """Return the token of the sign-in of someone of `PEOPLE`."""
    return f"essai-{name}".ljust(43, "0")


def cards() -> list[dict[str, str]]:
    """Return the cards by which the same people sign in themselves."""
    return [
        {
            "id": name,
            "national_id": f"8{_practitioner(number)['rpps']}",
            "first_name": "CAMILLE",
            "last_name": name.upper(),
            "civility": "MME",
            "profession": str(_practitioner(number)["profession"]),
            "category": "C",
            "label": name,
        }
        for name, number in PEOPLE.items()
    ]


def _cookie(account: Account, name: str, expires_at: datetime) -> SignIn:
    return SignIn(account_id=account.id, token=digest(token_of(name)), method="psc", expires_at=expires_at)


async def sign_in() -> None:
    """Sign in those whom the tests drive; their browsers only need the cookie."""
    async with unit_of_work() as session:
        end = await clock.now(session) + timedelta(hours=10)
        for name, number in PEOPLE.items():
            rpps = str(_practitioner(number)["rpps"])
            account = Account(
                status="active", first_name="Camille", last_name=name.upper(), rpps=rpps, psc_subject=f"8{rpps}"
            )
            session.add(account)
            await session.flush()
            await give(session, account.id, "professional", f"rpps:{rpps}", origin="rule", by="essai")
            session.add(_cookie(account, name, end))
        account = Account(status="active", first_name="Sophie", last_name=COORDINATOR.upper())
        session.add(account)
        await session.flush()
        await give(session, account.id, "coordinator", "departement:78", origin="administrator", by="essai")
        session.add(_cookie(account, COORDINATOR, end))
        account = Account(status="active", first_name="Louise", last_name=ADMINISTRATOR.upper())
        session.add(account)
        await session.flush()
        await give(session, account.id, "administrator", "", origin="administrator", by="essai")
        session.add(_cookie(account, ADMINISTRATOR, end))


async def intern() -> None:
    """Make an intern who may replace, is reached for ads and has done the first visit."""
    async with unit_of_work() as session:
        now = await clock.now(session)
        email = "interne@example.org"
        account = Account(
            status="active", first_name="Julie", last_name="MARCHAND", email=email, email_confirmed_at=now
        )
        session.add(account)
        await session.flush()
        held = Coordinate(account_id=account.id, kind="mobile", value="+33639981278")
        session.add(held)
        await session.flush()
        session.add_all(
            (
                CoordinateUse(account_id=account.id, use="annonces", kind="mobile", coordinate_id=held.id),
                GivenStanding(account_id=account.id, kind="licensed", specialty="R38|SM54", given_by="essai"),
                OrdinalFile(account_id=account.id, council="78", council_confirmed_at=now, visited_at=now),
                _cookie(account, INTERN, now + timedelta(hours=10)),
            )
        )


async def describe() -> None:
    """Let the practitioners of six offers say what they do, when, and where they go."""
    async with unit_of_work() as session:
        first = select(Offer).join(Role).join(Practitioner).where(Offer.kind == "liberal")
        offers = await session.scalars(first.order_by(Practitioner.national_id, Offer.id).limit(6))
        for number, offer in enumerate(offers):
            description = OfferDescription(
                acts=["J16|0032", "J16|0148"],
                languages=["en", "es"],
                reception=["R338|05"],
                accepts_new=number % 2 == 0,
                comment=f"Entrée par la cour. {HOSTILE}",
                contacts=[
                    ContactIn(purpose="booking_phone", value="01 99 00 55 01"),
                    ContactIn(purpose="booking_url", value="https://rendez-vous.example.org/arquembourg"),
                    ContactIn(purpose="pro_phone", value="01 99 00 66 66"),
                ],
                hours=[
                    SlotIn(weekday=day, opens=opens, closes=closes)
                    for day in range(1, 6)
                    for opens, closes in ((time(9), time(12, 30)), (time(14), time(19)))
                ],
                territory=["commune:78361", "commune:78335", "commune:78362"],
            )
            await describe_offer(session, offer.uid, description, "essai", offer.version)


PORTAL = "mantes"
"""A portal of the towns around Mantes, from the tests' own server and for nobody else's pages."""


async def portals() -> None:
    """Make a portal in colours of its own."""
    draft = PortalDraft(
        slug=PORTAL,
        title="Maillage Mantes",
        logo="Maillage Mantes",
        intro="Trouver à qui adresser un patient autour de Mantes.",
        places=("epci:200059889",),
        colour="#6b2a6e",
        band="#f3e9f3",
    )
    async with unit_of_work() as session:
        await create(session, draft, "essai")


async def write() -> None:
    """Write what the registers do not say."""
    await describe()
    await portals()
    await sign_in()
    await intern()
    await dispose()


if __name__ == "__main__":
    with connect_direct() as connection:
        fill(connection)
    asyncio.run(write())
