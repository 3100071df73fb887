"""How complete and how fresh the described offer is over a territory, by profession and by commune."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person
from core.errors import InvalidInput
from directory import completeness
from directory.concepts import concept_index
from directory.models import Role, Site
from directory.models_offer import Offer
from maps.api import Place, PlaceContainment, PlaceHit, resolve_ref, suggest

PAGE_SIZE: Final = 30
EVERYWHERE: Final = ("agent", "administrator")
"""Roles that may look at any territory; a coordinator looks at theirs."""
SORTS: Final = ("nom", "offres", "decrites", "score", "anciennes")
_OLD: Final = text("interval '12 months'")


@dataclass(frozen=True, slots=True)
class Line:
    """Figures of a group of offers: `score` 0 to 100 on average, `old` described but silent for twelve months."""

    key: str
    label: str
    offers: int
    described: int
    score: int
    old: int

    @property
    def share(self) -> int:
        """Described offers out of a hundred, rounded down so that 100 means all."""
        return self.described * 100 // self.offers if self.offers else 0


@dataclass(frozen=True, slots=True)
class Board:
    """The figures of a territory. `professions` are all of them, `communes` one page."""

    total: Line
    professions: list[Line]
    communes: list[Line]
    communes_count: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages of communes there are."""
        return max(1, -(-self.communes_count // PAGE_SIZE))


def territories(person: Person) -> list[PlaceHit]:
    """Return the territories that a coordinator holds, those that still exist."""
    found = [resolve_ref(*scope.split(":", 1)) for scope in person.scopes("coordinator") if ":" in scope]
    return [hit for hit in found if hit is not None]


def territory_of(person: Person, asked: str) -> PlaceHit | None:
    """Return the territory to look at: the one that was asked for, else the person's first.

    Args:
        person: a coordinator, an agent or an administrator.
        asked: a reference (`departement:78`), or a name as people type it.

    Raises:
        InvalidInput: nothing is called so, or it is not one of a coordinator's territories.
    """
    own = territories(person)
    free = any(person.has(role) for role in EVERYWHERE)
    if not asked.strip():
        regions = [scope for scope in person.scopes("agent") if ":" in scope]
        return own[0] if own else resolve_ref(*regions[0].split(":", 1)) if regions else None
    kind, _, code = asked.strip().partition(":")
    hit = resolve_ref(kind, code) if code else None
    if hit is None:
        hit = next(iter(suggest(asked, 1, ("territory", "epci", "departement", "region", "commune"))), None)
    if hit is None:
        message = f"Aucun territoire ne s’appelle « {asked[:60]} »."
        raise InvalidInput(message, fields={"territoire": message})
    if not free and hit.ref not in {one.ref for one in own}:
        message = f"« {hit.name} » n’est pas un territoire que vous coordonnez."
        raise InvalidInput(message, fields={"territoire": message})
    return hit


def _inside(place: PlaceHit) -> ColumnElement[bool]:
    within = select(PlaceContainment.place_id).where(PlaceContainment.container_id == place.id)
    return (Site.commune_id == place.id) | Site.commune_id.in_(within)


_OFFERS: Final = and_(Offer.closed_on.is_(None), Offer.status == "published", Site.closed_on.is_(None))


def _figures(place: PlaceHit, profession: str, *by: Any) -> Any:
    silent = and_(Offer.described, Offer.updated_at < func.core.now() - _OLD)
    return (
        select(
            *by,
            func.count().label("offers"),
            func.count().filter(Offer.described).label("described"),
            func.coalesce(func.round(func.avg(completeness.score())), 0).label("score"),
            func.count().filter(silent).label("old"),
        )
        .select_from(Offer)
        .join(Site, Site.id == Offer.site_id)
        .outerjoin(Role, Role.id == Offer.role_id)
        .where(_OFFERS, _inside(place), Role.profession == profession if profession else true())
    )


def _line(row: Any, key: str, label: str) -> Line:
    return Line(key, label, row.offers, row.described, int(row.score), row.old)


async def board(
    session: AsyncSession, place: PlaceHit, profession: str, sort: str, page: int, *, everything: bool = False
) -> Board:
    """Return the figures of a territory.

    Args:
        session: unit of work.
        place: the territory.
        profession: a code of G15 that communes are counted for, or nothing for every offer.
        sort: one of `SORTS`, for the communes.
        page: of the communes, from 1.
        everything: all the communes rather than a page, for the export.
    """
    index = await concept_index(session)
    rows = (await session.execute(_figures(place, "", Role.profession).group_by(Role.profession))).all()
    professions = [
        _line(
            row,
            row.profession or "",
            (index.label(f"G15|{row.profession}") or f"Profession {row.profession}")
            if row.profession
            else "Offres d’établissements",
        )
        for row in rows
    ]
    professions.sort(key=lambda line: (-line.offers, line.label, line.key))
    total = (await session.execute(_figures(place, profession))).one()
    towns = _figures(place, profession, Place.id, Place.name).join(Place, Place.id == Site.commune_id)
    grouped = towns.group_by(Place.id, Place.name).subquery()
    count = await session.scalar(select(func.count()).select_from(grouped)) or 0
    orders = {
        "nom": [func.core.fold(grouped.c.name)],
        "offres": [grouped.c.offers.desc()],
        "decrites": [grouped.c.described * 100 / grouped.c.offers],
        "score": [grouped.c.score],
        "anciennes": [grouped.c.old.desc()],
    }
    listed = select(grouped).order_by(*orders[sort], func.core.fold(grouped.c.name), grouped.c.id)
    pages = max(1, -(-count // PAGE_SIZE))
    page = min(max(1, page), pages)
    if not everything:
        listed = listed.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    communes = [_line(row, str(row.id), row.name) for row in await session.execute(listed.limit(40_000)
                if everything else listed)]  # fmt: skip
    return Board(_line(total, "", place.name), professions, communes, count, page)
