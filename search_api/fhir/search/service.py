"""One page of a search, from the parameters of a request to a Bundle."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Caller
from core import clock
from directory.api import concept_index
from maps.api import ready
from search_api.fhir.kinds import Kind
from search_api.fhir.outcome import Issue
from search_api.fhir.render import render
from search_api.fhir.search import bundle, hits, inclusions, pages, request
from search_api.fhir.search.catalogue import RESOURCES
from search_api.fhir.search.hits import Hit
from search_api.fhir.search.inclusions import MOST, Key
from search_api.fhir.search.rows import Context
from search_api.fhir.search.tombstones import tombstones

Json = dict[str, Any]
_PLANNING: Final = text(
    "SELECT set_config('join_collapse_limit', '10', true), set_config('from_collapse_limit', '10', true)"
)
"""The planner puts eight tables in order by default: a search that begins with a place would read every offer."""
_NOT_ALL: Final = Issue(
    f"_include : plus de {MOST} ressources se joignent à cette page ; les suivantes n’y sont pas. Demandez des pages "
    "plus courtes (_count).",
    "incomplete",
    "warning",
)


async def search(
    session: AsyncSession, type_: str, pairs: Sequence[tuple[str, str]], caller: Caller, base: str, *, strict: bool
) -> tuple[Json, bool]:
    """Return the Bundle of a page, and whether it is wanted in lines.

    Args:
        session: reads only.
        type_: the type that is searched, one of `RESOURCES`.
        pairs: the parameters in order, those of the form after those of the address.
        caller: who asks.
        base: what absolute addresses of the feed begin with.
        strict: whether unknown parameters are refused.

    Raises:
        FhirError: a parameter cannot be served, or a link leads nowhere.
    """
    await ready()
    await session.execute(_PLANNING)
    now = await clock.now(session)
    signed = pages.link_of(pairs)
    link = pages.read(signed, caller, type_, now) if signed is not None else None
    asked = request.read(RESOURCES[type_], link.pairs if link else pairs, base, strict=strict and link is None)
    context = Context(caller, await concept_index(session, within=1.0), base, now)
    if link is not None:
        # What was left out was told on the first page.
        asked = replace(asked, warnings=())
    return await _Page(session, asked, context, link).bundle(), asked.pretty


class _Page:
    """One page being made."""

    def __init__(self, session: AsyncSession, asked: request.Asked, context: Context, link: pages.Link | None) -> None:
        self.session = session
        self.asked = asked
        self.context = context
        self.link = link
        self.sources = hits.sources(asked, context)

    async def bundle(self) -> Json:
        asked = self.asked
        total = await self._total()
        first = bundle.address(self.context.base, asked.resource.type, asked.pairs)
        if asked.counted_only:
            return bundle.bundle(total, [("self", first)], [], asked.warnings)
        back = self.link is not None and self.link.back
        position = self.link.position if self.link else None
        found = await hits.page(self.session, asked, self.sources, position, back=back)
        more, shown = len(found) > asked.count, found[: asked.count]
        if back:
            shown.reverse()
        links = [("self", self._self(first)), ("first", first)]
        if shown and (more if back else self.link is not None):
            links.append(("previous", self._to(shown[0], total, back=True)))
        if shown and (more or back):
            links.append(("next", self._to(shown[-1], total, back=False)))
        others, cut = await self._others(shown)
        made = await self._made(shown, others)
        issues = (*asked.warnings, _NOT_ALL) if cut else asked.warnings
        return bundle.bundle(total, links, bundle.entries(asked, self.context.base, shown, made, others), issues)

    async def _total(self) -> int | None:
        asked = self.asked
        if asked.total == "none" and not asked.counted_only:
            return None
        if self.link is not None and asked.total != "accurate":
            return self.link.total
        return await hits.total(self.session, self.sources)

    def _self(self, first: str) -> str:
        if self.link is None:
            return first
        return self._address(self.link)

    def _to(self, hit: Hit, total: int | None, *, back: bool) -> str:
        made = self.link.made if self.link else pages.made_at(self.context.now)
        link = pages.Link(self.asked.resource.type, self.asked.pairs, hit.position, back, total, made)
        return self._address(link)

    def _address(self, link: pages.Link) -> str:
        signed = pages.write(link, self.context.caller)
        return bundle.address(self.context.base, link.type, [(pages.NAME, signed)])

    async def _others(self, shown: Sequence[Hit]) -> tuple[list[Key], bool]:
        if not self.asked.includes:
            return [], False
        matches = [(hit.kind, hit.id) for hit in shown if not hit.gone]
        return await inclusions.included(self.session, self.asked.includes, matches, self.context)

    async def _made(self, shown: Sequence[Hit], others: Sequence[Key]) -> dict[tuple[Key, bool], Json]:
        wanted: dict[tuple[Kind, bool], list[int]] = {}
        for hit in shown:
            wanted.setdefault((hit.kind, hit.gone), []).append(hit.id)
        for kind, one in others:
            wanted.setdefault((kind, False), []).append(one)
        made: dict[tuple[Key, bool], Json] = {}
        for (kind, gone), ids in wanted.items():
            if gone:
                found = await tombstones(self.session, kind, ids, self.context)
            else:
                found = await render(self.session, kind, ids, self.context.caller, within=1.0)
            made |= {((kind, one), gone): resource for one, resource in found.items()}
        return made
