"""Loading of nomenclatures: versions kept, retired codes readable, a label never changes its code."""

import hashlib
from pathlib import Path

import psycopg

from core.errors import Conflict
from core.events import CHANNEL, LOCK_KEY
from directory import feed, feed_labels
from directory import nomenclature_files as files
from directory.feed_labels import NewLabels
from directory.projection import rebuild
from directory.schemas_base import Frozen

STARTER_SOURCE = "repere"
REGISTER_SYSTEMS = {"G15", "R38", "R39", "R40", "R42", "R43", "R44", "R45", "R97", "R66", "R02", "R282"}
"""Systems whose codes come with the registers: a new code there may concern offers already projected."""


class SystemReport(Frozen):
    """What the loading of one system did. `unlabelled` codes of the file are unknown and left out."""

    system: str
    version: str
    read: int
    new: int
    relabelled: int
    retired: int
    restored: int
    unchanged: int
    unlabelled: int
    examples: list[str]


class NomenclatureLine(Frozen):
    """A system as `nomenclatures list` shows it."""

    system: str
    version: str
    source: str
    active: int
    retired: int
    versions: int
    loaded_at: str


def _fingerprint(codes: files.CodeList) -> str:
    text = "\n".join(f"{c.code}\t{c.label}\t{c.active}" for c in sorted(codes.codes.values(), key=lambda c: c.code))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _apply(conn: psycopg.Connection, found: files.CodeList, source: str) -> tuple[SystemReport, NewLabels]:
    row = conn.execute(
        "SELECT version, source FROM directory.nomenclature WHERE system = %s", (found.system,)
    ).fetchone()
    present = {
        code: (concept_id, label, active)
        for concept_id, code, label, active in conn.execute(
            "SELECT id, code, label, active FROM directory.concept WHERE system = %s", (found.system,)
        )
    }
    version = found.version or f"sans-version-{_fingerprint(found)}"
    # The starter is a selection: once an official list is there it says nothing of labels nor of retirements.
    only_add = source == STARTER_SOURCE and row is not None and row[1] != STARTER_SOURCE
    complete = source != STARTER_SOURCE
    new: list[tuple[str, str, bool]] = []
    changes: list[tuple[int, str, bool]] = []
    examples: list[str] = []
    labels = NewLabels(found.system, [], [])
    counts = {"relabelled": 0, "retired": 0, "restored": 0, "unchanged": 0, "unlabelled": 0}
    for code in found.codes.values():
        known = present.get(code.code)
        if known is None:
            if code.label:
                new.append((code.code, code.label, code.active))
                labels.codes.append(code.code)
            else:
                counts["unlabelled"] += 1
            continue
        concept_id, label, active = known
        wanted = code.label or label
        if only_add or (wanted == label and code.active == active):
            counts["unchanged"] += 1
            continue
        changes.append((concept_id, wanted, code.active))
        if wanted != label:
            counts["relabelled"] += 1
            labels.codes.append(code.code)
            labels.ids.append(concept_id)
            examples.append(f"{found.system}|{code.code} : « {label} » devient « {wanted} »")
        elif active:
            counts["retired"] += 1
            examples.append(f"{found.system}|{code.code} : « {label} » est retiré")
        else:
            counts["restored"] += 1
    if complete:
        for code_text, (concept_id, label, active) in present.items():
            if code_text not in found.codes and active:
                changes.append((concept_id, label, False))
                counts["retired"] += 1
                examples.append(f"{found.system}|{code_text} : « {label} » est retiré")
    if new or changes or row is None:
        _write(conn, found.system, version, source, new, changes)
    else:
        version = row[0]
    report = SystemReport(
        system=found.system, version=version, read=len(found.codes), new=len(new), examples=examples[:10], **counts
    )
    return report, labels


