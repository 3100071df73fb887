"""FINESS as Etalab publishes it: establishments with their positions, and legal entities, without header."""

import csv
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from pyproj import Transformer

from ingest.sample.batch import Batch, address_of
from ingest.sample.categories import CATEGORIES
from ingest.sample.draw import Draw, Floats
from ingest.sample.identifiers import finess_departement, luhn_key, siren_number
from ingest.sample.output import Output
from ingest.sample.sites import CENTROID, NOWHERE, STREET
from ingest.sample.text import long_town, plain, register_town


class Projection(NamedTuple):
    """The projection of a territory and how FINESS writes it."""

    epsg: int
    label: str


METROPOLE = Projection(2154, "EPSG:2154 RGF93 / Lambert-93 (Métropole)")
_ANTILLES = Projection(5490, "EPSG:5490 RGAF09/UTM Zone 20N (Antilles)")
PROJECTIONS = {
    "971": _ANTILLES,
    "972": _ANTILLES,
    "977": _ANTILLES,
    "978": _ANTILLES,
    "973": Projection(2972, "EPSG:2972 RGFG95/UTM Zone 22N (Guyane)"),
    "974": Projection(2975, "EPSG:2975 RGR92/UTM Zone 40S (La Réunion)"),
    "976": Projection(4471, "EPSG:4471 RGM04/UTM Zone 38S (Mayotte)"),
    "975": Projection(32621, "WGS84/UTM zone 21N (Saint-Pierre-et-Miquelon)"),
}
# FINESS has never followed the codes that Saint-Barthélemy and Saint-Martin took in 2007.
_FORMER_COMMUNES = {"97701": "123", "97801": "127"}
_WHOLE_TOWNS = {"751": "056", "693": "123", "132": "055"}
_PUBLIC = {"13", "21", "01", "02"}


class SitePlace(NamedTuple):
    """Where a site is, as FINESS writes it; `precision` is 1 number, 2 street, 4 commune, 0 none."""

    precision: int
    score: int
    lon: float
    lat: float
    x: float
    y: float


class FinessWriter:
    """Writes the batches into `etalab-cs1100507` (sites, then positions) and `etalab-cs1100501` (entities)."""

    def __init__(self, output: Output, stamp: str) -> None:
        day = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:]}"
        self._sites: Any = csv.writer(
            output.text(f"etalab-cs1100507-stock-{stamp}-0341.csv"), delimiter=";", lineterminator="\n"
        )
        self._entities: Any = csv.writer(
            output.text(f"etalab-cs1100501-stock-{stamp}-0344.csv"), delimiter=";", lineterminator="\n"
        )
        for writer, number in ((self._sites, "111"), (self._entities, "101")):
            writer.writerow(("finess", "etalab", number, day))
        self._positions: list[tuple[str, ...]] = []
        self.counts = {
            "finess_sites": 0, "finess_entities": 0, "finess_located": 0, "finess_centroids": 0, "finess_closed": 0,
        }  # fmt: skip

    def write(self, batch: Batch, places: list[SitePlace]) -> None:
        """Write the sites and entities of a département."""
        sites, entities = batch.sites, batch.entities
        dirt = Draw(batch.seed, "finess", batch.departement)
        rows = _Rows(batch, dirt)
        projection = PROJECTIONS.get(batch.departement, METROPOLE)
        for i in range(len(sites.number)):
            if sites.closed[i]:
                # The Etalab files hold what is open; closed sites stay in the JSON only.
                self.counts["finess_closed"] += 1
                continue
            self._sites.writerow(rows.site(i))
            self.counts["finess_sites"] += 1
            place = places[i]
            if place.precision:
                source = f"{place.precision},ATLASANTE,{place.score},BAN,{projection.label}"
                self._positions.append(
                    ("geolocalisation", sites.number[i], f"{place.x:.1f}", f"{place.y:.1f}", source, "2026-05-04")
                )
                self.counts["finess_located"] += 1
                self.counts["finess_centroids"] += place.precision == 4
        for i in range(len(entities.number)):
            self._entities.writerow(rows.entity(i))
        self.counts["finess_entities"] += len(entities.number)

    def finish(self) -> None:
        """Write the positions, which follow the sites in the same file."""
        self._sites.writerows(self._positions)
        self._positions.clear()


def site_places(batch: Batch) -> list[SitePlace]:
    """Return the position of each site: at its number, anywhere in its street, at the town's point, or none."""
    sites, towns = batch.sites, batch.towns
    lon, lat = batch.streets.position(sites.street, sites.house, sites.repeated)
    middle = np.full(len(lon), 40)
    street_lon, street_lat = batch.streets.position(sites.street, middle, np.zeros(len(lon), dtype=bool))
    lon = np.where(sites.located == STREET, street_lon, lon)
    lat = np.where(sites.located == STREET, street_lat, lat)
    lon = np.where(sites.located == CENTROID, towns.lon[sites.town], lon)
    lat = np.where(sites.located == CENTROID, towns.lat[sites.town], lat)
    projection = PROJECTIONS.get(batch.departement, METROPOLE)
    x, y = project(lon, lat, projection.epsg)
    # No BAN file of the Pacific exists: FINESS has no position there.
    nowhere = (sites.located == NOWHERE) | (batch.departement == "986")
    precision = np.select([nowhere, sites.located == STREET, sites.located == CENTROID], [0, 2, 4], 1)
    score = np.select([precision == 1, precision == 2], [96, 71], 53)
    columns = (precision.tolist(), score.tolist(), lon.tolist(), lat.tolist(), x.tolist(), y.tolist())
    return [SitePlace(*values) for values in zip(*columns, strict=True)]


