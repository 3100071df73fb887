"""Candidate pairs: several passes, so that a line is found even when one of its fields has changed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.linkage import normalise
from ingest.linkage.encoding import EMPTY, Encoded, Ints, Longs

Index = npt.NDArray[np.intp]


_END = 3
"""Letters of a surname's beginning or end; a slip of the pen leaves one of them whole."""


@dataclass(slots=True)
class Pass:
    """One blocking key on both sides: for each line row, a slice of `activity_rows` (sorted by key)."""

    name: str
    line_rows: Ints
    first: Ints
    count: Ints
    activity_rows: Ints

    def pairs(self, start: int, stop: int) -> tuple[Longs, Longs]:
        """Pairs (line, activity) of the lines start ≤ row < stop."""
        low, high = np.searchsorted(self.line_rows, (start, stop))
        rows, count = self.line_rows[low:high], self.count[low:high]
        chosen = np.repeat(self.first[low:high], count) + _offsets(count)
        return np.repeat(rows, count).astype(np.int64), self.activity_rows[chosen].astype(np.int64)


def _offsets(count: npt.NDArray[np.integer]) -> Index:
    """0, 1 … n-1 for each n of `count`, one after the other."""
    ends = np.cumsum(count, dtype=np.intp)
    total = int(ends[-1]) if len(ends) else 0
    offsets: Index = np.arange(total) - np.repeat(ends - count, count)
    return offsets


