"""Who may edit which offers: decided in the query, so that what a person may not edit does not exist for them."""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person
from core.errors import NotFound
from directory.models import Practitioner, Role, Site
from directory.models_offer import Offer

UNKNOWN = "Cette offre n’existe pas, n’est plus au répertoire, ou n’est pas de celles que vous pouvez modifier."


def _scopes(person: Person, prefix: str, *roles: str) -> list[str]:
    found = {scope for role in roles for scope in person.scopes(role)}
    return sorted(scope.removeprefix(prefix) for scope in found if scope.startswith(prefix))


def rpps_of(person: Person) -> list[str]:
    """Return the RPPS numbers for which a person writes: their own, and those who accepted them as delegate."""
    return _scopes(person, "rpps:", "professional", "delegate")


def finess_of(person: Person) -> list[str]:
    """Return the FINESS numbers of the establishments that a person manages."""
    return _scopes(person, "finess:", "site_manager")


def _may_edit(person: Person) -> ColumnElement[bool]:
    if person.has("administrator"):
        return Offer.id.is_not(None)
    rights: list[ColumnElement[bool]] = [false()]
    if rpps := rpps_of(person):
        rights.append(Practitioner.rpps.in_(rpps))
    if finess := finess_of(person):
        # A liberal practice inside an establishment belongs to its professional.
        rights.append(and_(Site.finess.in_(finess), Offer.kind == "establishment"))
    return or_(*rights)


def editable(person: Person) -> Select[*tuple[Any, ...]]:
    """Select the offers that a person may edit, with site, role and practitioner; closed ones are nobody's."""
    return (
        select(Offer, Site, Role, Practitioner)
        .join(Site, Site.id == Offer.site_id)
        .outerjoin(Role, Role.id == Offer.role_id)
        .outerjoin(Practitioner, Practitioner.id == Role.practitioner_id)
        .where(
            _may_edit(person),
            Offer.closed_on.is_(None),
            Site.closed_on.is_(None),
            Role.closed_on.is_(None),
            Practitioner.closed_on.is_(None),
        )
    )


async def may_edit(session: AsyncSession, person: Person, uid: uuid.UUID) -> bool:
    """Tell whether an offer is one of those that a person may edit."""
    return await session.scalar(editable(person).with_only_columns(Offer.id).where(Offer.uid == uid)) is not None


async def editable_offer(session: AsyncSession, person: Person, uid: uuid.UUID) -> Any:
    """Return the row (Offer, Site, Role, Practitioner) of an offer that a person may edit.

    Raises:
        NotFound: no such offer, or it is not theirs; nothing tells one from the other.
    """
    row = (await session.execute(editable(person).where(Offer.uid == uid))).one_or_none()
    if row is None:
        raise NotFound(UNKNOWN)
    return row
