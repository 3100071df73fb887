"""Demonstration descriptions: reproducible, once, plausible, and plainly invented."""

from typing import Any

from typer.testing import CliRunner

from directory.demo import describe_demo


def crowd(registers: Any, size: int = 120) -> None:
    registers.establishment("780000287", "500")
    registers.establishment("780000288", "620")
    professions = ("70", "50", "60", "10", "91", "40", "80", "26")
    for n in range(size):
        site = registers.practice(f"struct:4{n // 3:014d}", commune_id=1 + n % 2)
        specialties = ["R38|SM54"] if professions[n % 8] == "10" else []
        person = registers.person(f"{20000000000 + n}", f"NOM{n}", "ALIX", professions[n % 8], specialties=specialties)
        registers.role(person, site, specialties=specialties)
    registers.publish()


def described(registers: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = registers.all(
        "SELECT r.key, o.acts, o.activities, o.skills, o.reception, o.age_min, o.age_max, o.accepts_new, o.languages"
        " FROM directory.offer o JOIN directory.role r ON r.id = o.role_id WHERE o.described ORDER BY r.key"
    )
    return found


def test_about_a_third_is_described_and_only_once(registers: Any) -> None:
    crowd(registers)
    report = describe_demo(registers.loader)
    assert report.candidates == 122
    assert 0.2 < report.described / report.candidates < 0.5
    first = described(registers)
    again = describe_demo(registers.loader)
    assert again.described == 0
    assert described(registers) == first
    assert registers.publish().changed is False


def test_the_same_registers_give_the_same_directory(registers: Any, clean_database: Any) -> None:
    crowd(registers)
    describe_demo(registers.loader)
    first = described(registers)
    registers.conn.execute(
        "TRUNCATE directory.offer, directory.site, directory.practitioner, directory.role, directory.legal_entity,"
        " directory.offer_search, directory.alias CASCADE"
    )
    registers.publish()
    describe_demo(registers.loader)
    assert described(registers) == first


def test_the_search_rows_and_the_events_follow(registers: Any) -> None:
    crowd(registers)
    report = describe_demo(registers.loader)
    assert registers.one("SELECT count(*) FROM directory.offer_search WHERE described") == report.described
    assert registers.one("SELECT count(*) FROM directory.offer_search WHERE open_minutes IS NOT NULL") > 0
    visiting = registers.all("SELECT territory, commune_id FROM directory.offer_search WHERE territory <> '{}'")
    assert visiting
    assert all(line["commune_id"] in line["territory"] for line in visiting)
    events = registers.one("SELECT count(DISTINCT entity_id) FROM core.event WHERE kind = 'offer_described'")
    assert events >= report.described
    assert registers.one("SELECT count(*) FROM directory.history WHERE action = 'described'") == report.described


def test_contacts_are_plainly_invented(registers: Any) -> None:
    crowd(registers)
    describe_demo(registers.loader)
    contacts = registers.all("SELECT purpose, value, confidentiality FROM directory.contact_point")
    fiction = ("019900", "026191", "035301", "046571", "053649", "063998")
    for contact in contacts:
        if "phone" in contact["purpose"]:
            assert contact["value"].startswith(fiction)
        else:
            assert "example.org" in contact["value"]
    assert {c["confidentiality"] for c in contacts} == {1, 2}


def test_the_command_says_what_it_did(registers: Any) -> None:
    from directory.commands import app

    crowd(registers, 24)
    runner = CliRunner()
    assert "offres décrites sur 26" in runner.invoke(app, ["demo-data"]).output
    assert '"described":0' in runner.invoke(app, ["demo-data", "--json"]).output


def test_an_empty_directory_has_nothing_to_describe(registers: Any) -> None:
    assert describe_demo(registers.loader).described == 0
