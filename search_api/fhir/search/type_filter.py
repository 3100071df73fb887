"""`_typeFilter` of an export: the criteria of a search, as the ids that an export keeps."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Caller
from core import clock
from core.settings import core_settings
from directory.api import concept_index
from maps.api import ready
from search_api.fhir.kinds import Kind
from search_api.fhir.outcome import PREFIX
from search_api.fhir.search import hits, request
from search_api.fhir.search.catalogue import RESOURCES
from search_api.fhir.search.criteria import Chain, Either, Every, Has, No, Node, Test
from search_api.fhir.search.references import OfferOfRole
from search_api.fhir.search.refusals import Refused
from search_api.fhir.search.rows import Context
from search_api.fhir.search.values import Span

NAME = "_typeFilter"

Reach = Literal["own", "offer", "any"]
"""What may change whether a resource meets a filter: what its own date tells, or also its offer's, or anything."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The ids of a kind that meet a filter, and how far what they are chosen by reaches."""

    ids: Select[Any]
    reach: Reach


async def type_filter(session: AsyncSession, type_: str, query: str, caller: Caller) -> dict[Kind, Filter]:
    """Return, for each kind of a type, the ids that meet the query string of a search.

    Raises:
        FhirError: a parameter is unknown, cannot be served, or is not a criterion (a sort, a page, an inclusion).
    """
    resource = RESOURCES.get(type_)
    if resource is None:
        raise Refused(f"Le type « {type_[:40]} » n’est pas de ceux de ce flux.", NAME)
    pairs = parse_qsl(query, keep_blank_values=True)
    for name, _ in pairs:
        if name in (*request.SINGLE, *request.INCLUSIONS):
            raise Refused(f"« {name} » n’est pas un critère : un filtre n’a ni tri, ni page, ni jointure.", NAME)
    await ready()
    base = core_settings().public_url.rstrip("/") + PREFIX
    context = Context(caller, await concept_index(session), base, await clock.now(session))
    asked = request.read(resource, pairs, base, strict=True)
    known = hits.sources(asked, context)
    reach = _reach(asked.node)
    return {source.row.kind: Filter(source.row.ids(source.where), reach) for source in known if not source.row.gone}


def _reach(node: Node) -> Reach:
    match node:
        case Test():
            # About now, more or less: what it means changes while nothing does.
            return "any" if any(isinstance(one, Span) and one.prefix == "ap" for one in node.values) else "own"
        case Chain():
            # A parent's change is one of the resource; that of the offer of a role is not.
            through = any(isinstance(field, OfferOfRole) for field in node.reference.fields.values())
            return _farthest([_reach(node.node), "offer" if through else "own"])
        case Has():
            return "any"
        case No():
            return _reach(node.node)
        case Every() | Either():
            return _farthest(map(_reach, node.nodes))


def _farthest(found: Iterable[Reach]) -> Reach:
    reached = set(found)
    return "any" if "any" in reached else "offer" if "offer" in reached else "own"
