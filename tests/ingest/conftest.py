"""Fixtures of ingestion: a home of its own, the places of a few towns, a door that loads files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import URL

from core.settings import CoreSettings, load

Query = Callable[..., list[tuple[Any, ...]]]

PLACES = """
INSERT INTO maps.place (id, kind, code, name, population, departement_code, postal_codes, point, source)
OVERRIDING SYSTEM VALUE VALUES
    (1, 'commune', '78361', 'Mantes-la-Jolie', 44000, '78', '{78200}', 'POINT(1.717 48.99)', 'test'),
    (2, 'commune', '78646', 'Versailles', 85000, '78', '{78000}', 'POINT(2.13 48.80)', 'test'),
    (3, 'arrondissement', '75112', 'Paris 12e arrondissement', 140000, '75', '{75012}', 'POINT(2.39 48.84)', 'test'),
    (4, 'departement', '78', 'Yvelines', 1400000, '78', '{}', NULL, 'test');
INSERT INTO maps.place_containment (place_id, container_id) VALUES (1, 4), (2, 4);
INSERT INTO maps.place_state (id, source) VALUES (1, 'test');
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """REPERE_HOME in the test's folder."""
    folder = tmp_path / "home"
    monkeypatch.setenv("REPERE_HOME", str(folder))
    load.cache_clear()
    assert load(CoreSettings).home == folder
    yield folder
    load.cache_clear()


@pytest.fixture
def directory(clean_database: URL, home: Path) -> Iterator[psycopg.Connection]:
    """An empty directory that knows a few towns; an autocommit connection to it."""
    from core.db import connect_direct
    from maps import api as maps

    with connect_direct(autocommit=True) as connection:
        connection.execute(PLACES)
        maps.invalidate()
        yield connection
    maps.invalidate()


@pytest.fixture
def query(directory: psycopg.Connection) -> Query:
    """Run a query on the directory and return its rows."""

    def run(text: str, *parameters: object) -> list[tuple[Any, ...]]:
        return directory.execute(text, parameters or None).fetchall()

    return run


@pytest.fixture
def registers(tmp_path: Path) -> Path:
    """A folder for register files."""
    folder = tmp_path / "registers"
    folder.mkdir()
    return folder
