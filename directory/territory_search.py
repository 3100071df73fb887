"""Finding the communes of a territory: by name, by postal code, those of a group of communes, or within a distance."""

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import any_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from directory.models import Site
from maps.api import Place, PlaceContainment, communes_of, place_by_id, resolve_ref, suggest

MOST: Final = 200
"""Communes that one search shows."""
MAX_KM: Final = 100
AROUND_MOST: Final = 501
"""Communes that a distance gives: one more than a territory takes, so that going past it shows."""
_GROUPS: Final = {"epci": "Intercommunalité", "departement": "Département", "territory": "Territoire"}
_LAND: Final = ("commune", "arrondissement", "commune_deleguee")
_WHOLE_TOWNS: Final = ("75056", "69123", "13055")
"""Paris, Lyon, Marseille: their arrondissements are named too, each piece of land twice."""


@dataclass(frozen=True, slots=True)
class Found:
    """A place to add: a commune, or a group that stands for all its communes."""

    ref: str
    label: str
    detail: str


def _commune(kind: str, code: str, name: str, postal_codes: list[str] | tuple[str, ...]) -> Found:
    ref = f"commune:{code}" if kind == "arrondissement" else f"{kind}:{code}"
    return Found(ref, f"{name} ({postal_codes[0]})" if postal_codes else name, "")


async def search(session: AsyncSession, text: str) -> list[Found]:
    """Return the communes and the groups of communes that answer what was typed; all those of a postal code."""
    words = text.strip()[:100]
    if re.fullmatch(r"\d{5}", words):
        rows = await session.execute(
            select(Place.kind, Place.code, Place.name, Place.postal_codes)
            .where(
                Place.kind.in_(("commune", "arrondissement")),
                Place.retired_at.is_(None),
                literal(words) == any_(Place.postal_codes),
                Place.code.not_in(_WHOLE_TOWNS),
            )
            .order_by(func.core.fold(Place.name), Place.id)
            .limit(MOST)
        )
        return [Found(f"commune:{code}", f"{name} ({words})", "") for _, code, name, _ in rows]
    communes = [
        _commune(hit.kind, hit.code, hit.name, hit.postal_codes)
        for hit in suggest(words, 30, ("commune", "arrondissement"))
    ]
    groups = [
        Found(f"{hit.kind}:{hit.code}", f"Toutes les communes de {hit.name}", _GROUPS[hit.kind])
        for hit in suggest(words, 5, tuple(_GROUPS))
    ]
    return [*communes, *groups]


def expanded(refs: list[str]) -> list[str]:
    """Return the communes that references stand for, each once, in the order given; unknown ones are left out."""
    found: dict[str, None] = {}
    for ref in refs:
        kind, _, code = ref.partition(":")
        if kind in _GROUPS:
            hit = resolve_ref(kind, code)
            found.update({f"commune:{c.code}": None for c in communes_of(hit.id)} if hit is not None else {})
        elif (hit := resolve_ref(kind, code)) is not None and hit.kind in _LAND:
            found[_commune(hit.kind, hit.code, hit.name, hit.postal_codes).ref] = None
    return list(found)


async def around(session: AsyncSession, site: Site, km: float) -> list[str]:
    """Return the communes whose centre lies within a distance of a place, nearest first; its own comes in any case."""
    here = select(func.coalesce(Site.pin, Site.position)).where(Site.id == site.id).scalar_subquery()
    metres = min(max(km, 0), MAX_KM) * 1000
    rows = await session.execute(
        select(Place.code)
        .where(
            Place.kind.in_(("commune", "arrondissement")),
            Place.retired_at.is_(None),
            Place.code.not_in(_WHOLE_TOWNS),
            func.ST_DWithin(Place.point, here, metres),
        )
        .order_by(func.ST_Distance(Place.point, here), Place.id)
        .limit(AROUND_MOST)
    )
    own = place_by_id(site.commune_id) if site.commune_id is not None else None
    first = [f"commune:{own.code}"] if own is not None else []
    return list(dict.fromkeys([*first, *(f"commune:{code}" for code in rows.scalars())]))


async def groups_of(session: AsyncSession, site: Site) -> list[Found]:
    """Return the groups of communes that hold a place: its intercommunality, its territories."""
    if site.commune_id is None:
        return []
    rows = await session.execute(
        select(Place.kind, Place.code, Place.name)
        .join(PlaceContainment, PlaceContainment.container_id == Place.id)
        .where(
            PlaceContainment.place_id == site.commune_id,
            Place.kind.in_(("epci", "territory")),
            Place.retired_at.is_(None),
        )
        .order_by(case((Place.kind == "epci", 0), else_=1), Place.name, Place.id)
        .limit(10)
    )
    return [Found(f"{kind}:{code}", name, _GROUPS[kind]) for kind, code, name in rows]
