"""What resources are made of, read for a batch of ids: a statement for the rows, one for each kind of line under them.

Statements are compiled once for each kind, level and presence of a zone: what may be read is decided in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Caller
from core.db import Fixed, keys
from directory.api import (
    PROFESSIONAL,
    PURPOSES,
    ContactPoint,
    HoursException,
    LegalEntity,
    Offer,
    OfferSearch,
    OfferTerritory,
    OpeningSlot,
    Practitioner,
    Role,
    Site,
    SiteEquipment,
    SpecialSlot,
    searchable,
)
from maps.api import Place, PlaceContainment
from search_api.fhir.kinds import MODELS, Kind
from search_api.fhir.visible import Scope, moment, readable, source, zone_arrays, zone_places

MSSANTE: Final = "mssante"
_IDS: Final = bindparam("ids", type_=ARRAY(BigInteger))
_POINT: Final = func.geometry(func.coalesce(Site.pin, Site.position))
_EPCI: Final = "epci"
_EXACT: Final = ("number", "street", "place")


@dataclass(slots=True)
class Batch:
    """The rows of a batch, and under each the lines of other tables, by id of the row."""

    rows: list[Any]
    moments: dict[int, datetime]
    towns: dict[int, int | None]
    lines: dict[str, dict[int, list[Any]]] = field(default_factory=dict)

    def of(self, name: str) -> dict[int, list[Any]]:
        """Return the lines of a name, by id of their row."""
        return self.lines[name]


def _uid(model: Any) -> ColumnElement[str]:
    return cast(model.uid, Text).label(f"{model.__tablename__}_uid")


_COLUMNS: Final[dict[Kind, tuple[Any, ...]]] = {
    "legal_entity": (
        LegalEntity.finess,
        LegalEntity.siren,
        LegalEntity.name,
        LegalEntity.long_name,
        LegalEntity.legal_status,
        LegalEntity.street,
        LegalEntity.postal_code,
        LegalEntity.town,
        LegalEntity.commune_code,
        LegalEntity.phone,
        LegalEntity.opened_on,
    ),
    "site": (
        Site.kind,
        Site.finess,
        Site.siret,
        Site.structure_id,
        Site.name,
        Site.long_name,
        Site.category,
        Site.sector,
        Site.complement,
        Site.street,
        Site.postal_code,
        Site.town,
        Site.commune_id,
        Site.commune_code,
        Site.phone,
        Site.phone2,
        Site.fax,
        Site.email,
        Site.accessibility,
        Site.opened_on,
        _uid(LegalEntity),
    ),
    "location": (
        Site.name,
        Site.complement,
        Site.street,
        Site.postal_code,
        Site.town,
        Site.commune_id,
        Site.commune_code,
        Site.phone,
        Site.phone2,
        Site.fax,
        Site.email,
        func.ST_Y(_POINT).label("lat"),
        func.ST_X(_POINT).label("lon"),
        or_(Site.pin.is_not(None), Site.position_level.in_(_EXACT)).label("exact"),
    ),
    "practitioner": (
        Practitioner.national_id,
        Practitioner.title,
        Practitioner.civility,
        Practitioner.last_name,
        Practitioner.first_name,
        Practitioner.profession,
        Practitioner.specialties,
    ),
    "role": (
        Role.profession,
        Role.specialties,
        Role.mode,
        Role.convention,
        Role.fee_option,
        Role.carte_vitale,
        Role.ameli_phone,
        Practitioner.title,
        Practitioner.last_name,
        Practitioner.first_name,
        Practitioner.specialties.label("person_specialties"),
        _uid(Practitioner),
        _uid(Offer),
        _uid(Site),
        Site.commune_id,
    ),
    "offer": (
        Offer.kind,
        Offer.name,
        Offer.field_id,
        Offer.type_id,
        Offer.mode_id,
        Offer.activities,
        Offer.acts,
        Offer.outside_acts,
        Offer.skills,
        Offer.specialisations,
        Offer.publics,
        Offer.reception,
        Offer.languages,
        Offer.age_min,
        Offer.age_max,
        Offer.sensitive,
        Offer.public_holidays,
        Offer.closing_on,
        Offer.reopening_on,
        _uid(Site),
        Site.commune_id,
    ),
}


def _rows(kind: Kind, scope: Scope) -> Select[Any]:
    model = MODELS[kind]
    columns = [model.id, _uid(model).label("own_uid"), model.created_at, *_COLUMNS[kind]]
    if kind == "offer" and scope.level >= PROFESSIONAL:
        # What only professionals may read is not even read for the others.
        columns.append(Offer.comment)
    statement = select(*columns, moment(kind, scope).label("moment")).select_from(source(kind))
    return statement.where(model.id == func.any(_IDS), readable(kind, scope))


def _shown(scope: Scope) -> ColumnElement[bool]:
    """Tell whether a contact may be read: its own confidentiality and that of its field, the stricter wins."""
    if scope.level >= PROFESSIONAL:
        return ContactPoint.confidentiality <= PROFESSIONAL
    public = [name for name, purpose in PURPOSES.items() if purpose.confidentiality <= scope.level]
    return and_(ContactPoint.confidentiality <= scope.level, ContactPoint.purpose.in_(public))


_CONTACT: Final = (
    ContactPoint.purpose,
    ContactPoint.nature,
    ContactPoint.channel,
    ContactPoint.value,
    ContactPoint.confidentiality,
)


def _under(kind: Kind, scope: Scope) -> dict[str, Select[Any]]:
    """Return the statements of the lines under a kind's rows, in order; `owner` is the id of the row."""
    if kind == "offer":
        return {
            "contacts": _of(ContactPoint.offer_id, *_CONTACT, order=ContactPoint.id).where(_shown(scope)),
            "slots": _of(
                OpeningSlot.offer_id,
                OpeningSlot.kind,
                OpeningSlot.weekday,
                OpeningSlot.opens,
                OpeningSlot.closes,
                OpeningSlot.valid_from,
                OpeningSlot.valid_to,
                order=(OpeningSlot.weekday, OpeningSlot.opens, OpeningSlot.id),
            ),
            "exceptions": _of(
                HoursException.offer_id,
                HoursException.id,
                HoursException.kind,
                HoursException.starts_on,
                HoursException.ends_on,
                HoursException.replacement,
                HoursException.replacement_phone,
                order=(HoursException.starts_on, HoursException.id),
            ),
            "special": _of(
                SpecialSlot.offer_id,
                SpecialSlot.exception_id,
                SpecialSlot.kind,
                SpecialSlot.opens,
                SpecialSlot.closes,
                order=(SpecialSlot.opens, SpecialSlot.id),
            ),
            "territory": _territory(),
        }
    if kind == "practitioner":
        owned: Any = select(Role.practitioner_id.label("owner"), *_CONTACT)
        owned = owned.join(Offer, Offer.role_id == Role.id)
        owned = owned.join(OfferSearch, and_(OfferSearch.offer_id == Offer.id, searchable(scope.level)))
        owned = owned.join(ContactPoint, and_(ContactPoint.offer_id == Offer.id, ContactPoint.purpose == MSSANTE))
        owned = owned.where(Role.practitioner_id == func.any(_IDS), Role.closed_on.is_(None), _shown(scope))
        return {"contacts": owned.order_by(Role.practitioner_id, ContactPoint.id)}
    if kind in ("site", "location"):
        found = {"contacts": _of(ContactPoint.site_id, *_CONTACT, order=ContactPoint.id).where(_shown(scope))}
        if kind == "location":
            found["equipment"] = _of(SiteEquipment.site_id, SiteEquipment.concept_id, order=SiteEquipment.concept_id)
        return found
    return {}


