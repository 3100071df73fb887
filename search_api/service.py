"""Use cases of the search: what pages, JSON API, exports and portals call. Nothing here commits."""

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Unavailable
from search_api.engine import PUBLIC, Counts
from search_api.schemas import PlaceOut, SearchAnswer, SearchQuery, SuggestionGroup, WhereRef
from search_api.schemas_map import MapAnswer


async def search(session: AsyncSession, query: SearchQuery, level: int = PUBLIC) -> SearchAnswer:
    """Answer a search: totals, the page asked for, facets, what the text was read as.

    Args:
        session: the caller's unit of work, read only here.
        query: from `parse_query`.
        level: what the person may see (R283: 1 public, 2 professionals).

    Raises:
        InvalidInput: a place, code or value does not exist (French message at the parameter).
    """
    raise Unavailable("La recherche n’est pas encore disponible.")


async def count(session: AsyncSession, query: SearchQuery, level: int = PUBLIC) -> Counts:
    """Return the number of sites and offers of a search, without a page. Raises as `search` does."""
    raise Unavailable("La recherche n’est pas encore disponible.")


async def suggest(
    session: AsyncSession, text: str, where: tuple[WhereRef, ...] = (), level: int = PUBLIC
) -> list[SuggestionGroup]:
    """Return « Qui, quoi ? » suggestions by group, with the number of offers near the places given.

    Raises:
        InvalidInput: the text is too long, or a place does not exist.
    """
    raise Unavailable("La recherche n’est pas encore disponible.")


async def places(session: AsyncSession, text: str, limit: int = 10) -> list[PlaceOut]:
    """Return « Où ? » suggestions, best first.

    Raises:
        InvalidInput: the text is too long.
    """
    raise Unavailable("La recherche n’est pas encore disponible.")


async def map_features(session: AsyncSession, query: SearchQuery, zoom: int, level: int = PUBLIC) -> MapAnswer:
    """Return what the map shows of a search inside `query.bbox` (the viewport), grouped for a zoom level 0–19.

    Raises:
        InvalidInput: no viewport, or as `search` does.
    """
    raise Unavailable("La recherche n’est pas encore disponible.")
