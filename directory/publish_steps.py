"""Statements of a publication, entity by entity: compare, find again, write, remember."""

from collections.abc import Set

import psycopg

from core.errors import InvalidInput
from directory.publish_entities import TODAY, Entity
from directory.schemas import EntityCounts

HISTORY_LIMIT = 200_000
"""Changed rows of one entity beyond which the history keeps the change without its old and new values."""


def _owned(entity: Entity, registers: Set[str]) -> str:
    if entity.name == "legal_entity":
        return "true" if "finess" in registers else "false"
    if entity.name == "site":
        kinds = [kind for kind, source in (("establishment", "finess"), ("practice", "rpps")) if source in registers]
        return f"l.kind = ANY('{{{','.join(kinds)}}}')"
    return "true" if "rpps" in registers else "false"


def _columns(entity: Entity, registers: Set[str]) -> dict[str, str]:
    """Live columns that the load may write: those of AMELI stay when AMELI was not brought."""
    if "ameli" in registers:
        return entity.columns
    return {name: value for name, value in entity.columns.items() if name not in entity.kept}


def _present(entity: Entity) -> str:
    """Rows of the publication table that stand for themselves."""
    merged = "WHERE NOT EXISTS (SELECT FROM site_key k WHERE k.key = p.key)" if entity.name == "site" else ""
    return f"SELECT p.key, p.hash, {entity.closes} AS closes FROM {entity.pub} p {merged}"


def twice_refused(table: str, keys: str) -> InvalidInput:
    """Return the error of a publication table that holds a key twice."""
    return InvalidInput(f"La table {table} contient deux fois la même clé ({keys}). Rien n’a été publié.")


def merge_sites(conn: psycopg.Connection, registers: Set[str]) -> int:
    """Fill `site_key` (key, into_key): practices that an establishment describes with more authority.

    A practice is the establishment that alone carries its FINESS number or its SIRET, in this load or, when
    FINESS was not brought, among the live sites.

    Returns:
        How many practices are merged.
    """
    conn.execute("CREATE TEMP TABLE site_key (key text NOT NULL, into_key text NOT NULL) ON COMMIT DROP")
    known = "SELECT key, finess, siret FROM staging.pub_site WHERE kind = 'establishment'"
    if "finess" not in registers:
        known = "SELECT key, finess, siret FROM directory.site WHERE kind = 'establishment' AND closed_on IS NULL"
    cursor = conn.execute(
        f"""
        WITH known AS MATERIALIZED ({known}),
        by_siret AS (SELECT siret, min(key) AS key FROM known WHERE siret <> '' GROUP BY siret HAVING count(*) = 1)
        INSERT INTO site_key
        SELECT p.key, coalesce(same.key, numbered.key, f.key)
        FROM staging.pub_site p
        LEFT JOIN known same ON same.key = p.key
        LEFT JOIN known numbered ON numbered.key = 'finess:' || p.finess
        LEFT JOIN by_siret f ON f.siret = p.siret
        WHERE p.kind = 'practice' AND coalesce(same.key, numbered.key, f.key) IS NOT NULL
        """
    )
    conn.execute("ANALYZE site_key")
    return cursor.rowcount


def compare(conn: psycopg.Connection, entity: Entity, registers: Set[str]) -> None:
    """Fill the entity's `diff_…` table with what differs: new, changed, reopened, gone."""
    conn.execute(
        f"""
        CREATE TEMP TABLE {entity.diff} ON COMMIT DROP AS
        SELECT coalesce(p.key, l.{entity.key}) AS key, l.id,
               CASE WHEN l.id IS NULL THEN 'new' WHEN p.key IS NULL THEN 'gone'
                    WHEN l.closed_on IS NOT NULL AND p.closes IS NULL THEN 'reopened' ELSE 'changed' END AS change
        FROM ({_present(entity)}) p
        FULL JOIN {entity.live} l ON l.{entity.key} = p.key
        WHERE l.id IS NULL
           OR (p.key IS NULL AND l.closed_on IS NULL AND {_owned(entity, registers)})
           OR (p.key IS NOT NULL AND (l.register_hash IS DISTINCT FROM p.hash
                                      OR (l.closed_on IS NULL) <> (p.closes IS NULL)))
        """
    )
    if entity.name == "role" and "rpps" not in registers:
        # AMELI alone adds to known roles; it neither makes nor closes any.
        conn.execute(f"DELETE FROM {entity.diff} WHERE change <> 'changed'")
    twice = conn.execute(
        f"SELECT key FROM {entity.diff} GROUP BY key HAVING count(*) > 1 ORDER BY key LIMIT 3"
    ).fetchall()
    if twice:
        raise twice_refused(entity.pub, ", ".join(row[0] for row in twice))
    conn.execute(f"CREATE INDEX ON {entity.diff} (key)")
    conn.execute(f"ANALYZE {entity.diff}")


