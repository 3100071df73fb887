"""What other packages may use of the search."""

from search_api.params import parse_query, query_params
from search_api.schemas import SearchAnswer, SearchQuery
from search_api.service import search, suggest

__all__ = ["SearchAnswer", "SearchQuery", "parse_query", "query_params", "search", "suggest"]
