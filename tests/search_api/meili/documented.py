"""An HTTP server that keeps what it is asked, refuses what the API's reference does not have, and answers in its shape.

It is written from the documentation, not from the product: it shows that the requests mean what they should, not
that Meilisearch does. `test_meili_contract` asks the real one.
"""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.search_api.meili.language import Document, Refused, read, sphere_metres

KEY = "une-clef-d-essai"
AT = "2026-01-01T00:00:00Z"
SEARCH = {
    "indexUid", "q", "offset", "limit", "hitsPerPage", "page", "filter", "facets", "distinct", "attributesToRetrieve",
    "attributesToCrop", "cropLength", "cropMarker", "attributesToHighlight", "highlightPreTag", "highlightPostTag",
    "showMatchesPosition", "sort", "matchingStrategy", "showRankingScore", "showRankingScoreDetails",
    "rankingScoreThreshold", "attributesToSearchOn", "hybrid", "vector", "retrieveVectors", "locales",
    "federationOptions", "media",
}  # fmt: skip
SETTINGS = {
    "dictionary", "displayedAttributes", "distinctAttribute", "embedders", "facetSearch", "faceting",
    "filterableAttributes", "localizedAttributes", "nonSeparatorTokens", "pagination", "prefixSearch",
    "proximityPrecision", "rankingRules", "searchableAttributes", "searchCutoffMs", "separatorTokens",
    "sortableAttributes", "stopWords", "synonyms", "typoTolerance",
}  # fmt: skip


