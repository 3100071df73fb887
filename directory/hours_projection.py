"""Hours in SQL: what really opens on the seven days that begin today, as minutes of the week.

The rules are those of `directory.hours`, written for a million offers at a time: exception, else public holiday, else
typical week; masks cut out. The window is rolling, hence exact for any instant of the coming week (« maintenant »,
« samedi matin »), and it stays exact until its last day when nothing writes it again: midnight needs no punctuality.
A repeated or skipped hour (daylight saving) has no minute of its own: the wall clock decides.
"""

from datetime import datetime

from directory.hours_kinds import MASK_KINDS, OPEN_KINDS
from directory.hours_zones import clocks, coming_holidays


def _in(kinds: frozenset[str]) -> str:
    return "(" + ", ".join(f"'{kind}'" for kind in sorted(kinds)) + ")"


_OPEN, _MASK, _USED = _in(OPEN_KINDS), _in(MASK_KINDS), _in(OPEN_KINDS | MASK_KINDS)

ZONES = (
    "(SELECT * FROM unnest('{"
    + ",".join(code for code, _ in clocks())
    + "}'::text[], '{"
    + ",".join(zone for _, zone in clocks())
    + "}'::text[]) zone (code, name))"
)
"""Départements whose clock or public holidays are their own."""

# What an offer does on public holidays when nobody chose: see `hours_store.holiday_rule`.
RULE = "coalesce(o.public_holidays, CASE WHEN o.kind = 'liberal' THEN 'closed' ELSE 'open' END)"


def holidays_table(now: datetime) -> str:
    """Return the public holidays around an instant as a FROM item with columns `zone` and `day`."""
    found = coming_holidays(now)
    zones, days = ",".join(f'"{zone}"' for zone, _ in found), ",".join(day.isoformat() for _, day in found)
    return f"(SELECT * FROM unnest('{{{zones}}}'::text[], '{{{days}}}'::date[]) holiday (zone, day))"


def lateral(offer: str) -> str:
    """Return the FROM item that computes `minutes` for a row with `id`, `zone_code`, `zone_name`,
    `holiday_rule`, `closing_on`, `reopening_on`.

    Args:
        offer: name of that row. `__HOLIDAYS__` is left to be replaced by `holidays_table`.
    """
    # OFFSET 0 keeps the planner from writing the day and the bounds out again wherever they are named: it would
    # convert the time zone dozens of times for each slot.
    covered = f"""EXISTS (
            SELECT FROM directory.hours_exception e
            WHERE e.offer_id = {offer}.id AND today.day + n BETWEEN e.starts_on AND e.ends_on)"""
    holiday = f"EXISTS (SELECT FROM __HOLIDAYS__ h WHERE h.zone = {offer}.zone_code AND h.day = today.day + n)"
    stands = f"(today.day + span.n < {offer}.closing_on) IS NOT false OR today.day + span.n >= {offer}.reopening_on"
    return f"""LATERAL (
    SELECT CASE WHEN bool_or(piece.kind IN {_OPEN}) THEN
               coalesce(range_agg(piece.minutes) FILTER (WHERE piece.kind IN {_OPEN}), '{{}}')
               - coalesce(range_agg(piece.minutes) FILTER (WHERE piece.kind IN {_MASK}), '{{}}')
           END AS minutes
    FROM (
        SELECT span.kind,
               CASE WHEN span.held AND ({stands}) THEN int4multirange(
                   int4range(least(seen.low, 10080), least(seen.high, 10080)),
                   int4range(greatest(seen.low, 10080) - 10080, greatest(seen.high, 10080) - 10080)
               ) END AS minutes
        FROM (SELECT (core.now() AT TIME ZONE {offer}.zone_name)::date AS day OFFSET 0) today
        CROSS JOIN LATERAL (
            SELECT kind, opens, closes, n,
                   coalesce(valid_from <= today.day + n, true) AND coalesce(valid_to >= today.day + n, true)
                   AND NOT {covered}
                   AND ({offer}.holiday_rule = 'open' OR NOT {holiday}) AS held
            FROM directory.opening_slot
            JOIN generate_series(-1, 6) n ON extract(isodow FROM today.day + n) = weekday
            WHERE offer_id = {offer}.id AND kind IN {_USED}
            UNION ALL
            SELECT x.kind, x.opens, x.closes, n,
                   x.exception_id = (
                       SELECT e.id FROM directory.hours_exception e
                       WHERE e.offer_id = {offer}.id AND today.day + n BETWEEN e.starts_on AND e.ends_on
                       ORDER BY e.ends_on - e.starts_on, e.starts_on DESC, e.id LIMIT 1
                   )
            FROM directory.special_slot x
            CROSS JOIN generate_series(-1, 6) n
            WHERE x.offer_id = {offer}.id AND x.exception_id IS NOT NULL AND x.kind IN {_USED}
            UNION ALL
            SELECT x.kind, x.opens, x.closes, n,
                   {offer}.holiday_rule = 'hours' AND {holiday} AND NOT {covered}
            FROM directory.special_slot x
            CROSS JOIN generate_series(-1, 6) n
            WHERE x.offer_id = {offer}.id AND x.exception_id IS NULL AND x.kind IN {_USED}
        ) span
        CROSS JOIN LATERAL (
            SELECT span.n * 1440 + (extract(epoch FROM span.opens) / 60)::int AS starts,
                   (extract(epoch FROM span.closes - span.opens) / 60)::int
                   + CASE WHEN span.closes <= span.opens THEN 1440 ELSE 0 END AS lasts,
                   (extract(isodow FROM today.day)::int - 1) * 1440 AS shift
            OFFSET 0
        ) long
        CROSS JOIN LATERAL (
            SELECT long.shift + greatest(long.starts, 0) AS low,
                   long.shift + greatest(least(long.starts + long.lasts, 10080), long.starts, 0) AS high
            OFFSET 0
        ) seen
    ) piece
)"""


CHANGED = f"""
SELECT base.id FROM (
    SELECT o.id, coalesce(z.code, '') AS zone_code, coalesce(z.name, 'Europe/Paris') AS zone_name,
           {RULE} AS holiday_rule, o.closing_on, o.reopening_on, f.open_minutes
    FROM directory.offer_search f
    JOIN directory.offer o ON o.id = f.offer_id
    JOIN directory.site s ON s.id = o.site_id
    LEFT JOIN maps.place p ON p.id = s.commune_id
    LEFT JOIN {ZONES} z ON z.code = p.departement_code
    WHERE o.id IN (SELECT offer_id FROM directory.opening_slot UNION SELECT offer_id FROM directory.special_slot)
) base
CROSS JOIN {lateral("base")} hours
WHERE base.open_minutes IS DISTINCT FROM hours.minutes
"""
"""Offers whose row no longer says what is open in the coming seven days."""
