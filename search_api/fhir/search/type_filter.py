"""`_typeFilter` of an export: the criteria of a search, as the ids that an export keeps."""

from typing import Any
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
from search_api.fhir.search.refusals import Refused
from search_api.fhir.search.rows import Context

NAME = "_typeFilter"


async def type_filter(session: AsyncSession, type_: str, query: str, caller: Caller) -> dict[Kind, Select[Any]]:
    """Return, for each kind of a type, a select of the ids that meet the query string of a search.

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
    return {source.row.kind: source.row.ids(source.where) for source in known if not source.row.gone}