def project(lon: Floats, lat: Floats, epsg: int) -> tuple[Floats, Floats]:
    """Project WGS84 degrees into metres of a projection."""
    x, y = _transformer(epsg).transform(lon, lat)
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


@cache
def _transformer(epsg: int) -> Transformer:
    return Transformer.from_crs(4326, epsg, always_xy=True)


def site_siret(batch: Batch, site: int) -> str:
    """Return the SIRET of a site: the SIREN of its entity and a number of its own."""
    entity = int(batch.sites.entity[site])
    first = int(batch.entities.site[entity])
    digits = f"{entity_siren(batch, entity)}{1 + site - first:04d}"
    return f"{digits}{luhn_key(digits)}"


def entity_siren(batch: Batch, entity: int) -> str:
    """Return the SIREN of an entity, taken from the end of the range that practices use from the beginning."""
    return siren_number(999_999 - int(batch.entities.siren_rank[entity]))


class _Rows:
    def __init__(self, batch: Batch, draw: Draw) -> None:
        self.batch = batch
        size = len(batch.sites.number)
        self.year = (1965 + draw.integers(size, 58)).tolist()
        self.day = draw.integers(size, 365).tolist()
        self.dirt = draw.uniform(size).tolist()

    def address(self, site: int) -> tuple[list[str], str, str]:
        """Return number, type, street and complement, then the postal line, then the 3 digits of the commune."""
        batch, sites, towns = self.batch, self.batch.sites, self.batch.towns
        place = address_of(batch.streets, int(sites.street[site]), int(sites.house[site]), bool(sites.repeated[site]))
        town = place.town
        codes = towns.postal_code[town]
        postal, label = codes[place.street % len(codes)], register_town(towns.name[town])
        if sites.cedex[site]:
            postal = f"{postal[:2]}9{(site * 7 + town) % 100:02d}"
            label = f"{label} CEDEX" + (f" {postal[3:]}" if label in ("PARIS", "LYON", "MARSEILLE") else "")
        elif self.dirt[site] > 0.8:
            label = long_town(towns.name[town])
        code = towns.code[town]
        commune = _FORMER_COMMUNES.get(code, code[2:])
        if self.dirt[site] < 0.3:
            commune = _WHOLE_TOWNS.get(code[:3], commune) if len(code) == 5 and code[2:] > "100" else commune
        street = [str(place.number), place.type_code, place.street_name, "BIS" if place.repeated else ""]
        return street, f"{postal} {label}", commune

    def site(self, i: int) -> list[str]:
        """Return the 32 fields of a site."""
        batch, sites = self.batch, self.batch.sites
        category = CATEGORIES[sites.category[i]]
        street, postal_line, commune = self.address(i)
        opened = str(np.datetime64(f"{self.year[i]}-01-01") + np.timedelta64(self.day[i], "D"))
        public = category.statute[0] in _PUBLIC
        more = 'PAVILLON "LES ROSES"; ESCALIER B' if self.dirt[i] < 0.01 else ""
        return [
            "structureet",
            sites.number[i],
            batch.entity_of(i),
            sites.name[i][:38],
            sites.name[i],
            more,
            "",
            *street,
            f"BP {site_box(i)}" if 0.5 < self.dirt[i] < 0.56 else "",
            commune,
            finess_departement(batch.departement),
            _departement_label(batch),
            postal_line,
            sites.phone[i] if self.dirt[i] > 0.04 else "",
            sites.phone[i] if self.dirt[i] > 0.7 else "",
            category.code,
            category.label,
            category.group_code,
            category.group_label,
            site_siret(batch, i) if self.dirt[i] > 0.12 else "",
            "8610Z" if category.code in ("355", "365", "101") else "",
            "03" if public else "99",
            "ARS établissements Publics de santé dotation globale" if public else "Indéterminé",
            "1" if public else "9",
            "Etablissement public de santé" if public else "Etablissement privé non ESPIC",
            opened,
            opened,
            "2026-03-12" if self.dirt[i] > 0.5 else "2019-02-15",
            "",
        ]

    def entity(self, i: int) -> list[str]:
        """Return the 23 fields of a legal entity, at the address of its first site."""
        batch = self.batch
        site = int(batch.entities.site[i])
        category = CATEGORIES[batch.sites.category[site]]
        street, postal_line, commune = self.address(site)
        name = batch.entities.name[i]
        return [
            "structureej",
            batch.entities.number[i],
            name[:38],
            name,
            "",
            *street,
            "",
            "",
            commune,
            postal_line,
            finess_departement(batch.departement),
            _departement_label(batch),
            batch.sites.phone[site],
            *category.statute,
            "",
            "",
            entity_siren(batch, i),
            "8610Z" if category.code in ("355", "365", "101") else "",
            f"{self.year[site]}-01-01",
        ]


def _departement_label(batch: Batch) -> str:
    if batch.departement in ("977", "978"):
        return "GUADELOUPE"
    return plain(batch.departement_name).replace("-", " ")


def site_box(site: int) -> int:
    """Return the number of the post-office box of a site."""
    return 10 + site % 900
