"""Comparison of candidate pairs: a level per criterion, then bits of evidence (log2 likelihood ratios).

Agreement on a rare value weighs more than on a common one: frequencies are counted on the activities
themselves, smoothed by a background so that a small file does not mistake scarcity for rarity.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from ingest.linkage.encoding import EMPTY, Encoded, Ints, Longs
from ingest.linkage.naming import Levels, NameLevel, close_words, name_levels

Bits = npt.NDArray[np.float32]

BACKGROUND = 20_000
"""Weight of the background frequencies, in activities."""


class PlaceLevel(IntEnum):
    """Agreement of postcode and town."""

    EQUAL = 0
    POSTCODE = 1
    TOWN = 2
    DEPARTMENT = 3
    MISSING = 4
    ELSEWHERE = 5


class StreetLevel(IntEnum):
    """Agreement of the street line."""

    EQUAL = 0
    NO_NUMBER = 1
    OTHER_NUMBER = 2
    MISSING = 3
    DIFFERENT = 4


class Same(IntEnum):
    """Agreement of phone, gender, specialty, company."""

    EQUAL = 0
    MISSING = 1
    DIFFERENT = 2


CRITERIA = ("surname", "first", "gender", "specialty", "place", "street", "phone", "company", "mode")


@dataclass(slots=True)
class Compared:
    """Pairs with the level and the bits of each criterion (in the order of `CRITERIA`) and their sum."""

    line: Longs
    activity: Longs
    levels: Levels
    bits: Bits
    total: Bits

    def take(self, mask: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Compared":
        """Return the chosen pairs only."""
        return Compared(self.line[mask], self.activity[mask], self.levels[mask], self.bits[mask], self.total[mask])

    def level(self, criterion: str) -> Levels:
        """Levels of one criterion."""
        return self.levels[:, CRITERIA.index(criterion)]

    @staticmethod
    def join(parts: list["Compared"]) -> "Compared":
        """Concatenate batches."""
        return Compared(
            np.concatenate([p.line for p in parts]),
            np.concatenate([p.activity for p in parts]),
            np.concatenate([p.levels for p in parts]),
            np.concatenate([p.bits for p in parts]),
            np.concatenate([p.total for p in parts]),
        )


_SURNAME_BITS = {NameLevel.CLOSE: 0.6, NameLevel.PART: 0.85, NameLevel.SWAPPED: 0.9}
_SURNAME_FIXED = {NameLevel.INITIAL: 1.0, NameLevel.HEAD: -3.0, NameLevel.MISSING: -1.0, NameLevel.DIFFERENT: -6.0}
_FIRST_BITS = {NameLevel.CLOSE: 0.5, NameLevel.PART: 0.6, NameLevel.SWAPPED: 0.9}
_FIRST_FIXED = {NameLevel.INITIAL: 2.0, NameLevel.HEAD: 0.5, NameLevel.MISSING: -1.0, NameLevel.DIFFERENT: -16.0}
_MAX_ADDRESS = 17.0
SHARED_PHONE_BITS, OTHER_SHARED_PHONE_BITS, OTHER_PHONE_BITS = 2.5, -1.0, -3.5
STREET_BITS = 8.0
"""Same number and street in another town of the département: a town misspelt, or a CEDEX postcode."""


def _rarity(count: npt.NDArray[np.integer], total: int, low: float, high: float) -> Bits:
    """Bits brought by agreeing on a value seen `count` times in `total` rows."""
    share = (count.astype(np.float32) + 1) / (total + BACKGROUND)
    return np.clip(-np.log2(share), low, high).astype(np.float32)


class Comparer:
    """Compares pairs of rows of the two sides."""

    def __init__(self, data: Encoded) -> None:
        self.data = data
        b = data.activities
        total = len(b)
        self.surname_bits = _rarity(_counts(b.surname, len(data.surnames)), total, 6, 15)
        self.first_bits = _rarity(_counts(b.first, len(data.firsts)), total, 3, 9)
        self.postcode_bits = _Rarity(b.postcode, total, 4, 11)
        self.town_bits = _Rarity(b.town, total, 3, 10)
        self.address_bits = _Rarity(_address(b.postcode, b.core, b.number), total, 8, _MAX_ADDRESS)
        self.phone_bits = _Rarity(np.concatenate([b.phone, b.phone2]), total, 8, 18)
        jobs = np.bincount(b.profession, minlength=len(data.professions))
        self.prior = (-np.log2(jobs + 2000.0)).astype(np.float32)
        self.single_first = np.array([len(n.glued) == 1 for n in data.firsts])
        self._skill_levels, self._skill_bits = _skills(data)

    def compare(self, line: Longs, activity: Longs) -> Compared:
        """Compare the pairs (line[k], activity[k])."""
        a, b, x, y = self.data.lines, self.data.activities, line, activity
        surname_level, first_level = self._names(a.surname[x], a.first[x], b.surname[y], b.first[y])
        surname = _graded(
            surname_level,
            np.minimum(self.surname_bits[a.surname[x]], self.surname_bits[b.surname[y]]),
            _SURNAME_BITS,
            _SURNAME_FIXED,
        )
        first = _graded(
            first_level,
            np.minimum(self.first_bits[a.first[x]], self.first_bits[b.first[y]]),
            _FIRST_BITS,
            _FIRST_FIXED,
        )
        gender_level = _same(a.gender[x], b.gender[y])
        gender = np.choose(gender_level, [0.9, 0.0, -7.0])
        specialty_level = self._skill_levels[a.specialty[x], b.skills[y]]
        specialty = np.where(
            specialty_level == Same.EQUAL,
            self._skill_bits[a.specialty[x]],
            np.choose(specialty_level, [0.0, 0.0, -6.0]),
        )
        place_level, place = self._place(x, y)
        street_level, street = self._street(x, y, place_level, place)
        phone_level, phone = self._phone(x, y, street_level, place_level)
        company_level = _same(a.company[x], b.company[y])
        company = np.where(company_level == Same.EQUAL, 3.0, 0.0)
        mode_level = np.where(b.liberal[y], Same.EQUAL, Same.DIFFERENT)
        mode = np.where(b.liberal[y], 0.0, -7.0)
        levels = np.stack(
            [
                surname_level,
                first_level,
                gender_level,
                specialty_level,
                place_level,
                street_level,
                phone_level,
                company_level,
                mode_level,
            ],
            axis=1,
        ).astype(np.int8)
        bits = np.stack([surname, first, gender, specialty, place, street, phone, company, mode], axis=1).astype(
            np.float32
        )
        return Compared(x, y, levels, bits, bits.sum(axis=1) + self.prior[b.profession[y]])

    def _names(self, sa: Ints, fa: Ints, sb: Ints, fb: Ints) -> tuple[Levels, Levels]:
        surnames, firsts = self.data.surnames, self.data.firsts
        surname = name_levels(sa, sb, [n.glued for n in surnames], [n.words for n in surnames])
        first = name_levels(fa, fb, [n.glued for n in firsts], [n.words for n in firsts], compound=True)
        odd = np.flatnonzero((surname == NameLevel.DIFFERENT) & (first == NameLevel.DIFFERENT))
        for k in odd[self._crossed(sa[odd], fa[odd], sb[odd], fb[odd])]:
            surname[k] = first[k] = NameLevel.SWAPPED
        return surname, first

    def _crossed(self, sa: Ints, fa: Ints, sb: Ints, fb: Ints) -> npt.NDArray[np.bool_]:
        surnames, firsts = self.data.surnames, self.data.firsts
        return np.fromiter(
            (
                surnames[w].glued == firsts[z].glued and firsts[v].glued == surnames[y].glued
                for w, v, y, z in zip(sa.tolist(), fa.tolist(), sb.tolist(), fb.tolist(), strict=True)
            ),
            dtype=np.bool_,
            count=len(sa),
        )

    def _place(self, x: Longs, y: Longs) -> tuple[Levels, Bits]:
        a, b = self.data.lines, self.data.activities
        postcode, town = a.postcode[x], a.town[x]
        same_code = (postcode != 0) & ((postcode == b.postcode[y]) | (postcode == b.postcode2[y]))
        same_town = (town != EMPTY) & ((town == b.town[y]) | (town == b.town2[y]))
        same_department = a.department[x] == b.department[y]
        missing = ((postcode == 0) & (town == EMPTY)) | ((b.postcode[y] == 0) & (b.town[y] == EMPTY))
        doubtful = np.flatnonzero(same_department & ~same_code & ~same_town & ~missing)
        same_town[doubtful] = self._close_texts(self.data.towns, town[doubtful], b.town[y[doubtful]])
        level = np.select(
            [same_code & same_town, same_code, same_town & same_department, missing, same_department],
            [
                PlaceLevel.EQUAL,
                PlaceLevel.POSTCODE,
                PlaceLevel.TOWN,
                PlaceLevel.MISSING,
                PlaceLevel.DEPARTMENT,
            ],
            PlaceLevel.ELSEWHERE,
        ).astype(np.int8)
        bits = np.select(
            [level <= PlaceLevel.POSTCODE, level == PlaceLevel.TOWN],
            [self.postcode_bits.of(postcode), self.town_bits.of(b.town[y]) - 1],
            np.choose(np.maximum(level, 3) - 3, [-2.0, -1.0, -4.0]),
        )
        return level, bits.astype(np.float32)

    def _street(self, x: Longs, y: Longs, place_level: Levels, place: Bits) -> tuple[Levels, Bits]:
        a, b = self.data.lines, self.data.activities
        core_a, core_b = a.core[x], b.core[y]
        number_a, number_b = a.number[x], b.number[y]
        near = place_level <= PlaceLevel.DEPARTMENT
        same_core = (core_a == core_b) & (core_a != EMPTY)
        doubtful = np.flatnonzero(near & ~same_core & (core_a != EMPTY) & (core_b != EMPTY) & (number_a == number_b))
        same_core[doubtful] = self._close_texts(self.data.cores, core_a[doubtful], core_b[doubtful])
        one_way = (a.way[x] == b.way[y]) | (a.way[x] == EMPTY) | (b.way[y] == EMPTY)
        no_number = (number_a == EMPTY) | (number_b == EMPTY)
        level = np.select(
            [
                (core_a == EMPTY) | (core_b == EMPTY),
                same_core & (number_a == number_b) & (number_a != EMPTY) & one_way,
                same_core & no_number & one_way,
                same_core & (one_way | (number_a == number_b)),
            ],
            [StreetLevel.MISSING, StreetLevel.EQUAL, StreetLevel.NO_NUMBER, StreetLevel.OTHER_NUMBER],
            StreetLevel.DIFFERENT,
        ).astype(np.int8)
        here = place_level <= PlaceLevel.TOWN
        address = self.address_bits.of(_address(b.postcode[y], core_b, number_b)) - place
        bits = np.select(
            [
                (level == StreetLevel.EQUAL) & here,
                (level == StreetLevel.NO_NUMBER) & here,
                (level == StreetLevel.OTHER_NUMBER) & here,
                (level == StreetLevel.DIFFERENT) & here,
                (level == StreetLevel.EQUAL) & near,
            ],
            [np.maximum(address, 4.0), 3.0, 0.0, -4.0, STREET_BITS],
            0.0,
        )
        return level, bits.astype(np.float32)

    def _close_texts(self, texts: list[str], left: Ints, right: Ints) -> npt.NDArray[np.bool_]:
        """Pairs of codes whose texts are close, or of which one has all the words of the other."""
        width = len(texts)
        values, inverse = np.unique(left.astype(np.int64) * width + right, return_inverse=True)
        pairs = [(texts[v // width], texts[v % width]) for v in values.tolist()]
        close = close_words([p for p, _ in pairs], [q for _, q in pairs])
        parts = np.array(
            [bool(p) and (set(p.split()) <= set(q.split()) or set(q.split()) <= set(p.split())) for p, q in pairs],
            dtype=np.bool_,
        )
        return (close | parts)[inverse]

    def _phone(self, x: Longs, y: Longs, street_level: Levels, place_level: Levels) -> tuple[Levels, Bits]:
        a, b = self.data.lines, self.data.activities
        own = a.phone[x]
        same = (own != 0) & ((own == b.phone[y]) | (own == b.phone2[y]))
        missing = (own == 0) | ((b.phone[y] == 0) & (b.phone2[y] == 0))
        level = np.select([same, missing], [Same.EQUAL, Same.MISSING], Same.DIFFERENT).astype(np.int8)
        # A practice shares its phones: at the same address they say little about who of the practice it is.
        together = (street_level == StreetLevel.EQUAL) & (place_level <= PlaceLevel.TOWN)
        same_bits = np.where(together, np.float32(SHARED_PHONE_BITS), self.phone_bits.of(own))
        other_bits = np.where(together, np.float32(OTHER_SHARED_PHONE_BITS), np.float32(OTHER_PHONE_BITS))
        bits = np.choose(level, [same_bits, np.float32(0), other_bits])
        return level, bits.astype(np.float32)


class _Rarity:
    """Bits of agreement per value of a sparse column."""

    def __init__(self, column: npt.NDArray[np.integer], total: int, low: float, high: float) -> None:
        self.values, counts = np.unique(column, return_counts=True)
        self.bits = _rarity(counts, total, low, high)
        self.absent = float(_rarity(np.zeros(1, dtype=np.int64), total, low, high)[0])

    def of(self, column: npt.NDArray[np.integer]) -> Bits:
        if not len(self.values):
            return np.full(len(column), self.absent, dtype=np.float32)
        at = np.minimum(np.searchsorted(self.values, column), len(self.values) - 1)
        return np.where(self.values[at] == column, self.bits[at], self.absent).astype(np.float32)


def _address(postcode: Ints, core: Ints, number: Ints) -> Longs:
    return (postcode.astype(np.int64) << 40) ^ (core.astype(np.int64) << 18) ^ number


def _counts(codes: Ints, size: int) -> npt.NDArray[np.intp]:
    return np.bincount(codes, minlength=size)


def _same(left: Ints, right: Ints) -> Levels:
    missing = (left == EMPTY) | (right == EMPTY)
    return np.where(missing, Same.MISSING, np.where(left == right, Same.EQUAL, Same.DIFFERENT)).astype(np.int8)


def _graded(level: Levels, full: Bits, shares: dict[NameLevel, float], fixed: dict[NameLevel, float]) -> Bits:
    factor = np.array([shares.get(n, 1.0 if n == NameLevel.EQUAL else 0.0) for n in NameLevel], dtype=np.float32)
    constant = np.array([fixed.get(n, 0.0) for n in NameLevel], dtype=np.float32)
    return full * factor[level] + constant[level]


def _skills(data: Encoded) -> tuple[Levels, Bits]:
    """Level per (AMELI specialty, set of savoir-faire), bits of agreement per AMELI specialty."""
    levels = np.full((len(data.specialties), len(data.skills)), Same.MISSING, dtype=np.int8)
    bits = np.zeros(len(data.specialties), dtype=np.float32)
    used = np.bincount(data.activities.skills, minlength=len(data.skills))
    doctors = max(1, int(used.sum() - used[0]))
    for i, kind in enumerate(data.specialties):
        if kind is None or not kind.savoir_faire:
            continue
        holders = sum(int(used[j]) for j, held in enumerate(data.skills) if held & kind.savoir_faire)
        bits[i] = np.clip(-np.log2((holders + 1) / (doctors + 1)), 0.5, 5)
        for j, held in enumerate(data.skills):
            if held & kind.savoir_faire:
                levels[i, j] = Same.EQUAL
            elif held:
                levels[i, j] = Same.DIFFERENT
    return levels, bits