_FORMER_SITES = """
    SELECT p.key, c.value, c.rank
    FROM diff_site d
    JOIN staging.pub_site p ON p.key = d.key
    CROSS JOIN LATERAL (
        SELECT value, min(rank) AS rank FROM (
            SELECT v.form AS value, o.rank * 10 + v.rank AS rank
            FROM unnest(p.old_keys) WITH ORDINALITY AS o(raw, rank)
            CROSS JOIN LATERAL (VALUES
                (o.raw, 0),
                ('struct:' || o.raw, 1),
                (CASE WHEN o.raw ~ '^1[0-9AB]{9}$' THEN 'finess:' || substr(o.raw, 2) END, 2),
                (CASE WHEN o.raw ~ '^3[0-9]{14}$' THEN 'siret:' || substr(o.raw, 2) END, 3)
            ) v(form, rank)
            UNION ALL SELECT 'struct:' || p.structure_id, 100000
            UNION ALL SELECT 'finess:' || p.finess, 100001
            UNION ALL SELECT 'siret:' || p.siret, 100002
            WHERE NOT EXISTS (SELECT FROM staging.pub_site q WHERE q.siret = p.siret AND q.key <> p.key
                              AND q.kind = p.kind)
        ) forms WHERE value IS NOT NULL GROUP BY value
    ) c
    WHERE d.change = 'new'
"""

_FORMER_PRACTITIONERS = """
    SELECT p.key, c.value, c.rank
    FROM diff_practitioner d
    JOIN staging.pub_practitioner p ON p.key = d.key
    CROSS JOIN LATERAL (VALUES ('0' || p.adeli, 1), ('adeli:' || p.adeli, 2)) c(value, rank)
    WHERE d.change = 'new' AND c.value IS NOT NULL
"""

# The same person at the same place, in the same way: the register only gave the place another number.
_FORMER_ROLES = """
    SELECT n.key, o.id, row_number() OVER (PARTITION BY n.key ORDER BY o.closed_on IS NOT NULL,
               o.authority IS DISTINCT FROM n.authority, o.closed_on DESC, o.id) AS best_for_new,
           row_number() OVER (PARTITION BY o.id
               ORDER BY o.authority IS DISTINCT FROM n.authority, n.key) AS best_for_old
    FROM (
        SELECT p.key, p.authority, p.mode, p.profession, pr.id AS practitioner_id, si.id AS site_id
        FROM diff_role d JOIN staging.pub_role p ON p.key = d.key {joins}
        WHERE d.change = 'new'
    ) n
    JOIN directory.role o ON o.practitioner_id = n.practitioner_id AND o.site_id = n.site_id
         AND o.mode IS NOT DISTINCT FROM n.mode AND o.profession = n.profession
    WHERE NOT EXISTS (SELECT FROM staging.pub_role q WHERE q.key = o.key)
"""


