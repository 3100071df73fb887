"""Offers that follow from the registers: one for each independent role, one or more for each establishment."""

import psycopg

from directory.mappings import by_category, by_profession
from directory.schemas import EntityCounts

_RULES = """
CREATE TEMP TABLE role_rule ON COMMIT DROP AS
SELECT m.profession, nullif(m.specialty, '*') AS specialty, t.id AS type_id, k.id AS mode_id, m.activities,
       m.age_min, m.age_max, m.name
FROM role_rule_text m
LEFT JOIN directory.concept t ON t.system = 'J238' AND t.code = m.type
LEFT JOIN directory.concept k ON k.system = 'J19' AND k.code = m.mode;
CREATE TEMP TABLE category_rule ON COMMIT DROP AS
SELECT m.category, m.origin, t.id AS type_id, k.id AS mode_id, m.activities, m.age_min, m.age_max,
       coalesce(nullif(m.name, ''), '') AS name
FROM category_rule_text m
LEFT JOIN directory.concept t ON t.system = 'J238' AND t.code = m.type
LEFT JOIN directory.concept k ON k.system = 'J19' AND k.code = m.mode;
ANALYZE role_rule, category_rule
"""

# An independent civilian role at an open site: contract of the generated offer.
_QUALIFIES = """
    r.closed_on IS NULL AND s.closed_on IS NULL AND r.mode = 'L' AND coalesce(r.category, 'C') = 'C'
"""

_PROFILES = """
CREATE TEMP TABLE profile ON COMMIT DROP AS
SELECT d.profession, d.specialties, rule.*
FROM (
    SELECT DISTINCT r.profession, r.specialties FROM directory.role r
    WHERE r.closed_on IS NULL AND r.mode = 'L' {only}
) d
LEFT JOIN LATERAL (
    SELECT m.type_id, m.mode_id, m.activities, m.age_min, m.age_max, m.name
    FROM role_rule m
    LEFT JOIN unnest(d.specialties) WITH ORDINALITY AS x(ref, rank) ON x.ref = 'R38|' || m.specialty
    WHERE m.profession = d.profession AND (m.specialty IS NULL OR x.ref IS NOT NULL)
    ORDER BY m.specialty IS NULL, x.rank
    LIMIT 1
) rule ON true;
ANALYZE profile
"""

_NAME = "coalesce(f.name || ' ', 'Consultation ') || concat_ws(' ', initcap(p.first_name), upper(p.last_name))"

_LIBERAL = f"""
    SELECT r.id AS role_id, s.id AS site_id, {_NAME} AS name, f.type_id,
           coalesce(f.mode_id, (SELECT id FROM directory.concept WHERE system = 'J19' AND code = '32')) AS mode_id,
           coalesce(f.activities, '{{}}') AS activities, coalesce(f.age_min, 0) AS age_min,
           coalesce(f.age_max, 150) AS age_max,
           (SELECT id FROM directory.concept WHERE system = 'R227' AND code = '05') AS field_id
    FROM directory.role r
    JOIN directory.site s ON s.id = r.site_id
    JOIN directory.practitioner p ON p.id = r.practitioner_id
    LEFT JOIN profile f ON f.profession = r.profession AND f.specialties = r.specialties
    WHERE {_QUALIFIES}
"""

_ESTABLISHMENT = """
    SELECT s.id AS site_id, m.origin, coalesce(nullif(m.name, ''), c.label, 'Établissement') AS name, m.type_id,
           m.mode_id, m.activities, m.age_min, m.age_max
    FROM directory.site s
    JOIN category_rule m ON m.category = CASE
        WHEN EXISTS (SELECT FROM category_rule k WHERE k.category = s.category) THEN s.category ELSE '*' END
    LEFT JOIN directory.concept c ON c.system = 'R66' AND c.code = s.category
    WHERE s.kind = 'establishment' AND s.closed_on IS NULL
"""

_INSERT_LIBERAL = """
    INSERT INTO directory.offer (site_id, role_id, kind, name, field_id, type_id, mode_id, activities, age_min, age_max)
    SELECT w.site_id, w.role_id, 'liberal', w.name, w.field_id, w.type_id, w.mode_id, w.activities,
           w.age_min, w.age_max
    FROM ({wanted}) w {only}
"""

_INSERT_ESTABLISHMENT = """
    INSERT INTO directory.offer (site_id, kind, origin, name, type_id, mode_id, activities, age_min, age_max)
    SELECT w.site_id, 'establishment', w.origin, w.name, w.type_id, w.mode_id, w.activities, w.age_min, w.age_max
    FROM ({wanted}) w {only}
"""


