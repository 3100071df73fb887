"""Where the words of names are looked up: the index of texts when this process has one, else PostgreSQL.

Both give the same answers; PostgreSQL is the degraded mode, and what a new instance has until its first build.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from rapidfuzz.distance import OSA
from sqlalchemy import func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import OfferSearch, searchable
from search_api.engine import NameHit
from search_api.lexicon import SHORTEST_TYPO
from search_api.models import Token
from search_api.name_cards import NameCard, read_cards
from search_api.predicates import has_names
from search_api.texts.reader import TextReader

MENDED_NAMES = 6


class Words(Protocol):
    """What the reading of a text and the suggestions ask about names."""

    fresh: bool
    """Whether an answer costs so little that a suggestion should cost no SQL beside it."""

    async def known(self, session: AsyncSession, said: Sequence[str], level: int) -> frozenset[str]:
        """Return which words are words of names that a person of this level may find."""
        ...

    async def mended(self, session: AsyncSession, word: str) -> list[str]:
        """Return the words of names at one typing error of a word, the most frequent first."""
        ...

    async def beginning(self, session: AsyncSession, prefix: str, limit: int) -> list[str]:
        """Return the words of names that begin so: the one that is whole, then the most frequent first."""
        ...

    async def cards(self, session: AsyncSession, hits: Collection[NameHit], level: int) -> list[NameCard]:
        """Return what is shown of practitioners and sites, in no order."""
        ...


def mendable(word: str) -> bool:
    """Tell whether one letter may be wrong in a word: a short one would mean anything, a number only itself."""
    return len(word) >= SHORTEST_TYPO and not word.isdigit()


class SqlWords:
    """Words by the table `search_api.token` and by the directory itself."""

    fresh = False

    async def known(self, session: AsyncSession, said: Sequence[str], level: int) -> frozenset[str]:
        """Ask the table of words, then the directory for those that it has not: a new name is found at once."""
        if not said:
            return frozenset()
        known = set(await session.scalars(select(Token.token).where(Token.token.in_(sorted(set(said))))))
        for word in sorted(set(said) - known):
            exists = select(literal(1)).select_from(OfferSearch).where(searchable(level), has_names([[word]])).limit(1)
            if await session.scalar(exists):
                known.add(word)
        return frozenset(known)

    async def mended(self, session: AsyncSession, word: str) -> list[str]:
        """Compare the words that share trigrams."""
        if not mendable(word):
            return []
        # Three letters of four kept share few trigrams: the threshold is low, the distance decides.
        await session.execute(text("SELECT set_config('pg_trgm.similarity_threshold', '0.2', false)"))
        rows = await session.execute(
            select(Token.token)
            .where(
                Token.token.op("%", is_comparison=True)(word),
                func.length(Token.token).between(len(word) - 1, len(word) + 1),
            )
            .order_by(Token.offers.desc(), Token.token)
            .limit(400)
        )
        near = [token for (token,) in rows if OSA.distance(word, token, score_cutoff=1) <= 1]
        return near[:MENDED_NAMES]

    async def beginning(self, session: AsyncSession, prefix: str, limit: int) -> list[str]:
        """Ask the table of words."""
        like = select(Token.token).where(Token.token.startswith(prefix, autoescape=True))
        rows = await session.scalars(
            like.order_by((Token.token == prefix).desc(), Token.offers.desc(), Token.token).limit(limit)
        )
        return list(rows)

    async def cards(self, session: AsyncSession, hits: Collection[NameHit], level: int) -> list[NameCard]:
        """Read the directory."""
        return await read_cards(session, hits, level)


class TextWords:
    """Words by the index of texts: no statement, so the session opens no connection."""

    fresh = True

    def __init__(self, reader: TextReader) -> None:
        self._reader = reader

    async def known(self, session: AsyncSession, said: Sequence[str], level: int) -> frozenset[str]:
        """Ask the index."""
        return self._reader.known(said, level)

    async def mended(self, session: AsyncSession, word: str) -> list[str]:
        """Ask the index."""
        return self._reader.mended(word)[:MENDED_NAMES] if mendable(word) else []

    async def beginning(self, session: AsyncSession, prefix: str, limit: int) -> list[str]:
        """Ask the index."""
        return self._reader.beginning(prefix, limit)

    async def cards(self, session: AsyncSession, hits: Collection[NameHit], level: int) -> list[NameCard]:
        """Ask the index."""
        return self._reader.cards(hits, level)


class _Holder:
    reader: TextReader | None = None
    trusted: Callable[[], bool] | None = None


_SQL = SqlWords()


def use(reader: TextReader | None, trusted: Callable[[], bool] | None = None) -> None:
    """Choose what this process reads words from; None for PostgreSQL. `trusted` tells whether it may be used now."""
    _Holder.reader, _Holder.trusted = reader, trusted


def reader() -> TextReader | None:
    """Return the index of texts when there is one to read."""
    found = _Holder.reader
    if found is None or not found.ready or (_Holder.trusted is not None and not _Holder.trusted()):
        return None
    return found


def words_source() -> Words:
    """Return the index of texts when there is one to read, else PostgreSQL."""
    found = reader()
    return TextWords(found) if found is not None else _SQL
