"""What the pages and the JSON of the reports share: asking for one, and giving its files."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response

from core import files
from core.clock import local
from core.db import unit_of_work
from core.errors import NotFound
from core.sheets import EXCEL
from maps.api import report_policy
from search_api.addresses import Pair
from search_api.coverage import service, tasks, work
from search_api.exports import slug
from search_api.models_coverage import CoverageReport
from search_api.settings import map_settings

AT_A_TIME: Final = 2
"""Small reports that one process establishes at once; the next waits for its turn."""
FILES_GONE: Final = "Les fichiers de ce rapport ne sont plus gardés. Posez de nouveau la question."


@dataclass(frozen=True, slots=True)
class FileKind:
    """A file of a report: how it is named in the row, its type, its extension."""

    key: str
    media_type: str
    extension: str


MAP = FileKind("html", "text/html; charset=utf-8", "html")
SHEET = FileKind("xlsx", EXCEL, "xlsx")
SHAPES = FileKind("geojson", "application/geo+json", "geojson")


class _Turn:
    turns: asyncio.Semaphore | None = None


async def ask(pairs: Sequence[Pair], zone: Sequence[str] = ()) -> uuid.UUID:
    """Ask for a report and return its identifier: a small one is ready, a long one is in the workers' hands.

    Raises:
        InvalidInput: the question is refused.
        Unavailable: too many reports are waiting.
    """
    # The row is committed first: whoever else asks, or works, must see it.
    async with unit_of_work() as session:
        asked = await service.ask(session, pairs, zone)
    if asked.to_do and asked.at_once:
        _Turn.turns = _Turn.turns or asyncio.Semaphore(AT_A_TIME)
        async with _Turn.turns:
            await work.carry_out(asked.uid)
    elif asked.to_do:
        await tasks.send(asked.uid)
    return asked.uid


async def file_answer(request: Request, report: CoverageReport, kind: FileKind, *, inline: bool = False) -> Response:
    """Return a file of a report that is ready, to save or to look at.

    Raises:
        NotFound: the report is not ready, or its files are gone.
    """
    digest = report.files.get(kind.key) if report.state == "ready" else None
    if digest is None:
        raise NotFound("Ce rapport n’est pas prêt : ses fichiers n’existent pas encore.")
    headers = {"ETag": f'"{digest[:32]}"', "Cache-Control": "private, no-cache"}
    content = await content_of(digest)
    if kind is MAP:
        tiles = map_settings().tiles_url
        headers["Content-Security-Policy"] = await asyncio.to_thread(report_policy, content.decode(), tiles)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    name = f"repere-couverture-{slug(report.title)}-{local(report.asked_at):%Y%m%d-%H%M}.{kind.extension}"
    headers["Content-Disposition"] = f'{"inline" if inline else "attachment"}; filename="{name}"'
    return Response(content, media_type=kind.media_type, headers=headers)


async def content_of(digest: str) -> bytes:
    """Return a content that a report names.

    Raises:
        NotFound: it was purged meanwhile.
    """
    try:
        return await asyncio.to_thread(files.read, digest)
    except FileNotFoundError:
        raise NotFound(FILES_GONE) from None