def prepare(conn: psycopg.Connection) -> None:
    """Put the mapping files into temporary tables, with concept ids instead of codes."""
    rows = conn.execute("SELECT code, id FROM directory.concept WHERE system = 'J17'").fetchall()
    activities: dict[str, int] = dict(rows)
    conn.execute(
        """
        CREATE TEMP TABLE role_rule_text (profession text, specialty text, type text, mode text, activities int[],
            age_min int2, age_max int2, name text) ON COMMIT DROP;
        CREATE TEMP TABLE category_rule_text (category text, origin text, type text, mode text, activities int[],
            age_min int2, age_max int2, name text) ON COMMIT DROP
        """
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO role_rule_text VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (r.key, r.specialty, r.type, r.mode, [activities[a] for a in r.activities if a in activities],
                 r.age_min, r.age_max, r.name)
                for r in by_profession()
            ],
        )  # fmt: skip
        cursor.executemany(
            "INSERT INTO category_rule_text VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (r.key, r.origin, r.type, r.mode, [activities[a] for a in r.activities if a in activities],
                 r.age_min, r.age_max, r.name)
                for r in by_category()
            ],
        )  # fmt: skip
    conn.execute(_RULES)


def generate_all(conn: psycopg.Connection) -> EntityCounts:
    """Generate every offer of a directory that has none yet, in the order of the sites (see `Entity.order`)."""
    conn.execute(_PROFILES.format(only=""))
    order = "ORDER BY w.site_id"
    new = conn.execute(_INSERT_LIBERAL.format(wanted=_LIBERAL, only=order)).rowcount
    new += conn.execute(_INSERT_ESTABLISHMENT.format(wanted=_ESTABLISHMENT, only=order)).rowcount
    return EntityCounts(read=new, new=new)


_TOUCHED = """
CREATE TEMP TABLE touched_role (id bigint PRIMARY KEY) ON COMMIT DROP;
INSERT INTO touched_role
    SELECT id FROM diff_role WHERE id IS NOT NULL
    UNION SELECT r.id FROM directory.role r JOIN diff_practitioner d ON d.id = r.practitioner_id
    UNION SELECT r.id FROM directory.role r JOIN diff_site d ON d.id = r.site_id WHERE d.change <> 'new';
CREATE TEMP TABLE touched_site (id bigint PRIMARY KEY) ON COMMIT DROP;
INSERT INTO touched_site SELECT DISTINCT id FROM diff_site WHERE id IS NOT NULL;
CREATE TEMP TABLE diff_offer (id bigint, change text) ON COMMIT DROP;
ANALYZE touched_role, touched_site
"""

# Register-driven values of an offer that nobody has described; once described, only its place and name follow.
_UPDATE_LIBERAL = """
    WITH wanted AS ({wanted} AND r.id IN (SELECT id FROM touched_role)),
    moved AS (
        UPDATE directory.offer o SET
            site_id = w.site_id, name = w.name, closed_on = NULL, updated_at = now(),
            type_id = CASE WHEN o.described THEN o.type_id ELSE w.type_id END,
            mode_id = CASE WHEN o.described THEN o.mode_id ELSE w.mode_id END,
            activities = CASE WHEN o.described THEN o.activities ELSE w.activities END
        FROM wanted w, directory.offer former
        WHERE o.role_id = w.role_id AND former.id = o.id
          AND (o.closed_on IS NOT NULL OR o.site_id <> w.site_id OR o.name <> w.name
               OR (NOT o.described AND (o.type_id, o.mode_id, o.activities)
                   IS DISTINCT FROM (w.type_id, w.mode_id, w.activities)))
        RETURNING o.id, CASE WHEN former.closed_on IS NULL THEN 'changed' ELSE 'reopened' END AS change
    )
    INSERT INTO diff_offer SELECT id, change FROM moved
"""

_CREATE_LIBERAL = """
    WITH made AS (
        {insert}
        WHERE w.role_id IN (SELECT id FROM touched_role)
        ON CONFLICT (role_id) DO NOTHING
        RETURNING id
    )
    INSERT INTO diff_offer SELECT id, 'new' FROM made
"""

