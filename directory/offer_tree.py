"""The tree of « Mon offre »: who works where, which offer describes it."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person
from directory.labels import person_name
from directory.models import Practitioner, Role, Site
from directory.models_offer import Offer
from directory.offer_rights import editable, finess_of, rpps_of

MOST = 300
"""Offers that a tree shows; an administrator searches among all."""


@dataclass
class Leaf:
    """An exercise: with the offer that describes it, or, without, who describes it."""

    name: str
    offer: Offer | None
    note: str | None = None


@dataclass
class Branch:
    """A place of exercise and what is done there."""

    site_id: int
    kind: str
    name: str
    town: str
    shared: bool
    leaves: list[Leaf] = field(default_factory=list)


@dataclass
class Root:
    """What belongs together: the exercises of one professional, or an establishment."""

    title: str
    detail: str
    branches: list[Branch] = field(default_factory=list)


async def tree(session: AsyncSession, person: Person, search: str = "") -> list[Root]:
    """Return the exercises that a person may describe, by professional, then by place; bounded and ordered.

    Args:
        session: unit of work.
        person: who is signed in.
        search: for administrators, an RPPS or FINESS number, or the beginning of a name.
    """
    statement = editable(person)
    if person.has("administrator"):
        text = search.strip()
        if not text:
            statement = statement.where(or_(*_own(person)))
        elif text.isdigit():
            statement = statement.where(or_(Practitioner.rpps == text, Site.finess == text))
        else:
            start = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            statement = statement.where(
                or_(Practitioner.last_name.ilike(f"{start}%"), func.lower(Site.name).like(f"{start.lower()}%"))
            )
    rows = (
        await session.execute(
            statement.order_by(Practitioner.last_name, Practitioner.first_name, Site.name, Offer.name, Offer.id).limit(
                MOST
            )
        )
    ).all()
    roots = await _roots(session, rows)
    await _without_offer(session, person, roots, {row.Role.id for row in rows if row.Role is not None})
    return list(roots.values())


def _own(person: Person) -> list[Any]:
    return [Practitioner.rpps.in_(rpps_of(person)), Site.finess.in_(finess_of(person))]


def _root_of(roots: dict[str, Root], site: Site, practitioner: Practitioner | None) -> Root:
    if practitioner is None:
        key, title = f"site:{site.id}", site.name
        detail = f"FINESS {site.finess}" if site.finess else ""
    else:
        key = f"practitioner:{practitioner.id}"
        title = person_name(practitioner.first_name, practitioner.last_name)
        detail = f"RPPS {practitioner.rpps}" if practitioner.rpps else ""
    return roots.setdefault(key, Root(title, detail))


def _branch_of(root: Root, site: Site, colleagues: int) -> Branch:
    for branch in root.branches:
        if branch.site_id == site.id:
            return branch
    shared = colleagues > 1 and site.kind == "practice"
    kind = "Établissement" if site.kind == "establishment" else "Cabinet de groupe" if shared else "Cabinet individuel"
    branch = Branch(site.id, kind, site.name, site.town or "", shared)
    root.branches.append(branch)
    return branch


async def _colleagues(session: AsyncSession, sites: set[int]) -> dict[int, int]:
    rows = await session.execute(
        select(Role.site_id, func.count(Role.practitioner_id.distinct()))
        .where(Role.site_id.in_(sites), Role.closed_on.is_(None))
        .group_by(Role.site_id)
    )
    return {site: count for site, count in rows if site is not None}


async def _roots(session: AsyncSession, rows: Any) -> dict[str, Root]:
    colleagues = await _colleagues(session, {row.Site.id for row in rows})
    roots: dict[str, Root] = {}
    for row in rows:
        branch = _branch_of(_root_of(roots, row.Site, row.Practitioner), row.Site, colleagues.get(row.Site.id, 0))
        branch.leaves.append(Leaf(row.Offer.name, row.Offer))
    return roots


async def _without_offer(session: AsyncSession, person: Person, roots: dict[str, Root], shown: set[int]) -> None:
    """Add the exercises that an establishment describes, so that nobody looks for them in vain."""
    rpps = rpps_of(person)
    if not rpps:
        return
    rows = (
        await session.execute(
            select(Role, Site, Practitioner)
            .join(Site, Site.id == Role.site_id)
            .join(Practitioner, Practitioner.id == Role.practitioner_id)
            .where(
                Practitioner.rpps.in_(rpps),
                Practitioner.closed_on.is_(None),
                Role.closed_on.is_(None),
                Site.closed_on.is_(None),
                Role.id.not_in(shown),
            )
            .order_by(Practitioner.last_name, Site.name, Role.id)
            .limit(MOST)
        )
    ).all()
    colleagues = await _colleagues(session, {row.Site.id for row in rows})
    for row in rows:
        branch = _branch_of(_root_of(roots, row.Site, row.Practitioner), row.Site, colleagues.get(row.Site.id, 0))
        if row.Role.mode == "S":
            branch.leaves.append(Leaf("Exercice salarié", None, "L’établissement décrit lui-même son offre."))
        else:
            branch.leaves.append(Leaf("Exercice sans offre", None, "Aucune offre n’est générée pour cet exercice."))
