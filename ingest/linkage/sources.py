"""Where the two sides come from: a frame, or a SQL source that duckdb reads without passing through Python."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

AMELI_COLUMNS = (
    "ps_activite_nom",
    "ps_activite_prenom",
    "ps_activite_civilite",
    "ps_activite_raison_sociale",
    "specialite_code",
    "coordonnees_num_tel",
    "coordonnees_voie",
    "coordonnees_complement",
    "coordonnees_lieu_dit",
    "coordonnees_code_postal",
    "coordonnees_ville",
)
"""The columns of an AMELI line that linkage reads; the other thirteen are ignored."""

ACTIVITY_COLUMNS = (
    "rpps",
    "structure",
    "mode",
    "last_name",
    "first_name",
    "civility",
    "gender",
    "profession",
    "specialties",
    "number",
    "repetition",
    "way_type",
    "way",
    "postal_code",
    "cedex_office",
    "commune_code",
    "commune_label",
    "phone",
    "phone2",
    "department",
    "structure_name",
)
"""Columns of an activity; an absent optional one counts as empty.

Rows of one person × structure (several modes, several savoir-faire) are brought together: the liberal one counts.
"""

_REQUIRED = {
    "ameli": ("line", "ps_activite_nom", "ps_activite_prenom", "specialite_code"),
    "activities": ("rpps", "structure", "last_name", "first_name", "profession"),
}


@dataclass(frozen=True, slots=True)
class SqlSource:
    """A query for duckdb whose columns are those of a side; used for files too large for frames."""

    sql: str

    def frame(self) -> pd.DataFrame:
        """Run the query and return its rows as a frame."""
        with duckdb.connect() as connection:
            result: pd.DataFrame = connection.execute(self.sql).df()
        return result


Source = pd.DataFrame | SqlSource | Any
"""A pandas frame, an Arrow table (anything duckdb can scan), or a `SqlSource`."""


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def ameli_from_file(path: Path) -> SqlSource:
    """Source of an official `liste-ps-*.csv`: UTF-8 with or without BOM, `;`, header, columns by name.

    `line` is the 1-based number of the data row. Raises FileNotFoundError when the file is absent.
    """
    _exists(path)
    return SqlSource(
        f"""SELECT row_number() OVER () AS line, * FROM read_csv({_quoted(path)}, delim=';', quote='"',
        escape='"', header=true, all_varchar=true, null_padding=true, nullstr='', parallel=false)"""  # noqa: S608
    )


_RPPS = {
    "rpps": "Identifiant PP",
    "structure": "Identifiant technique de la structure",
    "specialties": "Code savoir-faire",
    "mode": "Code mode exercice",
    "last_name": "Nom d'exercice",
    "first_name": "Prénom d'exercice",
    "civility": "Code civilité",
    "profession": "Code profession",
    "number": "Numéro Voie (coord. structure)",
    "repetition": "Indice répétition voie (coord. structure)",
    "way_type": "Code type de voie (coord. structure)",
    "way": "Libellé Voie (coord. structure)",
    "postal_code": "Code postal (coord. structure)",
    "cedex_office": "Bureau cedex (coord. structure)",
    "commune_code": "Code commune (coord. structure)",
    "commune_label": "Libellé commune (coord. structure)",
    "phone": "Téléphone (coord. structure)",
    "phone2": "Téléphone 2 (coord. structure)",
    "department": "Code Département (structure)",
    "structure_name": "Raison sociale site",
}


def activities_from_rpps(path: Path) -> SqlSource:
    """Source of the activities of an official `Personne_activite` file (`|`, no quoting, no BOM), row by row.

    `rpps` is the identifier without its type digit. Raises FileNotFoundError when the file is absent.
    """
    _exists(path)
    columns = ", ".join(f'"{official}" AS {name}' for name, official in _RPPS.items())
    return SqlSource(
        f"""SELECT {columns} FROM read_csv({_quoted(path)}, delim='|', quote='', escape='',
        header=true, all_varchar=true, null_padding=true, strict_mode=false, nullstr='', parallel=true)"""  # noqa: S608
    )


def _exists(path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"Fichier introuvable : {path}")


def load(connection: duckdb.DuckDBPyConnection, side: str, source: Source) -> None:
    """Materialise a side ("ameli" or "activities") as a table of text columns, absent columns empty.

    Raises ValueError naming the missing required columns.
    """
    if isinstance(source, SqlSource):
        query = source.sql
    else:
        connection.register(f"{side}_input", source)
        query = f"SELECT * FROM {side}_input"  # noqa: S608
    present = {d[0] for d in connection.execute(f"SELECT * FROM ({query}) LIMIT 0").description or ()}  # noqa: S608
    missing = [c for c in _REQUIRED[side] if c not in present]
    if missing:
        raise ValueError(f"Colonnes absentes pour le rapprochement : {', '.join(missing)}")
    wanted = AMELI_COLUMNS if side == "ameli" else ACTIVITY_COLUMNS
    columns = ", ".join(_text(c) if c in present else f"'' AS {c}" for c in wanted)
    if side == "ameli":
        connection.execute(
            f"CREATE OR REPLACE TABLE ameli AS SELECT CAST(line AS BIGINT) AS line, {columns} FROM ({query}) ORDER BY 1"  # noqa: S608
        )
    else:
        connection.execute(f"CREATE OR REPLACE TABLE activity_rows AS SELECT {columns} FROM ({query})")  # noqa: S608
        connection.execute(_ONE_ROW_PER_STRUCTURE)
        connection.execute("DROP TABLE activity_rows")
    if not isinstance(source, SqlSource):
        connection.unregister(f"{side}_input")


_ONE_ROW_PER_STRUCTURE = """
CREATE OR REPLACE TABLE activities AS
SELECT r.* REPLACE (k.held AS specialties) FROM activity_rows AS r JOIN (
    SELECT arg_min(rowid, (mode <> 'L', mode, postal_code, way, number, phone, rowid)) AS chosen,
           string_agg(DISTINCT specialties, ',' ORDER BY specialties) AS held
    FROM activity_rows GROUP BY rpps, structure
) AS k ON r.rowid = k.chosen
ORDER BY r.rpps, r.structure
"""
# A join gives its rows in an order that changes from one run to the next, and equal pairs are told apart by their
# place: without an order of our own, reading the same files again would choose others.


def _text(column: str) -> str:
    return f"coalesce(trim(CAST({column} AS VARCHAR)), '') AS {column}"


Progress = Callable[[str, float], None]
"""Called with the French name of the current phase and the share done (0–1)."""
