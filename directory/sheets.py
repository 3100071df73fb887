"""Sheets of a site and of an offer, complete for a page or for JSON, at a level of confidentiality."""

import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import NotFound
from directory import queries_sheets
from directory import sheet_parts as parts
from directory.concepts import ConceptIndex, concept_index
from directory.hours import is_open
from directory.hours_store import timetables
from directory.hours_words import readable
from directory.labels import FEE_OPTIONS, KINDS, french_date, patients, person_name
from directory.models import Practitioner, Role, Site
from directory.models_offer import ContactPoint, Offer
from directory.schemas import (
    Contact,
    Identifier,
    OfferBooking,
    OfferSheet,
    OfferSummary,
    PlaceRef,
    SiteRef,
    SiteSheet,
    Territory,
)

OTHERS_SHOWN = 20


async def _summaries(
    session: AsyncSession, rows: Sequence[Any], index: ConceptIndex, now: datetime
) -> list[OfferSummary]:
    ids = [row.Offer.id for row in rows]
    if not ids:
        return []
    tables = await timetables(session, ids)
    visiting = set(await session.scalars(queries_sheets.visiting(ids)))
    return [
        parts.summary(
            row.Offer,
            row.Role,
            row.Practitioner,
            index,
            visits=row.Offer.id in visiting,
            open_now=is_open(tables[row.Offer.id], now),
            today=clock.today(now),
        )
        for row in rows
    ]


async def _booking(
    session: AsyncSession, rows: Sequence[Any], own: Collection[Contact], level: int
) -> list[OfferBooking]:
    """Return how to book each offer of a site; `own`: the contacts of the site, which nobody repeats."""
    order = {"url": 0, "phone": 1}
    shared = {contact.value for contact in own}
    points: dict[int | None, list[ContactPoint]] = {}
    if rows:
        for point in await session.scalars(queries_sheets.booking_contacts([row.Offer.id for row in rows], level)):
            points.setdefault(point.offer_id, []).append(point)
    found = []
    for row in rows:
        who: Practitioner | None = row.Practitioner
        given = [*parts.written_contacts(points.get(row.Offer.id, ())), *parts.insurance_contacts(row.Role)]
        once: dict[str, Contact] = {}
        for contact in given:
            if contact.value not in shared:
                once.setdefault(contact.value, contact)
        if contacts := sorted(once.values(), key=lambda contact: order.get(contact.channel, 2)):
            name = person_name(who.first_name, who.last_name) if who else row.Offer.name
            found.append(OfferBooking(uid=row.Offer.uid, name=name, contacts=contacts))
    return found


async def site_sheet(session: AsyncSession, uid: uuid.UUID, level: int) -> SiteSheet:
    """Return the sheet of a site (level 1 public, 2 professional).

    Raises:
        core.errors.NotFound: no such site, or it has closed; the message says since when.
    """
    row = (await session.execute(queries_sheets.site(uid))).one_or_none()
    if row is None:
        raise NotFound("Ce lieu n’existe pas dans le répertoire.")
    site: Site = row.Site
    if site.closed_on is not None:
        raise NotFound(
            f"« {site.name} » a fermé : ce lieu n’est plus au répertoire depuis le {french_date(site.closed_on)}."
        )
    index = await concept_index(session)
    now = await clock.now(session)
    address = parts.postal_address(site, row)
    offers = (await session.execute(queries_sheets.offers_of_site(site.id, level))).all()
    people = (await session.execute(queries_sheets.people_of_site(site.id, level))).all()
    points = await session.scalars(queries_sheets.contacts(level, site_id=site.id))
    own = [*parts.written_contacts(points), *parts.register_contacts(site)]
    return SiteSheet(
        uid=site.uid,
        name=site.name,
        long_name=site.long_name if site.long_name != site.name else None,
        kind=site.kind,
        kind_label=KINDS[site.kind],
        category=index.ref(f"R66|{site.category}" if site.category else None),
        sector=index.ref(f"R02|{site.sector}" if site.sector else None),
        legal_entity=row.legal_entity,
        address=address,
        position=parts.position(site, row),
        contacts=own,
        booking=await _booking(session, offers, own, level),
        accessibility=index.ref(f"R202|{site.accessibility}" if site.accessibility else None),
        equipment=index.out(await session.scalars(queries_sheets.equipment(site.id))),
        offers=await _summaries(session, offers, index, now),
        offers_count=await session.scalar(queries_sheets.count_offers(site.id, level)) or 0,
        practitioners=[parts.practitioner_ref(p.Practitioner, p.Role, index) for p in people],
        practitioners_count=await session.scalar(queries_sheets.count_people(site.id, level)) or 0,
        identifiers=parts.site_identifiers(site),
        registers=[parts.site_register(site, address, index, row.legal_entity)],
        opened_on=site.opened_on,
        updated_at=max([site.updated_at, *(o.Offer.updated_at for o in offers)]),
        version=site.version,
    )


