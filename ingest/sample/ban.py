"""BAN, the national address base, for the streets of the sample: one file per département."""

import csv
from typing import Any

import numpy as np

from ingest.sample.batch import Batch, used_addresses
from ingest.sample.draw import Draw, Ints
from ingest.sample.finess import METROPOLE, PROJECTIONS, project
from ingest.sample.output import Output
from ingest.sample.streets import HIGHEST_NUMBER, STREET_NAMES, STREET_TYPES
from ingest.sample.text import plain, register_town

COLUMNS = [
    "id",
    "id_fantoir",
    "numero",
    "rep",
    "nom_voie",
    "code_postal",
    "code_insee",
    "nom_commune",
    "code_insee_ancienne_commune",
    "nom_ancienne_commune",
    "x",
    "y",
    "lon",
    "lat",
    "type_position",
    "alias",
    "nom_ld",
    "libelle_acheminement",
    "nom_afnor",
    "source_position",
    "source_nom_voie",
    "certification_commune",
    "cad_parcelles",
]
# As in life, some numbers and a few whole streets are not in BAN: the register's address is then found less well.
_NUMBERS_MISSING, _STREETS_MISSING = 0.03, 0.012


class BanWriter:
    """Writes `ban/adresses-NN.csv.gz`: the addresses used, with neighbours, at their one position."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.counts = {"ban_rows": 0}

    def write(self, batch: Batch) -> None:
        """Write the file of a département."""
        rows = _with_neighbours(batch, used_addresses(batch))
        street, number, repeated = rows[:, 0], rows[:, 1], rows[:, 2].astype(bool)
        lon, lat = batch.streets.position(street, number, repeated)
        x, y = project(lon, lat, PROJECTIONS.get(batch.departement, METROPOLE).epsg)
        writer: Any = csv.writer(
            self._output.gzip(f"ban/adresses-{batch.departement}.csv.gz"), delimiter=";", lineterminator="\n"
        )
        writer.writerow(COLUMNS)
        towns, streets = batch.towns, batch.streets
        for s, n, bis, px, py, plon, plat in zip(
            street.tolist(), number.tolist(), repeated.tolist(), x.tolist(), y.tolist(), lon.tolist(), lat.tolist(),
            strict=True,
        ):  # fmt: skip
            town = int(streets.town[s])
            code, codes = towns.code[town], towns.postal_code[town]
            way = f"{code}_{1000 + s - int(streets.first[town]):04d}"
            label = f"{STREET_TYPES[int(streets.kind[s])][1]} {STREET_NAMES[int(streets.name[s])]}"
            writer.writerow(
                (
                    f"{way}_{n:05d}{'_bis' if bis else ''}", way, n, "bis" if bis else "", label,
                    codes[s % len(codes)], code, towns.name[town], "", "", f"{px:.2f}", f"{py:.2f}", f"{plon:.6f}",
                    f"{plat:.6f}", "entrée", "", "", register_town(towns.name[town]),
                    plain(label).replace("-", " ").replace("'", " "), "commune", "commune", "1", "",
                )
            )  # fmt: skip
        self.counts["ban_rows"] += len(rows)


def _with_neighbours(batch: Batch, used: Ints) -> Ints:
    """Add the next number of each address, and leave some numbers and streets out."""
    draw = Draw(batch.seed, "ban", batch.departement)
    beside = used.copy()
    beside[:, 1] = np.clip(beside[:, 1] + np.where(draw.chance(len(used), 0.5), 2, -2), 1, HIGHEST_NUMBER)
    beside[:, 2] = 0
    missing = draw.chance(len(used), _NUMBERS_MISSING)
    streets = np.unique(used[:, 0])
    unknown = streets[draw.chance(len(streets), _STREETS_MISSING)]
    rows = np.unique(np.concatenate([used, beside]), axis=0)
    left_out = {tuple(row) for row in used[missing].tolist()}
    kept = np.array([tuple(row) not in left_out for row in rows.tolist()], dtype=bool)
    return np.asarray(rows[kept & ~np.isin(rows[:, 0], unknown)])
