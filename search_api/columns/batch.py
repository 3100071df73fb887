"""Reading of the projection in bulk: rows of `directory.offer_search` as arrays, the whole table or some sites.

PostgreSQL sends a row at a time, and a million of them cost more in Python than in the database. The statement
therefore packs twenty thousand rows into one: each column is the concatenation of its values in their binary
form, which numpy reads in place.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg

Array = npt.NDArray[Any]

BLOCK = 20_000
"""Rows a statement packs: some 10 MB."""

EXACT, DESCRIBED, SENSITIVE, ACCEPTS = 1, 2, 4, 8
"""Bits of `Batch.flags`."""

_SETS = ("codes", "places", "territory")

_STATEMENT = """
SELECT string_agg(int8send(offer_id), ''::bytea), string_agg(int8send(s.site_id), ''::bytea),
       string_agg(float8send(coalesce(ST_X(position::geometry), 'NaN')), ''::bytea),
       string_agg(float8send(coalesce(ST_Y(position::geometry), 'NaN')), ''::bytea),
       string_agg(int4send(coalesce(commune_id, 0)), ''::bytea),
       string_agg(int4send(exact::int + 2 * described::int + 4 * sensitive::int
                           + 8 * coalesce(accepts_new, false)::int), ''::bytea),
       string_agg(int2send(age_min), ''::bytea), string_agg(int2send(age_max), ''::bytea),
       string_agg(int4send(cardinality(codes)), ''::bytea), string_agg(array_send(codes), ''::bytea),
       string_agg(int4send(cardinality(places)), ''::bytea), string_agg(array_send(places), ''::bytea),
       string_agg(int4send(cardinality(territory)), ''::bytea), string_agg(array_send(territory), ''::bytea),
       string_agg(array_to_string(tsvector_to_array(names), ' '), E'\\n'),
       string_agg(coalesce(open_minutes::text, ''), E'\\n'),
       string_agg(int8send(coalesce(r.practitioner_id, 0)), ''::bytea)
FROM directory.offer_search s LEFT JOIN directory.role r ON r.id = s.role_id
WHERE {rows}
"""
_BETWEEN = "offer_id >= %s AND offer_id < %s"
_OF_SITES = "s.site_id = ANY(%s)"
_BOUNDS = """
SELECT offer_id FROM (SELECT offer_id, row_number() OVER (ORDER BY offer_id) AS n FROM directory.offer_search) numbered
WHERE (n - 1) %% %s = 0 ORDER BY offer_id
"""


@dataclass(frozen=True, slots=True)
class Ragged:
    """A list of values for each row: `lengths[i]` values of row i stand one after the other in `values`."""

    lengths: Array
    values: Array

    @property
    def starts(self) -> Array:
        """Where each row's values begin, and the end of the last one."""
        return np.concatenate(([0], np.cumsum(self.lengths, dtype=np.int64)))

    def take(self, order: Array) -> "Ragged":
        """Return the same lists with the rows in another order."""
        lengths = self.lengths[order]
        return Ragged(lengths, self.values[slices(self.starts[:-1][order], lengths)])


