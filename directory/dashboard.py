"""How complete and how fresh the described offer is over a territory, by profession and by commune."""

from collections.abc import Sequence
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
from maps.api import Place, PlaceContainment, PlaceHit, communes_of, containers_of, resolve_ref, suggest

PAGE_SIZE: Final = 30
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
    return _held(person, "coordinator")


def regions(person: Person) -> list[PlaceHit]:
    """Return the regions that an agent is restricted to, those that still exist."""
    return _held(person, "agent")


def _held(person: Person, role: str) -> list[PlaceHit]:
    found = [resolve_ref(*scope.split(":", 1)) for scope in person.scopes(role) if ":" in scope]
    return [hit for hit in found if hit is not None]


def _everywhere(person: Person) -> bool:
    # A region that no longer exists must not open the whole country.
    return person.has("administrator") or "" in person.scopes("agent")


def types_a_place(person: Person) -> bool:
    """Tell whether a person may name other territories than those that their rights name."""
    return _everywhere(person) or person.has("agent")


def territory_of(person: Person, asked: str) -> PlaceHit | None:
    """Return the territory to look at: the one that was asked for, else the person's first.

    Args:
        person: a coordinator, an agent or an administrator.
        asked: a reference (`departement:78`), or a name as people type it.

    Raises:
        InvalidInput: nothing is called so, or it is neither a coordinator's territory nor in an agent's region.
    """
    own = territories(person)
    if not asked.strip():
        return next(iter([*own, *regions(person)]), None)
    kind, _, code = asked.strip().partition(":")
    hit = resolve_ref(kind, code) if code else None
    hits = [hit] if hit is not None else suggest(asked, 10, ("territory", "epci", "departement", "region", "commune"))
    if not hits:
        message = f"Aucun territoire ne s’appelle « {asked[:60]} »."
        raise InvalidInput(message, fields={"territoire": message})
    if _everywhere(person):
        return hits[0]
    for hit in hits:
        if hit.ref in {one.ref for one in own} or _within(hit, regions(person)):
            return hit
    refused = "dans votre région" if person.has("agent") else "un territoire que vous coordonnez"
    message = f"« {hits[0].name} » n’est pas {refused}."
    raise InvalidInput(message, fields={"territoire": message})


def _within(place: PlaceHit, containers: Sequence[PlaceHit]) -> bool:
    """Tell whether the whole of a place lies in one of some regions."""
    ids = {one.id for one in containers}
    if place.id in ids:
        return True
    # A commune is held itself; anything larger is held when each of its communes is.
    parts = [one.id for one in communes_of(place.id)] or [place.id]
    held = containers_of(parts)
    return any(all(one in held.get(part, ()) for part in parts) for one in ids)


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
