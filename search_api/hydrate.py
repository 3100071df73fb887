"""From ids to what a result card shows: a handful of statements for the page, whatever the size of the search."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Case,
    ColumnElement,
    Integer,
    any_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Fixed, keys
from directory.api import PUBLIC, ConceptEntry, ConceptIndex, ContactPoint, OfferSearch, SearchCard, person_name
from maps.api import names_of
from search_api.engine import EngineQuery, Hit
from search_api.folding import fold
from search_api.hours_words import opening
from search_api.labels import SPECIALTY_SYSTEMS
from search_api.schemas import ConceptOut, OfferCard, SearchItem, SiteCard

LABELS = 3
"""Labels of a card: enough to say what is done, few enough to be read."""
CARD_SYSTEMS = ("J16", "J17", *SPECIALTY_SYSTEMS, "J35", "J33", "J18", "R338", "G15", "J238")
"""Systems of a card's labels, most telling first."""
_RANKS: Final = {system: rank for rank, system in enumerate(CARD_SYSTEMS)}
TITLED = ("DR", "PR")
"""Titles of the registers that stand before a name; Monsieur and Madame do not."""
VISIT_SYSTEM_REF = "R338|05"
"""« Visite à domicile » as a way of receiving."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a card must bring out: codes of the search, name and ids of the commune visited, minute of the week."""

    codes: frozenset[int]
    visited: str | None
    visits: frozenset[int]
    minute: int | None


def asked(query: EngineQuery, visited: str | None) -> Asked:
    """Return what the cards of a search must bring out."""
    wanted: set[int] = set()
    for codes in (*(term.codes for term in query.terms), *query.codes, *query.ticks.values()):
        wanted |= codes
    return Asked(frozenset(wanted), visited, query.visits, query.week_minute)


def _contact(of: ColumnElement[bool], *purposes: str) -> Case[Any]:
    """Select the oldest public contact of some purposes. Only level 1 contacts are ever read here."""
    found = (
        select(ContactPoint.value)
        .where(of, ContactPoint.confidentiality == PUBLIC, or_(*(ContactPoint.purpose == one for one in purposes)))
        .order_by(ContactPoint.id)
        .limit(1)
        .scalar_subquery()
    )
    # Few have any: the others are not looked for.
    return case((SearchCard.contacts, found))


_SITE_PHONE: Final = _contact(ContactPoint.site_id == SearchCard.site_id, "phone", "booking_phone")
_POINT: Final = func.geometry(OfferSearch.position)
# Offers write their hours on the clock of their département.
_THERE: Final = func.timezone(SearchCard.clock, func.core.now())
_MINUTE: Final = cast(
    (func.extract("isodow", _THERE) - 1) * 1440 + func.extract("hour", _THERE) * 60 + func.extract("minute", _THERE),
    Integer,
)
_ASKED: Final = bindparam("minute", type_=Integer)
_PIECES: Final = func.unnest(OfferSearch.open_minutes).column_valued("piece")
_LOWER, _UPPER = (cast(bound(_PIECES), Integer) for bound in (func.lower, func.upper))
# What opens later this week, else what opens first in it: in the week to come.
_UPCOMING: Final = select(func.coalesce(func.min(_LOWER).filter(_LOWER > _MINUTE), func.min(_LOWER))).scalar_subquery()
_AROUND: Final = (
    select(array([_LOWER, _UPPER])).where(_PIECES.op("@>", is_comparison=True)(_ASKED)).limit(1).scalar_subquery()
)
_CARDS: Final = Fixed(
    select(
        SearchCard.offer_id,
        SearchCard.site_id,
        SearchCard.uid,
        SearchCard.name,
        SearchCard.type_id,
        SearchCard.title,
        SearchCard.first_name,
        SearchCard.last_name,
        SearchCard.convention,
        SearchCard.carte_vitale,
        SearchCard.site_uid,
        SearchCard.site_name,
        SearchCard.site_kind,
        SearchCard.category,
        SearchCard.street,
        SearchCard.postal_code,
        SearchCard.town,
        func.coalesce(_SITE_PHONE, SearchCard.phone).label("phone"),
        OfferSearch.commune_id,
        func.ST_Y(_POINT).label("lat"),
        func.ST_X(_POINT).label("lon"),
        OfferSearch.age_min,
        OfferSearch.age_max,
        OfferSearch.described,
        OfferSearch.codes,
        OfferSearch.territory,
        OfferSearch.accepts_new,
        OfferSearch.updated_at,
        OfferSearch.open_minutes.op("@>", return_type=Boolean())(_MINUTE).label("open_now"),
        OfferSearch.open_minutes.is_(None).label("no_hours"),
        _MINUTE.label("minute"),
        _UPCOMING.label("upcoming"),
        case((_ASKED.is_not(None), _AROUND)).label("around"),
        _contact(ContactPoint.offer_id == SearchCard.offer_id, "booking_phone").label("booking_phone"),
        _contact(ContactPoint.offer_id == SearchCard.offer_id, "booking_url").label("booking_url"),
    )
    .join(OfferSearch, OfferSearch.offer_id == SearchCard.offer_id)
    .where(SearchCard.offer_id == any_(bindparam("offers", type_=ARRAY(BigInteger))))
)
"""The rows of a page: one for each offer, its site beside it. One statement, as its way there and back costs as much
as its reading."""


