"""What a suggestion shows of a practitioner or a site, read from PostgreSQL."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import PUBLIC, Offer, OfferSearch, Practitioner, Role, Site, searchable
from search_api.engine import NameHit


@dataclass(frozen=True, slots=True)
class NameCard:
    """A practitioner (its profession, the sheet of its first offer) or a site (its category, its own sheet)."""

    kind: str
    id: int
    label: str
    code: str | None
    town: str | None
    commune_id: int | None
    uid: str


async def read_cards(session: AsyncSession, hits: Collection[NameHit], level: int) -> list[NameCard]:
    """Return the cards of practitioners and sites that a person of this level may find, in no order."""
    sites = [hit.id for hit in hits if hit.kind == "site"]
    people = [hit.id for hit in hits if hit.kind == "practitioner"]
    return (await _sites(session, sites) if sites else []) + (await _people(session, people, level) if people else [])


async def _sites(session: AsyncSession, ids: Collection[int]) -> list[NameCard]:
    rows = await session.execute(
        select(Site.id, Site.name, Site.category, Site.town, Site.commune_id, Site.uid).where(Site.id.in_(ids))
    )
    return [NameCard("site", *row[:5], str(row.uid)) for row in rows]


async def _people(session: AsyncSession, ids: Collection[int], level: int) -> list[NameCard]:
    # The public's own sheet comes first: a practitioner may have a sensitive offer beside it.
    shown = func.coalesce(func.min(OfferSearch.offer_id).filter(searchable(PUBLIC)), func.min(OfferSearch.offer_id))
    first = (
        select(Role.practitioner_id.label("person"), shown.label("offer"))
        .join(Offer, Offer.role_id == Role.id)
        .join(OfferSearch, OfferSearch.offer_id == Offer.id)
        .where(Role.practitioner_id.in_(ids), searchable(level))
        .group_by(Role.practitioner_id)
        .subquery()
    )
    rows = await session.execute(
        select(
            Practitioner.id,
            Practitioner.first_name + " " + Practitioner.last_name,
            Practitioner.profession,
            Site.town,
            Site.commune_id,
            Offer.uid,
        )
        .join(first, first.c.person == Practitioner.id)
        .join(Offer, Offer.id == first.c.offer)
        .join(Site, Site.id == Offer.site_id)
    )
    return [NameCard("practitioner", *row[:5], str(row.uid)) for row in rows]
