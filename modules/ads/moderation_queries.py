"""Selects of the moderators' table: what they moderate, or what is published everywhere; filters, orders, counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, Text, and_, case, collate, func, select

from accounts.api import Account
from core import clock
from core.errors import InvalidInput
from core.ui.tables import PAGE_SIZE, Column
from modules.ads.labels import CATEGORIES
from modules.ads.models import Ad, AdHistory
from modules.ads.models_saved import AdReport
from modules.ads.people import Reader, moderated_by, shown

COLUMNS: Final = (
    Column("numero", "N°", descending=True),
    Column("titre", "Titre"),
    Column("statut", "Statut"),
    Column("categorie", "Catégorie"),
    Column("par", "Par"),
    Column("maj", "Mise à jour", descending=True),
)
STATES: Final = ("pending", "published", "unpublished", "refused")
"""What moderators see of the life of an ad, in the order of the filter."""
FILTERS: Final = ("numero", "statut", "rpps", "categorie", "du", "au", "conseil", "remontees", "signalees", "perimetre")
EVERYWHERE: Final = "france"
LARGEST_NUMBER: Final = 2**31 - 1


def _c(value: Any) -> ColumnElement[str]:
    return collate(func.core.fold(value, type_=Text), "C")


FOLDED_TITLE: Final = _c(Ad.title)
_ORDER: Final[Mapping[str, tuple[Any, ...]]] = {
    "numero": (Ad.number,),
    "titre": (FOLDED_TITLE,),
    "statut": (Ad.state,),
    "categorie": (Ad.category,),
    "par": (_c(Account.last_name), _c(Account.first_name)),
    "maj": (Ad.updated_at,),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a table is asked for. `everywhere`: the published ads of all councils instead of one's own to moderate."""

    number: int | None = None
    states: tuple[str, ...] = ()
    rpps: str = ""
    category: str = ""
    since: date | None = None
    until: date | None = None
    council: str = ""
    escalated: bool = False
    reported: bool = False
    everywhere: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)
    """The filters as the address says them."""


def _day(text: str, name: str, errors: dict[str, str]) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        errors[name] = "Indiquez une date, par exemple 2026-11-28."
        return None


def typed_filters(params: Any) -> dict[str, str]:
    """Return the filters that an address holds, as typed; several states are one text (`pending,refused`).

    A form says with `filtres` that « Mes annonces » was there to be ticked, so that its absence means something.
    """
    found = {name: str(params.get(name, "")).replace("\x00", "").strip()[:200] for name in FILTERS}
    states = [one.strip() for text in params.getlist("statut") for one in text.split(",")]
    found["statut"] = ",".join(one for one in dict.fromkeys(states) if one)[:200]
    if params.get("filtres") and not params.get("mes"):
        found["perimetre"] = EVERYWHERE
    return {name: value for name, value in found.items() if value}


def read_filters(typed: Mapping[str, str]) -> Wanted:
    """Read filters.

    Raises:
        InvalidInput: `fields` says what is wrong.
    """
    errors: dict[str, str] = {}
    number = typed.get("numero", "").removeprefix("n°").strip()
    wanted = Wanted(typed=dict(typed))
    if number:
        if number.isascii() and number.isdigit() and int(number[:12]) <= LARGEST_NUMBER:
            wanted = replace(wanted, number=int(number[:12]))
        else:
            errors["numero"] = "Indiquez un numéro d’annonce, par exemple 84."
    states = tuple(one for one in typed.get("statut", "").split(",") if one)
    if any(one not in STATES for one in states):
        errors["statut"] = "Ce statut est inconnu."
    rpps = typed.get("rpps", "").replace(" ", "")
    if rpps and not (rpps.isascii() and rpps.isdigit() and len(rpps) <= 11):
        errors["rpps"] = "Un numéro RPPS compte onze chiffres."
    category = typed.get("categorie", "")
    if category and category not in CATEGORIES:
        errors["categorie"] = "Cette catégorie est inconnue."
    council = typed.get("conseil", "").upper().removeprefix("CD")
    if council and not (council.isascii() and council.isalnum() and len(council) <= 3):
        errors["conseil"] = "Indiquez un département, par exemple 38."
    since, until = _day(typed.get("du", ""), "du", errors), _day(typed.get("au", ""), "au", errors)
    if since and until and until < since:
        errors["au"] = "La fin ne peut pas précéder le début."
    if errors:
        raise InvalidInput("Corrigez les filtres pour voir les annonces.", fields=errors)
    return replace(
        wanted,
        states=states,
        rpps=rpps,
        category=category,
        since=since,
        until=until,
        council=council,
        escalated=typed.get("remontees") == "oui",
        reported=typed.get("signalees") == "oui",
        everywhere=typed.get("perimetre") == EVERYWHERE,
    )


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), clock.PARIS)


