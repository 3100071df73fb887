"""duckdb macros shared by the registers: phones, e-mails, spaces, stable hashes."""

from collections.abc import Sequence

import duckdb

SEPARATOR = "chr(31)"

_MACROS = (
    # Ten digits of the national plan; a foreign or unreadable number is nothing.
    """CREATE OR REPLACE MACRO digits_phone(d) AS CASE
        WHEN length(d) = 10 AND d[1] = '0' THEN d
        WHEN length(d) = 9 AND d[1] <> '0' THEN '0' || d
        WHEN length(d) = 11 AND d[1:2] = '33' THEN '0' || d[3:]
        WHEN length(d) = 12 AND d[1:3] = '330' THEN d[3:]
        WHEN length(d) = 13 AND d[1:4] = '0033' THEN '0' || d[5:]
        WHEN length(d) IN (12, 14) AND regexp_full_match(d, '(00)?(590|594|596|262|508|681|687|689)\\d{9}')
            THEN '0' || d[-9:]
        ELSE NULL END""",
    """CREATE OR REPLACE MACRO phone(t) AS digits_phone(regexp_replace(t, '\\D', '', 'g'))""",
    """CREATE OR REPLACE MACRO email(t) AS CASE
        WHEN regexp_full_match(trim(t), '[^@\\s]+@[^@\\s]+\\.[^@\\s]+') THEN lower(trim(t)) ELSE NULL END""",
    """CREATE OR REPLACE MACRO tidy(t) AS nullif(trim(regexp_replace(t, '\\s+', ' ', 'g')), '')""",
    """CREATE OR REPLACE MACRO finess_ok(t) AS coalesce(regexp_full_match(t, '\\d[0-9AB]\\d{7}'), false)""",
    """CREATE OR REPLACE MACRO siret_ok(t) AS coalesce(regexp_full_match(t, '\\d{14}'), false)""",
    """CREATE OR REPLACE MACRO day(t) AS TRY_CAST(t AS DATE)""",
    # 63 bits of MD5: the same on every machine and version, unlike the hash() of duckdb or Python.
    """CREATE OR REPLACE MACRO stable(t) AS (md5_number_lower(t)::UBIGINT >> 1)::BIGINT""",
)


def create_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Define the macros on a connection's database."""
    for macro in _MACROS:
        con.execute(macro)


def hash_of(columns: Sequence[str]) -> str:
    """SQL of the stable hash of columns given as text expressions; NULL and empty are told apart."""
    parts = ", ".join(f"coalesce({c}, chr(30))" for c in columns)
    return f"stable(concat_ws({SEPARATOR}, {parts}))"
