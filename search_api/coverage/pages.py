"""Pages of the coverage reports: the question, the work in progress, the report."""

import asyncio
import uuid
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Service, add_service, everybody
from core.db import SessionDep, unit_of_work
from core.errors import Forbidden, InvalidInput
from core.ui import pages
from directory.api import ConceptIndex, concept_index
from maps.api import UNKNOWN_FILL, meant
from search_api import page_places
from search_api.addresses import Pair, SearchBox, address
from search_api.coverage import doors, question, service, territories, view, words
from search_api.coverage.scales import UNKNOWN
from search_api.models_coverage import CoverageReport
from search_api.page_query import Typed, read_form
from search_api.params import parse_query
from search_api.settings import map_settings

router = APIRouter(include_in_schema=False)

add_service(
    Service(
        "couverture",
        "Couverture du territoire",
        "Commune par commune : densité, distance à la plus proche, visites à domicile.",
        "/couverture",
        "map",
        everybody,
        rank=20,
    )
)

MAX_FORM = 65_536
"""Bytes of a form."""
FIELD_IDS = {"q": "q", "code": "q", "scope": "q", "where": "lieu", "lieu": "lieu"}
NO_STORE = {"Cache-Control": "no-store"}


@router.get("/couverture")
async def form(request: Request, session: SessionDep) -> Response:
    """Draw the question, filled with what the address holds: a search leads here with its filters."""
    typed = await _typed(request.query_params.multi_items())
    return await _form(request, session, typed, {})


@router.post("/couverture")
async def ask(request: Request) -> Response:
    """Ask for a report and lead to it; a refused question is shown again with its reasons."""
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Forbidden("Cette demande vient d’une page d’un autre site : posez la question depuis Repère.")
    typed = await _typed(await _fields(request))
    if not typed.errors:
        try:
            uid = await doors.ask(typed.pairs)
        except InvalidInput as error:
            typed.errors |= error.fields or {"": error.detail}
        else:
            return RedirectResponse(f"/couverture/{uid}", status_code=303, headers=NO_STORE)
    async with unit_of_work() as session:
        return await _form(request, session, typed, typed.errors)


@router.get("/couverture/{uid}")
async def report(request: Request, session: SessionDep, uid: uuid.UUID) -> Response:
    """Draw a report, or how far it is."""
    found = await service.find(session, uid)
    status = await service.status(session, found)
    if status.state != "ready" or status.summary is None:
        context = {"status": status, "again": address(_pairs(found), "/couverture"), "pairs": _pairs(found)}
        return pages.render(request, "search/coverage_wait.html", context, headers=NO_STORE)
    asked = view.read(dict(request.query_params))
    digest = found.files["rows"]
    content = await doors.content_of(digest)
    table = await asyncio.to_thread(view.table, f"/couverture/{uid}", digest, content, asked)
    base = map_settings()
    context = {
        "status": status,
        "table": table,
        "headline": words.headline(status.summary),
        "nothing": words.nothing(status.summary) != "",
        "cautions": words.cautions(status.summary),
        "definitions": words.DEFINITIONS,
        "again": address(_pairs(found), "/couverture"),
        "search": address(_pairs(found)),
        "unknown": UNKNOWN,
        "unknown_fill": UNKNOWN_FILL,
        "tiles_url": base.tiles_url,
        "tiles_attribution": base.tiles_attribution,
    }
    return pages.render(request, "search/coverage_report.html", context, headers={"Cache-Control": "private, no-cache"})


def _pairs(found: CoverageReport) -> list[Pair]:
    return [(name, value) for name, value in found.question]


async def _fields(request: Request) -> list[Pair]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            raise InvalidInput("Ce formulaire est trop long.")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=400, errors="strict")
    except ValueError:
        raise InvalidInput("Ce formulaire est illisible.") from None


async def _typed(items: list[Pair]) -> Typed:
    """Read the form as the search's own, « Où ? » being a territory, then drop what a report does not take."""
    typed = await read_form([pair for pair in items if pair[0] != "lieu"])
    given = dict(reversed(items))
    text, label = " ".join(given.get("lieu", "").split()), " ".join(given.get("where_label", "").split())
    typed.place_text = text
    if "lieu" in given and text.casefold() != label.casefold():
        typed.pairs = [pair for pair in typed.pairs if pair[0] != "where"]
        if text:
            await _territory(typed, text)
    typed.pairs = question.kept(typed.pairs)
    return typed


async def _territory(typed: Typed, text: str) -> None:
    try:
        found = await territories.suggest(text, doubtful=False)
        alike = [] if found else await territories.suggest(text)
    except InvalidInput as error:
        typed.errors["where"] = error.detail
        return
    if found:
        typed.pairs.append(("where", found[0].ref))
    else:
        typed.errors["where"] = f"Aucun territoire ne s’appelle « {text[:80]} »." + (
            meant(place.label for place in alike)
            or " Écrivez une intercommunalité, un département, une région, ou une commune pour désigner son "
            "intercommunalité."
        )


async def _form(request: Request, session: AsyncSession, typed: Typed, errors: dict[str, str]) -> Response:
    index = await concept_index(session)
    given = dict(reversed(typed.pairs))
    codes = [value for name, value in typed.pairs if name == "code"]
    where = [value for name, value in typed.pairs if name == "where"]
    names = await page_places.labels(where)
    label = names.get(where[0], "") if where else ""
    box = SearchBox(
        q=given.get("q", ""),
        codes=codes,
        where=where if label else (),
        place=label or typed.place_text,
        place_label=label,
        errors={FIELD_IDS[name]: text for name, text in errors.items() if name in FIELD_IDS},
    )
    if codes and not box.q:
        box.q = box.code_label = index.label(codes[0]) or codes[0]
    kept = [pair for pair in typed.pairs if pair[0] not in ("q", "code", "where")]
    context: dict[str, Any] = {
        "box": box,
        "kept": kept,
        "filters": _filters(kept, index),
        "without_filters": address([pair for pair in typed.pairs if pair not in kept], "/couverture"),
        "errors": [(FIELD_IDS.get(name), text) for name, text in errors.items()],
        "at_once": service.AT_ONCE,
    }
    headers = {"Cache-Control": "private, no-cache"}
    return pages.render(request, "search/coverage.html", context, status=422 if errors else 200, headers=headers)


def _filters(kept: list[Pair], index: ConceptIndex) -> str:
    """Say the filters that came along with a search."""
    try:
        return question.what_label(parse_query(kept), index)
    except InvalidInput:
        return ", ".join(value for _, value in kept)
