"""The index of texts as it is written: changes taken in, damage refused, one writer, readers undisturbed."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import URL

from core.errors import Conflict
from search_api import words
from search_api.engine import NameHit
from search_api.texts.reader import TextReader
from search_api.texts.writer import TextWriter
from search_api.words import SqlWords, TextWords
from tests.conftest import ROOT
from tests.search_api.texts.names import CANARY, SITES, names_found, term


def _refresh(conn: psycopg.Connection, people: list[int] | None = None, sites: list[int] | None = None) -> None:
    from directory.projection import refresh_selected

    chosen = ",".join(map(str, people or sites or []))
    if people:
        source = (
            "SELECT o.id FROM directory.offer o JOIN directory.role r ON r.id = o.role_id"
            f" WHERE r.practitioner_id IN ({chosen})"
        )
    else:
        source = f"SELECT id FROM directory.offer WHERE site_id IN ({chosen})"
    refresh_selected(conn, source)


def _offer_sites(conn: psycopg.Connection, person: int) -> list[int]:
    rows = conn.execute("SELECT site_id FROM directory.role WHERE practitioner_id = %s", (person,)).fetchall()
    return [site for (site,) in rows]


@pytest.mark.parametrize("change", ["renamed", "closed", "unpublished", "sensitive"])
def test_a_change_of_a_person_is_taken_in(conn: psycopg.Connection, copy: Path, change: str) -> None:
    row = conn.execute("SELECT id FROM directory.practitioner WHERE last_name = 'ŒUVRARD'").fetchone()
    assert row
    person = row[0]
    reader = TextReader(copy)
    assert names_found(reader, "oeuvrard") == {("practitioner", person)}
    assert reader.beginning("oeuv", 5) == ["oeuvrard"] == reader.mended("oeuvrrad")
    with TextWriter(copy) as writer:
        if change == "renamed":
            conn.execute("UPDATE directory.practitioner SET last_name = 'Wolfeschlegel' WHERE id = %s", (person,))
        else:
            column = {"closed": "closed_on = '2026-01-01'", "unpublished": "status = 'unpublished'"}.get(change)
            conn.execute(
                f"UPDATE directory.offer o SET {column or 'sensitive = true'} FROM directory.role r"
                " WHERE r.id = o.role_id AND r.practitioner_id = %s",
                (person,),
            )
        _refresh(conn, people=[person])
        writer.update(conn, _offer_sites(conn, person), [person], 12)
        assert reader.position == 7 or reader.position == 12
        reader.reload()
        assert reader.position == 12
        assert names_found(reader, "oeuvrard") == set()
        assert reader.known(["oeuvrard"], 1) == frozenset()
        assert reader.beginning("oeuv", 5) == reader.mended("oeuvrrad") == []
        assert reader.cards([NameHit("practitioner", person, 1)], 1) == [] or change == "renamed"
        assert (reader.known(["oeuvrard"], 2) == {"oeuvrard"}) == (change == "sensitive")
        if change == "renamed":
            assert names_found(reader, "wolfeschlegel") == {("practitioner", person)}
            assert reader.beginning("wolf", 5) == ["wolfeschlegel"] == reader.mended("wolfeschlegle")
            assert reader.cards([NameHit("practitioner", person, 1)], 1)[0].label.endswith("Wolfeschlegel")
        conn.rollback()
        _refresh(conn, people=[person])
        writer.update(conn, _offer_sites(conn, person), [person], 13)
    reader.reload()
    assert names_found(reader, "oeuvrard") == {("practitioner", person)}
    assert reader.beginning("oeuv", 5) == ["oeuvrard"]


def test_a_reader_sees_a_commit_by_itself(conn: psycopg.Connection, copy: Path) -> None:
    reader = TextReader(copy)
    with TextWriter(copy) as writer:
        writer.update(conn, [1], [1], 55)
    over = time.monotonic() + 10
    while reader.position != 55 and time.monotonic() < over:
        time.sleep(0.05)
    assert reader.position == 55


def test_a_change_of_a_site_is_taken_in_with_its_long_name(conn: psycopg.Connection, copy: Path) -> None:
    reader = TextReader(copy)
    assert names_found(reader, "orthophonie") == {("site", 1)} and reader.known(["bis"], 1)
    conn.execute("UPDATE directory.site SET name = 'Maison neuve', long_name = 'Maison toute neuve' WHERE id = 1")
    conn.execute("UPDATE directory.site SET long_name = NULL")
    conn.execute("UPDATE directory.site SET long_name = 'Maison toute neuve' WHERE id = 1")
    _refresh(conn, sites=[number * 3 + 1 for number in range(len(SITES))])
    with TextWriter(copy) as writer:
        writer.update(conn, [number * 3 + 1 for number in range(len(SITES))], [], 8)
    reader.reload()
    assert names_found(reader, "orthophonie") == set() == reader.known(["bis", "orthophonie"], 1)
    assert names_found(reader, "neuve") == {("site", 1)} and reader.known(["toute"], 1) == {"toute"}


def test_many_corrections_leave_what_a_build_would(conn: psycopg.Connection, copy: Path, tmp_path: Path) -> None:
    rng = random.Random(8)
    people = [key for (key,) in conn.execute("SELECT id FROM directory.practitioner ORDER BY id").fetchall()]
    with TextWriter(copy) as writer:
        for number in range(12):
            some = rng.sample(people, 25)
            for person in some:
                conn.execute(
                    "UPDATE directory.practitioner SET last_name = %s WHERE id = %s",
                    (rng.choice(("Martin", "Nouvel-Arrivant", "Dupont", "Q’Azerty")), person),
                )
            _refresh(conn, people=some)
            writer.update(conn, [], some, 100 + number)
    with TextWriter(tmp_path / "anew") as writer:
        writer.rebuild(conn, 111)
    one, other = TextReader(copy), TextReader(tmp_path / "anew")
    assert one.position == other.position == 111
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    for letter in letters:
        assert one.beginning(letter, 10_000) == other.beginning(letter, 10_000)
    for said in ("martin", "nouvel", "nouvelarrivant", "dupont", "qazerty", "elodie", CANARY):
        for level in (1, 2):
            assert one.names((term(said),), level, 10_000) == other.names((term(said),), level, 10_000)


def test_a_second_writer_is_refused_in_french(copy: Path, named: URL) -> None:
    with TextWriter(copy), pytest.raises(Conflict, match="tenu à jour par un autre processus"):
        TextWriter(copy)
    held = TextWriter(copy)
    held.close()
    TextWriter(copy).close()


def test_there_must_be_an_index_to_correct(conn: psycopg.Connection, tmp_path: Path) -> None:
    with TextWriter(tmp_path) as writer, pytest.raises(Conflict, match="index texts"):
        writer.update(conn, [1], [], 1)
    assert not TextReader(tmp_path).ready and TextReader(tmp_path).position is None
    assert TextReader(tmp_path / "absent").beginning("mar", 5) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "current.json").write_text('{"format": 1, "vers'),
        lambda folder: (folder / "current.json").write_text('{"format": 1, "version": "v000001", "checksum": "0"}'),
        lambda folder: (folder / "current.json").write_text(
            (folder / "current.json").read_text().replace("v000001", "v000002")
        ),
        lambda folder: (folder / "current.json").write_text('{"version": "../../etc", "checksum": "0"}'),
        lambda folder: (folder / "current.json").write_bytes(b"\xff\x00"),
        lambda folder: (folder / "current.json").unlink(),
        lambda folder: (folder / "v000001" / "meta.json").unlink(),
        lambda folder: (folder / "v000001" / "meta.json").write_text("{}"),
        lambda folder: [path.unlink() for path in (folder / "v000001").glob("*.term")],
        lambda folder: [path.write_bytes(b"") for path in (folder / "v000001").glob("*.idx")],
        lambda folder: [path.write_bytes(path.read_bytes()[:99]) for path in (folder / "v000001").glob("*.fast")],
    ],
)
def test_a_damaged_or_foreign_folder_is_refused_and_built_again(
    conn: psycopg.Connection, copy: Path, sql_afterwards: None, damage: Any
) -> None:
    damage(copy)
    reader = TextReader(copy)
    assert not reader.ready
    assert reader.beginning("mar", 5) == reader.mended("martni") == []
    assert reader.names((term("martin"),), 1, 5) == []
    words.use(reader)
    assert isinstance(words.words_source(), SqlWords)
    with TextWriter(copy) as writer:
        writer.rebuild(conn, 9)
    reader.reload()
    assert reader.ready and reader.position == 9
    assert isinstance(words.words_source(), TextWords)


def test_another_format_is_never_read(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from search_api.texts import folder

    monkeypatch.setattr(folder, "FORMAT", 99)
    assert not TextReader(copy).ready


def test_a_reader_keeps_its_version_when_the_next_one_is_damaged(conn: psycopg.Connection, copy: Path) -> None:
    reader = TextReader(copy)
    before = reader.beginning("mar", 5)
    with TextWriter(copy) as writer:
        writer.rebuild(conn, 20)
    (copy / "v000002" / "meta.json").write_text("half")
    reader.reload()
    assert reader.ready and reader.position == 7 and reader.beginning("mar", 5) == before
    with TextWriter(copy) as writer:
        writer.rebuild(conn, 21)
    reader.reload()
    assert reader.position == 21
    assert sorted(path.name for path in copy.glob("v*")) == ["v000003"] or (copy / "v000003").is_dir()


def test_a_failed_build_leaves_the_former_index(copy: Path, conn: psycopg.Connection) -> None:
    conn.execute("ALTER TABLE directory.offer_search RENAME TO elsewhere")
    with TextWriter(copy) as writer, pytest.raises(psycopg.Error):
        writer.rebuild(conn, 30)
    conn.rollback()
    assert TextReader(copy).position == 7 and [path.name for path in copy.glob("v*")] == ["v000001"]


def test_readers_answer_while_the_index_is_written(copy: Path, conn: psycopg.Connection) -> None:
    reader = TextReader(copy)
    wrong: list[object] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            found = reader.names((term("elodie"),), 1, 10)
            if len(found) < 10 or "martin" not in reader.beginning("mart", 3) or not reader.cards(found, 1):
                wrong.append(found)
            reader.reload()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        with TextWriter(copy) as writer:
            for number in range(10):
                writer.update(conn, [1], [1, 2, 3], 40 + number)
                if number % 4 == 3:
                    writer.rebuild(conn, 40 + number)
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
    assert wrong == []
    reader.reload()
    assert reader.position == 49


def test_the_command_builds_the_index_of_the_instance(named: URL, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "cli.py", "index", "texts", *arguments],
            cwd=ROOT,
            env=os.environ
            | {
                "REPERE_DATABASE_URL": named.render_as_string(hide_password=False),
                "REPERE_INDEX_FOLDER": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    reader = TextReader(tmp_path / "texts")
    assert reader.position == report["position"] and report["people"] > 2_000 and report["words"] > 1_000
    assert "professionnels" in run().stdout
    with TextWriter(tmp_path / "texts"):
        refused = run()
    assert refused.returncode == 1 and "déjà tenu à jour" in refused.stderr
