"""Ways out of a search that finds nothing: the same one with something less, offered only where it finds something."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import was_stopped
from core.errors import InvalidInput, Unavailable
from core.ui.filters import counted
from search_api import service
from search_api.addresses import Pair, address, without
from search_api.engine import SearchEngine
from search_api.folding import words
from search_api.lexicon import synonyms
from search_api.params import parse_query

Way = tuple[str, str]
"""What a way does, and its address."""
TRIED: Final = 16
"""Searches that are counted for one empty page."""
OFFERED: Final = 6
LONGEST_TEXT: Final = 6
"""Words of a text of which each is left out in turn."""


def fewer_words(pairs: Sequence[Pair]) -> list[Way]:
    """Return the searches of a text with one of its words less, then of each of its words alone."""
    typed = dict(pairs).get("q", "").split()
    stop = synonyms().stop
    telling = [at for at, word in enumerate(typed) if any(one not in stop for one in words(word))]
    if not 1 < len(telling) <= LONGEST_TEXT:
        return []
    found = []
    for at in telling:
        rest = " ".join(word for other, word in enumerate(typed) if other != at)
        found.append((f"Chercher sans « {typed[at]} »", _with_text(pairs, rest)))
    if len(telling) > 2:
        found += [(f"Chercher seulement « {typed[at]} »", _with_text(pairs, typed[at])) for at in telling]
    return found


def _with_text(pairs: Sequence[Pair], text: str) -> str:
    return address([("q", text), *without(pairs, "q")])


async def finding(session: AsyncSession, ways: Sequence[Way], level: int, engine: SearchEngine) -> list[Way]:
    """Return the first ways that find something, each with the number of sites; a slow count ends the looking."""
    found: list[Way] = []
    for text, href in ways[:TRIED]:
        if any(href == known for _, known in found):
            continue
        try:
            query = parse_query(parse_qsl(urlsplit(href).query, keep_blank_values=True))
            counts = await service.count(session, query, level, engine)
        except InvalidInput:
            continue
        except Unavailable:
            break
        except (DBAPIError, psycopg.Error) as error:
            if not was_stopped(error):
                raise
            await session.rollback()
            break
        if counts.sites:
            found.append((f"{text} ({counted(counts.sites, 'site')})", href))
        if len(found) == OFFERED:
            break
    return found
