"""From ids to what a result card shows: a handful of statements for the page, whatever the size of the search."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Integer, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import local, now
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
)
from maps.api import place_by_id, resolve_ref
from search_api.engine import EngineQuery, Hit, Term
from search_api.labels import SPECIALTY_SYSTEMS
from search_api.schemas import ConceptOut, OfferCard, SearchItem, SiteCard

LABELS = 3
"""Labels of a card: enough to say what is done, few enough to be read."""
CARD_SYSTEMS = ("J16", "J17", *SPECIALTY_SYSTEMS, "J35", "J33", "J18", "R338", "G15", "J238")
"""Systems of a card's labels, most telling first."""
VISIT_SYSTEM_REF = "R338|05"
"""« Visite à domicile » as a way of receiving."""
EXACT_LEVELS = ("number", "street", "place")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a card must bring out: the terms and codes of the search, the commune visited, its place."""

    terms: tuple[Term, ...]
    codes: frozenset[int]
    visited: str | None
    visits: frozenset[int]


def asked(query: EngineQuery, visited: str | None) -> Asked:
    """Return what the cards of a search must bring out."""
    wanted: set[int] = set()
    for codes in (*(term.codes for term in query.terms), *query.codes, *query.ticks.values()):
        wanted |= codes
    return Asked(query.terms, frozenset(wanted), visited, query.visits)


async def site_cards(session: AsyncSession, ids: Collection[int], concepts: ConceptIndex) -> dict[int, SiteCard]:
    """Return the cards of sites, by id. The phone is public: a contact of level 1, else the register's."""
    if not ids:
        return {}
    point = func.geometry(func.coalesce(Site.pin, Site.position))
    rows = await session.execute(
        select(Site, func.ST_Y(point), func.ST_X(point)).where(Site.id.in_(ids)).order_by(Site.id)
    )
    phones: dict[int, str] = {}
    contacts = await session.execute(
        select(ContactPoint.site_id, ContactPoint.value)
        .where(
            ContactPoint.site_id.in_(ids),
            ContactPoint.confidentiality == PUBLIC,
            ContactPoint.purpose.in_(("booking_phone", "phone")),
        )
        .order_by(ContactPoint.id.desc())
    )
    phones.update({site_id: value for site_id, value in contacts if site_id is not None})
    cards: dict[int, SiteCard] = {}
    for site, lat, lon in rows:
        place = place_by_id(site.commune_id) if site.commune_id is not None else None
        departement = resolve_ref("departement", place.departement) if place and place.departement else None
        cards[site.id] = SiteCard(
            id=site.uid,
            name=site.name,
            kind=site.kind,
            category=concepts.label(f"R66|{site.category}") if site.category else None,
            street=site.street,
            postal_code=site.postal_code,
            commune=place.name if place else site.town,
            departement=departement.name if departement else None,
            phone=phones.get(site.id) or site.phone,
            lat=lat,
            lon=lon,
        )
    return cards


