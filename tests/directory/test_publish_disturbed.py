"""Publications that are refused, doubled, interrupted or met by an edit: yesterday's directory stays whole."""

import threading
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import URL

from core.errors import Conflict, InvalidInput


def test_a_register_without_rows_is_refused(town: Any) -> None:
    town.people.clear()
    town.roles.clear()
    with pytest.raises(InvalidInput, match="RPPS"):
        town.publish()
    assert len(town.found()) == 4


@pytest.mark.parametrize("wrong", [set(), {"rpps", "ssa"}])
def test_unknown_registers_are_refused(town: Any, wrong: set[str]) -> None:
    with pytest.raises(InvalidInput):
        town.publish(wrong)


@pytest.mark.parametrize("first", [True, False])
def test_a_key_that_comes_twice_is_refused_and_nothing_changes(registers: Any, first: bool) -> None:
    from directory.api import publish

    registers.small_town()
    if not first:
        registers.publish()
        registers.practice("struct:410000000001001", phone="0199000098")
    registers.stage()
    registers.conn.execute("INSERT INTO staging.pub_site SELECT * FROM staging.pub_site WHERE kind = 'practice'")
    with pytest.raises(InvalidInput, match="deux fois"):
        publish(registers.loader, 9, {"rpps", "finess", "ameli"})
    assert len(registers.found()) == (0 if first else 4)
    assert registers.one("SELECT count(*) FROM directory.site WHERE phone = '0199000098'") == 0


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_publication_commits_itself(registers: Any, clean_database: URL, autocommit: bool) -> None:
    from directory.api import publish

    registers.small_town()
    registers.stage()
    dsn = clean_database.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=autocommit) as conn:
        publish(conn, 1, {"rpps", "finess", "ameli"})
        assert len(registers.found()) == 4


def test_two_publications_at_once_are_one(town: Any, clean_database: URL) -> None:
    from directory.api import publish

    town.stage()
    with town.conn.transaction():
        town.conn.execute("SELECT pg_advisory_xact_lock(hashtext('repere-publish'))")
        other = clean_database.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(other, autocommit=True) as conn, pytest.raises(Conflict, match="en cours"):
            publish(conn, 2, {"rpps", "finess", "ameli"})


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("phase", ["Sites", "Situations d’exercice", "Index de recherche"])
def test_a_killed_publication_leaves_yesterday(registers: Any, clean_database: URL, phase: str, first: bool) -> None:
    from directory.api import publish

    registers.small_town()
    if not first:
        registers.publish()
        registers.roles.clear()
        registers.practice("struct:410000000001001", phone="0199000099")
    registers.stage()
    before = registers.all("SELECT * FROM directory.offer_search ORDER BY offer_id")
    dsn = clean_database.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as victim:
        pid = victim.info.backend_pid

        def kill(label: str, share: float) -> None:
            if label == phase:
                registers.conn.execute("SELECT pg_terminate_backend(%s)", (pid,))

        with pytest.raises(psycopg.OperationalError):
            publish(victim, 5, {"rpps", "finess", "ameli"}, kill)
    assert registers.all("SELECT * FROM directory.offer_search ORDER BY offer_id") == before
    assert registers.one("SELECT count(*) FROM core.event WHERE load_id = 5") == 0
    registers.load = 5
    assert registers.publish().searchable == (4 if first else 2)


def test_an_edit_during_a_publication_waits_and_is_kept(town: Any, clean_database: URL) -> None:
    offer = town.offer("10000000001")
    dsn = clean_database.set(drivername="postgresql").render_as_string(hide_password=False)
    town.person("10000000001", "MARTIN-LEROY", "ALICE")
    town.stage()
    done: list[str] = []

    def edit() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("UPDATE directory.offer SET comment = 'écrit pendant' WHERE id = %s", (offer["id"],))
        done.append("edit")

    editor = threading.Thread(target=edit)
    with town.loader.transaction():
        from directory.api import publish

        publish(town.loader, 2, {"rpps", "finess", "ameli"})
        editor.start()
        assert done == []
    editor.join(10)
    assert done == ["edit"]
    after = town.offer("10000000001")
    assert (after["comment"], after["name"]) == (
        "écrit pendant", "Consultation kinésithérapie Alice MARTIN-LEROY",
    )  # fmt: skip