def _key(*parts: npt.NDArray[np.integer]) -> Longs:
    """One key out of several codes: a 64-bit mix, so that a chance collision only adds a pair to compare."""
    key = np.zeros(len(parts[0]), dtype=np.uint64)
    for part in parts:
        key = (key ^ part.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key.view(np.int64)


def _ragged(lists: list[list[int]], codes: Ints) -> tuple[Index, Longs]:
    """For each row its list of values: (row repeated, value)."""
    counts = np.array([len(p) for p in lists], dtype=np.intp)
    starts = np.cumsum(counts) - counts
    flat = np.array([w for p in lists for w in p], dtype=np.int64)
    count = counts[codes]
    return np.repeat(np.arange(len(codes)), count), flat[np.repeat(starts[codes], count) + _offsets(count)]


@dataclass(slots=True)
class _Rows:
    """Rows of a side that take part in a pass, with the profession (and postcode) they are taken with."""

    row: Index
    profession: Ints
    postcode: Ints


class _Names:
    """Codes derived from the name dictionaries."""

    def __init__(self, data: Encoded) -> None:
        words: dict[str, int] = {"": EMPTY}
        self.words = [[words.setdefault(w, len(words)) for w in _block_words(n)] or [EMPTY] for n in data.surnames]
        self.sound = _coded([normalise.phonetic(n.glued) for n in data.surnames])
        self.initial = _coded([n.glued[:1] for n in data.surnames])
        self.ends = [_coded([n.glued[:_END] for n in data.surnames]), _coded([n.glued[-_END:] for n in data.surnames])]
        self.head = _coded([n.words[0] if n.words else "" for n in data.firsts])
        self._data = data
        self._whole: dict[tuple[str, ...], int] = {}

    def whole(self, surname: Ints, first: Ints) -> Longs:
        """Code of all the words of surname and first name together, whatever their order."""
        width = len(self._data.firsts)
        values, inverse = np.unique(surname.astype(np.int64) * width + first, return_inverse=True)
        codes = np.empty(len(values), dtype=np.int64)
        for at, value in enumerate(values.tolist()):
            words = (*self._data.surnames[value // width].words, *self._data.firsts[value % width].words)
            codes[at] = self._whole.setdefault(tuple(sorted(words)), len(self._whole))
        return codes[inverse]


def _block_words(surname: normalise.Name) -> list[str]:
    """Words that find a surname: the significant ones, and all glued (LE MENER is also LEMENER)."""
    words = [w for w in surname.words if len(w) > 1]
    return list(dict.fromkeys([*words, surname.glued])) if surname.glued else words


def _coded(texts: list[str]) -> Longs:
    codes: dict[str, int] = {"": EMPTY}
    return np.array([codes.setdefault(t, len(codes)) for t in texts], dtype=np.int64)


def passes(data: Encoded) -> Iterator[Pass]:
    """Yield the passes: each finds true pairs that the others miss.

    phone · phone + first name · surname word + first name (whole country) · surname word + postcode · sound of
    the surname + postcode · first name + initial of the surname + postcode · first name + beginning or end of the
    surname + département · first name + address · surname word + address · all words.
    """
    a, b = data.lines, data.activities
    names = _Names(data)
    at = _line_rows(data)
    located = np.flatnonzero(b.located)
    on = _Rows(located, b.profession[located], b.postcode[located])
    placed = _with_second_postcode(data, on)
    a_head, b_head = names.head[a.first], names.head[b.first]

    called = _where(at, a.phone[at.row] != 0)
    callable_ = [_where(on, column[on.row] != 0) for column in (b.phone, b.phone2)]
    phones = [column[r.row] for column, r in zip((b.phone, b.phone2), callable_, strict=True)]
    row = np.concatenate([r.row for r in callable_])
    profession, phone = np.concatenate([r.profession for r in callable_]), np.concatenate(phones)
    called_phone = a.phone[called.row]
    yield _pass("phone", 40, _key(called_phone, called.profession), called.row, _key(phone, profession), row)
    yield _pass(
        "phone + first name",
        400,
        _key(called_phone, called.profession, a_head[called.row]),
        called.row,
        _key(phone, profession, b_head[row]),
        row,
    )

    i, a_word = _ragged(names.words, a.surname[at.row])
    j, b_word = _ragged(names.words, b.surname[on.row])
    yield _pass(
        "surname + first name",
        600,
        _key(a_word, at.profession[i], a_head[at.row[i]]),
        at.row[i],
        _key(b_word, on.profession[j], b_head[on.row[j]]),
        on.row[j],
    )
    j, b_word = _ragged(names.words, b.surname[placed.row])
    yield _pass(
        "surname + postcode",
        200,
        _key(a_word, at.profession[i], at.postcode[i]),
        at.row[i],
        _key(b_word, placed.profession[j], placed.postcode[j]),
        placed.row[j],
    )
    yield _pass(
        "sound + postcode",
        200,
        _key(names.sound[a.surname[at.row]], at.profession, at.postcode),
        at.row,
        _key(names.sound[b.surname[placed.row]], placed.profession, placed.postcode),
        placed.row,
    )
    a_initial, b_initial = names.initial[a.surname], names.initial[b.surname]
    yield _pass(
        "first name + initial + postcode",
        200,
        _key(a_head[at.row], a_initial[at.row], at.profession, at.postcode),
        at.row,
        _key(b_head[placed.row], b_initial[placed.row], placed.profession, placed.postcode),
        placed.row,
    )
    for name, end in zip(("beginning", "end"), names.ends, strict=True):
        yield _pass(
            f"first name + {name} + département",
            60,
            _key(a_head[at.row], end[a.surname[at.row]], at.profession, a.department[at.row]),
            at.row,
            _key(b_head[on.row], end[b.surname[on.row]], on.profession, b.department[on.row]),
            on.row,
        )
    lodged = _where(at, (a.core[at.row] != EMPTY) & (a.first[at.row] != EMPTY))
    housed = _where(on, b.core[on.row] != EMPTY)
    r, s = lodged.row, housed.row
    yield _pass(
        "first name + address",
        200,
        _key(a_head[r], a.core[r], a.number[r], a.department[r], lodged.profession),
        r,
        _key(b_head[s], b.core[s], b.number[s], b.department[s], housed.profession),
        s,
    )
    i, a_word = _ragged(names.words, a.surname[r])
    j, b_word = _ragged(names.words, b.surname[s])
    yield _pass(
        "surname + address",
        200,
        _key(a_word, a.core[r[i]], a.number[r[i]], a.department[r[i]], lodged.profession[i]),
        r[i],
        _key(b_word, b.core[s[j]], b.number[s[j]], b.department[s[j]], housed.profession[j]),
        s[j],
    )
    yield _pass(
        "all words",
        100,
        _key(names.whole(a.surname[at.row], a.first[at.row]), at.profession),
        at.row,
        _key(names.whole(b.surname[on.row], b.first[on.row]), on.profession),
        on.row,
    )


def _pass(name: str, cap: int, a_keys: Longs, a_rows: Index, b_keys: Longs, b_rows: Index) -> Pass:
    """Join both sides on the key; a line whose key has more than `cap` activities is left to other passes."""
    by_key, b_by_key = np.argsort(a_keys), np.argsort(b_keys)
    wanted, held = a_keys[by_key], b_keys[b_by_key]
    first = np.searchsorted(held, wanted, side="left")
    count = np.searchsorted(held, wanted, side="right") - first
    count[count > cap] = 0
    found = np.flatnonzero(count)
    by_row = found[np.argsort(a_rows[by_key[found]])]
    return Pass(
        name,
        a_rows[by_key[by_row]].astype(np.int32),
        first[by_row].astype(np.int32),
        count[by_row].astype(np.int32),
        b_rows[b_by_key].astype(np.int32),
    )


def _where(rows: _Rows, mask: npt.NDArray[np.bool_]) -> _Rows:
    return _Rows(rows.row[mask], rows.profession[mask], rows.postcode[mask])


def _with_second_postcode(data: Encoded, rows: _Rows) -> _Rows:
    """Add the rows whose geographic postcode differs from the written (CEDEX) one."""
    second = data.activities.postcode2[rows.row]
    extra = _where(rows, (second != 0) & (second != rows.postcode))
    return _Rows(
        np.concatenate([rows.row, extra.row]),
        np.concatenate([rows.profession, extra.profession]),
        np.concatenate([rows.postcode, data.activities.postcode2[extra.row]]),
    )


def _line_rows(data: Encoded) -> _Rows:
    """Each line once per RPPS profession its specialty may be; a line of unknown specialty has none."""
    codes = {p: i for i, p in enumerate(data.professions)}
    per_kind = [[codes[p] for p in kind.professions if p in codes] if kind else [] for kind in data.specialties]
    row, profession = _ragged(per_kind, data.lines.specialty)
    return _Rows(row, profession.astype(np.int32), data.lines.postcode[row])
