"""Statements of the ledger of the feed: what a change touches, what each level is shown of it, what moved.

Plain SQL, because the same text serves the bulk connection and the async session (see `projection.py`).
"""

from directory.labels import PURPOSES
from directory.models_feed import LEGAL_ENTITY, OFFER, PRACTITIONER, ROLE, SITE

LEVELS = (1, 2)

_OPEN_CONTACT = (
    "(c.confidentiality = 1 AND c.purpose IN ("
    + ", ".join(f"'{name}'" for name, purpose in PURPOSES.items() if purpose.confidentiality == 1)
    + "))"
)
"""A contact of everybody's: its own confidentiality and that of its field, the stricter wins."""

CLOSURE = f"""
seed AS MATERIALIZED (__SEED__),
site_forced AS MATERIALIZED (
    SELECT id FROM seed WHERE kind = {SITE}
    UNION SELECT s.id FROM seed k JOIN directory.site s ON s.legal_entity_id = k.id WHERE k.kind = {LEGAL_ENTITY}
),
role_forced AS MATERIALIZED (
    SELECT id FROM seed WHERE kind = {ROLE}
    UNION SELECT r.id FROM site_forced k JOIN directory.role r ON r.site_id = k.id
    UNION SELECT r.id FROM seed k JOIN directory.role r ON r.practitioner_id = k.id WHERE k.kind = {PRACTITIONER}
),
offer_forced AS MATERIALIZED (
    SELECT id FROM seed WHERE kind = {OFFER} AND forced
    UNION SELECT o.id FROM site_forced k JOIN directory.offer o ON o.site_id = k.id
    UNION SELECT o.id FROM role_forced k JOIN directory.offer o ON o.role_id = k.id
),
role_beside AS MATERIALIZED (
    SELECT DISTINCT o.role_id AS id
    FROM (SELECT id FROM offer_forced UNION SELECT id FROM seed WHERE kind = {OFFER}) k
    JOIN directory.offer o ON o.id = k.id WHERE o.role_id IS NOT NULL
),
touched AS MATERIALIZED (
    SELECT kind, id, bool_or(forced) AS forced FROM (
        SELECT kind, id, forced OR kind <> {OFFER} AS forced FROM seed WHERE kind <> {ROLE}
        UNION ALL SELECT {SITE}, id, true FROM site_forced
        UNION ALL SELECT {ROLE}, id, true FROM role_forced k
            WHERE EXISTS (SELECT FROM directory.offer o WHERE o.role_id = k.id)
        UNION ALL SELECT {OFFER}, id, true FROM offer_forced
        UNION ALL SELECT {ROLE}, id, false FROM role_beside
        UNION ALL SELECT {PRACTITIONER}, r.practitioner_id, false
            FROM (SELECT id FROM role_forced UNION SELECT id FROM role_beside) k JOIN directory.role r ON r.id = k.id
        UNION ALL SELECT {LEGAL_ENTITY}, s.legal_entity_id, false
            FROM site_forced k JOIN directory.site s ON s.id = k.id WHERE s.legal_entity_id IS NOT NULL
    ) x GROUP BY kind, id
)
"""
"""From `__SEED__`, a query of (kind, id, forced), to everything that a reader may see differently.

What hangs from a seed is forced: told again whether its own content differs or not. What a seed only hides, reveals
or places (the role of an offer, the practitioner, the legal entity) is told if that is what happens to it.
"""

# What an offer holds, as text. Rows are written anew by each edit: their ids say nothing.
_CONTENT_1 = f"""
    row(o.name, o.kind, o.field_id, o.type_id, o.mode_id, o.activities, o.acts, o.outside_acts, o.skills,
        o.specialisations, o.publics, o.reception, o.languages, o.age_min, o.age_max,
        o.accepts_new OR coalesce(o.accepts_new_on <= (core.now() AT TIME ZONE 'Europe/Paris')::date, false),
        o.accepts_new_on, o.described, o.public_holidays, o.closing_on, o.reopening_on)::text
    || coalesce((SELECT string_agg(row(c.purpose, c.nature, c.channel, c.value)::text, '' ORDER BY c.purpose, c.channel,
           c.value) FROM directory.contact_point c WHERE c.offer_id = o.id AND {_OPEN_CONTACT}), '')
    || coalesce((SELECT string_agg(row(h.kind, h.weekday, h.opens, h.closes, h.valid_from, h.valid_to)::text, ''
           ORDER BY h.weekday, h.opens, h.closes, h.kind, h.valid_from)
           FROM directory.opening_slot h WHERE h.offer_id = o.id), '')
    || coalesce((SELECT string_agg(row(x.kind, x.starts_on, x.ends_on, x.replacement, x.replacement_phone)::text, ''
           ORDER BY x.starts_on, x.ends_on, x.kind)
           FROM directory.hours_exception x WHERE x.offer_id = o.id), '')
    || coalesce((SELECT string_agg(row(e.starts_on, p.kind, p.opens, p.closes)::text, ''
           ORDER BY e.starts_on, p.opens, p.closes, p.kind)
           FROM directory.special_slot p LEFT JOIN directory.hours_exception e ON e.id = p.exception_id
           WHERE p.offer_id = o.id), '')
    || coalesce((SELECT string_agg(t.place_id::text, ',' ORDER BY t.place_id)
           FROM directory.offer_territory t WHERE t.offer_id = o.id), '')
"""
_CONTENT_2 = f"""
    coalesce(o.comment, '') || o.sensitive::text
    || coalesce((SELECT string_agg(row(c.purpose, c.nature, c.channel, c.value, c.confidentiality)::text, ''
           ORDER BY c.purpose, c.channel, c.value)
           FROM directory.contact_point c WHERE c.offer_id = o.id AND NOT {_OPEN_CONTACT}), '')
"""

