"""Use cases of those who describe offers and places: versions, history, projection and event in one transaction."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, InvalidInput, NotFound
from core.events import NewEvent, record
from directory import describe_rules as rules
from directory import feed, hours_store
from directory.concepts import ConceptIndex, concept_index
from directory.models import History, Site
from directory.models_offer import ContactPoint, Offer, OfferTerritory, SiteEquipment
from directory.projection import refresh_search
from directory.schemas import OfferDescription, SiteDescription, Written
from maps.api import Place

_STALE = (
    "Cette fiche a été modifiée entre-temps par quelqu’un d’autre. Vos saisies ne sont pas perdues : "
    "relisez la fiche, puis enregistrez à nouveau."
)
_PLACE_KINDS = {"commune", "commune_deleguee", "arrondissement", "epci", "departement", "region", "territory"}


async def _locked(session: AsyncSession, uid: uuid.UUID, version: int) -> Offer:
    offer = await session.scalar(
        select(Offer).where(Offer.uid == uid).with_for_update().execution_options(populate_existing=True)
    )
    if offer is None or offer.closed_on is not None:
        raise NotFound("Cette offre n’existe pas, ou n’est plus au répertoire.")
    if offer.version != version:
        raise Conflict(_STALE)
    await feed.keep(session, feed.offers([offer.id]))
    return offer


async def _place_ids(session: AsyncSession, refs: Sequence[str], problems: rules.Problems) -> list[int]:
    if len(refs) > rules.PLACES_MAX:
        problems.add("territory", f"Pas plus de {rules.PLACES_MAX} lieux dans un territoire d’intervention.")
        return []
    pairs = []
    for ref in dict.fromkeys(refs):
        kind, _, code = ref.partition(":")
        if kind not in _PLACE_KINDS or not code:
            problems.add("territory", f"Lieu inconnu : {ref[:40]}.")
            return []
        pairs.append((kind, code))
        if kind == "commune":
            # A municipal arrondissement is written like any commune (commune:75112).
            pairs.append(("arrondissement", code))
    rows = await session.execute(
        select(Place.id, Place.kind, Place.code).where(tuple_(Place.kind, Place.code).in_(pairs)).order_by(Place.id)
    )
    found = rows.all()
    known = {f"{'commune' if r.kind == 'arrondissement' else r.kind}:{r.code}" for r in found}
    known |= {f"{r.kind}:{r.code}" for r in found}
    missing = [ref for ref in refs if ref not in known]
    if missing:
        problems.add("territory", f"Lieu inconnu : {missing[0][:40]}.")
    return [r.id for r in found]


async def _children(session: AsyncSession, offer_id: int) -> dict[str, Any]:
    """Return contacts, hours and territory as they stand, for the history."""
    contacts = await session.scalars(
        select(ContactPoint).where(ContactPoint.offer_id == offer_id).order_by(ContactPoint.id)
    )
    places = await session.scalars(
        select(OfferTerritory.place_id).where(OfferTerritory.offer_id == offer_id).order_by(OfferTerritory.place_id)
    )
    return {
        "contacts": [[c.purpose, c.value] for c in contacts],
        **await hours_store.written(session, offer_id),
        "territory": list(places),
    }


_PLAIN = ("accepts_new", "accepts_new_on", "closing_on", "reopening_on")
_TRACKED = (
    *rules.CONCEPT_FIELDS,
    *_PLAIN,
    "public_holidays",
    "languages",
    "age_min",
    "age_max",
    "comment",
    "status",
    "described",
)


def _plain(offer: Offer) -> dict[str, Any]:
    values = {name: getattr(offer, name) for name in _TRACKED}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


async def _finish(
    session: AsyncSession,
    offer: Offer,
    actor: str,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    reason: str | None = None,
) -> Written:
    changed: dict[str, Any] = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    if reason:
        changed["reason"] = reason
    session.add(History(entity="offer", entity_id=offer.id, actor=actor, action=action, detail=changed))
    await refresh_search(session, [offer.id])
    position = await record(session, [NewEvent(kind=f"offer_{action}", entity="offer", entity_id=offer.id)])
    return Written(uid=offer.uid, version=offer.version, position=position)


async def describe_offer(
    session: AsyncSession, offer_uid: uuid.UUID, description: OfferDescription, actor: str, version: int
) -> Written:
    """Write what a professional says of an offer; fields left out of the description stay as they are.

    Args:
        session: the unit of work, which the caller commits.
        offer_uid: the offer.
        description: what to write.
        actor: who writes, for the history (an account's reference).
        version: the version that the person was shown.

    Raises:
        NotFound: no such offer, or it has left the directory.
        Conflict: someone wrote since that version.
        InvalidInput: a value breaks a rule; every message is given, by field.
    """
    offer = await _locked(session, offer_uid, version)
    index = await concept_index(session)
    problems = rules.Problems()
    given = description.model_fields_set
    lists = rules.concepts(description, index, problems)
    spoken = rules.languages(description.languages or [], problems) if "languages" in given else offer.languages
    age_min = (description.age_min or 0) if "age_min" in given else offer.age_min
    age_max = (150 if description.age_max is None else description.age_max) if "age_max" in given else offer.age_max
    rules.ages(age_min, age_max, problems)
    contacts = rules.contacts(description.contacts or [], problems) if "contacts" in given else None
    hours = hours_store.check(description, problems)
    places = await _place_ids(session, description.territory or [], problems) if "territory" in given else None
    dates = {name: getattr(description if name in given else offer, name) for name in _PLAIN}
    rules.period(
        dates["closing_on"], dates["reopening_on"], "reopening_on", "La réouverture précède la fermeture.", problems
    )
    problems.refuse()

    before = _plain(offer) | await _children(session, offer.id)
    for name, value in (*lists.items(), *dates.items()):
        setattr(offer, name, value)
    offer.languages, offer.age_min, offer.age_max = spoken, age_min, age_max
    if "comment" in given:
        offer.comment = rules.cleaned(description.comment)
    if contacts is not None:
        await session.execute(delete(ContactPoint).where(ContactPoint.offer_id == offer.id))
        session.add_all(
            ContactPoint(offer_id=offer.id, purpose=c.purpose, nature=c.nature, channel=c.channel, value=c.value,
                         confidentiality=c.confidentiality)
            for c in contacts
        )  # fmt: skip
    await hours_store.write(session, offer, description, hours)
    if places is not None:
        await session.execute(delete(OfferTerritory).where(OfferTerritory.offer_id == offer.id))
        if places:
            await session.execute(
                insert(OfferTerritory), [{"offer_id": offer.id, "place_id": place} for place in places]
            )
    offer.described = True
    offer.version += 1
    offer.updated_at = await clock.now(session)
    await session.flush()
    after = _plain(offer) | await _children(session, offer.id)
    return await _finish(session, offer, actor, "described", before, after)


_STATUS_MOVES = {
    "unpublished": ({"published"}, "unpublished", "est déjà dépubliée"),
    "left": ({"published", "unpublished"}, "left", "est déjà signalée comme quittée"),
    "published": ({"unpublished", "left"}, "republished", "est déjà publiée"),
}
"""By status to reach: from which ones, the action that histories name, and what is said when it cannot be."""


async def _set_status(
    session: AsyncSession, offer_uid: uuid.UUID, actor: str, version: int, status: str, reason: str | None
) -> Written:
    offer = await _locked(session, offer_uid, version)
    former, action, already = _STATUS_MOVES[status]
    if offer.status not in former:
        raise Conflict(f"Cette offre {already}.")
    before = _plain(offer)
    offer.status = status
    offer.version += 1
    offer.updated_at = await clock.now(session)
    await session.flush()
    return await _finish(session, offer, actor, action, before, _plain(offer), reason=rules.cleaned(reason))


async def unpublish_offer(
    session: AsyncSession, offer_uid: uuid.UUID, actor: str, version: int, reason: str | None = None
) -> Written:
    """Take an offer out of searches and sheets; what was written is kept.

    Raises:
        NotFound: no such offer.
        Conflict: someone wrote since that version, or it is unpublished already.
    """
    return await _set_status(session, offer_uid, actor, version, "unpublished", reason)


async def republish_offer(
    session: AsyncSession, offer_uid: uuid.UUID, actor: str, version: int, reason: str | None = None
) -> Written:
    """Show again an offer that was unpublished, or left by mistake.

    Raises:
        NotFound: no such offer.
        Conflict: someone wrote since that version, or it is published already.
    """
    return await _set_status(session, offer_uid, actor, version, "published", reason)


async def leave_offer(
    session: AsyncSession, offer_uid: uuid.UUID, actor: str, version: int, reason: str | None = None
) -> Written:
    """Hide at once an offer whose professional no longer works there; the register will close it later.

    Raises:
        NotFound: no such offer.
        Conflict: someone wrote since that version, or it was left already.
    """
    return await _set_status(session, offer_uid, actor, version, "left", reason)


async def _place_values(session: AsyncSession, site: Site) -> dict[str, Any]:
    """Return what people wrote of a place as it stands, for the history."""
    equipment = await session.scalars(
        select(SiteEquipment.concept_id).where(SiteEquipment.site_id == site.id).order_by(SiteEquipment.concept_id)
    )
    point = func.geometry(Site.pin)
    at = (await session.execute(select(func.ST_Y(point), func.ST_X(point)).where(Site.id == site.id))).one()
    pin = list(at) if site.pin is not None else None
    return {"equipment": list(equipment), "accessibility": site.accessibility, "pin": pin}


def _place_given(description: SiteDescription, index: ConceptIndex) -> dict[str, Any]:
    """Return the fields that a description gives, as they are stored, once they are checked."""
    given = description.model_fields_set
    values: dict[str, Any] = {}
    if "equipment" in given:
        values["equipment"] = sorted(index.ids(description.equipment or [], "J18", "equipment"))
    if "accessibility" in given:
        values["accessibility"] = description.accessibility
        if description.accessibility is not None:
            index.ids([f"R202|{description.accessibility}"], "R202", "accessibility")
    if "pin" in given:
        values["pin"] = None
        if description.pin is not None:
            latitude, longitude = description.pin
            if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
                message = "La position placée n’est pas sur le globe."
                raise InvalidInput(message, fields={"pin": message})
            values["pin"] = [latitude, longitude]
    return values


async def describe_site(
    session: AsyncSession, site_uid: uuid.UUID, description: SiteDescription, actor: str, version: int
) -> Written:
    """Write the equipment, the accessibility and the pin of a place; its offers' search rows follow.

    What is already so is not written again: without any difference neither version, history nor event moves.

    Raises:
        NotFound: no such place, or it has closed.
        Conflict: someone wrote since that version.
        InvalidInput: a code is unknown or the pin is outside the world.
    """
    site = await session.scalar(
        select(Site).where(Site.uid == site_uid).with_for_update().execution_options(populate_existing=True)
    )
    if site is None or site.closed_on is not None:
        raise NotFound("Ce lieu n’existe pas, ou n’est plus au répertoire.")
    if site.version != version:
        raise Conflict(_STALE)
    before = await _place_values(session, site)
    after = before | _place_given(description, await concept_index(session))
    changed = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    if not changed:
        return Written(uid=site.uid, version=site.version, position=None)
    if "equipment" in changed:
        await session.execute(delete(SiteEquipment).where(SiteEquipment.site_id == site.id))
        if after["equipment"]:
            await session.execute(
                insert(SiteEquipment), [{"site_id": site.id, "concept_id": i} for i in after["equipment"]]
            )
    site.accessibility = after["accessibility"]
    if "pin" in changed:
        pin = after["pin"]
        site.pin = func.ST_SetSRID(func.ST_MakePoint(pin[1], pin[0]), 4326) if pin else None
    site.version += 1
    site.updated_at = await clock.now(session)
    session.add(History(entity="site", entity_id=site.id, actor=actor, action="described", detail=changed))
    await session.flush()
    offers = await session.scalars(
        select(Offer.id).where(Offer.site_id == site.id, Offer.closed_on.is_(None)).order_by(Offer.id)
    )
    await refresh_search(session, list(offers), sites=[site.id])
    position = await record(session, [NewEvent(kind="site_described", entity="site", entity_id=site.id)])
    return Written(uid=site.uid, version=site.version, position=position)