def slices(starts: Array, lengths: Array) -> Array:
    """Return the indices start, start + 1 … of every slice, one slice after the other."""
    total = int(lengths.sum())
    if not total:
        return np.empty(0, np.int64)
    ends = np.cumsum(lengths, dtype=np.int64)
    return np.repeat(starts.astype(np.int64) - (ends - lengths), lengths) + np.arange(total, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of the projection, in no order. `names` and `hours` number their distinct values (`texts`, `patterns`).

    `lon` and `lat` are degrees, NaN without a position; `commune` is 0 without one, `person` without practitioner.
    `hours` is 0 where no hours are known: pattern 0 is empty.
    """

    offer: Array
    site: Array
    person: Array
    lon: Array
    lat: Array
    commune: Array
    flags: Array
    age_min: Array
    age_max: Array
    codes: Ragged
    places: Ragged
    territory: Ragged
    names: Ragged
    texts: list[str]
    hours: Array
    patterns: list[str]

    def __len__(self) -> int:
        return len(self.offer)


def read_all(conn: psycopg.Connection, progress: Callable[[float], None] | None = None) -> Batch:
    """Read the whole projection; the caller's transaction makes it one consistent picture."""
    bounds = [int(row[0]) for row in conn.execute(_BOUNDS, (BLOCK,)).fetchall()]
    edges = [*bounds, (1 << 63) - 1]

    def blocks() -> Iterator[Sequence[Any]]:
        for index, (low, high) in enumerate(zip(bounds, edges[1:], strict=True)):
            yield from _rows(conn, _BETWEEN, (low, high))
            if progress is not None:
                progress((index + 1) / len(bounds))

    return _assemble(blocks())


def read_sites(conn: psycopg.Connection, sites: Sequence[int]) -> Batch:
    """Read every row of some sites."""
    return _assemble(_rows(conn, _OF_SITES, (list(sites),)))


def _rows(conn: psycopg.Connection, condition: str, values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    with conn.cursor(binary=True) as cursor:
        row = cursor.execute(_STATEMENT.format(rows=condition).encode(), values).fetchone()
    if row is not None and row[0] is not None:
        yield row


class _Numbers:
    """Numbers of distinct texts, in the order of their first coming."""

    def __init__(self, *known: str) -> None:
        self.number: dict[str, int] = {text: index for index, text in enumerate(known)}

    def of(self, texts: Iterable[str]) -> list[int]:
        number = self.number
        return [number.setdefault(text, len(number)) for text in texts]


def _assemble(blocks: Iterable[Sequence[Any]]) -> Batch:
    plain: list[list[Array]] = [[] for _ in range(8)]
    lengths: dict[str, list[Array]] = {name: [] for name in _SETS}
    values: dict[str, list[Array]] = {name: [] for name in _SETS}
    name_lengths: list[Array] = []
    name_values: list[Array] = []
    hours: list[Array] = []
    people: list[Array] = []
    words, patterns = _Numbers(), _Numbers("")
    kinds = (">i8", ">i8", ">f8", ">f8", ">i4", ">i4", ">i2", ">i2")
    for row in blocks:
        for index, kind in enumerate(kinds):
            plain[index].append(_native(row[index], kind))
        for index, name in enumerate(_SETS):
            sizes = _native(row[8 + 2 * index], ">i4")
            lengths[name].append(sizes)
            values[name].append(_array_values(row[9 + 2 * index], sizes))
        lines = [line.split(" ") if line else [] for line in row[14].split("\n")]
        name_lengths.append(np.fromiter((len(line) for line in lines), np.int32, len(lines)))
        numbers = words.of(word for line in lines for word in line)
        name_values.append(np.array(numbers, np.int32))
        people.append(_native(row[16], ">i8"))
        hours.append(np.array(patterns.of(row[15].split("\n")), np.int32))
    kept = [np.concatenate(parts) if parts else np.empty(0, kinds[i][1:]) for i, parts in enumerate(plain)]
    sets = {name: Ragged(_joined(lengths[name]), _joined(values[name])) for name in _SETS}
    return Batch(
        offer=kept[0],
        site=kept[1],
        person=np.concatenate(people) if people else np.empty(0, np.int64),
        lon=kept[2],
        lat=kept[3],
        commune=kept[4],
        flags=kept[5],
        age_min=kept[6],
        age_max=kept[7],
        codes=sets["codes"],
        places=sets["places"],
        territory=sets["territory"],
        names=Ragged(_joined(name_lengths), _joined(name_values)),
        texts=list(words.number),
        hours=_joined(hours),
        patterns=list(patterns.number),
    )


def _native(data: bytes, kind: str) -> Array:
    return np.frombuffer(data, kind).astype(kind[1:])


def _joined(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.empty(0, np.int32)


def _array_values(data: bytes, sizes: Array) -> Array:
    """Return the values of integer arrays in PostgreSQL's binary form, one array after the other.

    An array is a header of five words (three when it is empty), then two words a value: its size and itself.
    """
    words = np.frombuffer(data, ">i4")
    spans = np.where(sizes == 0, 3, 5 + 2 * sizes.astype(np.int64))
    starts = np.concatenate(([0], np.cumsum(spans)))[:-1]
    firsts = slices(np.zeros_like(starts), sizes)
    return np.asarray(words[np.repeat(starts + 6, sizes) + 2 * firsts], np.int32)
