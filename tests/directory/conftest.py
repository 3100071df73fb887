"""A tiny set of registers that tests change and publish."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy.engine import URL

from tests.accounts.helpers import signed_in
from tests.conftest import has_base, mark_base
from tests.directory.path import OWN, Path

ALL = frozenset({"rpps", "finess", "ameli"})
MANTES, BUCHELAY, PARIS12 = 1, 2, 3

PLACES = """
INSERT INTO maps.place (id, kind, code, name, population, departement_code, postal_codes, point, contour, source)
OVERRIDING SYSTEM VALUE VALUES
    (1, 'commune', '78361', 'Mantes-la-Jolie', 44000, '78', '{78200}', 'POINT(1.717 48.99)',
     ST_Multi(ST_GeomFromText('POLYGON((1.68 48.97, 1.75 48.97, 1.75 49.01, 1.68 49.01, 1.68 48.97))', 4326)), 'test'),
    (2, 'commune', '78118', 'Buchelay', 3000, '78', '{78200}', 'POINT(1.67 48.98)', NULL, 'test'),
    (3, 'arrondissement', '75112', 'Paris 12e', 140000, '75', '{75012}', 'POINT(2.39 48.84)', NULL, 'test'),
    (10, 'departement', '78', 'Yvelines', 1400000, '78', '{}', NULL, NULL, 'test'),
    (11, 'departement', '75', 'Paris', 2100000, '75', '{}', NULL, NULL, 'test'),
    (12, 'region', '11', 'Île-de-France', 12000000, NULL, '{}', NULL, NULL, 'test');
