"""The tree of « Mon offre »: who works where, which offer describes it."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person
from directory.labels import person_name
from directory.models import Practitioner, Role, Site
from directory.models_offer import Offer
from directory.offer_rights import editable, finess_of, rpps_of

MOST = 300
"""Offers that a tree shows."""
FEW = 20
"""Offers that are found by eye."""


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


@dataclass
class Tree:
    """What a person may describe: `shown` offers stand in `roots`, out of `found`, out of `owned` without a search."""

    roots: list[Root]
    shown: int
    found: int
    owned: int

    @property
    def searchable(self) -> bool:
        """Whether there is so much that a field to search it helps."""
        return self.owned > FEW

    @property
    def left_out(self) -> int:
        """How many offers are not shown, for want of room."""
        return self.found - self.shown

    @property
    def only(self) -> Offer | None:
        """The one offer that there is, if so."""
        leaves = [leaf.offer for root in self.roots for branch in root.branches for leaf in branch.leaves if leaf.offer]
        return leaves[0] if len(leaves) == 1 else None


async def tree(session: AsyncSession, person: Person, search: str = "") -> Tree:
    """Return the exercises that a person may describe, by professional, then by place; bounded and ordered.

    Args:
        session: unit of work.
        person: who is signed in.
        search: an RPPS or FINESS number, or the beginning of a name; without it an administrator sees their own.
    """
    text = search.strip()
    everything = editable(person)
    administrator = person.has("administrator")
    if administrator and not text:
        everything = everything.where(or_(*_own(person)))
    statement = everything.where(_matching(text, offers=not administrator)) if text else everything
    rows = (
        await session.execute(
            statement.order_by(Practitioner.last_name, Practitioner.first_name, Site.name, Offer.name, Offer.id).limit(
                MOST
            )
        )
    ).all()
    roots = await _roots(session, rows)
    if not text and len(rows) < MOST:
        await _without_offer(session, person, roots, {row.Role.id for row in rows if row.Role is not None})
    found = len(rows) if len(rows) < MOST else await _count(session, statement)
    # What an administrator may describe is the whole directory: they search it anyway.
    owned = found if administrator or not text else await _count(session, everything)
    return Tree(list(roots.values()), len(rows), found, owned)


async def _count(session: AsyncSession, statement: Select[*tuple[Any, ...]]) -> int:
    return await session.scalar(statement.with_only_columns(func.count(Offer.id), maintain_column_froms=True)) or 0


def _matching(text: str, *, offers: bool) -> ColumnElement[bool]:
    """Return what a search asks; `offers`: also the names of offers, which no index serves over the whole country."""
    if text.isdigit():
        return or_(Practitioner.rpps == text, Site.finess == text)
    start = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    named: list[ColumnElement[bool]] = [
        Practitioner.last_name.ilike(f"{start}%"),
        func.lower(Site.name).like(f"{start.lower()}%"),
    ]
    if offers:
        words = func.core.fold(text)
        named.append(and_(words != "", func.strpos(func.core.fold(Offer.name), words) > 0))
    return or_(*named)


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
