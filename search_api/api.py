"""What other packages may use of the search."""

from search_api.addresses import SearchBox, address
from search_api.fhir.search.catalogue import RESOURCES as FHIR_RESOURCES
from search_api.figures import Figures, directory_figures
from search_api.page_view import EXAMPLES
from search_api.params import parse_query, query_params
from search_api.schemas import SearchAnswer, SearchQuery
from search_api.service import search, suggest
from search_api.settings import MapSettings, map_settings

__all__ = [
    "EXAMPLES",
    "FHIR_RESOURCES",
    "Figures",
    "MapSettings",
    "SearchAnswer",
    "SearchBox",
    "SearchQuery",
    "address",
    "directory_figures",
    "map_settings",
    "parse_query",
    "query_params",
    "search",
    "suggest",
]
