"""Coordinates of FINESS in all of its projections."""

import json
from pathlib import Path

import numpy as np
import pytest

from maps import api


@pytest.mark.parametrize(
    ("source", "epsg"),
    [
        ("1,ATLASANTE,96,BAN,EPSG:2154 RGF93 / Lambert-93 (Métropole)", 2154),
        ("2,ATLASANTE,96,BAN,EPSG:5490 RGAF09/UTM Zone 20N (Antilles)", 5490),
        ("1,ATLASANTE,90,BAN,EPSG:2972 RGFG95 / UTM zone 22N (Guyane)", 2972),
        ("1,ATLASANTE,90,BAN,EPSG:2975 RGR92 / UTM zone 40S (Réunion)", 2975),
        ("1,ATLASANTE,90,BAN,EPSG:4471 RGM04 / UTM zone 38S (Mayotte)", 4471),
        ("4,ATLASANTE,100,IGN,WGS84/UTM zone 21N (Saint-Pierre-et-Miquelon)", 32621),
        ("epsg 2154", 2154),
        ("1,ATLASANTE", None),
        ("", None),
        (None, None),
    ],
)
def test_the_projection_is_read_in_the_text(source: str | None, epsg: int | None) -> None:
    assert api.epsg_of(source) == epsg


def test_every_projection_lands_where_it_should() -> None:
    # Origins of the projections and known points, to a hundred metres or so.
    points = [
        (870262.2, 6571540.8, 2154, 5.209, 46.222),
        (657242.9, 1795384.4, 5490, -61.53, 16.24),
        (500000.0, 552000.0, 2972, -51.0, 4.99),
        (338000.0, 7691500.0, 2975, 55.45, -20.87),
        (523000.0, 8587000.0, 4471, 45.21, -12.78),
        (564000.0, 5181000.0, 32621, -56.17, 46.78),
        (1.715374, 48.989372, 4326, 1.715374, 48.989372),
    ]
    x, y, epsg, lon, lat = (np.array(column) for column in zip(*points, strict=True))
    found_lon, found_lat = api.to_wgs84(x, y, epsg)
    assert found_lon == pytest.approx(lon, abs=0.02)
    assert found_lat == pytest.approx(lat, abs=0.02)


def test_what_cannot_be_projected_is_nan() -> None:
    nan, inf = float("nan"), float("inf")
    lon, lat = api.to_wgs84([700000, nan, 700000, inf, 700000], [6600000] * 5, [0, 2154, 99999, 2154, -1])
    assert np.isnan(lon).all()
    assert np.isnan(lat).all()
    lon, lat = api.to_wgs84([], [], [])
    assert lon.size == lat.size == 0


def test_the_points_of_the_trial_register(shared_data: Path) -> None:
    truth = json.loads((shared_data / "registers" / "finess_points.json").read_text())
    [path] = (shared_data / "registers").glob("etalab-cs1100507-*.csv")
    lines = [line.split(";") for line in path.read_text("utf-8").splitlines() if line.startswith("geolocalisation;")]
    assert len(lines) > 100
    lon, lat = api.to_wgs84(
        [float(line[2]) for line in lines],
        [float(line[3]) for line in lines],
        [api.epsg_of(line[4]) or 0 for line in lines],
    )
    for line, x, y in zip(lines, lon, lat, strict=True):
        assert truth[line[1]] == pytest.approx([x, y], abs=1e-4)