_SHOWN = {1: "w.offer_id IS NOT NULL AND NOT w.sensitive", 2: "w.offer_id IS NOT NULL"}
"""By level, whether the search row `w` of an offer lets it be shown: what `directory.queries.searchable` says."""

_MAILBOXES = f"""
    SELECT r.practitioner_id AS id,
           string_agg(c.value, ' ' ORDER BY c.value, c.id) FILTER (WHERE {_SHOWN[1]} AND {_OPEN_CONTACT}) AS box_1,
           string_agg(c.value, ' ' ORDER BY c.value, c.id) FILTER (WHERE {_SHOWN[2]}) AS box_2
    FROM {{touched}} t
    JOIN directory.role r ON r.practitioner_id = t.id AND r.closed_on IS NULL
    JOIN directory.offer o ON o.role_id = r.id AND o.described
    JOIN directory.offer_search w ON w.offer_id = o.id
    JOIN directory.contact_point c ON c.offer_id = o.id AND c.purpose = 'mssante'
    WHERE t.kind = {PRACTITIONER}
    GROUP BY r.practitioner_id
"""
"""What a practitioner's own resource says of what they wrote with their offers."""

_NONE = "NULL::bigint"


def state(*, offers: bool = True, people: bool = True, touched: str = "touched") -> str:
    """Return the query `state`: what each level is shown of `touched` as the tables and the projection stand.

    The registers are public, but must not betray a hidden offer: a role is shown with its offer only, and a
    practitioner whose offers are all hidden is left out.

    Args:
        offers: digests of the content of offers are wanted.
        people: digests of what practitioners wrote are wanted.
        touched: name of what is looked at: a query beside this one, or a table, of which more is known.
    """
    # Of an offer that nobody described, all comes from the registers, whose changes are told whatever they are.
    content = f"LEFT JOIN LATERAL (SELECT {_CONTENT_1} AS content OFFSET 0) x ON o.described" if offers else ""
    digest_1 = "CASE WHEN o.described THEN hashtextextended(x.content, 1) ELSE 0 END" if offers else _NONE
    digest_2 = (
        f"CASE WHEN o.described THEN hashtextextended(x.content || {_CONTENT_2}, 2) ELSE o.sensitive::int END"
        if offers
        else _NONE
    )
    boxes = [f"hashtextextended(coalesce(b.box_{level}, ''), 0)" if people else _NONE for level in LEVELS]
    mailboxes = f"LEFT JOIN ({_MAILBOXES.format(touched=touched)}) b ON b.id = t.id" if people else ""
    return f"""
state AS MATERIALIZED (
    SELECT t.kind, t.id, t.forced,
           CASE WHEN {_SHOWN[1]} THEN ARRAY[coalesce(w.commune_id, 0)] END AS at_1,
           CASE WHEN {_SHOWN[2]} THEN ARRAY[coalesce(w.commune_id, 0)] END AS at_2,
           {digest_1} AS digest_1, {digest_2} AS digest_2
    FROM {touched} t
    JOIN directory.offer o ON o.id = t.id
    LEFT JOIN directory.offer_search w ON w.offer_id = o.id
    {content}
    WHERE t.kind = {OFFER}
    UNION ALL
    SELECT t.kind, t.id, t.forced,
           CASE WHEN r.closed_on IS NULL AND {_SHOWN[1]} THEN ARRAY[coalesce(w.commune_id, 0)] END,
           CASE WHEN r.closed_on IS NULL AND {_SHOWN[2]} THEN ARRAY[coalesce(w.commune_id, 0)] END,
           NULL, NULL
    FROM {touched} t
    JOIN directory.role r ON r.id = t.id
    JOIN directory.offer o ON o.role_id = r.id
    LEFT JOIN directory.offer_search w ON w.offer_id = o.id
    WHERE t.kind = {ROLE}
    UNION ALL
    SELECT t.kind, t.id, t.forced,
           CASE WHEN p.closed_on IS NULL AND (a.hidden IS NOT TRUE OR a.open) THEN coalesce(a.communes, '{{0}}') END,
           CASE WHEN p.closed_on IS NULL THEN coalesce(a.communes, '{{0}}') END,
           {boxes[0]}, {boxes[1]}
    FROM {touched} t
    JOIN directory.practitioner p ON p.id = t.id
    LEFT JOIN (
        SELECT r.practitioner_id AS id,
               array_agg(DISTINCT coalesce(s.commune_id, 0)) FILTER (WHERE r.closed_on IS NULL AND s.id IS NOT NULL)
                   AS communes,
               bool_or(o.sensitive OR coalesce(w.sensitive, false)) AS hidden, bool_or({_SHOWN[1]}) AS open
        FROM {touched} t
        JOIN directory.role r ON r.practitioner_id = t.id
        LEFT JOIN directory.site s ON s.id = r.site_id
        LEFT JOIN directory.offer o ON o.role_id = r.id
        LEFT JOIN directory.offer_search w ON w.offer_id = o.id
        WHERE t.kind = {PRACTITIONER}
        GROUP BY r.practitioner_id
    ) a ON a.id = p.id
    {mailboxes}
    WHERE t.kind = {PRACTITIONER}
    UNION ALL
    SELECT t.kind, t.id, t.forced, a.at, a.at, NULL, NULL
    FROM {touched} t
    CROSS JOIN LATERAL (
        SELECT CASE WHEN s.closed_on IS NULL THEN ARRAY[coalesce(s.commune_id, 0)] END AS at
        FROM directory.site s WHERE s.id = t.id
    ) a
    WHERE t.kind = {SITE}
    UNION ALL
    SELECT t.kind, t.id, t.forced, a.at, a.at, NULL, NULL
    FROM {touched} t
    JOIN (
        SELECT l.id, CASE WHEN l.closed_on IS NULL THEN array_agg(DISTINCT coalesce(s.commune_id, 0)) END AS at
        FROM {touched} t
        JOIN directory.legal_entity l ON l.id = t.id
        LEFT JOIN directory.site s ON s.legal_entity_id = l.id
        WHERE t.kind = {LEGAL_ENTITY}
        GROUP BY l.id
    ) a ON a.id = t.id
    WHERE t.kind = {LEGAL_ENTITY}
)
"""


