"""Doctors, interns and moderators of the Isère and of the Yvelines, as registers and councils know them."""

import asyncio
from datetime import timedelta
from typing import Any, Final

import psycopg

from accounts.models import Account, SignIn
from accounts.models_coordinates import Coordinate, CoordinateUse, GivenStanding, OrdinalFile
from accounts.service import give
from core import clock
from core.db import connect_direct, dispose, unit_of_work
from core.security import digest
from directory import nomenclature
from directory.api import create_publication_tables, publish
from maps.api import invalidate, load_places, resolve_ref
from tests.browser.seed import insert, token_of

GENERAL: Final = "R38|SM54"
VOIRON, GRENOBLE, MANTES = "38563", "38185", "78361"

KNOWN: Final[dict[str, tuple[str, str, str, str, str]]] = {
    "interne": ("Alix", "FERRAND", "10", "E", GRENOBLE),
    "medecin": ("Sandrine", "ITALIANI", "10", "C", VOIRON),
    "interne-clavier": ("Camille", "BERTHELOT", "10", "E", MANTES),
    "interne-simple": ("Sacha", "NICOLAS", "10", "E", MANTES),
    "infirmiere": ("Louise", "MARCHAND", "60", "C", VOIRON),
}
"""Whom the registers know, by the word that names them in tests: names, profession, category, town of practice."""
LICENSED: Final = ("interne", "interne-clavier", "interne-simple")
"""Those to whom a council gave a licence of replacement."""
VISITED: Final = {"medecin": "38", "interne-clavier": "78", "interne-simple": "78"}
"""Those who came before, and their council."""
MODERATORS: Final = {"cd38": ("Paule", "38"), "cd38-bis": ("René", "38"), "cd78": ("Maud", "78")}


def email_of(name: str) -> str:
    """Return the address that somebody confirmed for their account: the Ordre writes there."""
    return f"{name}@exemple.fr"


def rpps_of(name: str) -> str:
    """Return the RPPS of somebody of `KNOWN`."""
    return f"101001{list(KNOWN).index(name):05d}"


def fill(conn: psycopg.Connection) -> None:
    """Load the places of the two départements, the nomenclatures, and a practice for each of `KNOWN`."""
    load_places(conn, ["38", "78"])
    nomenclature.load(conn)
    conn.commit()
    invalidate()
    create_publication_tables(conn)
    insert(conn, "pub_site", [_site(name) for name in KNOWN])
    insert(conn, "pub_practitioner", [_practitioner(name) for name in KNOWN])
    insert(conn, "pub_role", [_role(name) for name in KNOWN])
    conn.commit()
    publish(conn, 1, {"rpps"})
    conn.commit()


def _site(name: str) -> dict[str, Any]:
    at = list(KNOWN).index(name)
    town = resolve_ref("commune", KNOWN[name][4])
    assert town is not None
    return {
        "key": f"struct:4200000{at:05d}",
        "old_keys": [],
        "kind": "practice",
        "structure_id": f"4200000{at:05d}",
        "name": f"CABINET {KNOWN[name][1]}",
        "street": f"{at + 5} RUE DES CASTORS",
        "postal_code": town.postal_codes[0],
        "town": town.name.upper(),
        "commune_id": town.id,
        "commune_code": town.code,
        "commune_how": "code",
        "commune_score": 100,
        "lat": town.lat,
        "lon": town.lon,
        "position_source": "ban",
        "position_level": "number",
        "position_score": 95,
        "phone": f"06399801{at:02d}",
        "email": f"registre-{name}@exemple.fr",
        "hash": 100 + at,
    }


def _practitioner(name: str) -> dict[str, Any]:
    first_name, last_name, profession, category, _ = KNOWN[name]
    doctor = profession == "10" and category == "C"
    return {
        "key": f"8{rpps_of(name)}",
        "rpps": rpps_of(name),
        "civility": "MME",
        "last_name": last_name,
        "first_name": first_name,
        "profession": profession,
        "category": category,
        "specialties": [GENERAL] if doctor else [],
        "hash": 200,
    }


def _role(name: str) -> dict[str, Any]:
    _, _, profession, category, _ = KNOWN[name]
    return {
        "key": f"8{rpps_of(name)}/L/",
        "practitioner_key": f"8{rpps_of(name)}",
        "site_key": f"struct:4200000{list(KNOWN).index(name):05d}",
        "profession": profession,
        "category": category,
        "specialties": [],
        "mode": "L",
        "hash": 300,
    }


async def write() -> None:
    """Make the accounts, what councils gave them, and a browser for each."""
    async with unit_of_work() as session:
        now = await clock.now(session)
        accounts = {
            name: Account(
                status="active",
                first_name=first_name,
                last_name=last_name.capitalize(),
                rpps=rpps_of(name),
                email=email_of(name),
                email_confirmed_at=now,
            )
            for name, (first_name, last_name, *_) in KNOWN.items()
        } | {
            name: Account(
                status="active",
                first_name=first_name,
                last_name=f"Conseil {council}",
                email=email_of(name),
                email_confirmed_at=now,
            )
            for name, (first_name, council) in MODERATORS.items()
        }
        session.add_all(accounts.values())
        await session.flush()
        for name, account in accounts.items():
            session.add(
                SignIn(
                    account_id=account.id,
                    token=digest(token_of(name)),
                    method="password",
                    expires_at=now + timedelta(hours=10),
                )
            )
        for name in KNOWN:
            await give(session, accounts[name].id, "professional", f"rpps:{rpps_of(name)}", origin="rule", by="essai")
        for name, (_, council) in MODERATORS.items():
            scope = f"council:{council}"
            await give(session, accounts[name].id, "moderator", scope, origin="administrator", by="essai")
        for name in LICENSED:
            account = accounts[name]
            session.add(GivenStanding(account_id=account.id, kind="licensed", specialty=GENERAL, given_by="essai"))
        for name, council in VISITED.items():
            account = accounts[name]
            session.add(OrdinalFile(account_id=account.id, council=council, council_confirmed_at=now, visited_at=now))
            held = Coordinate(account_id=account.id, kind="mobile", value="+33639980150")
            session.add(held)
            await session.flush()
            session.add(CoordinateUse(account_id=account.id, use="annonces", kind="mobile", coordinate_id=held.id))
    await dispose()


if __name__ == "__main__":
    with connect_direct() as connection:
        fill(connection)
    asyncio.run(write())
