"""From ids to what a result card shows: a handful of statements for the page, whatever the size of the search."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    ScalarSelect,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Fixed
from directory.api import (
    PUBLIC,
    ConceptIndex,
    ContactPoint,
    Offer,
    OfferSearch,
    OfferTerritory,
    Practitioner,
    Role,
    Site,
    clocks,
)
from maps.api import Place, place_by_id, resolve_ref
from search_api.engine import EngineQuery, Hit
from search_api.labels import SPECIALTY_SYSTEMS
from search_api.schemas import ConceptOut, OfferCard, SearchItem, SiteCard

LABELS = 3
"""Labels of a card: enough to say what is done, few enough to be read."""
CARD_SYSTEMS = ("J16", "J17", *SPECIALTY_SYSTEMS, "J35", "J33", "J18", "R338", "G15", "J238")
"""Systems of a card's labels, most telling first."""
VISIT_SYSTEM_REF = "R338|05"
"""« Visite à domicile » as a way of receiving."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a card must bring out: the codes of the search, the name and ids of the commune visited."""

    codes: frozenset[int]
    visited: str | None
    visits: frozenset[int]


def asked(query: EngineQuery, visited: str | None) -> Asked:
    """Return what the cards of a search must bring out."""
    wanted: set[int] = set()
    for codes in (*(term.codes for term in query.terms), *query.codes, *query.ticks.values()):
        wanted |= codes
    return Asked(frozenset(wanted), visited, query.visits)


def _contact(of: ColumnElement[bool], *purposes: str) -> ScalarSelect[Any]:
    """Select the oldest public contact of some purposes. Only level 1 contacts are ever read here."""
    return (
        select(ContactPoint.value)
        .where(of, ContactPoint.confidentiality == PUBLIC, or_(*(ContactPoint.purpose == one for one in purposes)))
        .order_by(ContactPoint.id)
        .limit(1)
        .scalar_subquery()
    )


_IDS: Final = any_(bindparam("ids", type_=ARRAY(BigInteger)))
_POINT: Final = func.geometry(func.coalesce(Site.pin, Site.position))
_SITES: Final = Fixed(
    select(
        Site.id,
        Site.uid,
        Site.name,
        Site.kind,
        Site.category,
        Site.street,
        Site.postal_code,
        Site.town,
        Site.commune_id,
        func.coalesce(_contact(ContactPoint.site_id == Site.id, "phone", "booking_phone"), Site.phone).label("phone"),
        func.ST_Y(_POINT).label("lat"),
        func.ST_X(_POINT).label("lon"),
    ).where(Site.id == _IDS)
)
# Offers write their hours on the clock of their département.
_CLOCK: Final = case(dict(clocks()), value=Place.departement_code, else_="Europe/Paris")
_THERE: Final = func.timezone(_CLOCK, func.core.now())
_MINUTE: Final = cast(
    (func.extract("isodow", _THERE) - 1) * 1440 + func.extract("hour", _THERE) * 60 + func.extract("minute", _THERE),
    Integer,
)
_OFFERS: Final = Fixed(
    select(
        Offer.id,
        Offer.uid,
        Offer.name,
        Offer.type_id,
        Offer.age_min,
        Offer.age_max,
        Offer.described,
        Practitioner.title,
        Practitioner.first_name,
        Practitioner.last_name,
        Role.convention,
        Role.carte_vitale,
        OfferSearch.codes,
        OfferSearch.territory,
        OfferSearch.accepts_new,
        OfferSearch.updated_at,
        OfferSearch.open_minutes.op("@>", return_type=Boolean())(_MINUTE).label("open_now"),
        OfferSearch.open_minutes.is_(None).label("no_hours"),
        select(literal(1)).where(OfferTerritory.offer_id == Offer.id).exists().label("travels"),
        _contact(ContactPoint.offer_id == Offer.id, "booking_phone").label("booking_phone"),
        _contact(ContactPoint.offer_id == Offer.id, "booking_url").label("booking_url"),
    )
    .select_from(Offer)
    .join(OfferSearch, OfferSearch.offer_id == Offer.id)
    .outerjoin(Place, Place.id == OfferSearch.commune_id)
    .outerjoin(Role, Role.id == Offer.role_id)
    .outerjoin(Practitioner, Practitioner.id == Role.practitioner_id)
    .where(Offer.id == _IDS)
)