def _of(owner: Any, *columns: Any, order: Any) -> Select[Any]:
    ordered = order if isinstance(order, tuple) else (order,)
    return select(owner.label("owner"), *columns).where(owner == func.any(_IDS)).order_by(owner, *ordered)


def _territory() -> Any:
    """Select the places visited; the ROR knows no intercommunality, so one is told as its communes."""
    owner = OfferTerritory.offer_id.label("owner")
    named = select(owner, Place.kind, Place.code, Place.name).join(Place, Place.id == OfferTerritory.place_id)
    named = named.where(OfferTerritory.offer_id == func.any(_IDS), Place.kind != _EPCI)
    group = Place.__table__.alias("grouping")
    parts = select(owner, Place.kind, Place.code, Place.name)
    parts = parts.join(group, and_(group.c.id == OfferTerritory.place_id, group.c.kind == _EPCI))
    parts = parts.join(PlaceContainment, PlaceContainment.container_id == group.c.id)
    parts = parts.join(Place, and_(Place.id == PlaceContainment.place_id, Place.kind == "commune"))
    both = named.union(parts.where(OfferTerritory.offer_id == func.any(_IDS))).subquery("visited")
    return select(both).order_by(both.c.owner, both.c.kind, both.c.code)


@cache
def _statements(kind: Kind, level: int, zoned: bool) -> dict[str, Fixed]:
    kinds, codes = (bindparam(name, type_=ARRAY(Text)) for name in ("zone_kinds", "zone_codes"))
    scope = Scope(level, zone_places(kinds, codes) if zoned else None)
    return {name: Fixed(statement) for name, statement in {"": _rows(kind, scope), **_under(kind, scope)}.items()}


async def read(session: AsyncSession, kind: Kind, ids: Sequence[int], caller: Caller) -> Batch:
    """Read what the resources of some ids are made of; rows that the caller may not read are left out."""
    level = min(max(caller.level, 1), PROFESSIONAL)
    statements = _statements(kind, level, bool(caller.zone))
    values: dict[str, Any] = {}
    if caller.zone:
        values["zone_kinds"], values["zone_codes"] = zone_arrays(caller.zone)
    found = await statements[""].rows(session, ids=keys(ids), **values)
    batch = Batch(
        rows=found,
        moments={row.id: row.moment for row in found},
        towns={row.id: getattr(row, "commune_id", None) for row in found},
    )
    shown = keys(row.id for row in found)
    for name, statement in statements.items():
        if name:
            lines = await statement.rows(session, ids=shown) if found else []
            batch.lines[name] = {owner: list(group) for owner, group in groupby(lines, attrgetter("owner"))}
    return batch