INSERT INTO maps.place_containment (place_id, container_id) VALUES (1, 10), (1, 12), (2, 10), (2, 12), (3, 11), (3, 12);
INSERT INTO maps.place_state (id, source) VALUES (1, 'test');
"""


class Registers:
    """Rows of the four publication tables by key; `publish` writes them all and publishes."""

    def __init__(self, conn: psycopg.Connection[dict[str, Any]], loader: psycopg.Connection) -> None:
        self.conn = conn
        self.loader = loader
        self.legal: dict[str, dict[str, Any]] = {}
        self.sites: dict[str, dict[str, Any]] = {}
        self.people: dict[str, dict[str, Any]] = {}
        self.roles: dict[str, dict[str, Any]] = {}
        self.load = 0

    def establishment(self, finess: str, category: str = "355", **more: Any) -> str:
        key = f"finess:{finess}"
        self.sites[key] = {
            "key": key, "kind": "establishment", "finess": finess, "category": category, "name": f"ETAB {finess}",
            "street": "2 BD SULLY", "postal_code": "78200", "town": "MANTES LA JOLIE", "commune_id": MANTES,
            "commune_code": "78361", "lon": 1.7, "lat": 48.98, "position_source": "FINESS",
            "position_level": "place", "position_score": 90, "phone": "0199000001",
        } | more  # fmt: skip
        return key

    def practice(self, key: str, **more: Any) -> str:
        self.sites[key] = {
            "key": key, "kind": "practice", "structure_id": key.removeprefix("struct:"), "name": "CABINET DU PARC",
            "sector": "SA07", "street": "9 RUE DE METZ", "postal_code": "78200", "town": "MANTES LA JOLIE",
            "commune_id": MANTES, "commune_code": "78361", "lon": 1.715, "lat": 48.991, "position_source": "BAN",
            "position_level": "number", "position_score": 95, "phone": "0199000002",
        } | more  # fmt: skip
        return key

    def person(self, rpps: str, last_name: str, first_name: str, profession: str = "70", **more: Any) -> str:
        key = f"8{rpps}"
        self.people[key] = {
            "key": key, "rpps": rpps, "last_name": last_name, "first_name": first_name, "profession": profession,
            "category": "C",
        } | more  # fmt: skip
        return key

    def role(self, person: str, site: str | None, mode: str = "L", **more: Any) -> str:
        key = f"{person}/{site}/{mode}/ORDRE"
        self.roles[key] = {
            "key": key, "practitioner_key": person, "site_key": site, "profession": self.people[person]["profession"],
            "category": "C", "specialties": self.people[person].get("specialties", []), "mode": mode,
            "sector": "SA07", "authority": "ORDRE", "convention": "1", "carte_vitale": True,
        } | more  # fmt: skip
        return key

    def small_town(self) -> None:
        """A hospital, a practice with two physiotherapists and a salaried doctor at the hospital."""
        self.legal["finess:780110078"] = {"key": "finess:780110078", "finess": "780110078", "name": "CH DE MANTES"}
        hospital = self.establishment("780000287", legal_key="finess:780110078", siret="26780028700019")
        self.practice("struct:410000000001001")
        self.role(self.person("10000000001", "MARTIN", "ALICE"), "struct:410000000001001")
        self.role(self.person("10000000002", "DURAND", "JEAN-PAUL"), "struct:410000000001001")
        doctor = self.person("10000000003", "PETIT", "ANNE", "10", specialties=["R38|SM04"])
        self.role(doctor, hospital, "S", specialties=["R38|SM04"])

    def stage(self) -> None:
        from directory.api import create_publication_tables

        create_publication_tables(self.loader)
        for table, rows in (
            ("pub_legal_entity", self.legal), ("pub_site", self.sites), ("pub_practitioner", self.people),
            ("pub_role", self.roles),
        ):  # fmt: skip
            for row in rows.values():
                digest = hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).digest()
                full = row | {"hash": int.from_bytes(digest[:8], "big", signed=True)}
                names = ", ".join(full)
                marks = ", ".join(["%s"] * len(full))
                self.conn.execute(f"INSERT INTO staging.{table} ({names}) VALUES ({marks})", list(full.values()))

    def publish(self, registers: frozenset[str] | set[str] = ALL) -> Any:
        from directory.api import publish

        self.stage()
        self.load += 1
        return publish(self.loader, self.load, registers)

    def add_places(self, statements: str) -> None:
        """Write more places, and have the index of this process read them."""
        from maps import api as maps

        self.conn.execute(statements)
        self.conn.execute("DELETE FROM maps.place_state")
        self.conn.execute("INSERT INTO maps.place_state (id, source) VALUES (1, 'test')")
        maps.invalidate()

    def all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.conn.execute(query, values or None).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        row = self.conn.execute(query, values or None).fetchone()
        assert row is not None, query
        found = list(row.values())
        return found[0] if len(found) == 1 else row

    def offer(self, rpps: str) -> dict[str, Any]:
        found: dict[str, Any] = self.one(
            "SELECT o.* FROM directory.offer o JOIN directory.role r ON r.id = o.role_id"
            " JOIN directory.practitioner p ON p.id = r.practitioner_id WHERE p.rpps = %s",
            rpps,
        )
        return found

    def found(self) -> set[str]:
        """Names of the offers that may be found."""
        rows = self.all("SELECT o.name FROM directory.offer_search s JOIN directory.offer o ON o.id = s.offer_id")
        return {row["name"] for row in rows}

    def codes(self, offer_id: int) -> set[str]:
        rows = self.all(
            "SELECT c.system || '|' || c.code AS ref FROM directory.offer_search s, unnest(s.codes) x"
            " JOIN directory.concept c ON c.id = x WHERE s.offer_id = %s",
            offer_id,
        )
        return {row["ref"] for row in rows}


def dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def registers(clean_database: URL) -> Iterator[Registers]:
    """An empty directory with nomenclatures and six places, and empty registers to fill."""
    from directory import nomenclature
    from maps import api as maps

    address = dsn(clean_database)
    with (
        psycopg.connect(address, autocommit=True, row_factory=dict_row) as conn,
        psycopg.connect(address, autocommit=True) as loader,
    ):
        conn.execute(PLACES)
        # The new mark tells a process that holds the places of another test to read these.
        maps.invalidate()
        if not has_base(address, "registers"):
            nomenclature.load(loader)
            mark_base(address, "registers")
        yield Registers(conn, loader)
    # These places are written by hand: what the process remembers must not outlive them.
    maps.invalidate()


@pytest.fixture
def town(registers: Registers) -> Registers:
    """A small town, published."""
    registers.small_town()
    registers.publish()
    return registers


@pytest.fixture
async def path(town: Registers, client: httpx.AsyncClient) -> Path:
    """Alice's browser, signed in, with her offer still to be described."""
    await signed_in(client, OWN)
    return Path(town, client)
