"""From rows of the projection to the arrays of a segment, for a whole snapshot and for a handful of sites alike.

Rows are ordered by grid cell, then site, then offer: what is near is stored together, a site's offers follow one
another, and a row of cells is one run of rows.
"""

import hashlib
import re

import numpy as np

from search_api.columns import geo
from search_api.columns.batch import ACCEPTS, DESCRIBED, EXACT, SENSITIVE, Array, Batch, Ragged, slices
from search_api.columns.bitmaps import firsts, packed, stable_order
from search_api.relevance import ACCEPTS_NEW as ACCEPTS_POINTS
from search_api.relevance import DESCRIBED as DESCRIBED_POINTS
from search_api.relevance import EXACT as EXACT_POINTS
from search_api.relevance import HOURS as HOURS_POINTS

LAST_AGE = 255
"""Keys of the `ages` group: the least age, then one more than this and the greatest."""
_RANGE = re.compile(r"\[(\d+),(\d+)\)")
_SEEDS = {
    "codes": 0x9E3779B97F4A7C15,
    "places": 0xC2B2AE3D27D4EB4F,
    "territory": 0x165667B19E3779F9,
    "names": 0x27D4EB2F,
}
_WORD = (1 << 64) - 1


def segment_arrays(batch: Batch) -> dict[str, Array]:
    """Return every array of a segment, by name; `bitmaps/…` groups belong to one `Bitmaps` each."""
    order, cell = _order(batch)
    rows = np.arange(len(batch), dtype=np.int64)
    offer, site, flags = batch.offer[order], batch.site[order], batch.flags[order]
    hours = batch.hours[order]
    starts = firsts(site)
    lat, lon = batch.lat[order][starts], batch.lon[order][starts]
    x, y, z = geo.ecef(lat, lon)
    cell = cell[order]
    cell_starts = firsts(cell)
    own = (
        DESCRIBED_POINTS * ((flags & DESCRIBED) > 0)
        + ACCEPTS_POINTS * ((flags & ACCEPTS) > 0)
        + HOURS_POINTS * _known_hours(batch)[hours]
        + EXACT_POINTS * ((flags & EXACT) > 0)
    )
    arrays = {
        "offer": offer,
        "person": batch.person[order],
        "person_order": stable_order(batch.person[order]).astype(np.int32),
        "offer_order": stable_order(offer).astype(np.int32),
        "site_of": np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(np.append(starts, len(batch)))),
        "hours": hours,
        "own": own.astype(np.uint8),
        "digest": digests(batch)[order],
        "site": site[starts],
        "site_order": stable_order(site[starts]).astype(np.int32),
        "site_start": np.append(starts, len(batch)).astype(np.int32),
        "lat": lat,
        "lon": lon,
        "x": x,
        "y": y,
        "z": z,
        "exact": (flags[starts] & EXACT) > 0,
        "commune": batch.commune[order][starts],
        "cell": cell[cell_starts],
        "cell_start": np.append(cell_starts, len(batch)).astype(np.int64),
    }
    arrays |= _patterns(batch.patterns)
    texts, number = _sorted_texts(batch.texts)
    arrays |= _texts(texts)
    codes = batch.codes.take(order)
    arrays |= _code_sets(codes)
    for name, lists in (
        ("codes", codes),
        ("places", batch.places.take(order)),
        ("territory", batch.territory.take(order)),
    ):
        arrays |= _group(name, lists.values.astype(np.int64), np.repeat(rows, lists.lengths))
    names = batch.names.take(order)
    values = number[names.values] if len(number) else names.values.astype(np.int64)
    arrays |= _group("names", values, np.repeat(rows, names.lengths))
    ages = np.concatenate((batch.age_min[order], LAST_AGE + 1 + batch.age_max[order])).astype(np.int64)
    arrays |= _group("ages", ages, np.concatenate((rows, rows)))
    marks = [("accepts", ACCEPTS), ("sensitive", SENSITIVE)]
    held = [rows[(flags & bit) > 0] for _, bit in marks]
    keys = np.repeat(np.arange(len(marks)), [len(one) for one in held])
    arrays |= _group("flags", keys, np.concatenate(held))
    return arrays


def _order(batch: Batch) -> tuple[Array, Array]:
    """Return the order of the rows, and the cell of each row before it."""
    cell = geo.cells(batch.lat, batch.lon)
    order = stable_order(batch.offer)
    order = order[stable_order(batch.site[order])]
    return order[stable_order(cell[order])], cell


