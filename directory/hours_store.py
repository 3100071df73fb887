"""Hours in the tables: read as timetables, written with a description, told to the history."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from directory import hours_rules, queries_sheets
from directory.describe_rules import Problems
from directory.hours import ExceptionLine, HolidayRule, SlotLine, Span, Timetable
from directory.models_offer import HoursException, Offer, OpeningSlot, SpecialSlot
from directory.schemas import OfferDescription


def holiday_rule(chosen: str | None, kind: str) -> HolidayRule:
    """Return what an offer does on public holidays when nobody chose: an emergency department does not close."""
    if chosen in ("closed", "open", "hours"):
        return chosen  # type: ignore[return-value]
    return "closed" if kind == "liberal" else "open"


def _span(slot: SpecialSlot) -> Span:
    return Span(slot.kind, slot.opens, slot.closes)


async def timetables(session: AsyncSession, offer_ids: Collection[int]) -> dict[int, Timetable]:
    """Return the hours of offers, by internal id; every id given has one."""
    if not offer_ids:
        return {}
    lines: dict[int, list[SlotLine]] = defaultdict(list)
    for slot in await session.scalars(queries_sheets.slots(offer_ids)):
        line = SlotLine(slot.kind, slot.weekday, slot.opens, slot.closes, slot.valid_from, slot.valid_to)
        lines[slot.offer_id].append(line)
    special: dict[tuple[int, int | None], list[Span]] = defaultdict(list)
    for one in await session.scalars(queries_sheets.special_slots(offer_ids)):
        special[one.offer_id, one.exception_id].append(_span(one))
    exceptions: dict[int, list[ExceptionLine]] = defaultdict(list)
    for row in await session.scalars(queries_sheets.exceptions(offer_ids)):
        exceptions[row.offer_id].append(
            ExceptionLine(
                row.kind,  # type: ignore[arg-type]  # the rules let only these in
                row.starts_on,
                row.ends_on,
                tuple(special[row.offer_id, row.id]),
                row.replacement,
                row.replacement_phone,
                row.id,
            )
        )
    return {
        row.id: Timetable(
            lines=tuple(lines[row.id]),
            exceptions=tuple(exceptions[row.id]),
            holidays=holiday_rule(row.public_holidays, row.kind),
            holiday_spans=tuple(special[row.id, None]),
            departement=row.departement_code,
            liberal=row.kind == "liberal",
            closing_on=row.closing_on,
            reopening_on=row.reopening_on,
        )
        for row in await session.execute(queries_sheets.clocks(offer_ids))
    }


def check(description: OfferDescription, problems: Problems) -> hours_rules.CheckedHours:
    """Return the hours of a description ready to store; every broken rule is noted at its field."""
    given = description.model_fields_set
    return hours_rules.CheckedHours(
        week=hours_rules.week(description.hours or [], problems) if "hours" in given else None,
        exceptions=hours_rules.exceptions(description.exceptions or [], problems) if "exceptions" in given else None,
        # Choice and hours of public holidays are one answer: either field given writes both.
        holiday_hours=hours_rules.holidays(description, problems)
        if given & {"public_holidays", "public_holiday_hours"}
        else None,
    )


async def write(
    session: AsyncSession, offer: Offer, description: OfferDescription, checked: hours_rules.CheckedHours
) -> None:
    """Replace what a description gave of the hours of an offer; what it left out stays."""
    if checked.week is not None:
        await session.execute(delete(OpeningSlot).where(OpeningSlot.offer_id == offer.id))
        session.add_all(OpeningSlot(offer_id=offer.id, **slot.model_dump()) for slot in checked.week)
    if checked.holiday_hours is not None:
        offer.public_holidays = description.public_holidays
        await session.execute(
            delete(SpecialSlot).where(SpecialSlot.offer_id == offer.id, SpecialSlot.exception_id.is_(None))
        )
        session.add_all(SpecialSlot(offer_id=offer.id, **span.model_dump()) for span in checked.holiday_hours)
    if checked.exceptions is not None:
        await session.execute(delete(HoursException).where(HoursException.offer_id == offer.id))
        for one in checked.exceptions:
            row = HoursException(offer_id=offer.id, **one.model_dump(exclude={"slots"}))
            session.add(row)
            await session.flush()
            session.add_all(
                SpecialSlot(offer_id=offer.id, exception_id=row.id, **span.model_dump()) for span in one.slots
            )


async def written(session: AsyncSession, offer_id: int) -> dict[str, Any]:
    """Return the hours as they stand, for the history."""
    slots = await session.scalars(select(OpeningSlot).where(OpeningSlot.offer_id == offer_id).order_by(OpeningSlot.id))
    spans: dict[int | None, list[list[str]]] = defaultdict(list)
    for span in await session.scalars(queries_sheets.special_slots([offer_id])):
        spans[span.exception_id].append([span.kind, str(span.opens), str(span.closes)])
    rows = await session.scalars(queries_sheets.exceptions([offer_id]))
    return {
        "hours": [
            [s.kind, s.weekday, *(str(x) if x else None for x in (s.opens, s.closes, s.valid_from, s.valid_to))]
            for s in slots
        ],
        "exceptions": [
            [e.kind, str(e.starts_on), str(e.ends_on), e.replacement, e.replacement_phone, spans[e.id]] for e in rows
        ],
        "public_holiday_hours": spans[None],
    }
