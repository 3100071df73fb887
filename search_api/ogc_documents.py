"""The documents by which the OGC API describes itself: landing page, conformance, collections, schemas."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from search_api.ogc_collections import COLLECTIONS, Collection, CollectionId
from search_api.ogc_params import CRS84

GEOJSON: Final = "application/geo+json"
JSON: Final = "application/json"
SCHEMA: Final = "application/schema+json"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
_SPEC: Final = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
TITLE: Final = "Repère : offre de santé"
ABOUT: Final = "Lieux, offres et communes du répertoire, en objets géographiques (OGC API – Features)."


def dumps(document: Any) -> bytes:
    """Return a document as JSON; instants are written to the second, which is what the filter `datetime` compares."""
    return orjson.dumps(document, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)


def link(href: str, rel: str, media_type: str, title: str = "") -> dict[str, str]:
    """Return a link of a document."""
    found = {"href": href, "rel": rel, "type": media_type, "hreflang": "fr"}
    return found | {"title": title} if title else found


def landing(base: str) -> dict[str, Any]:
    """Return the first document; `base` is the public address of the application."""
    root = f"{base}/ogc"
    return {
        "title": TITLE,
        "description": ABOUT,
        "links": [
            link(root, "self", JSON, "Ce document"),
            link(f"{root}/api", "service-desc", OPENAPI, "Description de l’API (OpenAPI 3.0)"),
            link(f"{base}/api", "service-doc", "text/html", "Documentation"),
            link(f"{root}/conformance", "conformance", JSON, "Classes de conformité"),
            link(f"{root}/collections", "data", JSON, "Collections"),
        ],
    }


def conformance() -> dict[str, Any]:
    """Return the parts of the standard that are kept."""
    return {"conformsTo": [f"{_SPEC}/{part}" for part in ("core", "oas30", "geojson")]}


def collection(base: str, one: Collection, extent: list[float]) -> dict[str, Any]:
    """Return the description of a collection."""
    root = f"{base}/ogc/collections/{one.id}"
    # GDAL before 3.9 reads the schema under the former spelling of its relation.
    described = [link(f"{root}/schema", rel, SCHEMA, "Propriétés") for rel in ("describedby", "describedBy")]
    return {
        "id": one.id,
        "title": one.title,
        "description": one.says,
        "itemType": "feature",
        "crs": [CRS84],
        "extent": {"spatial": {"bbox": [extent], "crs": CRS84}},
        "links": [
            link(root, "self", JSON),
            link(f"{root}/items", "items", GEOJSON, one.title),
            *described,
        ],
    }


def collections(base: str, extents: Mapping[CollectionId, list[float]]) -> dict[str, Any]:
    """Return the description of every collection."""
    return {
        "links": [link(f"{base}/ogc/collections", "self", JSON)],
        "collections": [collection(base, one, extents[one.id]) for one in COLLECTIONS.values()],
    }


def schema(base: str, one: Collection) -> dict[str, Any]:
    """Return the JSON schema of a collection's features."""
    properties = {prop.name: {**prop.schema, "title": prop.says} for prop in one.properties}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{base}/ogc/collections/{one.id}/schema",
        "title": one.title,
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string"},
            "geometry": {"$ref": f"https://geojson.org/schema/{one.geometry}.json"},
            "properties": {"type": "object", "properties": properties},
        },
    }


def items_link(base: str, one: Collection, params: list[tuple[str, str]], after: str | None = None) -> str:
    """Return the address of a page: the request's own parameters, from another start."""
    kept = [(name, value) for name, value in params if name != "after" or after is None]
    if after is not None:
        kept.append(("after", after))
    query = urlencode(kept)
    return f"{base}/ogc/collections/{one.id}/items" + (f"?{query}" if query else "")


def items(
    base: str,
    one: Collection,
    params: list[tuple[str, str]],
    features: list[dict[str, Any]],
    following: str | None,
    matched: int | None,
    reasons: list[str],
) -> dict[str, Any]:
    """Return a page of features; `numberMatched` is absent when counting would take too long."""
    links = [
        link(items_link(base, one, params), "self", GEOJSON),
        link(f"{base}/ogc/collections/{one.id}", "collection", JSON, one.title),
    ]
    if following is not None:
        links.append(link(items_link(base, one, params, following), "next", GEOJSON, "Page suivante"))
    document: dict[str, Any] = {"type": "FeatureCollection", "links": links, "numberReturned": len(features)}
    if matched is not None:
        document["numberMatched"] = matched
    if reasons:
        document["message"] = " ".join(reasons)
    document["features"] = features
    return document


def item(base: str, one: Collection, feature: dict[str, Any]) -> dict[str, Any]:
    """Return a feature with its links."""
    root = f"{base}/ogc/collections/{one.id}"
    links = [
        link(f"{root}/items/{feature['id']}", "self", GEOJSON),
        link(root, "collection", JSON, one.title),
    ]
    return {**feature, "links": links}
