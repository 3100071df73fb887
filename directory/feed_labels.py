"""New labels of codes, told as changes of the resources that say them.

Labels stand beside codes in every resource of the feed. Where each system is said is written here; of a system that is
not, or of a label that too many resources say, readers are told to take everything again instead (`feed.restart`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from directory import feed
from directory.models_feed import LEGAL_ENTITY, OFFER, PRACTITIONER, ROLE, SITE

MOST: Final = 20_000
"""Resources that are told one by one; a whole extraction takes less than following more of them."""
OF_OFFERS: Final = frozenset({"J16", "J17", "J18", "J19", "J29", "J33", "J35", "J238", "R227", "R338"})
"""Systems that offers and the equipment of places hold by the id of the concept alone: a new code is held by nobody."""
SKILLS: Final = ("R38", "R39", "R40", "R42", "R43", "R44", "R45", "R97", "G13")
"""Systems whose codes people and roles hold as `system|code`."""
BY_CODE: Final[dict[str, tuple[tuple[int, str, str], ...]]] = {
    "G15": ((ROLE, "role", "profession"), (PRACTITIONER, "practitioner", "profession")),
    "R02": ((SITE, "site", "sector"),),
    "R11": ((PRACTITIONER, "practitioner", "title"),),
    "R23": ((ROLE, "role", "mode"),),
    "R66": ((SITE, "site", "category"),),
    "R72": ((LEGAL_ENTITY, "legal_entity", "legal_status"),),
    "R202": ((SITE, "site", "accessibility"),),
    "R282": ((ROLE, "role", "convention"),),
}
"""Columns that hold a code of a system as text."""

_BY_ID: Final = sql.SQL(
    """
    SELECT {offer} AS kind, id FROM directory.offer WHERE closed_on IS NULL AND (field_id = ANY({ids})
        OR type_id = ANY({ids}) OR mode_id = ANY({ids}) OR activities && {ids} OR acts && {ids}
        OR outside_acts && {ids} OR skills && {ids} OR specialisations && {ids} OR publics && {ids}
        OR reception && {ids})
    UNION SELECT {site}, site_id FROM directory.site_equipment WHERE concept_id = ANY({ids})
    """
)
_BY_TEXT: Final = sql.SQL(
    "SELECT {kind} AS kind, id FROM directory.{table} WHERE closed_on IS NULL AND {column} = ANY({codes})"
)
_BY_SKILL: Final = sql.SQL(
    "SELECT {kind} AS kind, id FROM directory.{table} WHERE closed_on IS NULL AND specialties && {refs}"
)


@dataclass(frozen=True, slots=True)
class NewLabels:
    """Codes of a system whose label is new; `ids` of those that were there already."""

    system: str
    codes: list[str]
    ids: list[int]


def tell(conn: psycopg.Connection, changed: Sequence[NewLabels]) -> bool:
    """Have readers of the feed told again of what says these codes; the caller writes the event.

    Returns:
        False when that cannot be done: nothing was told, and readers must take everything again.
    """
    known = OF_OFFERS | BY_CODE.keys() | set(SKILLS)
    if any(one.system not in known for one in changed):
        return False
    said = [part for one in changed for part in _said(one)]
    if not said:
        return True
    union = sql.SQL(" UNION ").join(said)
    conn.execute(
        sql.SQL("CREATE TEMP TABLE feed_relabelled ON COMMIT DROP AS SELECT kind, id FROM ({}) x LIMIT {}").format(
            union, sql.Literal(MOST + 1)
        )
    )
    found = conn.execute("SELECT count(*) FROM feed_relabelled").fetchone()
    if found is None or found[0] > MOST:
        return False
    if found[0]:
        feed.tell_again(conn, "SELECT kind::smallint AS kind, id, true AS forced FROM feed_relabelled")
    return True


def _said(one: NewLabels) -> list[sql.Composed]:
    found = []
    if one.ids:
        found.append(
            _BY_ID.format(
                offer=sql.Literal(OFFER),
                site=sql.Literal(SITE),
                ids=sql.SQL("{}::int[]").format(sql.Literal(one.ids)),
            )
        )
    for kind, table, column in BY_CODE.get(one.system, ()):
        named = {"kind": sql.Literal(kind), "table": sql.Identifier(table), "column": sql.Identifier(column)}
        found.append(_BY_TEXT.format(**named, codes=sql.Literal(one.codes)))
    if one.system in SKILLS:
        refs = sql.SQL("{}::text[]").format(sql.Literal([f"{one.system}|{code}" for code in one.codes]))
        for kind, table in ((ROLE, "role"), (PRACTITIONER, "practitioner")):
            found.append(_BY_SKILL.format(kind=sql.Literal(kind), table=sql.Identifier(table), refs=refs))
    return found