async def site_cards(session: AsyncSession, ids: Collection[int], concepts: ConceptIndex) -> dict[int, SiteCard]:
    """Return the cards of sites, by id. The phone is public: a contact of level 1, else the register's."""
    if not ids:
        return {}
    cards: dict[int, SiteCard] = {}
    for row in await _SITES.rows(session, ids=list(ids)):
        place = place_by_id(row.commune_id) if row.commune_id is not None else None
        departement = resolve_ref("departement", place.departement) if place and place.departement else None
        cards[row.id] = SiteCard(
            id=row.uid,
            name=row.name,
            kind=row.kind,
            category=concepts.label(f"R66|{row.category}") if row.category else None,
            street=row.street,
            postal_code=row.postal_code,
            commune=place.name if place else row.town,
            departement=departement.name if departement else None,
            phone=row.phone,
            lat=row.lat,
            lon=row.lon,
        )
    return cards


async def offer_cards(
    session: AsyncSession, ids: Collection[int], concepts: ConceptIndex, wanted: Asked
) -> dict[int, OfferCard]:
    """Return the cards of offers, by id."""
    if not ids:
        return {}
    home = concepts.id(VISIT_SYSTEM_REF)
    cards: dict[int, OfferCard] = {}
    for row in await _OFFERS.rows(session, ids=list(ids)):
        codes: list[int] = row.codes
        kind = concepts.by_id.get(row.type_id) if row.type_id is not None else None
        cards[row.id] = OfferCard(
            id=row.uid,
            name=row.name,
            practitioner=person(row.title, row.first_name, row.last_name),
            type=ConceptOut(code=kind.ref, label=kind.label, matched=kind.id in wanted.codes) if kind else None,
            labels=_labels(codes, concepts, wanted, row.type_id),
            patients=patients(row.age_min, row.age_max),
            convention=concepts.label(f"R282|{row.convention}") if row.convention else None,
            carte_vitale=row.carte_vitale,
            accepts_new=row.accepts_new,
            visits=row.travels or (home is not None and home in codes),
            visits_searched=wanted.visited if wanted.visits & set(row.territory) else None,
            open_now=None if row.no_hours else bool(row.open_now),
            booking_phone=row.booking_phone,
            booking_url=row.booking_url,
            described=row.described,
            updated_at=row.updated_at,
        )
    return cards


def patients(age_min: int, age_max: int) -> str:
    """Return « Enfant », « Adulte » or « Enfant et adulte » from ages in years."""
    child, adult = age_min < 18, age_max >= 18
    return "Enfant et adulte" if child and adult else "Enfant" if child else "Adulte"


def person(title: str | None, first_name: str | None, last_name: str | None) -> str | None:
    """Return how a practitioner is named, or None without a name."""
    if not last_name:
        return None
    return " ".join(part for part in (title, first_name, last_name) if part)


def _labels(codes: Iterable[int], concepts: ConceptIndex, wanted: Asked, type_id: int | None) -> list[ConceptOut]:
    entries = [concepts.by_id[code] for code in codes if code in concepts.by_id and code != type_id]
    ranked = sorted(
        (entry for entry in entries if entry.system in CARD_SYSTEMS),
        key=lambda e: (e.id not in wanted.codes, CARD_SYSTEMS.index(e.system), e.label.casefold(), e.id),
    )
    return [ConceptOut(code=e.ref, label=e.label, matched=e.id in wanted.codes) for e in ranked[:LABELS]]


async def items(
    session: AsyncSession, hits: Sequence[Hit], concepts: ConceptIndex, wanted: Asked, first_rank: int
) -> list[SearchItem]:
    """Return the results of a page, in the order of the hits, ranks counted from `first_rank`."""
    site_ids = [hit.site_id for hit in hits]
    offer_ids = [offer for hit in hits for offer in hit.offers]
    sites = await site_cards(session, site_ids, concepts)
    offers = await offer_cards(session, offer_ids, concepts, wanted)
    by_site: dict[int, list[OfferCard]] = defaultdict(list)
    for hit in hits:
        by_site[hit.site_id] = [offers[offer] for offer in hit.offers if offer in offers]
    return [
        SearchItem(
            rank=first_rank + index,
            site=sites[hit.site_id],
            distance_m=hit.distance_m,
            distance_km=hit.distance_m / 1000 if hit.distance_m is not None else None,
            approximate=not hit.exact,
            offers=by_site[hit.site_id],
            offers_count=hit.offers_count,
        )
        for index, hit in enumerate(hits)
        if hit.site_id in sites
    ]
