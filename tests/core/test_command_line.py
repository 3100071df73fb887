"""The command line: French when it is misused, exit codes that scripts can trust."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cli import COMMANDS, assemble
from core.command_line import run

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "cli.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"REPERE_DATABASE_URL": "postgresql+psycopg://repere@127.0.0.1:9/none"},
    )
    return done.returncode, (done.stdout + done.stderr).replace("\u00a0", " ")


def test_help_is_in_french() -> None:
    code, output = _run("--help")
    assert code == 0
    assert "Commandes" in output
    assert "Affiche cette aide." in output
    assert "Show this message" not in output
    for command in ("mail", "places", "nomenclatures", "sample", "bench"):
        assert re.search(rf"│ {command}\s", output), command


def test_each_command_is_found_where_it_is_said_to_be() -> None:
    for package, commands in COMMANDS.items():
        app = importlib.import_module(f"{package}.commands").app
        names = {app.info.name} if isinstance(app.info.name, str) else set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
        assert names == set(commands), package


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["plaecs"], "La commande « plaecs » est inconnue. Vouliez-vous dire 'places' ?"),
        (["places", "load", "--nope"], "L’option --nope est inconnue."),
        (["sample"], "Il manque l’argument DOSSIER."),
        (["sample", "x", "--size", "beaucoup"], "Valeur refusée pour '--size' : un nombre entier est attendu."),
        (["sample", "x", "--size", "3"], "la valeur doit être au moins 100."),
        (["sample", "x", "--size"], "L’option --size attend une valeur."),
        (["sample", "x", "y"], "Arguments en trop : y."),
    ],
)
def test_misuse_is_told_in_french_with_the_way_to_the_help(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(assemble(), arguments)
    output = capsys.readouterr().err.replace("\u00a0", " ")
    assert code == 2, output
    assert sentence in output
    assert "Aide : ./repere" in output


def test_a_database_that_does_not_answer_is_one_sentence() -> None:
    code, output = _run("places", "load")
    assert code == 1
    assert "La base de données ne répond pas" in output
    assert "Traceback" not in output