def find_again(conn: psycopg.Connection, entity: Entity) -> int:
    """Re-attach new keys to entities that the register knew under another, so that what people wrote survives.

    Returns:
        How many were found again.
    """
    if entity.name == "role":
        found = _FORMER_ROLES.format(joins=entity.joins)
    elif entity.name in ("site", "practitioner"):
        if entity.name == "site":
            # Without it the search for a shared SIRET reads every site once per new site.
            conn.execute("CREATE INDEX IF NOT EXISTS pub_site_siret ON staging.pub_site (siret)")
        former = _FORMER_SITES if entity.name == "site" else _FORMER_PRACTITIONERS
        found = f"""
            SELECT key, id, row_number() OVER (PARTITION BY key ORDER BY rank, id) AS best_for_new,
                   row_number() OVER (PARTITION BY id ORDER BY rank, key) AS best_for_old
            FROM (
                SELECT f.key, f.rank, l.id FROM ({former}) f JOIN {entity.live} l ON l.{entity.key} = f.value
                WHERE NOT EXISTS (SELECT FROM ({_present(entity)}) q WHERE q.key = l.{entity.key})
                UNION ALL
                SELECT f.key, f.rank + 1000000, l.id FROM ({former}) f
                JOIN directory.alias a ON a.entity = '{entity.name}' AND a.value = f.value
                JOIN {entity.live} l ON l.id = a.target_id
                WHERE NOT EXISTS (SELECT FROM ({_present(entity)}) q WHERE q.key = l.{entity.key})
            ) candidates
        """
    else:
        return 0
    conn.execute(
        f"""
        CREATE TEMP TABLE again_{entity.name} ON COMMIT DROP AS
        SELECT f.key, f.id, l.{entity.key} AS former, l.closed_on IS NOT NULL AS closed
        FROM ({found}) f JOIN {entity.live} l ON l.id = f.id
        WHERE f.best_for_new = 1 AND f.best_for_old = 1
        """
    )
    conn.execute(f"DELETE FROM {entity.diff} d USING again_{entity.name} g WHERE d.id = g.id AND d.change = 'gone'")
    conn.execute(
        f"""
        UPDATE {entity.diff} d
        SET id = g.id, change = CASE WHEN g.closed THEN 'reopened' ELSE 'changed' END
        FROM again_{entity.name} g WHERE d.key = g.key AND d.change = 'new'
        """
    )
    return conn.execute(
        f"""
        INSERT INTO directory.alias (entity, value, target_id)
        SELECT '{entity.name}', former, id FROM again_{entity.name}
        ON CONFLICT (entity, value) DO UPDATE SET target_id = excluded.target_id
        """
    ).rowcount


def write(conn: psycopg.Connection, entity: Entity, registers: Set[str], load_id: int) -> int:
    """Apply the differences to the live table, with their history and their lines of the change table.

    Returns:
        How many new rows were refused because they point to nothing.
    """
    columns = _columns(entity, registers)
    conn.execute(
        f"""
        CREATE TEMP TABLE before_{entity.name} ON COMMIT DROP AS
        SELECT l.id, to_jsonb(l) AS line FROM {entity.live} l JOIN {entity.diff} d ON d.id = l.id
        WHERE d.change IN ('changed', 'reopened')
          AND (SELECT count(*) FROM {entity.diff}) <= {HISTORY_LIMIT}
        """
    )
    pairs = ", ".join(f"{name} = {value}" for name, value in columns.items())
    conn.execute(
        f"""
        UPDATE {entity.live} l SET {entity.key} = p.key, register_hash = p.hash, closed_on = {entity.closes},
               updated_at = now(), {pairs}
        FROM {entity.diff} d JOIN {entity.pub} p ON p.key = d.key {entity.joins}
        WHERE l.id = d.id AND d.change IN ('changed', 'reopened')
        """
    )
    insert(conn, entity, f"JOIN {entity.diff} d ON d.key = p.key AND d.change = 'new'")
    conn.execute(f"UPDATE {entity.live} l SET closed_on = {TODAY}, updated_at = now() FROM {entity.diff} d"
                 " WHERE d.id = l.id AND d.change = 'gone'")  # fmt: skip
    conn.execute(
        f"UPDATE {entity.diff} d SET id = l.id FROM {entity.live} l WHERE d.change = 'new' AND l.{entity.key} = d.key"
    )
    refused = conn.execute(f"DELETE FROM {entity.diff} WHERE id IS NULL").rowcount
    _remember(conn, entity, load_id)
    return refused


def insert(conn: psycopg.Connection, entity: Entity, only: str, *, first: bool = False) -> int:
    """Insert publication rows into the live table; `only` restricts them. Returns how many were inserted.

    The rows of a `first` load are written in the entity's order: the tables keep it.
    """
    order = f"ORDER BY {entity.order}" if first and entity.order else ""
    return conn.execute(
        f"""
        INSERT INTO {entity.live} ({entity.key}, register_hash, closed_on, {", ".join(entity.columns)})
        SELECT p.key, p.hash, {entity.closes}, {", ".join(entity.columns.values())}
        FROM {entity.pub} p {entity.joins} {entity.order_joins if first else ""} {only} {order}
        """
    ).rowcount