def gone(
    offer: Offer,
    role: Role | None,
    practitioner: Practitioner | None,
    site_closed: date | None,
    *,
    hidden: bool = False,
) -> str | None:
    """Return why the offer has no sheet any more, in French; None when it has one. `hidden`: as its authors see it."""
    closed = site_closed or (role.closed_on if role else None) or offer.closed_on
    if closed is not None:
        if practitioner is not None:
            name = person_name(practitioner.first_name, practitioner.last_name)
            return f"{name} n’exerce plus ici depuis le {french_date(closed)}."
        return f"« {offer.name} » n’est plus proposé ici depuis le {french_date(closed)}."
    if offer.status != "published" and not hidden:
        return "Cette offre n’est pas publiée."
    return None


def _temporary(offer: Offer, today: date) -> str | None:
    if offer.closing_on is None:
        return None
    back = f" Réouverture le {french_date(offer.reopening_on)}." if offer.reopening_on else ""
    if offer.closing_on > today:
        return f"Fermeture le {french_date(offer.closing_on)}.{back}"
    if offer.reopening_on is None or offer.reopening_on > today:
        return f"Fermé depuis le {french_date(offer.closing_on)}.{back}"
    return None


async def _territory(session: AsyncSession, offer_id: int) -> Territory:
    rows = (await session.execute(queries_sheets.territory(offer_id))).all()
    boxes = [(r.west, r.south, r.east, r.north) for r in rows if r.west is not None]
    west, south, east, north = (list(side) for side in zip(*boxes, strict=True)) if boxes else ([], [], [], [])
    places = [
        PlaceRef(
            ref=f"{r.kind}:{r.code}",
            name=r.name,
            postal_code=r.postal_codes[0] if r.postal_codes else None,
            lat=r.lat,
            lon=r.lon,
        )
        for r in rows
    ]
    return Territory(
        places=places,
        refs=[p.ref for p in places],
        bbox=(min(west), min(south), max(east), max(north)) if boxes else None,
    )


async def offer_sheet(session: AsyncSession, uid: uuid.UUID, level: int, *, hidden: bool = False) -> OfferSheet:
    """Return the sheet of an offer (level 1 public, 2 professional); `hidden` also gives an unpublished one.

    Raises:
        core.errors.NotFound: no such offer, or it has closed or is not published; the message says so.
    """
    found = (await session.execute(queries_sheets.offer(uid, level))).one_or_none()
    if found is None:
        raise NotFound("Cette offre n’existe pas dans le répertoire.")
    offer: Offer = found.Offer
    role: Role | None = found.Role
    practitioner: Practitioner | None = found.Practitioner
    reason = gone(offer, role, practitioner, found.site_closed_on, hidden=hidden)
    if reason is not None:
        raise NotFound(reason)
    row = (await session.execute(queries_sheets.site(found.site_uid))).one()
    site: Site = row.Site
    index = await concept_index(session)
    now = await clock.now(session)
    address = parts.postal_address(site, row)
    points = await session.scalars(queries_sheets.contacts(level, offer_id=offer.id))
    others = (
        await session.execute(queries_sheets.offers_of_site(site.id, level, OTHERS_SHOWN, other_than=offer.id))
    ).all()
    registers = parts.role_registers(role, practitioner, address, index) if role and practitioner else []
    if site.kind == "establishment":
        registers.append(parts.site_register(site, address, index, row.legal_entity))
    accepts_new, accepts_new_on = parts.accepting(offer, clock.today(now))
    numbers = [Identifier(system="RPPS", value=practitioner.rpps)] if practitioner and practitioner.rpps else []
    return OfferSheet(
        uid=offer.uid,
        name=offer.name,
        kind=offer.kind,
        kind_label=KINDS[offer.kind],
        site=SiteRef(
            uid=site.uid,
            name=site.name,
            kind=site.kind,
            category=index.ref(f"R66|{site.category}" if site.category else None),
        ),
        practitioner=parts.practitioner_ref(practitioner, role, index) if practitioner else None,
        address=address,
        position=parts.position(site, row),
        type=index.one(offer.type_id),
        field=index.one(offer.field_id),
        mode=index.one(offer.mode_id),
        activities=index.out(offer.activities),
        acts=index.out(offer.acts),
        outside_acts=index.out(offer.outside_acts),
        skills=index.out(offer.skills),
        languages=parts.language_names(offer.languages),
        specialisations=index.out(offer.specialisations),
        publics=index.out(offer.publics),
        reception=index.out(offer.reception),
        equipment=index.out(await session.scalars(queries_sheets.equipment(site.id))),
        accessibility=index.ref(f"R202|{site.accessibility}" if site.accessibility else None),
        age_min=offer.age_min,
        age_max=offer.age_max,
        patients=patients(offer.age_min, offer.age_max),
        accepts_new=accepts_new,
        accepts_new_on=accepts_new_on,
        territory=await _territory(session, offer.id),
        contacts=[*parts.written_contacts(points), *parts.register_contacts(site, role)],
        hours=readable((await timetables(session, [offer.id]))[offer.id], index.codes("R252"), now),
        convention=index.ref(f"R282|{role.convention}" if role and role.convention else None),
        fee_option=FEE_OPTIONS.get(role.fee_option or "") if role else None,
        carte_vitale=role.carte_vitale if role else None,
        comment=found.shown_comment,
        described=offer.described,
        status_message=_temporary(offer, clock.today(now)),
        others=await _summaries(session, others, index, now),
        identifiers=[*numbers, *parts.site_identifiers(site)],
        registers=registers,
        updated_at=offer.updated_at,
        version=offer.version,
    )
