"""Loading of BAN files: numbered addresses of a département, replaced as a whole."""

from collections.abc import Callable, Iterable
from pathlib import Path

import psycopg

from maps.schemas import BanReport


def load_ban(
    conn: psycopg.Connection, paths: Iterable[Path], *, progress: Callable[[str], None] | None = None
) -> BanReport:
    """Load BAN files. See `maps.api.load_ban`."""
    raise NotImplementedError
