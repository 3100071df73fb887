"""The public JSON API as any program would call it: over HTTP, through every middleware, in the same process."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final
from uuid import UUID

import httpx
from fastapi import Request
from pydantic import TypeAdapter

from core.errors import InvalidInput, NotFound, TooMany, Unavailable
from directory.api import OfferSheet, SiteSheet
from search_api.addresses import Pair
from search_api.schemas import ConceptOut, PlaceOut, SearchAnswer

_PLACES: Final = TypeAdapter(list[PlaceOut])
_CONCEPTS: Final = TypeAdapter(list[ConceptOut])
_PASSED_ON: Final = ("cookie", "x-repere-position")
"""What tells the API who reads, hence what they may read, and what they just wrote."""
_OWN: Final = {"accept": "application/json", "accept-encoding": "identity", "sec-fetch-site": "same-origin"}
"""Like the scripts of our pages, a portal asks for people who read: it is counted with these."""
_SECONDS: Final = 30.0


class PublicApi:
    """The API behind a request, with the rights of whoever made it; `anonymous`: with those of nobody."""

    def __init__(self, request: Request, *, anonymous: bool = False) -> None:
        passed = () if anonymous else _PASSED_ON
        headers = {name: request.headers[name] for name in passed if name in request.headers}
        caller = (request.client.host, request.client.port) if request.client else ("127.0.0.1", 0)
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=request.app, client=caller, raise_app_exceptions=False),
            base_url=str(request.base_url),
            headers=headers | _OWN,
            timeout=_SECONDS,
            trust_env=False,
        )

    async def __aenter__(self) -> "PublicApi":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def _get(self, path: str, pairs: Sequence[Pair] = ()) -> bytes:
        """Return the body of an answer.

        Raises:
            InvalidInput: the API refuses the question, with its messages by parameter.
            NotFound: there is no such thing, or it has gone.
            TooMany: the reader's network asks too often.
            Unavailable: the answer took too long, or something is broken behind.
        """
        answer = await self._client.get(path, params=httpx.QueryParams(list(pairs)))
        if answer.status_code == httpx.codes.OK:
            return answer.content
        told: dict[str, Any] = {}
        if answer.headers.get("content-type", "").startswith("application/problem+json"):
            told = answer.json()
        detail = str(told.get("detail") or "Le répertoire ne répond pas. Réessayez dans un instant.")
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            fields = {str(one["field"]): str(one["detail"]) for one in told.get("errors", ())}
            raise InvalidInput(detail, fields=fields)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFound(detail)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise TooMany(detail)
        raise Unavailable(detail)

    async def search(self, pairs: Sequence[Pair]) -> SearchAnswer:
        """Return what answers a search. Raises as `_get` does."""
        return SearchAnswer.model_validate_json(await self._get("/api/v1/search", pairs))

    async def offer(self, uid: UUID) -> OfferSheet:
        """Return the sheet of an offer. Raises as `_get` does."""
        return OfferSheet.model_validate_json(await self._get(f"/api/v1/offers/{uid}"))

    async def site(self, uid: UUID) -> SiteSheet:
        """Return the sheet of a site. Raises as `_get` does."""
        return SiteSheet.model_validate_json(await self._get(f"/api/v1/sites/{uid}"))

    async def places(self, text: str, *, within: str = "", kinds: Sequence[str] = ()) -> list[PlaceOut]:
        """Return the places that a text names, best first. Raises as `_get` does."""
        pairs = [("q", text), *(("kind", kind) for kind in kinds)]
        return _PLACES.validate_json(await self._get("/api/v1/places", pairs + _limit(within)))

    async def named(self, refs: Sequence[str], *, within: str = "") -> list[PlaceOut]:
        """Return the places of some references; those outside `within` are left out. Raises as `_get` does."""
        if not refs:
            return []
        pairs = [("ref", ref) for ref in refs]
        return _PLACES.validate_json(await self._get("/api/v1/places", pairs + _limit(within)))

    async def labels(self, codes: Sequence[str]) -> dict[str, str]:
        """Return what codes are called; unknown ones are left out. Raises as `_get` does."""
        if not codes:
            return {}
        body = await self._get("/api/v1/concepts", [("code", code) for code in codes])
        return {one.code: one.label for one in _CONCEPTS.validate_json(body)}


def _limit(within: str) -> list[Pair]:
    return [("within", within)] if within else []