_KEEP = """
INSERT INTO directory.feed_state (kind, entity_id, at_1, at_2, ever_1, ever_2, digest_1, digest_2)
SELECT s.kind, s.id, s.at_1, s.at_2, s.at_1, s.at_2, s.digest_1, s.digest_2 FROM state s
WHERE NOT EXISTS (SELECT FROM directory.feed_state f WHERE f.kind = s.kind AND f.entity_id = s.id)
ORDER BY s.kind, s.id
ON CONFLICT (kind, entity_id) DO NOTHING
"""

KEEP = f"WITH {CLOSURE}, {state()} {_KEEP}"
"""Notes what is shown of what is about to be written."""

KEEP_WRITTEN = f"WITH {CLOSURE}, {state(offers=False, people=False)} {_KEEP}"
"""The same once the tables are written and the projection is not: it tells what was shown, no longer what it held."""

LOCK = f"""
WITH {CLOSURE}
SELECT f.entity_id FROM directory.feed_state f JOIN touched t ON t.kind = f.kind AND t.id = f.entity_id
ORDER BY f.kind, f.entity_id FOR UPDATE OF f
"""
"""Locks what is touched, in one order: two changes of one practitioner's offers must each see what the other wrote."""


def _moved(level: int) -> str:
    return (
        f"f.at_{level} IS DISTINCT FROM s.at_{level} OR (s.at_{level} IS NOT NULL"
        f" AND (s.forced OR f.digest_{level} IS DISTINCT FROM s.digest_{level}))"
    )


def _assignments(level: int) -> str:
    at, ever = f"at_{level}", f"ever_{level}"
    return f"""
        change_{level} = CASE WHEN m.moved_{level} THEN c.id ELSE f.change_{level} END,
        began_{level} = CASE WHEN m.{at} IS NULL THEN NULL WHEN f.{at} IS NULL THEN c.id ELSE f.began_{level} END,
        {at} = m.{at},
        {ever} = CASE WHEN m.{at} IS NULL OR f.{ever} @> m.{at} THEN f.{ever}
                      ELSE ARRAY(SELECT unnest(f.{ever}) UNION SELECT unnest(m.{at}) ORDER BY 1) END,
        version_{level} = f.version_{level} + m.moved_{level}::int,
        digest_{level} = m.digest_{level}"""


_MOVED = f"""
    SELECT s.*, {_moved(1)} AS moved_1, {_moved(2)} AS moved_2
    FROM __STATE__ s JOIN directory.feed_state f ON f.kind = s.kind AND f.entity_id = s.id
    WHERE {_moved(1)} OR {_moved(2)}
"""
_WRITE = f"""
moved AS MATERIALIZED ({_MOVED}),
c AS MATERIALIZED (SELECT directory.feed_change_id() AS id WHERE EXISTS (SELECT FROM moved))
UPDATE directory.feed_state f SET {",".join(_assignments(level) for level in LEVELS)}
FROM moved m CROSS JOIN c
WHERE f.kind = m.kind AND f.entity_id = m.id
"""

SETTLE = f"WITH {CLOSURE}, {state()}, {_WRITE}".replace("__STATE__", "state")
"""Writes what moved for a level under this transaction's change, whose position its event gives."""

SETTLE_NOW = f"WITH {_WRITE}".replace("__STATE__", "feed_now")
"""The same of what a publication put aside in `feed_now`."""
