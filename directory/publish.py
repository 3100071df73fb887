"""Publication of a load: the only door for bulk changes (DESIGN §3)."""

import time
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager

import psycopg

from core.errors import Conflict, InvalidInput
from core.events import CHANNEL, LOCK_KEY
from directory import feed, nomenclature
from directory import publish_offers as offers
from directory import publish_steps as steps
from directory.bulk import without_indexes
from directory.projection import write_first, write_selected
from directory.publish_entities import ENTITIES, LEGAL_ENTITY, PRACTITIONER, ROLE, SITE, Entity
from directory.schemas import EntityCounts, PublishReport
from directory.staging import TABLES

Progress = Callable[[str, float], None]
"""Told of each phase: French label, share done between 0 and 1."""

REGISTERS = frozenset({"rpps", "finess", "ameli"})

_BULK_TABLES = (
    "directory.legal_entity", "directory.site", "directory.practitioner", "directory.role", "directory.offer",
    "directory.offer_search", "directory.search_card",
)  # fmt: skip

_LABELS = {
    "legal_entity": "Entités juridiques",
    "site": "Sites",
    "practitioner": "Professionnels",
    "role": "Situations d’exercice",
    "offers": "Offres",
    "search": "Index de recherche",
    "indexes": "Index de la base",
}
_SHARES = {"legal_entity": 0.02, "site": 0.15, "practitioner": 0.25, "role": 0.4, "offers": 0.5, "search": 0.75}


def publish(
    conn: psycopg.Connection, load_id: int, registers: Set[str], progress: Progress | None = None
) -> PublishReport:
    """Publish the four staging tables in one transaction, with one event at its end when anything changed.

    Rows are compared by key and hash with what is live. The first load, into an empty directory, is written
    without per-row history nor change table, on bare tables whose indexes are made afterwards. Where no
    nomenclature was ever loaded, the starter set is loaded before.

    Args:
        conn: a direct connection without a transaction under way (`core.db.connect_direct()`).
        load_id: the load's number in `ingest.load`.
        registers: which registers the load brings, among `rpps`, `finess`, `ameli`; what is missing from a
            register that was brought is closed, the entities of the others stay as they are.
        progress: called at each phase.

    Raises:
        core.errors.Conflict: another publication is under way.
        core.errors.InvalidInput: a publication table holds a key twice, or a register that was brought has no row.
    """
    unknown = set(registers) - REGISTERS
    if unknown or not registers:
        raise InvalidInput(f"Répertoires inconnus : {', '.join(sorted(unknown)) or 'aucun'}.")
    with conn.transaction():
        known = conn.execute("SELECT EXISTS (SELECT FROM directory.concept)").fetchone()
    if known is not None and not known[0]:
        # Without nomenclatures every generated offer would be mute: the starter set is better than nothing.
        nomenclature.load(conn)
    try:
        with conn.transaction():
            return _Publication(conn, load_id, registers, progress or (lambda label, share: None)).run()
    except psycopg.errors.UniqueViolation as error:
        # On bare tables a key that comes twice is found when the constraint is put back.
        raise steps.twice_refused(str(error.diag.table_name), str(error.diag.message_detail)) from error


