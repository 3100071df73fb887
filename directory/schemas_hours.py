"""Hours as the directory says them and is told them."""

import uuid
from datetime import date, datetime, time
from typing import Literal

from pydantic import Field

from directory.schemas_base import ConceptRef, Description, Frozen

HolidayChoice = Literal["closed", "open", "hours"]
ExceptionChoice = Literal["leave", "absence", "closed", "special"]


class Slot(Frozen):
    """One opening of a day, local time; `closes` at or before `opens` means the next day."""

    opens: time
    closes: time
    kind: ConceptRef
    label: str = Field(description="« 9 h – 12 h 30 »")
    short: str = Field(description="Short name of the kind: « Sur RDV ».")
    mark: str = Field(description="How the kind is drawn: appointment, walk-in, home, closed…")


class HoursDay(Frozen):
    """A day of the week, ISO 1 (lundi) to 7 (dimanche)."""

    weekday: int
    label: str
    slots: list[Slot]


class SpecialPeriod(Frozen):
    """Hours, or closing, that hold for a period only."""

    valid_from: date | None
    valid_to: date | None
    label: str
    days: list[HoursDay]


class DatedDay(Frozen):
    """What holds on a date. `note` says why it differs from the typical week, or names the public holiday."""

    day: date
    weekday: int
    label: str = Field(description="« Lundi 10 août »")
    slots: list[Slot]
    note: str | None
    closed: bool = Field(description="Nobody is received nor visited that day.")


class HoursException(Frozen):
    """Leave, absence, closing or special hours to come or under way."""

    kind: ExceptionChoice
    label: str = Field(description="« Congés du 1er au 16 août 2026 »")
    starts_on: date
    ends_on: date
    slots: list[Slot]
    replacement: str | None
    replacement_phone: str | None


class Hours(Frozen):
    """Typical week, special periods, exceptions, the seven coming days, and whether it is open now.

    `open_now` is None when no hours are known. Days, `open_now` and `status` follow the clock of the offer's
    département, exceptions and public holidays.
    """

    week: list[HoursDay]
    special: list[SpecialPeriod]
    exceptions: list[HoursException] = Field(description="Not over yet, in order, bounded to 20.")
    public_holidays: str | None = Field(description="« Fermé les jours fériés »; None when no hours are known.")
    days: list[DatedDay] = Field(description="Today and the six days that follow.")
    open_now: bool | None
    status: str | None = Field(description="« Ouvert jusqu’à 19 h », « Fermé, ouvre demain à 9 h ».")


class Calendar(Frozen):
    """A week or a month of dated days, with where the neighbours are."""

    view: Literal["week", "month"]
    title: str
    days: list[DatedDay]
    previous: date | None
    next: date | None
    today: date


class OfferHours(Frozen):
    """The hours page of an offer."""

    uid: uuid.UUID
    title: str
    site_name: str
    hours: Hours
    calendar: Calendar
    updated_at: datetime


class SlotIn(Description):
    """An opening slot: R252 kind or « indisponible », ISO weekday, local times, optional period (inclusive)."""

    kind: str = "07"
    weekday: int = Field(ge=1, le=7)
    opens: time
    closes: time
    valid_from: date | None = None
    valid_to: date | None = None


class SpanIn(Description):
    """Hours of one day: R252 kind or « indisponible », local times."""

    kind: str = "07"
    opens: time
    closes: time


class ExceptionIn(Description):
    """Leave, absence, closing, or special hours (`slots`), from a day to another (the same when left out)."""

    kind: ExceptionChoice
    starts_on: date
    ends_on: date | None = None
    slots: list[SpanIn] = []
    replacement: str | None = Field(default=None, max_length=500)
    replacement_phone: str | None = Field(default=None, max_length=500)
