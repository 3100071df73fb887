"""Portals for the tests, and readings of their pages."""

import re

from core.db import unit_of_work
from core.errors import InvalidInput
from search_api.portals import service
from search_api.portals.schemas import PortalDraft, PortalOut

GPSEO = "epci:200059889"
"""Grand Paris Seine & Oise: Mantes, Limay, Poissy; Versailles lies outside."""
VERSAILLES = "commune:78646"
PAGE = {"Accept": "text/html"}


async def make(slug: str, **more: object) -> PortalOut:
    """Make a portal of the Mantes area, unless it is there."""
    values = {"title": f"Maillage {slug}", "logo": f"Maillage {slug}", "places": (GPSEO,), **more}
    try:
        async with unit_of_work() as session:
            return await service.create(session, PortalDraft.model_validate({"slug": slug, **values}), "essai")
    except InvalidInput:
        async with unit_of_work() as session:
            return await service.any_state(session, slug)


def sheets(page: str, kind: str) -> list[str]:
    """Return the identifiers of the sheets that a page leads to, or of the sites of its cards, each once."""
    return list(dict.fromkeys(re.findall(rf'(?:/{kind}/|data-{kind[:-1]}=")([0-9a-f-]{{36}})', page)))


def total(page: str) -> int:
    """Return the number of sites that a page of results tells."""
    found = re.search(r'class="num">([\d\u00a0]+)\u00a0?\s?sites?<', page.replace("&nbsp;", "\u00a0"))
    assert found, page[:3000]
    return int(found[1].replace("\u00a0", ""))
