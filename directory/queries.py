"""Selects and predicates of the directory."""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Select, String, literal, select, true, union_all

from directory.models import Alias, LegalEntity, Practitioner, Role, Site
from directory.models_offer import OfferSearch

PUBLIC, PROFESSIONAL = 1, 2

_ENTITIES: dict[str, tuple[Any, Any]] = {
    "legal_entity": (LegalEntity, LegalEntity.key),
    "site": (Site, Site.key),
    "practitioner": (Practitioner, Practitioner.national_id),
    "role": (Role, Role.key),
}


def searchable(level: int) -> ColumnElement[bool]:
    """Return the only row predicate of every search: which offers a person of this level may find.

    Level 1 is the public, 2 a professional. Rows of closed or unpublished offers do not exist in the projection.
    """
    if level >= PROFESSIONAL:
        return true()
    return OfferSearch.sensitive.is_(False)


def uid_by_alias(entity: str, alias: str) -> Select[uuid.UUID]:
    """Select the public identifier of an entity known by a register key, present or former.

    Args:
        entity: legal_entity, site, practitioner or role.
        alias: for instance `finess:780000287`, `siret:…`, `struct:…`, `adeli:…`, `rpps:…`, a national id.
    """
    model, key = _ENTITIES[entity]
    direct: list[Select[Any]] = [select(model.uid.label("uid"), literal(0).label("rank")).where(key == alias)]
    if entity == "practitioner" and alias.startswith("rpps:"):
        rpps = alias.removeprefix("rpps:")
        direct.append(select(model.uid, literal(1)).where(Practitioner.rpps == rpps))
    former = (
        select(model.uid, literal(2))
        .join(Alias, Alias.target_id == model.id)
        .where(Alias.entity == literal(entity, String), Alias.value == alias)
    )
    found = union_all(*direct, former).subquery()
    return select(found.c.uid).order_by(found.c.rank, found.c.uid).limit(1)