def _site_card(row: Any, concepts: ConceptIndex) -> SiteCard:
    """Return the card of a site. The phone is public: a contact of level 1, else the register's."""
    town, departement = (names_of(row.commune_id) if row.commune_id is not None else None) or (row.town, None)
    return SiteCard(
        id=row.site_uid,
        name=row.site_name,
        kind=row.site_kind,
        category=concepts.label(f"R66|{row.category}") if row.category else None,
        street=row.street,
        postal_code=row.postal_code,
        commune=town,
        departement=departement,
        phone=row.phone,
        lat=row.lat,
        lon=row.lon,
    )


def _offer_card(row: Any, concepts: ConceptIndex, wanted: Asked, home: int | None) -> OfferCard:
    kind = concepts.by_id.get(row.type_id) if row.type_id is not None else None
    open_now = None if row.no_hours else row.open_now
    return OfferCard(
        id=row.uid,
        name=row.name,
        practitioner=person(row.title, row.first_name, row.last_name),
        type=_out(kind, matched=kind.id in wanted.codes) if kind else None,
        labels=list(_labels(tuple(row.codes), concepts, wanted.codes, row.type_id)),
        patients=patients(row.age_min, row.age_max),
        convention=concepts.label(f"R282|{row.convention}") if row.convention else None,
        carte_vitale=row.carte_vitale,
        accepts_new=row.accepts_new,
        visits=bool(row.territory) or home in row.codes,
        visits_searched=wanted.visited if wanted.visits and not wanted.visits.isdisjoint(row.territory) else None,
        open_now=open_now,
        opening=opening(open_now, row.minute, row.upcoming, wanted.minute, row.around),
        booking_phone=row.booking_phone,
        booking_url=row.booking_url,
        described=row.described,
        updated_at=row.updated_at,
    )


def patients(age_min: int, age_max: int) -> str:
    """Return « Enfant », « Adulte » or « Enfant et adulte » from ages in years."""
    child, adult = age_min < 18, age_max >= 18
    return "Enfant et adulte" if child and adult else "Enfant" if child else "Adulte"


def person(title: str | None, first_name: str | None, last_name: str | None) -> str | None:
    """Return how a practitioner is named, as on their sheet, after « Dr » or « Pr »; None without a name."""
    if not last_name:
        return None
    name = person_name(first_name, last_name)
    return f"{title.capitalize()} {name}" if title in TITLED else name


@lru_cache(maxsize=8192)
def _out(entry: ConceptEntry, *, matched: bool) -> ConceptOut:
    return ConceptOut(code=entry.ref, label=entry.label, matched=matched)


@lru_cache(maxsize=8192)
def _labels(
    codes: tuple[int, ...], concepts: ConceptIndex, wanted: frozenset[int], type_id: int | None
) -> tuple[ConceptOut, ...]:
    """Return the labels of a card. Offers share their sets of codes: few are worked out again."""
    entries = [concepts.by_id[code] for code in codes if code in concepts.by_id and code != type_id]
    ranked = sorted(
        (entry for entry in entries if entry.system in _RANKS),
        key=lambda e: (e.id not in wanted, _RANKS[e.system], e.label.casefold(), e.id),
    )
    # An activity and a specialty may bear one name: the first, which is the one asked for, speaks for both.
    once: dict[str, ConceptEntry] = {}
    for entry in ranked:
        once.setdefault(_folded(entry.label), entry)
        if len(once) == LABELS:
            break
    return tuple(_out(entry, matched=entry.id in wanted) for entry in once.values())


@lru_cache(maxsize=8192)
def _folded(label: str) -> str:
    return fold(label)


async def items(
    session: AsyncSession, hits: Sequence[Hit], concepts: ConceptIndex, wanted: Asked, first_rank: int
) -> list[SearchItem]:
    """Return the results of a page, in the order of the hits, ranks counted from `first_rank`."""
    if not hits:
        return []
    home = concepts.id(VISIT_SYSTEM_REF)
    sites: dict[int, SiteCard] = {}
    offers: dict[int, OfferCard] = {}
    shown = keys(offer for hit in hits for offer in hit.offers)
    for row in await _CARDS.rows(session, offers=shown, minute=wanted.minute):
        if row.site_id not in sites:
            sites[row.site_id] = _site_card(row, concepts)
        offers[row.offer_id] = _offer_card(row, concepts, wanted, home)
    return [
        SearchItem(
            rank=first_rank + index,
            site=sites[hit.site_id],
            distance_m=hit.distance_m,
            distance_km=hit.distance_m / 1000 if hit.distance_m is not None else None,
            approximate=not hit.exact,
            offers=[offers[offer] for offer in hit.offers if offer in offers],
            offers_count=hit.offers_count,
        )
        for index, hit in enumerate(hits)
        if hit.site_id in sites
    ]