async def offer_cards(
    session: AsyncSession, ids: Collection[int], concepts: ConceptIndex, wanted: Asked
) -> dict[int, OfferCard]:
    """Return the cards of offers, by id. Only level 1 contacts are ever read here."""
    if not ids:
        return {}
    minute = week_minute(await now(session))
    rows = await session.execute(
        select(
            Offer,
            Practitioner.title,
            Practitioner.first_name,
            Practitioner.last_name,
            Role.convention,
            Role.carte_vitale,
            OfferSearch.codes,
            OfferSearch.territory,
            OfferSearch.accepts_new.label("accepting"),
            OfferSearch.open_minutes.op("@>", return_type=Boolean())(literal(minute, Integer)).label("open_now"),
            func.coalesce(func.isempty(OfferSearch.open_minutes), True).label("no_hours"),
        )
        .select_from(Offer)
        .join(OfferSearch, OfferSearch.offer_id == Offer.id)
        .outerjoin(Role, Role.id == Offer.role_id)
        .outerjoin(Practitioner, Practitioner.id == Role.practitioner_id)
        .where(Offer.id.in_(ids))
        .order_by(Offer.id)
    )
    found = list(rows)
    booking = await _booking(session, ids)
    travelling = await _travelling(session, ids)
    home = concepts.id(VISIT_SYSTEM_REF)
    cards: dict[int, OfferCard] = {}
    for row in found:
        offer: Offer = row[0]
        codes: list[int] = row.codes
        kind = concepts.by_id.get(offer.type_id) if offer.type_id is not None else None
        here = wanted.visited if wanted.visits & set(row.territory) else None
        cards[offer.id] = OfferCard(
            id=offer.uid,
            name=offer.name,
            practitioner=_person(row.title, row.first_name, row.last_name),
            type=ConceptOut(code=kind.ref, label=kind.label, matched=kind.id in wanted.codes) if kind else None,
            labels=_labels(codes, concepts, wanted, offer.type_id),
            patients=patients(offer.age_min, offer.age_max),
            convention=concepts.label(f"R282|{row.convention}") if row.convention else None,
            carte_vitale=row.carte_vitale,
            accepts_new=row.accepting,
            visits=offer.id in travelling or (home is not None and home in codes),
            visits_searched=here,
            open_now=None if row.no_hours else bool(row.open_now),
            booking_phone=booking.get((offer.id, "booking_phone")),
            booking_url=booking.get((offer.id, "booking_url")),
            described=offer.described,
            updated_at=offer.updated_at,
        )
    return cards


def week_minute(instant: datetime) -> int:
    """Return the minute of the week in Paris, Monday 0:00 being 0."""
    there = local(instant)
    return (there.isoweekday() - 1) * 1440 + there.hour * 60 + there.minute


def patients(age_min: int, age_max: int) -> str:
    """Return « Enfant », « Adulte » or « Enfant et adulte » from ages in years."""
    child, adult = age_min < 18, age_max >= 18
    return "Enfant et adulte" if child and adult else "Enfant" if child else "Adulte"


def _person(title: str | None, first_name: str | None, last_name: str | None) -> str | None:
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


async def _booking(session: AsyncSession, ids: Collection[int]) -> dict[tuple[int, str], str]:
    rows = await session.execute(
        select(ContactPoint.offer_id, ContactPoint.purpose, ContactPoint.value)
        .where(
            ContactPoint.offer_id.in_(ids),
            ContactPoint.confidentiality == PUBLIC,
            ContactPoint.purpose.in_(("booking_phone", "booking_url")),
        )
        .order_by(ContactPoint.id.desc())
    )
    found: dict[tuple[int, str], str] = {}
    for offer_id, purpose, value in rows:
        if offer_id is not None:
            found[offer_id, purpose] = value
    return found


async def _travelling(session: AsyncSession, ids: Collection[int]) -> set[int]:
    rows = await session.scalars(select(OfferTerritory.offer_id).where(OfferTerritory.offer_id.in_(ids)).distinct())
    return set(rows)


async def items(
    session: AsyncSession, hits: Sequence[Hit], concepts: ConceptIndex, wanted: Asked, first_rank: int
) -> list[SearchItem]:
    """Return the results of a page, in the order of the hits, ranks counted from `first_rank`."""
    sites = await site_cards(session, [hit.site_id for hit in hits], concepts)
    offers = await offer_cards(session, [offer for hit in hits for offer in hit.offers], concepts, wanted)
    by_site: dict[int, list[OfferCard]] = defaultdict(list)
    for hit in hits:
        by_site[hit.site_id] = [offers[offer] for offer in hit.offers if offer in offers]
    return [
        SearchItem(
            rank=first_rank + index,
            site=sites[hit.site_id],
            distance_m=hit.distance_m,
            distance_km=round(hit.distance_m / 1000, 1) if hit.distance_m is not None else None,
            approximate=not hit.exact,
            offers=by_site[hit.site_id],
            offers_count=hit.offers_count,
        )
        for index, hit in enumerate(hits)
        if hit.site_id in sites
    ]