class _Publication:
    def __init__(self, conn: psycopg.Connection, load_id: int, registers: Set[str], progress: Progress) -> None:
        self.conn = conn
        self.load_id = load_id
        self.registers = registers
        self.progress = progress
        self.phases: dict[str, float] = {}
        self.counts: dict[str, EntityCounts] = {}
        self.reattached = 0

    def run(self) -> PublishReport:
        taken = self._scalar("SELECT pg_try_advisory_xact_lock(hashtext('repere-publish'))")
        if not taken:
            raise Conflict("Une publication est déjà en cours : une seule à la fois. Attendez sa fin.")
        self.conn.execute("SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '512MB'")
        self.conn.execute(
            "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL jit = off"
        )
        with self._phase("check"):
            self._check()
        first = not any(self._scalar(f"SELECT EXISTS (SELECT FROM {e.live})") for e in ENTITIES)
        merged = steps.merge_sites(self.conn, self.registers)
        offers.prepare(self.conn)
        if first:
            self._first(merged)
        else:
            self._changes(merged)
        report = PublishReport(
            load_id=self.load_id,
            full=first,
            legal_entities=self.counts["legal_entity"],
            sites=self.counts["site"],
            practitioners=self.counts["practitioner"],
            roles=self.counts["role"],
            offers=self.counts["offers"],
            searchable=int(self._scalar("SELECT count(*) FROM directory.offer_search") or 0),
            reattached=self.reattached,
            phases={name: round(seconds, 2) for name, seconds in self.phases.items()},
            position=None,
        )
        if not report.changed:
            return report
        return report.model_copy(update={"position": self._announce("published_full" if first else "published")})

    def _scalar(self, query: str) -> int | bool | None:
        row = self.conn.execute(query).fetchone()
        return row[0] if row else None

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        if name in _LABELS:
            self.progress(_LABELS[name], _SHARES.get(name, 0.9) - 0.02)
        yield
        self.phases[name] = self.phases.get(name, 0.0) + time.perf_counter() - started

    def _check(self) -> None:
        for table in TABLES:
            self.conn.execute(f"ANALYZE staging.{table}")
        needed = {"rpps": "pub_practitioner", "finess": "pub_site"}
        for register, table in needed.items():
            only = "WHERE kind = 'establishment'" if register == "finess" else ""
            if register in self.registers and not self._scalar(f"SELECT EXISTS (SELECT FROM staging.{table} {only})"):
                raise InvalidInput(f"Le répertoire {register.upper()} n’a fourni aucune ligne. Rien n’a été publié.")

    def _first(self, merged: int) -> None:
        with self._indexes(), without_indexes(self.conn, _BULK_TABLES, ["directory.alias"]):
            for entity in ENTITIES:
                only = "WHERE NOT EXISTS (SELECT FROM site_key k WHERE k.key = p.key)" if entity is SITE else ""
                with self._phase(entity.name):
                    new = steps.insert(self.conn, entity, only, first=True)
                    self.conn.execute(f"ANALYZE {entity.live}")
                read = int(self._scalar(f"SELECT count(*) FROM {entity.pub}") or 0)
                away = merged if entity is SITE else 0
                self.counts[entity.name] = EntityCounts(read=read, new=new, merged=away, rejected=read - new - away)
            with self._phase("aliases"):
                self.conn.execute(steps.ALIASES.replace("{only}", "").replace(steps.ON_KNOWN, ""))
                self.conn.execute(steps.OTHER_ALIASES.format(only="WHERE l.adeli IS NOT NULL").replace(
                    steps.ON_KNOWN, ""))  # fmt: skip
            with self._phase("offers"):
                self.counts["offers"] = offers.generate_all(self.conn)
                self.conn.execute("ANALYZE directory.offer")
            with self._phase("search"):
                write_first(self.conn)
            self.progress(_LABELS["indexes"], _SHARES["search"])
        self.conn.execute(steps.MERGED_ALIASES)
        self.conn.execute("ANALYZE directory.offer_search, directory.search_card, directory.alias")

    @contextmanager
    def _indexes(self) -> Iterator[None]:
        started, before = time.perf_counter(), sum(self.phases.values())
        yield
        self.phases["indexes"] = time.perf_counter() - started - (sum(self.phases.values()) - before)

    def _changes(self, merged: int) -> None:
        for entity in ENTITIES:
            with self._phase(entity.name):
                steps.compare(self.conn, entity, self.registers)
        with self._phase("feed"):
            feed.remember(self.conn)
        for entity in ENTITIES:
            with self._phase(entity.name):
                if entity is ROLE:
                    self._place_roles()
                self.reattached += steps.find_again(self.conn, entity)
                refused = steps.write(self.conn, entity, self._writes(entity), self.load_id)
                self._follow(entity)
                self.counts[entity.name] = steps.counts(self.conn, entity, merged if entity is SITE else 0, refused)
        with self._phase("offers"):
            self.counts["offers"] = offers.generate_changed(self.conn)
            self._remember_offers()
        with self._phase("search"):
            self.conn.execute(
                f"CREATE TEMP TABLE touched_offer ON COMMIT DROP AS {offers.CHANGED_OFFERS}; ANALYZE touched_offer"
            )
            write_selected(self.conn, "SELECT id FROM touched_offer")
        with self._phase("feed"):
            feed.settle_publication(self.conn)

    def _writes(self, entity: Entity) -> Set[str]:
        """Registers whose columns may be written: AMELI's belong to roles alone."""
        return self.registers if entity is ROLE else REGISTERS

    def _follow(self, entity: Entity) -> None:
        if entity is LEGAL_ENTITY:
            return
        if entity is SITE:
            self.conn.execute(
                steps.ALIASES.replace("{only}", "AND s.id IN (SELECT id FROM diff_site WHERE change <> 'gone')")
            )
            self.conn.execute(steps.MERGED_ALIASES)
            # A site may have come before its legal entity, and not differ itself today.
            self.conn.execute(
                """
                UPDATE directory.site s SET legal_entity_id = le.id
                FROM diff_legal_entity d JOIN directory.legal_entity le ON le.id = d.id
                JOIN staging.pub_site p ON p.legal_key = le.key
                WHERE s.key = p.key AND s.legal_entity_id IS DISTINCT FROM le.id
                """
            )
        if entity is PRACTITIONER:
            self.conn.execute(
                steps.OTHER_ALIASES.format(
                    only="JOIN diff_practitioner d ON d.id = l.id WHERE l.adeli IS NOT NULL AND d.change <> 'gone'"
                )
            )

    def _place_roles(self) -> None:
        """Resolve site keys that only an alias knows, and take up roles whose site was merged into another."""
        self.conn.execute(
            """
            INSERT INTO site_key
            SELECT DISTINCT p.site_key, s.key
            FROM diff_role d
            JOIN staging.pub_role p ON p.key = d.key
            JOIN directory.alias a ON a.entity = 'site' AND a.value = p.site_key
            JOIN directory.site s ON s.id = a.target_id
            WHERE NOT EXISTS (SELECT FROM directory.site x WHERE x.key = p.site_key)
              AND NOT EXISTS (SELECT FROM site_key k WHERE k.key = p.site_key)
            """
        )
        self.conn.execute(
            """
            INSERT INTO diff_role (key, id, change)
            SELECT r.key, r.id, 'changed'
            FROM site_key k
            JOIN directory.site old ON old.key = k.key AND k.key <> k.into_key
            JOIN directory.role r ON r.site_id = old.id
            WHERE r.closed_on IS NULL AND EXISTS (SELECT FROM staging.pub_role p WHERE p.key = r.key)
              AND NOT EXISTS (SELECT FROM diff_role d WHERE d.key = r.key)
            """
        )

    def _remember_offers(self) -> None:
        self.conn.execute(
            """
            INSERT INTO directory.history (entity, entity_id, actor, action, load_id)
            SELECT 'offer', id, 'registre',
                   CASE change WHEN 'new' THEN 'generated' WHEN 'gone' THEN 'closed' ELSE change END, %s
            FROM diff_offer
            """,
            (self.load_id,),
        )
        self.conn.execute(
            """
            INSERT INTO directory.load_change (load_id, entity, entity_id, change)
            SELECT %s, 'offer', id, CASE change WHEN 'new' THEN 'created' WHEN 'gone' THEN 'closed' ELSE change END
            FROM diff_offer
            """,
            (self.load_id,),
        )

    def _announce(self, kind: str) -> int | None:
        self.conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
        row = self.conn.execute(
            "INSERT INTO core.event (kind, entity, load_id) VALUES (%s, 'load', %s) RETURNING position",
            (kind, self.load_id),
        ).fetchone()
        position = int(row[0]) if row else None
        self.conn.execute("SELECT pg_notify(%s, %s)", (CHANNEL, str(position)))
        return position
