"""The commands as an operator runs them: reports, JSON, exit codes, links, review, a load that is killed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from core.settings import load as load_settings
from ingest.commands import app
from tests.ingest import official
from tests.ingest.conftest import Query
from tests.ingest.official import AMELI_LINE, KINE, person

pytestmark = pytest.mark.usefixtures("directory")

runner = CliRunner()

ROOT = Path(__file__).parents[2]


def run(*arguments: object, code: int = 0) -> str:
    result = runner.invoke(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result.stdout if code == 0 else result.output


def test_all_prints_a_report_and_keeps_it(registers: Path) -> None:
    official.write_all(registers)
    text = run("ingest", "all", registers)
    assert "publié" in text
    assert "RPPS" in text
    assert "Situations d’exercice" in text
    assert "publié" in run("ingest", "report")
    assert "Chargement n°" in run("ingest", "report", "1")
    assert run("ingest", "report", "99", code=1)
    assert "Derniers chargements" in run("ingest", "status")


def test_json_is_one_object(registers: Path) -> None:
    official.write_all(registers)
    body = json.loads(run("ingest", "all", registers, "--json"))
    assert body["status"] == "published"
    for register in body["registers"].values():
        assert register["read"] == sum(register[k] for k in ("new", "changed", "unchanged", "rejected"))
    assert json.loads(run("ingest", "report", "--json"))["report"]["load_id"] == body["load_id"]
    state = json.loads(run("ingest", "status", "--json"))
    assert state["loads"][0]["registers"] == {"rpps": 1, "finess": 3, "ameli": 1}


def test_one_register_at_a_time(registers: Path, query: Query) -> None:
    official.write_all(registers)
    for register in ("finess", "rpps", "ameli"):
        body = json.loads(run("ingest", register, registers, "--json"))
        assert list(body["registers"]) == [register]
    assert query("SELECT convention FROM directory.role") == [("1",)]


def test_a_refusal_says_where_and_fails(registers: Path) -> None:
    path = official.write_rpps(registers, [KINE, person(2)])
    path.write_text(path.read_text("utf-8")[:-90], "utf-8")
    result = runner.invoke(app, ["ingest", "rpps", str(path)])
    assert result.exit_code == 1
    assert "ligne 3" in result.stderr.replace("\n", " ")
    body = json.loads(run("ingest", "rpps", path, "--json", code=1))
    assert (body["status"], body["line"]) == ("refused", 3)
    assert body["column"]
    assert run("ingest", "all", registers / "absent", code=1)
    assert run("ingest", "all", code=2)
    wrong = official.write_ameli(registers, [AMELI_LINE])
    assert "AMELI" in run("ingest", "finess", wrong, code=1)


def test_a_database_that_does_not_answer(registers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official.write_all(registers)
    monkeypatch.setenv("REPERE_DATABASE_URL", "postgresql+psycopg://repere@127.0.0.1:9/absente")
    load_settings.cache_clear()
    assert "La base de données ne répond pas" in run("ingest", "all", registers, code=1)
    load_settings.cache_clear()


def test_notices_name_what_was_left_aside(registers: Path, directory: psycopg.Connection) -> None:
    official.write_all(registers)
    official.write_rpps(registers, [person(9)], "PS_LibreAcces_Personne_activite_202610010731.txt")
    (registers / "ban").mkdir()
    (registers / "ban" / "adresses-78.csv").write_text("id;id_fantoir\n")
    (registers / "truth.csv").write_text("ameli_row,rpps\n")
    directory.execute("TRUNCATE maps.place CASCADE")
    notices = json.loads(run("ingest", "all", registers, "--json"))["notices"]
    for words in ("202610010731.txt laissé de côté", "adresses BAN", "truth.csv ignoré", "Aucune commune en base"):
        assert any(words in notice for notice in notices), notices


def test_links_has_one_line_per_ameli_line(registers: Path, tmp_path: Path) -> None:
    stranger = AMELI_LINE | {
        "ps_activite_nom": "DUBREUIL",
        "ps_activite_prenom": "PAUL",
        "ps_activite_civilite": "H",
        "coordonnees_num_tel": "",
        "coordonnees_voie": "3 AV FOCH",
    }
    lines = [AMELI_LINE, AMELI_LINE | {"ps_activite_nom": ""}, stranger, AMELI_LINE]
    official.write_rpps(registers, [KINE])
    official.write_ameli(registers, lines)
    run("ingest", "all", registers)
    output = tmp_path / "links.csv"
    sources: list[list[object]] = [[], [registers]]
    for source in sources:
        run("ingest", "links", *source, "-o", output)
        with output.open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert [r["line"] for r in rows] == ["1", "2", "3", "4"]
        assert rows[0]["rpps"] == "10000000001"
        assert rows[0]["structure"] == "41000000000101"
        assert [r["decision"] for r in rows][:3] == ["auto", "rejected", "none"]
    truth = tmp_path / "truth.csv"
    truth.write_text("ameli_row,rpps,structure,secteur\n1,10000000001,41000000000101,1\n3,,,1\n", "utf-8")
    sources = [[], ["--links", output]]
    for source in sources:
        scored = json.loads(run("ingest", "score", truth, *source, "--json"))
        assert scored["overall"]["precision"] == 1
        assert scored["overall"]["recall"] == 1


def _ambiguous(registers: Path) -> None:
    """Two relatives of one name and initial in one practice: nobody can tell which one AMELI means."""
    here = {"structure_id": "354879044187184"}
    official.write_rpps(registers, [person(1, **here), person(2, **here)])
    official.write_ameli(registers, [AMELI_LINE])


def test_review_lists_accepts_and_survives(registers: Path, query: Query) -> None:
    _ambiguous(registers)
    run("ingest", "all", registers)
    pending = json.loads(run("ingest", "review", "--json"))
    assert pending["total"] == 1
    item = pending["items"][0]
    assert {p["rpps"] for p in item["proposals"]} == {"10000000001", "10000000002"}
    assert item["proposals"][0]["name"] == "VALMOREL Jeanne"
    assert "VALMOREL" in run("ingest", "review")
    assert query("SELECT count(*) FROM directory.role WHERE convention IS NOT NULL") == [(0,)]
    run("ingest", "review", "accept", item["fingerprint"][:12], "--rpps", "10000000002", "--par", "essai")
    assert query("SELECT rpps, accepted, decided_by FROM ingest.link_decision") == [("10000000002", True, "essai")]
    linked = "SELECT p.rpps FROM directory.role r JOIN directory.practitioner p ON p.id = r.practitioner_id"
    linked += " WHERE r.convention IS NOT NULL"
    assert query(linked) == [("10000000002",)]
    for _ in range(2):
        run("ingest", "all", registers, "--force")
        assert query(linked) == [("10000000002",)]
        assert json.loads(run("ingest", "review", "--json"))["total"] == 0


def test_review_refuses(registers: Path, query: Query) -> None:
    _ambiguous(registers)
    run("ingest", "all", registers)
    item = json.loads(run("ingest", "review", "--json"))["items"][0]
    run("ingest", "review", "refuse", item["fingerprint"], "--rpps", "10000000001")
    left = json.loads(run("ingest", "review", "--json"))["items"][0]
    assert [p["rpps"] for p in left["proposals"]] == ["10000000002"]
    run("ingest", "review", "refuse", item["fingerprint"])
    assert json.loads(run("ingest", "review", "--json"))["total"] == 0
    run("ingest", "all", registers, "--force")
    assert query("SELECT count(*) FROM directory.role WHERE convention IS NOT NULL") == [(0,)]
    assert run("ingest", "review", "accept", "ffffffffffff", code=1)


STOPPED = """
import os, signal, sys
from pathlib import Path
from ingest import pipeline
wanted = sys.argv[2]
def progress(label, share):
    if label.lower().startswith(wanted):
        os.kill(os.getpid(), signal.SIGKILL)