class ApiError(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass
class Index:
    documents: dict[int, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Documented:
    """State of the server: `failing` refuses documents, `delay` makes answers late, `canned` are the results."""

    url: str = ""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    indexes: dict[str, Index] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    failing: str = ""
    delay: float = 0.0
    canned: list[dict[str, Any]] | None = None

    def asked(self, path: str) -> list[Any]:
        """Bodies of the requests to a path."""
        return [body for _, each, body in self.requests if each == path]

    async def answer(self, request: Request) -> JSONResponse:
        if self.delay:
            await asyncio.sleep(self.delay)
        content = await request.body()
        body = json.loads(content) if content else None
        self.requests.append((request.method, request.url.path, body))
        try:
            if request.headers.get("authorization") != f"Bearer {KEY}":
                raise ApiError(403, "invalid_api_key")
            if content and request.headers.get("content-type") != "application/json":
                raise ApiError(415, "invalid_content_type")
            status, found = self.route(request.method, request.url.path.strip("/").split("/"), body, request)
        except ApiError as error:
            told = {"message": "…", "code": error.code, "type": "invalid_request", "link": "https://docs…"}
            return JSONResponse(told, error.status)
        return JSONResponse(found, status)

    def route(self, method: str, path: list[str], body: Any, request: Request) -> tuple[int, Any]:
        match method, path:
            case "POST", ["multi-search"]:
                if body.get("federation") is not None:
                    raise ApiError(400, "bad_request")
                return 200, {"results": [self.search(one) | self.next_canned() for one in body["queries"]]}
            case "GET", ["tasks", number]:
                return 200, self.tasks[int(number)]
            case "POST", ["indexes"]:
                if body["uid"] in self.indexes:
                    return 202, self.task("indexCreation", body["uid"], error="index_already_exists")
                self.indexes[body["uid"]] = Index()
                return 202, self.task("indexCreation", body["uid"])
            case "GET", ["indexes", uid]:
                self.index(uid)
                return 200, {"uid": uid, "primaryKey": "id", "createdAt": AT, "updatedAt": AT}
            case "DELETE", ["indexes", uid]:
                del self.indexes[uid]
                return 202, self.task("indexDeletion", uid)
            case "PATCH", ["indexes", uid, "settings"]:
                if set(body) - SETTINGS:
                    raise ApiError(400, "bad_request")
                self.index(uid).settings.update(body)
                return 202, self.task("settingsUpdate", uid)
            case "POST", ["indexes", uid, "documents"]:
                if request.query_params.get("primaryKey") != "id":
                    raise ApiError(400, "index_primary_key_multiple_candidates_found")
                if not self.failing:
                    self.index(uid).documents.update({one["id"]: one for one in body})
                return 202, self.task("documentAdditionOrUpdate", uid, error=self.failing)
            case "POST", ["indexes", uid, "documents", "delete-batch"]:
                for one in body:
                    self.index(uid).documents.pop(int(one), None)
                return 202, self.task("documentDeletion", uid)
            case "POST", ["swap-indexes"]:
                for pair in body:
                    a, b = pair["indexes"]
                    self.indexes[a], self.indexes[b] = self.index(b), self.index(a)
                return 202, self.task("indexSwap", None)
        raise ApiError(404, "not_found")

    def next_canned(self) -> dict[str, Any]:
        if self.canned is None:
            return {}
        return self.canned.pop(0) if self.canned else {"hits": []}

    def index(self, uid: str) -> Index:
        if uid not in self.indexes:
            raise ApiError(404, "index_not_found")
        return self.indexes[uid]

    def task(self, kind: str, uid: str | None, *, error: str = "") -> dict[str, Any]:
        number = len(self.tasks)
        self.tasks.append(
            {
                "uid": number,
                "indexUid": uid,
                "status": "failed" if error else "succeeded",
                "type": kind,
                "error": {"message": "…", "code": error, "type": "internal", "link": ""} if error else None,
                "enqueuedAt": AT,
            }
        )
        return {"taskUid": number, "indexUid": uid, "status": "enqueued", "type": kind, "enqueuedAt": AT}

    def search(self, query: dict[str, Any]) -> dict[str, Any]:
        """Search one index: filter, sort, distinct, page, facets."""
        if set(query) - SEARCH:
            raise ApiError(400, "bad_request")
        index = self.index(query["indexUid"])
        filterable = set(index.settings.get("filterableAttributes", ()))
        try:
            conditions = [read(one, filterable) for one in query["filter"] or ()]
        except Refused as error:
            raise ApiError(400, "invalid_search_filter") from error
        if query.get("distinct") and query["distinct"] not in filterable:
            raise ApiError(400, "invalid_search_distinct")
        if not set(query["facets"] or ()) <= filterable:
            raise ApiError(400, "invalid_search_facets")
        found = [one for one in index.documents.values() if all(holds(one) for holds in conditions)]
        found = _sorted(found, query["sort"] or [], set(index.settings.get("sortableAttributes", ())))
        if query.get("distinct"):
            first: dict[Any, dict[str, Any]] = {}
            for one in found:
                first.setdefault(one[query["distinct"]], one)
            found = list(first.values())
        answer: dict[str, Any] = {"indexUid": query["indexUid"], "query": "", "processingTimeMs": 0}
        most = index.settings["pagination"]["maxTotalHits"]
        if query["hitsPerPage"] is not None or query["page"] is not None:
            size = 20 if query["hitsPerPage"] is None else query["hitsPerPage"]
            page = found[:size]
            answer |= {"page": 1, "hitsPerPage": size, "totalPages": 0, "totalHits": min(len(found), most)}
        else:
            page = found[query["offset"] : query["offset"] + query["limit"]]
            answer |= {"offset": query["offset"], "limit": query["limit"], "estimatedTotalHits": len(page)}
        answer["hits"] = [{k: v for k, v in one.items() if k in query["attributesToRetrieve"]} for one in page]
        if query["facets"]:
            counts = {name: Counter(str(v) for one in found for v in one[name]) for name in query["facets"]}
            most = index.settings["faceting"]["maxValuesPerFacet"]
            answer["facetDistribution"] = {name: dict(sorted(one.items())[:most]) for name, one in counts.items()}
            answer["facetStats"] = {}
        return answer


def _sorted(found: list[dict[str, Any]], sort: list[str], sortable: set[str]) -> list[dict[str, Any]]:
    """Order by each criterion in turn; distances a metre apart are the same to the product."""
    if not sort:
        return sorted(found, key=lambda one: one["id"])
    criterion, direction = sort[0].rsplit(":", 1)
    name = "_geo" if criterion.startswith("_geoPoint(") else criterion
    if name not in sortable or direction not in ("asc", "desc"):
        raise ApiError(400, "invalid_search_sort")
    if name != "_geo":
        values = sorted({one[name] for one in found}, reverse=direction == "desc")
        groups = [[one for one in found if one[name] == value] for value in values]
    else:
        lat, lng = map(float, criterion[len("_geoPoint(") : -1].split(","))

        def metres(one: Document) -> float:
            return sphere_metres(lat, lng, one["_geo"]["lat"], one["_geo"]["lng"])

        groups, begun = [], float("-inf")
        for one in sorted((one for one in found if "_geo" in one), key=metres):
            if metres(one) - begun > 1.0:
                groups.append([])
                begun = metres(one)
            groups[-1].append(one)
        groups.append([one for one in found if "_geo" not in one])
    return [one for group in groups for one in (_sorted(group, sort[1:], sortable) if group else [])]


@asynccontextmanager
async def serving() -> AsyncIterator[Documented]:
    """Serve on a free local port."""
    state = Documented()
    methods = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", state.answer, methods=methods)])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        state.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        running = asyncio.create_task(server.serve([listening]))
        yield state
        server.should_exit = True
        await running
