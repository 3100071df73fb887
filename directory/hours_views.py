"""The hours page of an offer: a week or a month as it really is, and its iCalendar file."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import InvalidInput, NotFound
from core.settings import core_settings
from directory import hours_ics, queries_sheets
from directory import sheet_parts as parts
from directory.concepts import ConceptIndex, concept_index
from directory.days import EXAMPLE, read_day
from directory.hours import DAY, Timetable
from directory.hours_store import timetables
from directory.hours_words import dated_days, readable
from directory.labels import MONTHS, french_date, person_name
from directory.models import Practitioner, Site
from directory.models_offer import Offer
from directory.schemas_hours import Calendar, OfferHours, Slot
from directory.sheets import gone

View = Literal["week", "month"]

AHEAD = 730
"""Days ahead that the page shows."""


@dataclass(frozen=True, slots=True)
class _Found:
    offer: Offer
    site: Site
    title: str
    address: str
    table: Timetable
    now: datetime
    index: ConceptIndex


async def _find(session: AsyncSession, uid: uuid.UUID, level: int) -> _Found:
    found = (await session.execute(queries_sheets.offer(uid, level))).one_or_none()
    if found is None:
        raise NotFound("Cette offre n’existe pas dans le répertoire.")
    offer: Offer = found.Offer
    practitioner: Practitioner | None = found.Practitioner
    reason = gone(offer, found.Role, practitioner, found.site_closed_on)
    if reason is not None:
        raise NotFound(reason)
    row = (await session.execute(queries_sheets.site(found.site_uid))).one()
    title = person_name(practitioner.first_name, practitioner.last_name) if practitioner else offer.name
    return _Found(
        offer=offer,
        site=row.Site,
        title=title,
        address=", ".join(parts.postal_address(row.Site, row).lines),
        table=(await timetables(session, [offer.id]))[offer.id],
        now=await clock.now(session),
        index=await concept_index(session),
    )


def asked_day(text: str, today: date) -> date:
    """Return the day of the address, today by default; the past is not told: nobody keeps it.

    Raises:
        InvalidInput: the text is no date.
    """
    if not text:
        return today
    try:
        day = read_day(text)
    except ValueError:
        message = f"Une date est attendue, par exemple {EXAMPLE}."
        raise InvalidInput(message, fields={"date": message}) from None
    return min(max(day, today), today + timedelta(days=AHEAD))


def calendar_of(table: Timetable, index: ConceptIndex, view: View, day: date, today: date) -> Calendar:
    """Return the week or the month that holds a day, as it really is."""
    if view == "week":
        first = day - DAY * (day.isoweekday() - 1)
        last = first + DAY * 6
        start = french_date(first).removesuffix(f" {last.year}" if first.year == last.year else "")
        if first.month == last.month:
            start = "1er" if first.day == 1 else str(first.day)
        title = f"Semaine {first.isocalendar().week}, du {start} au {french_date(last)}"
    else:
        first = day.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - DAY
        title = f"{MONTHS[first.month].capitalize()} {first.year}"
    labels = index.codes("R252")
    return Calendar(
        view=view,
        title=title,
        days=dated_days(table, labels, first, (last - first).days + 1, today),
        previous=max(first - DAY, today) if first > today else None,
        next=last + DAY if last + DAY <= today + timedelta(days=AHEAD) else None,
        today=today,
    )


async def offer_hours(session: AsyncSession, uid: uuid.UUID, level: int, view: View, asked: str) -> OfferHours:
    """Return the hours of an offer: status, and the week or the month that holds a day.

    Args:
        session: the unit of work.
        uid: the offer.
        level: who reads (1 public, 2 professional).
        view: a week or a month.
        asked: ISO date within it, today when empty.

    Raises:
        NotFound: no such offer, or it has closed or is not published.
        InvalidInput: the date cannot be read.
    """
    found = await _find(session, uid, level)
    today = found.table.local(found.now).date()
    return OfferHours(
        uid=found.offer.uid,
        title=found.title,
        site_name=found.site.name,
        hours=readable(found.table, found.index.codes("R252"), found.now),
        calendar=calendar_of(found.table, found.index, view, asked_day(asked, today), today),
        updated_at=found.offer.updated_at,
    )


async def calendar_now(session: AsyncSession, offer_id: int, view: View, asked: str) -> Calendar:
    """Return a week or a month of an offer as the session reads it, published or not.

    Raises:
        InvalidInput: the date cannot be read.
    """
    table = (await timetables(session, [offer_id]))[offer_id]
    today = table.local(await clock.now(session)).date()
    return calendar_of(table, await concept_index(session), view, asked_day(asked, today), today)


def legend_of(calendar: Calendar) -> list[Slot]:
    """Return a slot of each drawing that a calendar shows, by kind."""
    found = {slot.mark: slot for day in reversed(calendar.days) for slot in reversed(day.slots)}
    return sorted(found.values(), key=lambda slot: slot.kind.label)


async def offer_ics(session: AsyncSession, uid: uuid.UUID, level: int) -> bytes:
    """Return the hours of an offer as an iCalendar file.

    Raises:
        NotFound: no such offer, or it has closed or is not published.
    """
    found = await _find(session, uid, level)
    subject = hours_ics.Subject(
        uid=found.offer.uid,
        title=found.title,
        address=found.address,
        url=f"{core_settings().public_url.rstrip('/')}/offres/{found.offer.uid}/horaires",
        updated_at=found.offer.updated_at,
        version=found.offer.version,
    )
    return hours_ics.calendar(found.table, subject, found.table.local(found.now).date())