def _conditions(reader: Reader, wanted: Wanted) -> list[ColumnElement[bool]]:
    kept: list[ColumnElement[bool]] = [shown() if wanted.everywhere else moderated_by(reader)]
    if wanted.number is not None:
        kept.append(Ad.number == wanted.number)
    if wanted.states:
        kept.append(Ad.state.in_(wanted.states))
    if wanted.category:
        kept.append(Ad.category == wanted.category)
    if wanted.council:
        kept.append(Ad.council == wanted.council)
    if wanted.rpps:
        kept.append(Ad.account_id.in_(select(Account.id).where(Account.rpps == wanted.rpps)))
    if wanted.since:
        kept.append(Ad.updated_at >= _instant(wanted.since))
    if wanted.until and wanted.until < date.max:
        kept.append(Ad.updated_at < _instant(wanted.until + timedelta(days=1)))
    if wanted.escalated:
        kept.append(escalated())
    if wanted.reported:
        kept.append(reported())
    return kept


def reported() -> ColumnElement[bool]:
    """Select the ads of which a report is open."""
    return select(AdReport.id).where(AdReport.ad_id == Ad.id, AdReport.closed_at.is_(None)).exists()


def escalated() -> ColumnElement[bool]:
    """Select the ads that wait for so long that the national level was told."""
    return and_(Ad.state == "pending", Ad.escalated_at.is_not(None))


def _count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(Ad).where(*conditions).scalar_subquery()


def counts(reader: Reader, wanted: Wanted) -> Select[int, int, int, int]:
    """Select how many ads a table holds; of those that the reader moderates: waiting, waiting for long, reported."""
    mine = moderated_by(reader)
    return select(
        _count(*_conditions(reader, wanted)),
        _count(mine, Ad.state == "pending"),
        _count(mine, escalated()),
        _count(mine, reported()),
    )


def _told_title() -> ColumnElement[str]:
    """Return the title that a council knows: what an author corrects is theirs until it is transmitted."""
    sent = (
        select(AdHistory.detail["title"].astext)
        .where(AdHistory.ad_id == Ad.id, AdHistory.action.in_(("submit", "revise")))
        .order_by(AdHistory.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return case((Ad.state.in_(("unpublished", "refused")), func.coalesce(sent, Ad.title)), else_=Ad.title)


def rows(
    reader: Reader, wanted: Wanted, sort: str, descending: bool, *, offset: int = 0, limit: int = PAGE_SIZE
) -> Select[*tuple[Any, ...]]:
    """Select a page of a table: what its columns show, and whether the reader moderates the ad.

    Which ads it holds is read first, from an index alone where one has that order; only these are then read whole.
    """
    order = [(key.desc() if descending else key.asc()) for key in _ORDER[sort]]
    order.append(Ad.id.desc() if descending else Ad.id.asc())
    found = select(Ad.id)
    if sort == "par":
        found = found.join(Account, Account.id == Ad.account_id)
    page = found.where(*_conditions(reader, wanted)).order_by(*order).limit(limit).offset(offset).subquery()
    return (
        select(
            Ad.number,
            _told_title().label("title"),
            Ad.state,
            Ad.category,
            Ad.council,
            Ad.updated_at,
            Ad.submitted_at,
            Ad.ends_on,
            Ad.refusals,
            Ad.escalated_at,
            Account.first_name,
            Account.last_name,
            Account.rpps,
            moderated_by(reader).label("mine"),
            and_(reported(), moderated_by(reader)).label("reported"),
        )
        .join(page, page.c.id == Ad.id)
        .join(Account, Account.id == Ad.account_id)
        .order_by(*order)
    )


def next_waiting(reader: Reader, but: int | None = None) -> Select[int]:
    """Select the number of the ad that waits for longest and that the reader may decide on."""
    wanted = select(Ad.number).where(
        moderated_by(reader), Ad.state == "pending", Ad.account_id != reader.account_id, Ad.number != (but or 0)
    )
    return wanted.order_by(Ad.submitted_at, Ad.id).limit(1)
