"""The history of an offer in French: who changed which field, before and after; and going back to a version."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person, names_of
from core import clock
from core.errors import Conflict, NotFound
from directory.concepts import ConceptIndex
from directory.describe import describe_offer, describe_site
from directory.describe_rules import CONCEPT_FIELDS
from directory.hours_kinds import label as kind_label
from directory.hours_words import HOLIDAY_WORDS, span_label
from directory.labels import LANGUAGES, NBSP, PURPOSES, WEEKDAYS, french_date, phone_text
from directory.models import History, Site
from directory.models_offer import Offer
from directory.offer_values import LABELS
from directory.schemas import ContactIn, OfferDescription, SiteDescription, Written
from directory.schemas_hours import ExceptionIn, SlotIn, SpanIn
from maps.api import place_by_id

PAGE_SIZE: Final = 30

ACTIONS: Final = {
    "described": "Description",
    "unpublished": "Dépublication",
    "republished": "Republication",
    "left": "« Je n’exerce plus ici »",
    "confirmed": "« Tout est exact »",
    "generated": "Création par les registres",
    "changed": "Mise à jour des registres",
    "closed": "Sortie des registres",
    "reopened": "Retour dans les registres",
}
_WRITERS: Final = {"registre": "les registres", "démonstration": "la démonstration"}
_STATUS: Final = {"published": "publiée", "unpublished": "non publiée", "left": "quittée"}
_MORE: Final = {
    "status": "Publication",
    "contacts": "Contacts",
    "exceptions": "Congés et fermetures",
    "public_holidays": "Jours fériés",
    "public_holiday_hours": "Horaires des jours fériés",
    "closing_on": "Fermeture le",
    "reopening_on": "Réouverture le",
    "pin": "Position sur la carte",
}
_EXCEPTIONS: Final = {"leave": "Congés", "absence": "Absence", "closed": "Fermé", "special": "Horaires particuliers"}
_UNSAID: Final = ("described", "updated_at")


@dataclass(frozen=True, slots=True)
class Change:
    """A field that changed: its values before and after, one text per item."""

    label: str
    before: list[str]
    after: list[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the history. `revertible`: the offer, or its place, can be written again as after this line."""

    id: int
    at: datetime
    who: str
    action: str
    place: bool
    reason: str | None
    changes: list[Change] = field(default_factory=list)
    revertible: bool = False


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of the history, latest first."""

    entries: list[Entry]
    page: int
    pages: int
    total: int


def _of(offer: Offer, site: Site) -> ColumnElement[bool]:
    return or_(
        and_(History.entity == "offer", History.entity_id == offer.id),
        and_(*_own_place(site)),
    )


async def offer_history(
    session: AsyncSession, person: Person, offer: Offer, site: Site, index: ConceptIndex, page: int
) -> HistoryPage:
    """Return a page of the history of an offer and of what people wrote of its place."""
    total = await session.scalar(select(func.count()).select_from(History).where(_of(offer, site))) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    rows = (
        await session.scalars(
            select(History)
            .where(_of(offer, site))
            .order_by(History.id.desc())
            .limit(PAGE_SIZE)
            .offset((page - 1) * PAGE_SIZE)
        )
    ).all()
    names = await names_of(session, {row.actor for row in rows})
    whole = {"offer": await _whole(session, _own(offer)), "site": await _whole(session, _own_place(site))}
    entries = [
        Entry(
            id=row.id,
            at=row.at,
            who="vous" if row.actor == person.actor else names.get(row.actor) or _WRITERS.get(row.actor, row.actor),
            action=ACTIONS.get(row.action, row.action),
            place=row.entity == "site",
            reason=(row.detail or {}).get("reason") if isinstance(row.detail, dict) else None,
            changes=_changes(row.detail, index) if isinstance(row.detail, dict) else [],
            revertible=row.action in _WRITES and whole[row.entity][0] <= row.id != whole[row.entity][1],
        )
        for row in rows
    ]
    return HistoryPage(entries, page, pages, total)


_WRITES: Final = ("described", "unpublished", "republished", "left")


_Own = tuple[ColumnElement[bool], ...]


def _own(offer: Offer) -> _Own:
    return (History.entity == "offer", History.entity_id == offer.id, History.action.in_(_WRITES))


def _own_place(site: Site) -> _Own:
    return (History.entity == "site", History.entity_id == site.id, History.action == "described")


async def _whole(session: AsyncSession, own: _Own) -> tuple[int, int]:
    """Return the latest line whose former values are not known, before which nothing is found again, and the last."""
    unknown = func.max(History.id).filter(History.detail.is_(None))
    row = (await session.execute(select(unknown, func.max(History.id)).where(*own))).one()
    return row[0] or 0, row[1] or 0


def _changes(detail: Mapping[str, Any], index: ConceptIndex) -> list[Change]:
    changes: list[Change] = []
    for name, pair in detail.items():
        if name in _UNSAID or not (isinstance(pair, list) and len(pair) == 2):
            continue
        before, after = pair
        if name == "contacts":
            former, later = dict(before or []), dict(after or [])
            changes += [
                Change(LABELS[purpose], _contact(purpose, former), _contact(purpose, later))
                for purpose in LABELS
                if purpose in PURPOSES and former.get(purpose) != later.get(purpose)
            ]
            continue
        changes.append(Change(LABELS.get(name) or _MORE.get(name, name), _texts(name, before, index),
                              _texts(name, after, index)))  # fmt: skip
    return changes


def _contact(purpose: str, values: Mapping[str, str]) -> list[str]:
    value = values.get(purpose)
    if not value:
        return []
    return [phone_text(value) if PURPOSES[purpose].form in ("phone", "fax") else value]


def _concepts(value: Any, index: ConceptIndex) -> list[str]:
    return [index.by_id[one].label if one in index.by_id else str(one) for one in value]


def _place(place_id: int) -> str:
    hit = place_by_id(place_id)
    return hit.name if hit else str(place_id)


def _slot(value: Sequence[Any]) -> str:
    kind, weekday, opens, closes, start, end = value
    hours = span_label(time.fromisoformat(opens), time.fromisoformat(closes))
    bounds = [french_date(date.fromisoformat(day)) for day in (start, end) if day]
    text = f"{WEEKDAYS[weekday].capitalize()} {hours} : {kind_label(kind).lower()}"
    return f"{text} ({' – '.join(bounds)})" if bounds else text


def _exception(value: Sequence[Any]) -> str:
    days = [french_date(date.fromisoformat(day)) for day in dict.fromkeys(value[1:3])]
    return f"{_EXCEPTIONS.get(value[0], value[0])} : {' – '.join(days)}"


def _span(value: Sequence[Any]) -> str:
    return span_label(time.fromisoformat(value[1]), time.fromisoformat(value[2]))


_READ: Final[Mapping[str, Callable[[Any], list[str]]]] = {
    "territory": lambda value: [_place(one) for one in value],
    "hours": lambda value: [_slot(one) for one in sorted(value, key=lambda s: (s[1], s[2]))],
    "exceptions": lambda value: [_exception(one) for one in value],
    "public_holiday_hours": lambda value: [_span(one) for one in value],
    "public_holidays": lambda value: [HOLIDAY_WORDS.get(value, value)],
    "languages": lambda value: [LANGUAGES.get(one, one) for one in value],
    "age_min": lambda value: [f"{value}{NBSP}ans"],
    "age_max": lambda value: [f"{value}{NBSP}ans"],
    "accepts_new": lambda value: ["Oui" if value else "Non"],
    "status": lambda value: [_STATUS.get(value, value)],
    "accepts_new_on": lambda value: [french_date(date.fromisoformat(value))],
    "closing_on": lambda value: [french_date(date.fromisoformat(value))],
    "reopening_on": lambda value: [french_date(date.fromisoformat(value))],
    "pin": lambda value: [f"{value[0]:.5f}, {value[1]:.5f}".replace(".", ",")],
}


def _texts(name: str, value: Any, index: ConceptIndex) -> list[str]:
    if value is None or value == []:
        return []
    if name in CONCEPT_FIELDS or name == "equipment":
        return _concepts(value, index)
    if name == "accessibility":
        return [index.label(f"R202|{value}") or str(value)]
    return _READ[name](value) if name in _READ else [str(value)]


# -- Going back ----------------------------------------------------------------------------------------------


async def _former_values(session: AsyncSession, own: _Own, entry_id: int) -> dict[str, Any]:
    """Return the fields that later lines changed, as they stood after a line."""
    entry = await session.scalar(select(History).where(History.id == entry_id, *own))
    if entry is None or entry.id < (await _whole(session, own))[0]:
        raise NotFound("Cette version n’est pas dans l’historique de l’offre, ou n’y est pas entière.")
    later = await session.scalars(select(History.detail).where(*own, History.id > entry_id).order_by(History.id.desc()))
    values: dict[str, Any] = {}
    for detail in later:
        values |= {name: pair[0] for name, pair in (detail or {}).items() if isinstance(pair, list) and len(pair) == 2}
    return values


def _description(values: Mapping[str, Any], index: ConceptIndex, today: date) -> OfferDescription:
    """Return what writes former values again; codes that are no longer in use stay out."""
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name in CONCEPT_FIELDS:
            known = (index.by_id.get(one) for one in value or [])
            given[name] = [entry.ref for entry in known if entry is not None and entry.active]
        elif name == "contacts":
            given[name] = [ContactIn(purpose=purpose, value=text) for purpose, text in value]
        elif name == "hours":
            given[name] = [
                SlotIn(kind=kind, weekday=day, opens=opens, closes=closes, valid_from=start, valid_to=end)
                for kind, day, opens, closes, start, end in value
            ]
        elif name == "exceptions":
            given[name] = [
                ExceptionIn(kind=kind, starts_on=start, ends_on=end, replacement=who, replacement_phone=phone,
                            slots=[SpanIn(kind=k, opens=a, closes=b) for k, a, b in slots])
                for kind, start, end, who, phone, slots in value
                if date.fromisoformat(end) >= today
            ]  # fmt: skip
        elif name == "public_holiday_hours":
            given[name] = [SpanIn(kind=kind, opens=opens, closes=closes) for kind, opens, closes in value]
        elif name == "territory":
            hits = (place_by_id(one) for one in value)
            given[name] = [f"{'commune' if h.kind == 'arrondissement' else h.kind}:{h.code}" for h in hits if h]
        elif name in OfferDescription.model_fields:
            given[name] = value
    return OfferDescription(**given)


async def go_back(
    session: AsyncSession, person: Person, offer: Offer, index: ConceptIndex, entry_id: int, version: int
) -> Written:
    """Write an offer again as it stood after a line of its history; publication and place stay as they are.

    Raises:
        NotFound: no such line, or what stood then is not known.
        Conflict: someone wrote since that version of the offer, or nothing would change.
        InvalidInput: what stood then breaks a rule of today.
    """
    values = await _former_values(session, _own(offer), entry_id)
    today = clock.today(await clock.now(session))
    description = _description(values, index, today)
    if not description.model_fields_set:
        raise Conflict("L’offre est déjà telle qu’elle était à cette date.")
    return await describe_offer(session, offer.uid, description, person.actor, version)


def _place_description(values: Mapping[str, Any], index: ConceptIndex) -> SiteDescription:
    """Return what writes former values of a place again; codes that are no longer in use stay out."""
    given: dict[str, Any] = dict(values)
    if "equipment" in given:
        known = (index.by_id.get(one) for one in given["equipment"] or [])
        given["equipment"] = [entry.ref for entry in known if entry is not None and entry.active]
    if given.get("accessibility") is not None:
        code = index.by_ref.get(f"R202|{given['accessibility']}")
        if code is None or not code.active:
            del given["accessibility"]
    return SiteDescription(**given)


async def is_of_place(session: AsyncSession, site: Site, entry_id: int) -> bool:
    """Tell whether a line of a history is about this place, and not about one of its offers."""
    return await session.scalar(select(History.id).where(History.id == entry_id, *_own_place(site))) is not None


async def place_back(
    session: AsyncSession, person: Person, site: Site, index: ConceptIndex, entry_id: int, version: int
) -> Written:
    """Write a place again as it stood after a line of its history; its offers stay as they are.

    Raises:
        NotFound: no such line, or what stood then is not known.
        Conflict: someone wrote since that version of the place, or nothing would change.
    """
    description = _place_description(await _former_values(session, _own_place(site), entry_id), index)
    outcome = await describe_site(session, site.uid, description, person.actor, version)
    if outcome.version == version:
        raise Conflict("Le lieu est déjà tel qu’il était à cette date.")
    return outcome
