"""Demonstration descriptions: a realistic part of the offers says its acts, hours, territory, contacts. Invented.

The draw follows from the register keys and a seed, so that the same registers give the same directory; offers
that someone described are left alone, so that running it again changes nothing. Phone numbers come from the
ranges reserved for fiction, addresses of the web and of mail from the example domains.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

import psycopg

from core.events import CHANNEL, LOCK_KEY
from directory.demo_pools import DEFAULT, LANGUAGES, POOLS, Pool
from directory.labels import PURPOSES
from directory.projection import refresh_selected
from directory.schemas_base import Frozen

SHARE = 0.35
"""Part of the offers that is described."""

_FICTION = {"1": "019900", "2": "026191", "3": "035301", "4": "046571", "5": "053649"}
_MOBILE = "063998"

_OFFERS = """
    SELECT o.id, coalesce(r.key, s.key || '/' || o.origin), o.kind, t.code, s.id, s.commune_id,
           left(coalesce(s.commune_code, ''), 2), p.first_name, p.last_name, o.activities
    FROM directory.offer o
    JOIN directory.site s ON s.id = o.site_id
    LEFT JOIN directory.role r ON r.id = o.role_id
    LEFT JOIN directory.practitioner p ON p.id = r.practitioner_id
    LEFT JOIN directory.concept t ON t.id = o.type_id
    WHERE NOT o.described AND o.closed_on IS NULL AND s.closed_on IS NULL
    ORDER BY o.id
"""

_NEIGHBOURS = """
    SELECT c.id, ARRAY(
        SELECT n.id FROM maps.place n
        WHERE n.kind IN ('commune', 'arrondissement') AND n.code NOT IN ('75056', '69123', '13055') AND n.id <> c.id
        ORDER BY n.point <-> c.point LIMIT 14)
    FROM maps.place c WHERE c.id = ANY(%s) AND c.point IS NOT NULL
