"""Whom the registers know, for accounts: doctors and students of medicine, where they practise, how to reach them."""

import pytest

from accounts.api import KnownPerson, known_person, specialties
from core.db import unit_of_work
from directory.api import offer_known_people
from tests.directory.conftest import Registers


@pytest.fixture(autouse=True)
def known() -> None:
    """Have accounts ask the directory."""
    offer_known_people()


async def _known(rpps: str | None) -> KnownPerson | None:
    async with unit_of_work() as session:
        return await known_person(session, rpps)


async def test_a_doctor_is_known_by_their_main_practice(registers: Registers) -> None:
    registers.small_town()
    own = registers.practice(
        "struct:410000000001002",
        phone="0639980001",
        phone2="0199000055",
        email="cabinet@exemple.fr",
        street="12 RUE DE L EGLISE",
    )
    registers.role("810000000003", own, "L", specialties=["R39|C01", "R38|SM04"])
    registers.publish()
    assert await _known("10000000003") == KnownPerson(
        kind="doctor",
        specialty="R38|SM04",
        departement="78",
        address="12 rue de l Eglise, 78200 Mantes la Jolie",
        email="cabinet@exemple.fr",
        mobile="+33639980001",
        phone="+33199000055",
    )
    assert await _known("10000000001") is None, "a physiotherapist"
    assert await _known("10000000099") is None
    assert await _known(None) is None


async def test_a_student_is_an_intern_and_who_left_is_nobody(registers: Registers) -> None:
    registers.small_town()
    student = registers.person("10000000010", "FONTAINE", "LEA", "10", category="E")
    registers.role(student, None, "S", category="E")
    registers.publish()
    assert await _known("10000000010") == KnownPerson(kind="intern")
    del registers.people["810000000010"], registers.roles[f"{student}/None/S/ORDRE"]
    registers.publish()
    assert await _known("10000000010") is None


@pytest.mark.parametrize(
    ("commune", "departement"),
    [("2A004", "2A"), ("97105", "971"), ("97701", "971"), ("97502", "975"), ("98818", None), (None, None)],
)
async def test_the_departement_of_islands(registers: Registers, commune: str | None, departement: str | None) -> None:
    registers.small_town()
    site = registers.practice("struct:410000000001003", commune_code=commune, commune_id=None)
    registers.role(registers.person("10000000011", "ROSSI", "PAUL", "10"), site)
    registers.publish()
    found = await _known("10000000011")
    assert found is not None
    assert found.departement == departement


async def test_specialties_are_those_of_medicine(registers: Registers) -> None:
    async with unit_of_work() as session:
        found = await specialties(session)
    assert found["R38|SM54"] == "Médecine générale"
    assert not [ref for ref in found if not ref.startswith("R38|SM")]
    assert len(found) > 80
