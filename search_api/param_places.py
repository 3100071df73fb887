"""Places among request parameters: references, groups of them, coordinates, and how they are written back."""

import re

from search_api.labels import BOUNDARY_KINDS, CENTRE_KINDS
from search_api.schemas import BBox, WhereRef

MAX_WHERE = 20
_PLACE_CODES = {
    "commune": re.compile(r"\d{5}|2[AB]\d{3}"),
    "arrondissement": re.compile(r"\d{5}"),
    "commune_deleguee": re.compile(r"\d{5}|2[AB]\d{3}"),
    "cp": re.compile(r"\d{5}"),
    "epci": re.compile(r"\d{9}"),
    "departement": re.compile(r"\d{2,3}|2[AB]"),
    "region": re.compile(r"\d{2}"),
    "territory": re.compile(r"[A-Za-z0-9._-]{1,60}"),
}


def place_ref(value: str) -> WhereRef:
    """Read `kind:code` (`commune:78361`, `departement:2A`, `france`).

    Raises:
        ValueError: unknown kind, or a code of the wrong form (French message).
    """
    text = value.strip()
    if text.casefold() == "france":
        return WhereRef(kind="france", code="france")
    kind, colon, code = text.partition(":")
    kind, code = kind.strip().casefold(), code.strip()
    if not colon or (kind != "france" and kind not in _PLACE_CODES):
        known = ", ".join([*CENTRE_KINDS, *BOUNDARY_KINDS])
        raise ValueError(
            f"Ce lieu n’est pas compris : écrivez une sorte et un code, par exemple commune:78361 (sortes : {known})."
        )
    if kind == "france":
        return WhereRef(kind="france", code="france")
    if kind != "territory":
        code = code.upper()
    if not _PLACE_CODES[kind].fullmatch(code):
        raise ValueError(f"Ce code n’a pas la forme attendue pour « {kind} ».")
    return WhereRef(kind=kind, code=code)


def place_group(value: str) -> tuple[WhereRef, ...]:
    """Read places separated by commas, any of which will do (`departement:78,departement:95`).

    Raises:
        ValueError: none, too many, or one that is not understood (French message).
    """
    parts = [part for part in value.split(",") if part.strip()]
    if not 1 <= len(parts) <= MAX_WHERE:
        raise ValueError(f"Un à {MAX_WHERE} lieux sont attendus, séparés par des virgules.")
    return tuple(dict.fromkeys(place_ref(part) for part in parts))


def number(value: str) -> float:
    """Read a number, with a point or a comma.

    Raises:
        ValueError: it is none (French message).
    """
    text = value.strip().replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,9}(\.\d{0,20})?", text):
        raise ValueError("Un nombre est attendu.")
    return float(text)


def latitude(value: str) -> float:
    """Read a latitude in degrees.

    Raises:
        ValueError: not a number, or out of range (French message).
    """
    degrees = number(value)
    if not -90 <= degrees <= 90:
        raise ValueError("La latitude va de -90 à 90 degrés.")
    return degrees


def longitude(value: str) -> float:
    """Read a longitude in degrees.

    Raises:
        ValueError: not a number, or out of range (French message).
    """
    degrees = number(value)
    if not -180 <= degrees <= 180:
        raise ValueError("La longitude va de -180 à 180 degrés.")
    return degrees


def visited(value: str) -> str:
    """Read the INSEE code of a commune that is visited at home.

    Raises:
        ValueError: it has not the form of one (French message).
    """
    code = value.strip().upper().removeprefix("COMMUNE:")
    if not _PLACE_CODES["commune"].fullmatch(code):
        raise ValueError("Un code INSEE de commune est attendu, par exemple 78361.")
    return code


def bounding_box(value: str) -> BBox:
    """Read `west,south,east,north` in degrees.

    Raises:
        ValueError: not four numbers, out of range, or in the wrong order (French message).
    """
    parts = value.split(",")
    if len(parts) != 4:
        raise ValueError("Quatre nombres sont attendus : ouest,sud,est,nord.")
    west, east = longitude(parts[0]), longitude(parts[2])
    south, north = latitude(parts[1]), latitude(parts[3])
    if west >= east or south >= north:
        raise ValueError("L’ouest doit précéder l’est, et le sud le nord.")
    return BBox(west=west, south=south, east=east, north=north)


def ref_text(ref: WhereRef) -> str:
    """Return a place as parameters write it: `commune:78361`, `france`."""
    return "france" if ref.kind == "france" else f"{ref.kind}:{ref.code}"
