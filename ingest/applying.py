"""An accepted link goes to its role at once, as a publication of that role alone."""

from datetime import UTC, datetime

import psycopg

from core.errors import Conflict
from directory.api import create_publication_tables, publish
from ingest import live, store
from ingest.copying import copy_in
from ingest.normalise import ameli, publication
from ingest.schemas import LoadReport
from ingest.workspace import Workspace


def apply_link(conn: psycopg.Connection, fingerprint: str, rpps: str, structure: str) -> bool:
    """Give the role of a person at a structure the convention of an AMELI line.

    Returns:
        False when a load is under way (it, or the next one, will apply the decision) or when the person has no
        open role there.
    """
    try:
        store.take_lock(conn)
    except Conflict:
        return False
    started = datetime.now(UTC)
    with Workspace("review") as work:
        con = work.con
        live.read_roles(work, conn, store.sanitised(rpps))
        if not store.read_stored_lines(work, conn, fingerprint):
            return False
        con.execute(
            "CREATE TABLE ameli_linked AS SELECT rank, ?::VARCHAR AS rpps, ?::VARCHAR AS structure,"
            " 1000::SMALLINT AS score, 'auto' AS decision FROM ameli_line",
            [rpps, structure],
        )
        ameli.make_conventions(con)
        con.execute("DELETE FROM role_base WHERE key NOT IN (SELECT key FROM convention)")
        if not work.count("role_base"):
            return False
        publication.make_roles(con)
        load_id = store.begin(conn)
        create_publication_tables(conn)
        columns = publication.TABLES["pub_role"]
        select = ", ".join(publication.literal(c, kind) for c, kind in columns.items())
        query = f"SELECT {select}, t.hash FROM pub_role t"  # noqa: S608
        copy_in(con, conn, query, ("staging", "pub_role"), [*columns, "hash"], work.folder)
        conn.commit()
        done = publish(conn, load_id, {"ameli"})
        conn.commit()
    now = datetime.now(UTC)
    report = LoadReport(
        load_id=load_id,
        status="published",
        started_at=started,
        finished_at=now,
        seconds=round((now - started).total_seconds(), 2),
        published=done.model_dump(mode="json"),
        notices=[f"Relecture : la ligne {fingerprint} est liée au professionnel {rpps}."],
    )
    store.finish(conn, load_id, "published", report, None)
    return True