_UPDATE_ESTABLISHMENT = """
    WITH wanted AS ({wanted} AND s.id IN (SELECT id FROM touched_site)),
    moved AS (
        UPDATE directory.offer o SET
            closed_on = NULL, updated_at = now(),
            name = CASE WHEN o.described THEN o.name ELSE w.name END,
            type_id = CASE WHEN o.described THEN o.type_id ELSE w.type_id END,
            mode_id = CASE WHEN o.described THEN o.mode_id ELSE w.mode_id END,
            activities = CASE WHEN o.described THEN o.activities ELSE w.activities END
        FROM wanted w, directory.offer former
        WHERE o.site_id = w.site_id AND o.origin = w.origin AND former.id = o.id
          AND (o.closed_on IS NOT NULL OR (NOT o.described AND (o.name, o.type_id, o.mode_id, o.activities)
               IS DISTINCT FROM (w.name, w.type_id, w.mode_id, w.activities)))
        RETURNING o.id, CASE WHEN former.closed_on IS NULL THEN 'changed' ELSE 'reopened' END AS change
    ),
    restored AS (
        UPDATE directory.offer o SET closed_on = NULL, updated_at = now()
        FROM directory.site s
        WHERE s.id = o.site_id AND s.closed_on IS NULL AND s.id IN (SELECT id FROM touched_site)
          AND o.role_id IS NULL AND o.closed_on IS NOT NULL AND (o.described OR o.origin IS NULL)
          AND NOT EXISTS (SELECT FROM wanted w WHERE w.site_id = o.site_id AND w.origin = o.origin)
        RETURNING o.id
    )
    INSERT INTO diff_offer SELECT id, change FROM moved UNION ALL SELECT id, 'reopened' FROM restored
"""

_CREATE_ESTABLISHMENT = """
    WITH made AS (
        {insert}
        WHERE w.site_id IN (SELECT id FROM touched_site)
        ON CONFLICT (site_id, origin) WHERE origin IS NOT NULL DO NOTHING
        RETURNING id
    )
    INSERT INTO diff_offer SELECT id, 'new' FROM made
"""

_CLOSE = """
    WITH closed AS (
        UPDATE directory.offer o SET closed_on = (core.now() AT TIME ZONE 'Europe/Paris')::date, updated_at = now()
        WHERE o.closed_on IS NULL AND o.id IN (
            SELECT c.id FROM directory.offer c
            JOIN touched_role t ON t.id = c.role_id
            JOIN directory.role r ON r.id = c.role_id
            LEFT JOIN directory.site s ON s.id = r.site_id
            WHERE (s.id IS NOT NULL AND {qualifies}) IS NOT TRUE
            UNION ALL
            SELECT c.id FROM directory.offer c
            JOIN touched_site t ON t.id = c.site_id
            JOIN directory.site s ON s.id = c.site_id
            WHERE c.role_id IS NULL AND (
                s.closed_on IS NOT NULL
                OR (c.origin IS NOT NULL AND NOT c.described AND NOT EXISTS (
                    SELECT FROM ({wanted}) w WHERE w.site_id = c.site_id AND w.origin = c.origin)))
        )
        RETURNING o.id
    )
    INSERT INTO diff_offer SELECT id, 'gone' FROM closed
"""


def generate_changed(conn: psycopg.Connection) -> EntityCounts:
    """Make the generated offers follow what differs in the registers; fills `diff_offer` (id, change)."""
    conn.execute(_TOUCHED)
    conn.execute(_PROFILES.format(only="AND r.id IN (SELECT id FROM touched_role)"))
    conn.execute(_UPDATE_LIBERAL.format(wanted=_LIBERAL))
    conn.execute(_CREATE_LIBERAL.format(insert=_INSERT_LIBERAL.format(wanted=_LIBERAL, only="")))
    conn.execute(_UPDATE_ESTABLISHMENT.format(wanted=_ESTABLISHMENT))
    conn.execute(_CREATE_ESTABLISHMENT.format(insert=_INSERT_ESTABLISHMENT.format(wanted=_ESTABLISHMENT, only="")))
    conn.execute(_CLOSE.format(qualifies=_QUALIFIES, wanted=_ESTABLISHMENT))
    counts: dict[str, int] = dict(
        conn.execute("SELECT change, count(*)::int FROM diff_offer GROUP BY change").fetchall()
    )
    return EntityCounts(
        read=sum(counts.values()),
        new=counts.get("new", 0),
        changed=counts.get("changed", 0),
        reopened=counts.get("reopened", 0),
        closed=counts.get("gone", 0),
    )


CHANGED_OFFERS = """
    SELECT id FROM diff_offer
    UNION SELECT o.id FROM directory.offer o JOIN touched_role t ON t.id = o.role_id
    UNION SELECT o.id FROM directory.offer o JOIN touched_site t ON t.id = o.site_id
"""
"""Offers whose search row a publication must write again."""
