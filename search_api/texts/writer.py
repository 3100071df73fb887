"""The only writer of the index of texts: a build from scratch beside the one in use, then small corrections."""

import shutil
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import tantivy

from core.errors import Conflict
from search_api.texts import folder as files
from search_api.texts import source
from search_api.texts.schema import (
    KEY,
    KINDS,
    RANK,
    STATE,
    WORD,
    WORDS,
    entity_document,
    entity_key,
    from_rank,
    schema,
    shown,
    state_document,
    tokens,
    word_document,
)

BUILD_HEAP = 150_000_000
UPDATE_HEAP = 20_000_000
_AT_ONCE = 1_000
"""Keys asked in one query."""


@dataclass(frozen=True, slots=True)
class TextReport:
    """What a build wrote. `position` is the last event that it takes into account."""

    people: int
    sites: int
    words: int
    position: int
    seconds: float


class TextWriter:
    """Writes the index of texts of a folder; the kernel keeps it alone. Used by one thread."""

    def __init__(self, folder: Path) -> None:
        """Take the right to write.

        Raises:
            Conflict: another writer has it.
        """
        self._folder = folder
        self._lock = files.WriterLock(folder)
        self._index: tantivy.Index | None = None
        self._writer: tantivy.IndexWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the index to others; what was not committed is lost."""
        self._leave()
        self._lock.free()

    def rebuild(self, conn: psycopg.Connection, position: int) -> TextReport:
        """Build the index again from the directory, then put it in the place of the former one.

        Readers keep the former one until then, and for good when this fails.

        Args:
            conn: a direct connection; its transaction, if there is one, is read only here.
            position: the last event committed before the reading begins.
        """
        begun = time.monotonic()
        self._leave()
        files.clean(self._folder, {files.current(self._folder)})
        version = files.new_version(self._folder)
        try:
            index = tantivy.Index(schema(), path=str(version))
            # One thread: more of them would write more pieces, and the reading is what takes time.
            writer = index.writer(BUILD_HEAP, 1)
            numbers = dict.fromkeys(KINDS, 0)
            words = 0
            with conn.transaction():
                source.prepare(conn)
                for kind in KINDS:
                    for one in source.entities(conn, kind):
                        writer.add_document(entity_document(one))
                        numbers[kind] += 1
                for word, offers in source.words(conn):
                    writer.add_document(word_document(word, offers))
                    words += 1
            writer.add_document(state_document(position))
            writer.commit()
            writer.wait_merging_threads()
            files.point(self._folder, version)
        except BaseException:
            shutil.rmtree(version, ignore_errors=True)
            raise
        return TextReport(
            people=numbers["practitioner"],
            sites=numbers["site"],
            words=words,
            position=position,
            seconds=round(time.monotonic() - begun, 2),
        )

    def update(self, conn: psycopg.Connection, sites: Collection[int], people: Collection[int], position: int) -> None:
        """Read sites and practitioners again (internal ids) and commit what they have become.

        Both ends of a changed offer belong here: its site, and its practitioner. A word of more than
        `source.FREQUENT` offers keeps its number until the next build.

        Args:
            conn: a connection that sees the changes.
            sites: sites that changed, or whose offers did.
            people: practitioners likewise.
            position: the event up to which the index goes once this is committed.

        Raises:
            Conflict: there is no index yet.
        """
        index, writer = self._opened()
        searcher = index.searcher()
        chosen = {"practitioner": people, "site": sites}
        keys = [entity_key(kind, one) for kind, ids in chosen.items() for one in ids]
        words: set[str] = set()
        try:
            for hit in _addresses(searcher, keys):
                words.update(tokens(str(shown(searcher.doc(hit))[-1])))
            for key in [*keys, STATE]:
                writer.delete_documents_by_term(KEY, key)
            with conn.transaction():
                source.prepare(conn)
                for kind, ids in chosen.items():
                    for one in source.entities(conn, kind, ids) if ids else ():
                        words.update(tokens(one.all_words))
                        writer.add_document(entity_document(one))
                counted = source.recount(conn, words - _frequent(searcher, words))
            for word, offers in counted:
                for field in WORDS:
                    writer.delete_documents_by_term(field, word)
                if offers is not None:
                    writer.add_document(word_document(word, offers))
            writer.add_document(state_document(position))
            writer.commit()
        except BaseException:
            writer.rollback()
            raise
        index.reload()

    def _opened(self) -> tuple[tantivy.Index, tantivy.IndexWriter]:
        if self._index is None or self._writer is None:
            version = files.current(self._folder)
            if version is None:
                raise Conflict("L’index des textes n’existe pas encore : lancez d’abord « ./repere index texts ».")
            self._index = tantivy.Index.open(str(version))
            self._index.config_reader("manual")
            self._writer = self._index.writer(UPDATE_HEAP, 1)
        return self._index, self._writer

    def _leave(self) -> None:
        if self._writer is not None:
            # The lock of tantivy goes with the writer's threads, not with the Python object.
            self._writer.wait_merging_threads()
        self._index = self._writer = None


def _addresses(searcher: tantivy.Searcher, keys: list[str]) -> Iterable[tantivy.DocAddress]:
    for start in range(0, len(keys), _AT_ONCE):
        query = tantivy.Query.term_set_query(schema(), KEY, keys[start : start + _AT_ONCE])
        yield from (address for _, address in searcher.search(query, _AT_ONCE, count=False).hits)


def _frequent(searcher: tantivy.Searcher, words: Collection[str]) -> set[str]:
    found = set()
    listed = sorted(words)
    for start in range(0, len(listed), _AT_ONCE):
        query = tantivy.Query.term_set_query(schema(), WORD, listed[start : start + _AT_ONCE])
        # A rank begins with what is missing to the most offers: read upwards, the most frequent come first.
        hits = searcher.search(query, _AT_ONCE, count=False, order_by_field=RANK, order=tantivy.Order.Asc).hits
        found |= {word for word, offers in (from_rank(rank) for rank, _ in hits) if offers > source.FREQUENT}
    return found
