"""Places loaded once for a module, for tests that only read them."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from maps import api
from tests.conftest import _dsn, load_place_rows, truncate_all


@pytest.fixture(scope="module")
def loaded(database: URL, place_rows: list[Any]) -> Iterator[None]:
    truncate_all(_dsn(database))
    api.invalidate()
    load_place_rows(place_rows)
    yield
    truncate_all(_dsn(database))
    api.invalidate()
