"""Identifiers of the registers: of their exact form, in ranges that no real person or firm has."""

from ingest.sample.draw import Draw, Ints

# One to one shuffles of ten million and a million numbers, so that identifiers do not follow the file's order.
_RPPS_STEP, _SIREN_STEP = 7_654_321, 654_321

PHONE_RANGES = {"idf": "019900", "nw": "026191", "ne": "035301", "se": "046571", "sw": "053649"}
MOBILE_RANGE = "063998"
_ZONES = {
    "idf": "75 77 78 91 92 93 94 95",
    "nw": "14 18 22 27 28 29 35 36 37 41 44 45 49 50 53 56 61 72 76 79 85 974 976",
    "ne": "02 08 10 21 25 39 51 52 54 55 57 58 59 60 62 67 68 70 71 80 88 89 90",
    "se": "01 03 04 05 06 07 11 13 15 26 30 34 38 42 43 48 63 66 69 73 74 83 84 2A 2B",
}
_ZONE_OF = {code: zone for zone, codes in _ZONES.items() for code in codes.split()}
FINESS_DEPARTEMENTS = {
    "971": "9A",
    "972": "9B",
    "973": "9C",
    "974": "9D",
    "975": "9E",
    "976": "9F",
    "977": "9A",
    "978": "9A",
    "986": "9J",
}
_FINESS_PREFIX = {
    "971": "9701",
    "972": "9702",
    "973": "9703",
    "974": "9704",
    "975": "9705",
    "976": "9805",
    "977": "9707",
    "978": "9708",
    "986": "9806",
}


def luhn_key(digits: str) -> int:
    """Return the check digit that completes `digits` (formula of Luhn)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        if position % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return -total % 10


def rpps_number(rank: int) -> str:
    """Return the RPPS identifier of the person of this rank (11 digits, beginning with 109)."""
    digits = f"109{(rank * _RPPS_STEP + 1_234_567) % 10_000_000:07d}"
    return f"{digits}{luhn_key(digits)}"


def adeli_number(departement: str, profession: str, rank: int) -> str:
    """Return an ADELI identifier (9 characters: département, profession, rank)."""
    return f"{departement[:2]}{profession}{90_000 + rank % 10_000:05d}"


def siren_number(rank: int) -> str:
    """Return a SIREN of the right form that begins with 00, as no firm's does."""
    digits = f"00{(rank * _SIREN_STEP + 123_456) % 1_000_000:06d}"
    return f"{digits}{luhn_key(digits)}"


def siret_number(rank: int) -> str:
    """Return a SIRET of the right form; a million firms, then their further establishments."""
    digits = f"{siren_number(rank % 1_000_000)}{1 + rank // 1_000_000:04d}"
    return f"{digits}{luhn_key(digits)}"


def finess_number(departement: str, rank: int) -> str:
    """Return a FINESS number of a département, in the part of the numbers that is not given out."""
    prefix = _FINESS_PREFIX.get(departement)
    digits = f"{prefix}{9_999 - rank:04d}" if prefix else f"{departement}9{rank:05d}"
    return f"{digits}{luhn_key(digits.replace('A', '0').replace('B', '0'))}"


def finess_departement(departement: str) -> str:
    """Return the département as FINESS writes it (2 characters: 9A for 971)."""
    return FINESS_DEPARTEMENTS.get(departement, departement)


def phones(departement: str, rank: Ints, draw: Draw, mobile_share: float) -> list[str]:
    """Return one number per rank from the ranges kept for fiction; ranks that are near never share one."""
    zone = PHONE_RANGES[_ZONE_OF.get(departement, "sw")]
    mobile = draw.chance(len(rank), mobile_share)
    return [
        f"{MOBILE_RANGE if is_mobile else zone}{number:04d}"
        for is_mobile, number in zip(mobile.tolist(), (rank * 7_919 % 10_000).tolist(), strict=True)
    ]


def spaced(phone: str) -> str:
    """Write a number as "01 99 00 12 34"."""
    return " ".join(phone[i : i + 2] for i in range(0, len(phone), 2))