"""


class DemoReport(Frozen):
    """How many offers were described, out of those that nobody had described, and the places equipped."""

    candidates: int
    described: int
    sites_equipped: int


@dataclass
class _Drawn:
    offer_id: int
    site_id: int
    activities: list[int]
    acts: list[int]
    skills: list[int]
    reception: list[int]
    publics: list[int]
    languages: list[str]
    age_min: int
    age_max: int
    accepts_new: bool | None
    comment: str | None
    slots: list[tuple[str, int, time, time, date | None, date | None]] = field(default_factory=list)
    contacts: list[tuple[str, str]] = field(default_factory=list)
    territory: list[int] = field(default_factory=list)
    equipment: list[int] = field(default_factory=list)
    leave: tuple[date, date] | None = None


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "cabinet"


class _Drawer:
    """Draws descriptions; codes that the nomenclatures do not know are left out."""

    def __init__(self, ids: dict[str, int], neighbours: dict[int, list[int]], holidays: tuple[date, date]) -> None:
        self.ids = ids
        self.neighbours = neighbours
        self.holidays = holidays

    def _some(self, rng: random.Random, system: str, codes: Iterable[str], low: int, high: int) -> list[int]:
        known = [self.ids[ref] for code in codes if (ref := f"{system}|{code}") in self.ids]
        return sorted(rng.sample(known, min(len(known), rng.randint(low, high)))) if known else []

    def _phone(self, rng: random.Random, departement: str) -> str:
        zone = {"75": "1", "77": "1", "78": "1", "91": "1", "92": "1", "93": "1", "94": "1", "95": "1"}
        prefix = _FICTION[zone.get(departement) or rng.choice("2345")]
        return f"{prefix}{rng.randrange(10_000):04d}"

    def _contacts(self, rng: random.Random, departement: str, who: str, visits: bool) -> list[tuple[str, str]]:
        found = []
        if rng.random() < 0.85:
            mobile = visits and rng.random() < 0.5
            number = f"{_MOBILE}{rng.randrange(10_000):04d}" if mobile else self._phone(rng, departement)
            found.append(("booking_phone", number))
        if rng.random() < 0.45:
            found.append(("booking_url", f"https://rdv.example.org/{who}"))
        if rng.random() < 0.2:
            found.append(("booking_email", f"{who}@cabinet.example.org"))
        if rng.random() < 0.5:
            found.append(("mssante", f"{who}@mssante.example.org"))
        if rng.random() < 0.4:
            found.append(("pro_phone", self._phone(rng, departement)))
        if rng.random() < 0.1:
            found.append(("emergency_phone", f"{_MOBILE}{rng.randrange(10_000):04d}"))
        return found

    def draw(self, seed: int, row: tuple[Any, ...]) -> _Drawn | None:
        """Return the description of an offer, or None when it stays undescribed."""
        offer_id, key, kind, type_code, site_id, commune_id, departement, first_name, last_name, activities = row
        rng = random.Random(f"{seed}:{key}")  # noqa: S311 - reproducible, not secret
        if rng.random() >= SHARE:
            return None
        pool: Pool = POOLS.get(type_code or "", DEFAULT)
        visits = rng.random() < pool.visits
        reception = self._some(rng, "R338", pool.reception, 1, 2)
        home = self.ids.get("R338|05")
        if visits and home is not None:
            reception = sorted({*reception, home})
        age_min, age_max = rng.choice(pool.ages)
        who = _slug(f"{first_name or ''} {last_name or ''}" if last_name else f"{type_code or 'site'}-{site_id}")
        languages = sorted({"fr", *(rng.choice(LANGUAGES) for _ in range(rng.randint(1, 2)))})
        drawn = _Drawn(
            offer_id=offer_id,
            site_id=site_id,
            activities=list(dict.fromkeys([*activities, *self._some(rng, "J17", pool.activities, 1, 3)])),
            acts=self._some(rng, "J16", pool.acts, 2, 8),
            skills=self._some(rng, "J33", pool.skills, 1, 1) if rng.random() < 0.25 else [],
            reception=reception,
            publics=self._some(rng, "J29", ("01", "02", "06", "09"), 1, 2) if rng.random() < 0.15 else [],
            languages=languages if rng.random() < 0.5 else [],
            age_min=age_min,
            age_max=age_max,
            accepts_new=rng.choice((True, True, False, None)),
            comment="Description de démonstration." if rng.random() < 0.1 else None,
            contacts=self._contacts(rng, departement, who, visits),
        )
        if pool.weeks and rng.random() < 0.9:
            week = rng.choice(pool.weeks)
            drawn.slots = [(k, day, a, b, None, None) for k, days, a, b in week for day in days]
            if kind == "liberal" and rng.random() < 0.15:
                drawn.leave = self.holidays
        if visits and commune_id is not None:
            near = self.neighbours.get(commune_id, [])
            drawn.territory = [commune_id, *near[: rng.randint(2, 12)]]
        if pool.equipment and rng.random() < 0.6:
            drawn.equipment = self._some(rng, "J18", pool.equipment, 1, 3)
        return drawn


def _write(conn: psycopg.Connection, drawn: list[_Drawn]) -> int:
    """Write descriptions in bulk: offers, contacts, hours, territory, equipment, projection, history, events."""
    conn.execute(
        """
        CREATE TEMP TABLE demo_offer (id bigint, activities int[], acts int[], skills int[], reception int[],
            publics int[], languages text[], age_min int2, age_max int2, accepts_new bool, comment text)
            ON COMMIT DROP;
        CREATE TEMP TABLE demo_site (id bigint, concept_id int) ON COMMIT DROP
        """
    )
    with conn.cursor() as cursor:
        with cursor.copy("COPY demo_offer FROM STDIN") as copy:
            for d in drawn:
                copy.write_row((d.offer_id, d.activities, d.acts, d.skills, d.reception, d.publics, d.languages,
                                d.age_min, d.age_max, d.accepts_new, d.comment))  # fmt: skip
        with cursor.copy("COPY demo_site FROM STDIN") as copy:
            for d in drawn:
                for concept in d.equipment:
                    copy.write_row((d.site_id, concept))
        with cursor.copy(
            "COPY directory.opening_slot (offer_id, kind, weekday, opens, closes, valid_from, valid_to) FROM STDIN"
        ) as copy:
            for d in drawn:
                for slot in d.slots:
                    copy.write_row((d.offer_id, *slot))
        with cursor.copy(
            "COPY directory.contact_point (offer_id, purpose, nature, channel, value, confidentiality) FROM STDIN"
        ) as copy:
            for d in drawn:
                for name, value in d.contacts:
                    purpose = PURPOSES[name]
                    channel = {"email": "3", "url": "4"}.get(purpose.form) or ("1" if value[1] in "67" else "2")
                    copy.write_row((d.offer_id, name, purpose.nature, channel, value, purpose.confidentiality))
        with cursor.copy("COPY directory.offer_territory (offer_id, place_id) FROM STDIN") as copy:
            for d in drawn:
                for place in dict.fromkeys(d.territory):
                    copy.write_row((d.offer_id, place))
        with cursor.copy("COPY directory.hours_exception (offer_id, kind, starts_on, ends_on) FROM STDIN") as copy:
            for d in drawn:
                if d.leave is not None:
                    copy.write_row((d.offer_id, "leave", *d.leave))
    conn.execute("ANALYZE demo_offer")
    conn.execute(
        """
        UPDATE directory.offer o SET activities = d.activities, acts = d.acts, skills = d.skills,
            reception = d.reception, publics = d.publics, languages = d.languages, age_min = d.age_min,
            age_max = d.age_max, accepts_new = d.accepts_new, comment = d.comment, described = true,
            version = o.version + 1, updated_at = core.now()
        FROM demo_offer d WHERE o.id = d.id
        """
    )
    conn.execute(
        "INSERT INTO directory.site_equipment (site_id, concept_id) SELECT DISTINCT id, concept_id FROM demo_site"
        " ON CONFLICT DO NOTHING"
    )
    row = conn.execute("SELECT count(DISTINCT id) FROM demo_site").fetchone()
    # Equipment hangs on the place: it is found through every offer of the place.
    refresh_selected(
        conn,
        "SELECT id FROM demo_offer UNION"
        " SELECT o.id FROM directory.offer o JOIN demo_site s ON s.id = o.site_id WHERE o.closed_on IS NULL",
        sites="SELECT DISTINCT id FROM demo_site",
    )
    conn.execute(
        """
        INSERT INTO directory.history (entity, entity_id, actor, action)
        SELECT 'offer', id, 'démonstration', 'described' FROM demo_offer
        """
    )
    conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
    conn.execute(
        """
        WITH written AS (
            INSERT INTO core.event (kind, entity, entity_id)
            SELECT 'offer_described', 'offer', id FROM (
                SELECT id FROM demo_offer UNION
                SELECT o.id FROM directory.offer o JOIN demo_site s ON s.id = o.site_id WHERE o.closed_on IS NULL
            ) touched ORDER BY id
            RETURNING position
        )
        SELECT pg_notify(%s, max(position)::text) FROM written
        """,
        (CHANNEL,),
    )
    return int(row[0]) if row else 0


def describe_demo(
    conn: psycopg.Connection, seed: int = 78, progress: Callable[[str, float], None] | None = None
) -> DemoReport:
    """Describe about a third of the offers that nobody has described, in one transaction.

    Running it again with the same seed describes nothing more: the draw of each offer is its own.

    Args:
        conn: a direct connection without a transaction under way.
        seed: another seed draws another directory.
        progress: told of each phase: French label, share done.
    """
    tell = progress or (lambda label, share: None)
    with conn.transaction():
        tell("Offres à décrire", 0.05)
        rows = conn.execute(_OFFERS).fetchall()
        ids = {
            f"{system}|{code}": concept_id
            for system, code, concept_id in conn.execute(
                "SELECT system, code, id FROM directory.concept WHERE active"
                " AND system IN ('J16', 'J17', 'J18', 'J29', 'J33', 'R338')"
            )
        }
        communes = sorted({row[5] for row in rows if row[5] is not None})
        neighbours: dict[int, list[int]] = dict(conn.execute(_NEIGHBOURS, (communes,)).fetchall())
        today = conn.execute("SELECT (core.now() AT TIME ZONE 'Europe/Paris')::date").fetchone()
        assert today is not None  # noqa: S101 - a SELECT without FROM has a row
        start = today[0] + timedelta(days=31)
        drawer = _Drawer(ids, neighbours, (start, start + timedelta(days=10)))
        tell("Descriptions", 0.2)
        drawn = [d for row in rows if (d := drawer.draw(seed, row)) is not None]
        tell("Écriture", 0.4)
        equipped = _write(conn, drawn) if drawn else 0
        tell("Terminé", 1.0)
    return DemoReport(candidates=len(rows), described=len(drawn), sites_equipped=equipped)