def _write(
    conn: psycopg.Connection,
    system: str,
    version: str,
    source: str,
    new: list[tuple[str, str, bool]],
    changes: list[tuple[int, str, bool]],
) -> None:
    codes, labels, actives = ([row[i] for row in new] for i in range(3))
    conn.execute(
        "INSERT INTO directory.concept (system, code, label, version, active)"
        " SELECT %s, code, label, %s, active FROM unnest(%s::text[], %s::text[], %s::bool[]) n(code, label, active)",
        (system, version, codes, labels, actives),
    )
    ids, wanted, states = ([row[i] for row in changes] for i in range(3))
    conn.execute(
        "UPDATE directory.concept c SET label = n.label, active = n.active, version = %s"
        " FROM unnest(%s::int[], %s::text[], %s::bool[]) n(id, label, active) WHERE c.id = n.id",
        (version, ids, wanted, states),
    )
    # A version is remembered for what it said: only the concepts that it created or changed get a line.
    conn.execute(
        """
        INSERT INTO directory.concept_version (concept_id, version, label, active)
        SELECT id, version, label, active FROM directory.concept WHERE system = %s AND version = %s
        ON CONFLICT (concept_id, version) DO UPDATE
            SET label = excluded.label, active = excluded.active, loaded_at = now()
        """,
        (system, version),
    )
    # clock_timestamp(): two loads in one transaction must not look alike to the processes that cache concepts.
    conn.execute(
        """
        INSERT INTO directory.nomenclature (system, version, source, loaded_at)
        VALUES (%s, %s, %s, clock_timestamp())
        ON CONFLICT (system) DO UPDATE SET version = excluded.version, loaded_at = excluded.loaded_at,
            source = CASE WHEN excluded.source = %s THEN nomenclature.source ELSE excluded.source END
        """,
        (system, version, source, STARTER_SOURCE),
    )


def load(conn: psycopg.Connection, folder: Path | None = None, version: str | None = None) -> list[SystemReport]:
    """Load the starter set, or a folder or file of official nomenclatures, in one transaction.

    An official file is a whole list: codes that it no longer has are retired, never deleted, and stay readable.
    The starter only adds to systems that an official file has filled.

    Args:
        conn: a direct connection without a transaction under way.
        folder: official files; None loads the starter set.
        version: version to note for TSV files, which do not tell theirs.

    Raises:
        InvalidInput: a file is wrong; nothing was loaded.
        Conflict: another load is under way.
    """
    lists = files.read_starter() if folder is None else files.read_folder(folder, version)
    source = STARTER_SOURCE if folder is None else folder.name
    with conn.transaction():
        taken = conn.execute("SELECT pg_try_advisory_xact_lock(hashtext('repere-nomenclatures'))").fetchone()
        if taken is None or not taken[0]:
            raise Conflict("Un chargement de nomenclatures est déjà en cours. Attendez sa fin, puis recommencez.")
        applied = [_apply(conn, found, source) for found in lists]
        reports = [report for report, _ in applied]
        # Before the projection is written: whoever edits an offer takes its locks in this order too.
        told = feed_labels.tell(conn, [labels for _, labels in applied if labels.codes])
        if any(r.new and r.system in REGISTER_SYSTEMS for r in reports):
            rebuild(conn)
        if any(r.new or r.relabelled or r.retired or r.restored for r in reports):
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
            written = conn.execute(
                """
                WITH written AS (
                    INSERT INTO core.event (kind, entity) VALUES ('nomenclature_loaded', 'nomenclature')
                    RETURNING position
                )
                SELECT position, pg_notify(%s, position::text) FROM written
                """,
                (CHANNEL,),
            ).fetchone()
            if written is not None and not told:
                feed.restart(conn, written[0])
    return reports


def listing(conn: psycopg.Connection) -> list[NomenclatureLine]:
    """Return the systems in force with their counts, by system."""
    rows = conn.execute(
        """
        SELECT n.system, n.version, n.source,
               count(*) FILTER (WHERE c.active), count(*) FILTER (WHERE NOT c.active),
               (SELECT count(DISTINCT v.version) FROM directory.concept_version v
                JOIN directory.concept k ON k.id = v.concept_id WHERE k.system = n.system),
               to_char(n.loaded_at AT TIME ZONE 'Europe/Paris', 'YYYY-MM-DD HH24:MI')
        FROM directory.nomenclature n JOIN directory.concept c ON c.system = n.system
        GROUP BY n.system, n.version, n.source, n.loaded_at
        ORDER BY n.system
        """
    ).fetchall()
    return [
        NomenclatureLine(
            system=r[0], version=r[1], source=r[2], active=r[3], retired=r[4], versions=r[5], loaded_at=r[6]
        )
        for r in rows
    ]