def _group(name: str, keys: Array, rows: Array) -> dict[str, Array]:
    return {f"bitmaps/{name}/{part}": array for part, array in packed(keys, rows).items()}


def _ranges(pattern: str) -> list[tuple[int, int]]:
    return [(int(low), int(high)) for low, high in _RANGE.findall(pattern)]


def _known_hours(batch: Batch) -> Array:
    return np.array([bool(_ranges(pattern)) for pattern in batch.patterns], bool)


def _patterns(patterns: list[str]) -> dict[str, Array]:
    ranges = [_ranges(pattern) for pattern in patterns]
    flat = np.array([pair for each in ranges for pair in each], np.int32).reshape(-1, 2)
    owner = np.repeat(np.arange(len(patterns), dtype=np.int32), [len(each) for each in ranges])
    return {"hours_of": owner, "hours_low": flat[:, 0].copy(), "hours_high": flat[:, 1].copy()}


def _sorted_texts(texts: list[str]) -> tuple[list[bytes], Array]:
    """Return the texts in the order of their bytes, and the new number of each."""
    encoded = [text.encode() for text in texts]
    order = sorted(range(len(encoded)), key=encoded.__getitem__)
    number = np.empty(len(encoded), np.int64)
    number[order] = np.arange(len(encoded))
    return [encoded[index] for index in order], number


def _texts(encoded: list[bytes]) -> dict[str, Array]:
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64) if encoded else np.empty(0, np.int64)
    return {
        "text_start": np.concatenate(([0], ends)).astype(np.int64),
        "text_bytes": np.frombuffer(b"".join(encoded), np.uint8),
    }


def _code_sets(codes: Ragged) -> dict[str, Array]:
    """Number the distinct sets of codes: most offers of a profession share theirs, and facets count sets.

    Two sets are one when two independent 64-bit sums of their mixed codes agree. They are numbered as the rows first
    hold them: rows of a neighbourhood find theirs side by side in memory.
    """
    one, two = _sums(codes, _SEEDS["codes"]), _sums(codes, _SEEDS["places"])
    order = np.lexsort((two, one))
    first = np.ones(len(order), bool)
    first[1:] = (one[order[1:]] != one[order[:-1]]) | (two[order[1:]] != two[order[:-1]])
    # The sort is stable: what stands first of a set is the first row that holds it.
    chosen = order[first]
    place = np.argsort(chosen)
    number = np.empty(len(chosen), np.int32)
    number[place] = np.arange(len(chosen), dtype=np.int32)
    numbers = np.empty(len(order), np.int32)
    numbers[order] = number[np.cumsum(first) - 1]
    chosen = chosen[place]
    lengths = codes.lengths[chosen]
    values = codes.values[slices(codes.starts[:-1][chosen], lengths)]
    return {
        "code_set": numbers,
        "set_start": np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))),
        "set_code": values.astype(np.int32),
    }


def _mixed(values: Array, seed: int) -> Array:
    """Return 64 well-mixed bits for each integer (the finaliser of splitmix64)."""
    bits = values.astype(np.int64).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed & _WORD)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _sums(lists: Ragged, seed: int) -> Array:
    """Return, for each row, the sum of its mixed values, whatever their order."""
    total = np.concatenate(([np.uint64(0)], np.cumsum(_mixed(lists.values, seed), dtype=np.uint64)))
    starts = lists.starts
    return total[starts[1:]] - total[starts[:-1]]


def _text_bits(texts: list[str]) -> Array:
    digests = [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") for text in texts]
    return np.array(digests, np.uint64).view(np.int64)


def digests(batch: Batch) -> Array:
    """Return 64 bits that stand for everything in a row: `index verify` compares them with the database's."""
    hours, texts = _text_bits(batch.patterns), _text_bits(batch.texts)
    found = np.zeros(len(batch), np.uint64)
    plain = (
        batch.offer,
        batch.site,
        batch.person,
        batch.lon.view(np.int64),
        batch.lat.view(np.int64),
        batch.commune,
        batch.flags,
        batch.age_min,
        batch.age_max,
        hours[batch.hours],
    )
    for seed, column in enumerate(plain, 1):
        found += _mixed(column, seed)
    for name, lists in (("codes", batch.codes), ("places", batch.places), ("territory", batch.territory)):
        found += _sums(lists, _SEEDS[name])
    values = texts[batch.names.values] if len(texts) else batch.names.values
    return found + _sums(Ragged(batch.names.lengths, values), _SEEDS["names"])
