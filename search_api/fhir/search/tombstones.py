"""What is told of a resource that left the directory: that it did, when, and how it was identified.

Nothing else of it is public any more. An organization also says on which day it closed, since `period-end` asks for it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import Site
from search_api.fhir.kinds import MODELS, Kind
from search_api.fhir.render import stamped
from search_api.fhir.search.rows import Context
from search_api.fhir.systems import CORE, FINESS, PERSON_ID, SIRENE, STRUCTURE_ID, persistent
from search_api.fhir.visible import gone

Json = dict[str, Any]


def _official(system: str, value: str) -> Json:
    return {"use": "official", "system": system, "value": value}


def _legal_entity(row: Any) -> list[Json]:
    found = [persistent(str(row.uid))]
    if row.finess:
        found += [_official(STRUCTURE_ID, "1" + row.finess), _official(FINESS, row.finess)]
    return [*found, _official(SIRENE, row.siren)] if row.siren else found


def _site(row: Any) -> list[Json]:
    found = [persistent(str(row.uid))]
    structure = row.structure_id or ("1" + row.finess if row.finess else "3" + row.siret if row.siret else None)
    found += [_official(STRUCTURE_ID, structure)] if structure else []
    found += [_official(FINESS, row.finess)] if row.finess else []
    return found + ([_official(SIRENE, row.siret)] if row.siret else [])


_IDENTIFIERS: Final[Mapping[Kind, Callable[[Any], list[Json]]]] = {
    "legal_entity": _legal_entity,
    "site": _site,
    "practitioner": lambda row: [_official(PERSON_ID, row.national_id)],
}


async def tombstones(session: AsyncSession, kind: Kind, ids: Sequence[int], context: Context) -> dict[int, Json]:
    """Return, by internal id, what is told of resources that left; what the caller may not know of is left out."""
    model = MODELS[kind]
    known = gone(kind, context.caller).subquery()
    columns = [model, known.c.updated_at]
    statement = select(*columns).join(known, known.c.id == model.id).where(model.id.in_(ids))
    found = (await session.execute(statement)).all()
    places = await _places(session, kind, [row[0] for row in found])
    return {row[0].id: _told(kind, row[0], row.updated_at, places.get(row[0].id)) for row in found}


async def _places(session: AsyncSession, kind: Kind, rows: Sequence[Any]) -> dict[int, int | None]:
    """Return the commune of each row that has a place."""
    if MODELS[kind] is Site:
        return {row.id: row.commune_id for row in rows}
    if kind not in ("offer", "role"):
        return {}
    ids = {row.site_id for row in rows}
    found = await session.execute(select(Site.id, Site.commune_id).where(Site.id.in_(ids)))
    communes = {one.id: one.commune_id for one in found}
    return {row.id: communes.get(row.site_id) for row in rows}


def _told(kind: Kind, row: Any, at: Any, commune: int | None) -> Json:
    identifiers = _IDENTIFIERS[kind](row) if kind in _IDENTIFIERS else [persistent(str(row.uid))]
    body: Json = {"id": str(row.uid), "identifier": identifiers}
    body |= {"status": "inactive"} if kind == "location" else {"active": False}
    if kind in ("site", "legal_entity") and row.closed_on is not None:
        period = {"url": CORE + "organization-period", "valuePeriod": {"end": row.closed_on.isoformat()}}
        body["extension"] = [period]
    made = stamped(kind, body, at, commune)
    # It does not hold what the profile wants of what is alive.
    made["meta"].pop("profile")
    return made