def _remember(conn: psycopg.Connection, entity: Entity, load_id: int) -> None:
    conn.execute(
        f"""
        INSERT INTO directory.history (entity, entity_id, actor, action, load_id, detail)
        SELECT '{entity.name}', d.id, 'registre',
               CASE d.change WHEN 'new' THEN 'created' WHEN 'gone' THEN 'closed' ELSE d.change END, %s, x.detail
        FROM {entity.diff} d
        LEFT JOIN before_{entity.name} b ON b.id = d.id
        LEFT JOIN {entity.live} l ON l.id = d.id AND b.id IS NOT NULL
        LEFT JOIN LATERAL (
            SELECT jsonb_object_agg(o.key, jsonb_build_array(o.value, n.value)) AS detail
            FROM jsonb_each(b.line) o JOIN jsonb_each(to_jsonb(l)) n USING (key)
            WHERE o.value IS DISTINCT FROM n.value AND key NOT IN ('register_hash', 'updated_at')
        ) x ON b.id IS NOT NULL
        """,
        (load_id,),
    )
    conn.execute(
        f"""
        INSERT INTO directory.load_change (load_id, entity, entity_id, change)
        SELECT %s, '{entity.name}', d.id,
               CASE WHEN l.closed_on IS NOT NULL THEN 'closed' WHEN d.change = 'new' THEN 'created' ELSE d.change END
        FROM {entity.diff} d JOIN {entity.live} l ON l.id = d.id
        """,
        (load_id,),
    )


def counts(conn: psycopg.Connection, entity: Entity, merged: int, rejected: int) -> EntityCounts:
    """Count the rows read and what became of them, from the diff table."""
    read = conn.execute(f"SELECT count(*) FROM {entity.pub}").fetchone()
    by_change: dict[str, int] = dict(
        conn.execute(f"SELECT change, count(*)::int FROM {entity.diff} GROUP BY change").fetchall()
    )
    total = int(read[0]) if read else 0
    new, changed, reopened = (by_change.get(k, 0) for k in ("new", "changed", "reopened"))
    return EntityCounts(
        read=total, new=new, changed=changed, reopened=reopened, merged=merged, rejected=rejected,
        unchanged=total - new - changed - reopened - merged - rejected, closed=by_change.get("gone", 0),
    )  # fmt: skip


ON_KNOWN = "ON CONFLICT (entity, value) DO NOTHING"
"""Left out of the first load, which writes aliases before their key is back."""

ALIASES = """
    INSERT INTO directory.alias (entity, value, target_id)
    SELECT DISTINCT ON (a.value) 'site', a.value, s.id
    FROM directory.site s
    JOIN staging.pub_site p ON p.key = s.key
    CROSS JOIN LATERAL (
        SELECT 'struct:' || p.structure_id AS value
        UNION SELECT 'finess:' || p.finess
        UNION SELECT 'siret:' || p.siret WHERE p.kind = 'practice' OR p.siret IN (
            SELECT siret FROM staging.pub_site WHERE kind = 'establishment' GROUP BY siret HAVING count(*) = 1)
        UNION SELECT CASE WHEN raw LIKE '%:%' THEN raw ELSE 'struct:' || raw END FROM unnest(p.old_keys) raw
    ) a
    WHERE a.value IS NOT NULL AND a.value <> s.key {only}
    ORDER BY a.value, s.kind = 'practice', s.id
    ON CONFLICT (entity, value) DO NOTHING
"""

MERGED_ALIASES = """
    INSERT INTO directory.alias (entity, value, target_id)
    SELECT 'site', k.key, s.id FROM site_key k JOIN directory.site s ON s.key = k.into_key WHERE k.key <> k.into_key
    ON CONFLICT (entity, value) DO UPDATE SET target_id = excluded.target_id
    WHERE alias.target_id <> excluded.target_id
"""

OTHER_ALIASES = """
    INSERT INTO directory.alias (entity, value, target_id)
    SELECT 'practitioner', 'adeli:' || l.adeli, min(l.id) FROM directory.practitioner l {only}
    GROUP BY l.adeli
    ON CONFLICT (entity, value) DO NOTHING
"""