pipeline.load([Path(sys.argv[1])], progress=progress)
"""


@pytest.mark.parametrize("moment", ["mise en forme", "copie", "publication : offres"])
def test_a_killed_load_leaves_yesterday(registers: Path, query: Query, moment: str) -> None:
    load_day(registers, range(1, 31))
    run("ingest", "all", registers)
    before = query("SELECT key, register_hash FROM directory.role WHERE closed_on IS NULL ORDER BY key")
    load_day(registers, range(3, 33))
    done = subprocess.run([sys.executable, "-c", STOPPED, str(registers), moment], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_for_lock(query)
    assert query("SELECT key, register_hash FROM directory.role WHERE closed_on IS NULL ORDER BY key") == before
    body = json.loads(run("ingest", "all", registers, "--json"))
    assert body["status"] == "published"
    assert query("SELECT status, error IS NOT NULL FROM ingest.load ORDER BY id") == [
        ("published", False),
        ("failed", True),
        ("published", False),
    ]
    assert query("SELECT count(*) FROM directory.role WHERE closed_on IS NULL") == [(30,)]


def test_a_load_killed_after_publishing_is_known_as_published(registers: Path, query: Query) -> None:
    load_day(registers, range(1, 4))
    done = subprocess.run([sys.executable, "-c", STOPPED, str(registers), "fin"], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_for_lock(query)
    assert query("SELECT count(*) FROM directory.role") == [(3,)]
    run("ingest", "all", registers)
    assert query("SELECT status, error LIKE 'Interrompu après%%' FROM ingest.load ORDER BY id LIMIT 1") == [
        ("published", True)
    ]
    assert query("SELECT count(*) FROM directory.role WHERE closed_on IS NULL") == [(3,)]


def load_day(registers: Path, ranks: range) -> None:
    official.write_rpps(registers, [person(i, last_name=f"NOM{chr(64 + i % 26)}{i}") for i in ranks])
    official.write_ameli(registers, [AMELI_LINE])


def wait_for_lock(query: Query) -> None:
    """The server notices the dead process and frees its lock."""
    for _ in range(100):
        if query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'repere-bulk'"
                 " AND datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"
                 " AND query NOT LIKE 'SELECT count%%'") == [(0,)]:  # fmt: skip
            return
        time.sleep(0.1)


def test_two_loads_at_once(registers: Path, directory: psycopg.Connection, query: Query) -> None:
    official.write_all(registers)
    script = "import time\nfrom core.db import connect_direct\nfrom ingest import store\n"
    script += "c = connect_direct()\nstore.take_lock(c)\nstore.begin(c)\nprint('held', flush=True)\ntime.sleep(60)\n"
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, env=os.environ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        message = run("ingest", "all", registers, code=1).replace("\n", " ")
        other.kill()
    assert "Un autre chargement est en cours (n° 1" in message
    assert query("SELECT count(*) FROM directory.role") == [(0,)]
