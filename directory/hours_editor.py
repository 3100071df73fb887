"""The editor of hours between two pages: what its buttons do to a draft, and what its template draws.

Each button is an ordinary submit button named `horaires_action`: without scripts the page comes back with one row
more or less and everything that was typed; with scripts `hours.js` asks for the same page and swaps the editor.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import NotFound
from directory.hours_draft import (
    Errors,
    ExceptionDraft,
    HoursDraft,
    SlotDraft,
    SpanDraft,
    draft_of,
    errors_of,
    pairs_of,
    read_form,
)
from directory.hours_kinds import KINDS
from directory.hours_store import timetables
from directory.labels import WEEKDAYS, date_text
from directory.models_offer import Offer

ACTION: Final = "horaires_action"
_NOON, _AFTERNOON = 12 * 60, 14 * 60
_DAY = 1440


@dataclass(frozen=True, slots=True)
class HoursRound:
    """What came back from the editor: save it when nothing `acted` and there is no error, else draw it again."""

    draft: HoursDraft
    errors: Errors
    acted: bool
    focus: str | None = None


async def hours_draft(session: AsyncSession, uid: uuid.UUID) -> HoursDraft:
    """Return the present hours of an offer as a draft.

    Raises:
        NotFound: no such offer.
    """
    offer_id = await session.scalar(select(Offer.id).where(Offer.uid == uid))
    if offer_id is None:
        raise NotFound("Cette offre n’existe pas dans le répertoire.")
    table = (await timetables(session, [offer_id]))[offer_id]
    return draft_of(table, table.local(await clock.now(session)).date())


def hours_round(form: Any) -> HoursRound:
    """Read the editor's part of a form, and do what its button asks; a form sent without one is checked."""
    pairs = pairs_of(form)
    action = next((value for name, value in pairs if name == ACTION), None)
    draft = read_form(pairs, keep_blank=action is not None)
    if action is None:
        return HoursRound(draft, errors_of(draft), acted=False)
    ticked = [name for name, _ in pairs]
    errors, focus = _act(draft, action, ticked)
    return HoursRound(draft, errors, acted=True, focus=focus)


def _act(draft: HoursDraft, action: str, names: list[str]) -> tuple[Errors, str | None]:
    verb, _, rest = action.partition(":")
    numbers = [int(part) for part in rest.split(":") if part.isdecimal() and len(part) < 5]
    first = numbers[0] if numbers else 0
    if verb == "ajouter" and 1 <= first <= 7:
        return {}, _add(draft, first)
    if verb == "copier" and 1 <= first <= 7:
        return _copy(draft, first, [n for n in range(1, 8) if f"copie-{first}-{n}" in names and n != first])
    if verb == "couper" and first < len(draft.week):
        return _cut(draft, first)
    if verb == "retirer" and first < len(draft.week):
        return {}, f"ajouter-{draft.week.pop(first).day}"
    if verb == "ferie-ajouter":
        draft.public_holiday_hours.append(SpanDraft())
        return {}, f"f-{len(draft.public_holiday_hours) - 1}-de"
    if verb == "ferie-retirer" and first < len(draft.public_holiday_hours):
        draft.public_holiday_hours.pop(first)
        return {}, "ferie-ajouter"
    if verb == "exception-ajouter":
        draft.exceptions.append(ExceptionDraft())
        return {}, f"e-{len(draft.exceptions) - 1}-type"
    if verb.startswith("exception-") and first < len(draft.exceptions):
        return {}, _exception(draft, verb, first, numbers)
    # Another tab removed the row, or the button was pressed twice: what is typed stands.
    return {}, None


def _add(draft: HoursDraft, day: int) -> str:
    own = [slot for slot in draft.week if slot.day == day]
    draft.week.append(SlotDraft(day=day, kind=own[-1].kind if own else "07"))
    return f"h-{len(draft.week) - 1}-de"


def _copy(draft: HoursDraft, day: int, targets: list[int]) -> tuple[Errors, str | None]:
    if not targets:
        message = f"{WEEKDAYS[day].capitalize()} : cochez au moins un jour vers lequel copier."
        return {f"copie-{day}": message}, f"copie-{day}-{day % 7 + 1}"
    kept = [slot for slot in draft.week if slot.day not in targets or slot.valid_from or slot.valid_to]
    copied = [slot for slot in draft.week if slot.day == day and not (slot.valid_from or slot.valid_to)]
    draft.week = kept + [slot.model_copy(update={"day": target}) for target in targets for slot in copied]
    return {}, f"ajouter-{targets[0]}"


def _minutes(text: str) -> int | None:
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdecimal() and minutes[:2].isdecimal() and int(hours) < 24):
        return None
    return int(hours) * 60 + int(minutes[:2])


def _cut(draft: HoursDraft, index: int) -> tuple[Errors, str | None]:
    """Cut a slot in two: around lunch when it spans it, else in the middle, at a half hour."""
    slot = draft.week[index]
    opens, closes = _minutes(slot.opens), _minutes(slot.closes)
    if opens is None or closes is None or opens == closes != 0:
        message = f"{WEEKDAYS[slot.day].capitalize()} : indiquez le début et la fin de cette plage avant de la couper."
        return {f"h-{index}-de": message}, f"h-{index}-de"
    end = closes if closes > opens else closes + _DAY
    first_ends, second_begins = _NOON, _AFTERNOON
    if not (opens < _NOON and end > _AFTERNOON):
        first_ends = second_begins = (opens + end) // 2 // 30 * 30
        if first_ends <= opens:
            first_ends = second_begins = (opens + end) // 2

    def text(minutes: int) -> str:
        return f"{minutes % _DAY // 60:02d}:{minutes % 60:02d}"

    draft.week[index : index + 1] = [
        slot.model_copy(update={"closes": text(first_ends)}),
        slot.model_copy(update={"opens": text(second_begins)}),
    ]
    return {}, f"h-{index}-a"


def _exception(draft: HoursDraft, verb: str, index: int, numbers: list[int]) -> str | None:
    one = draft.exceptions[index]
    if verb == "exception-retirer":
        draft.exceptions.pop(index)
        return "exception-ajouter"
    if verb == "exception-heures":
        one.slots.append(SpanDraft())
        return f"e-{index}-h-{len(one.slots) - 1}-de"
    if verb == "exception-plage-retirer" and len(numbers) > 1 and numbers[1] < len(one.slots):
        one.slots.pop(numbers[1])
        return f"e-{index}-heures"
    return None


@dataclass(frozen=True, slots=True)
class EditorDay:
    """A day of the editor: its slots with their rank in the draft."""

    number: int
    label: str
    slots: list[tuple[int, SlotDraft]]


@dataclass(frozen=True, slots=True)
class HoursEditor:
    """What `directory/_hours_editor.html` draws; pages give it as `hours_editor`."""

    draft: HoursDraft
    errors: Errors = field(default_factory=dict)
    focus: str | None = None

    @property
    def days(self) -> list[EditorDay]:
        """The seven days."""
        numbered = list(enumerate(self.draft.week))
        return [
            EditorDay(day, WEEKDAYS[day].capitalize(), [(index, slot) for index, slot in numbered if slot.day == day])
            for day in range(1, 8)
        ]

    @property
    def kinds(self) -> list[tuple[str, str, str, str]]:
        """Kinds of slots: code, label, short name, drawing."""
        return [(kind.code, kind.label, kind.short, kind.mark) for kind in KINDS.values()]

    @staticmethod
    def day_text(text: str) -> str:
        """A day as people read it."""
        return date_text(text)

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Errors as the summary of a page lists them, each with its input."""
        return list(self.errors.items())
