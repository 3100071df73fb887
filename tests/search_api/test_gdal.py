"""GDAL, as GIS people have it, against a running server: layers, pages, spatial and attribute filters."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from maps.api import load_places
from tests.conftest import ROOT
from tests.search_api.conftest import dsn
from tests.search_api.seed import CANARY


@dataclass(frozen=True)
class Served:
    """A server on the seeded directory, and its log of requests."""

    address: str
    log: Path

    def asked(self) -> list[tuple[str, str]]:
        """Return the addresses that were asked for, with their answers' status."""
        return [(found[1], found[2]) for found in re.finditer(r'"GET (\S+) HTTP/1.1" (\d+)', self.log.read_text())]


@pytest.fixture(scope="module")
def served(filled: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with psycopg.connect(dsn(filled)) as conn:
        load_places(conn, ["78"])
        conn.commit()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("gdal") / "server.log"
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "web.app:app", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait_ready(address, server, log)
            yield Served(address, log)
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_ready(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr
    return done.stdout


def count(text: str) -> int:
    found = re.search(r"Feature Count: (\d+)", text)
    assert found, text
    return int(found[1])


def converted(served: Served, layer: str, *options: str) -> list[dict[str, Any]]:
    """Return a layer as `ogr2ogr` writes it in GeoJSON."""
    text = run("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", f"OAPIF:{served.address}/ogc", layer, *options)
    features: list[dict[str, Any]] = json.loads(text)["features"]
    return features


def known(filled: URL, condition: str = "true") -> dict[str, set[str]]:
    """Public offers and their sites, by a condition on the projection `s` and the site `e`."""
    with psycopg.connect(dsn(filled)) as conn:
        rows = conn.execute(
            "SELECT o.uid::text, e.uid::text FROM directory.offer_search s JOIN directory.offer o ON o.id = s.offer_id"
            f" JOIN directory.site e ON e.id = s.site_id WHERE NOT s.sensitive AND {condition}"
        ).fetchall()
    return {"offers": {row[0] for row in rows}, "sites": {row[1] for row in rows}}


def test_ogrinfo_lists_the_layers_and_their_fields(served: Served, filled: URL) -> None:
    listed = run("ogrinfo", f"OAPIF:{served.address}/ogc")
    for line in ("sites (title: Lieux de soins) (Point)", "offers (title: Offres de santé) (Point)", "communes"):
        assert line in listed
    expected = known(filled)
    for layer in ("sites", "offers"):
        told = run("ogrinfo", "-so", f"OAPIF:{served.address}/ogc", layer)
        assert count(told) == len(expected[layer])
        assert "updated_at: DateTime" in told and "exact: Integer(Boolean)" in told and "commune: String" in told
    told = run("ogrinfo", "-so", f"OAPIF:{served.address}/ogc", "communes")
    assert count(told) > 250 and "Geometry: Multi Polygon" in told and "population: Integer" in told


@pytest.mark.parametrize("layer", ["sites", "offers"])
def test_ogr2ogr_reads_every_page(served: Served, filled: URL, layer: str) -> None:
    before = len(served.asked())
    features = converted(served, layer, "-oo", "PAGE_SIZE=11")
    read = [feature["properties"]["id"] for feature in features]
    expected = known(filled)[layer]
    assert len(read) == len(set(read)) and set(read) == expected
    followed = [path for path, _ in served.asked()[before:] if "after=" in path]
    assert len(followed) == -(-len(expected) // 11) - 1
    assert CANARY.casefold() not in json.dumps(features).casefold()


def test_ogr2ogr_writes_a_geopackage_of_everything(served: Served, filled: URL, tmp_path: Path) -> None:
    path = tmp_path / "repere.gpkg"
    run("ogr2ogr", "-f", "GPKG", path, f"OAPIF:{served.address}/ogc", "-oo", "PAGE_SIZE=10000")
    expected = known(filled)
    for layer in ("sites", "offers"):
        assert count(run("ogrinfo", "-so", path, layer)) == len(expected[layer])
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute("SELECT count(*) FROM maps.place WHERE kind = 'commune' AND contour IS NOT NULL").fetchone()
    assert row and count(run("ogrinfo", "-so", path, "communes")) == row[0]
    assert CANARY.casefold().encode() not in path.read_bytes().lower()


def test_a_spatial_filter_is_sent_to_the_server(served: Served, filled: URL) -> None:
    inside = "s.position::geometry && ST_MakeEnvelope(1.65, 48.95, 1.76, 49.02, 4326)"
    expected = known(filled, inside)
    assert 0 < len(expected["sites"]) < len(known(filled)["sites"])
    before = len(served.asked())
    for layer in ("sites", "offers"):
        features = converted(served, layer, "-spat", "1.65", "48.95", "1.76", "49.02", "-oo", "PAGE_SIZE=9")
        assert {feature["properties"]["id"] for feature in features} == expected[layer]
    assert any("bbox=" in path for path, _ in served.asked()[before:])
    communes = converted(served, "communes", "-spat", "1.70", "48.98", "1.73", "49.0")
    assert "78361" in {feature["properties"]["code"] for feature in communes}
    assert len(communes) < 20


@pytest.mark.parametrize(
    ("layer", "where", "sent", "condition"),
    [
        ("sites", "commune = '78361'", "commune=78361", "e.commune_code = '78361'"),
        ("sites", "kind = 'establishment'", "kind=establishment", "e.kind = 'establishment'"),
        ("offers", "category = 'R66|355'", "category=R66%7C355", "e.category = '355'"),
        (
            "offers",
            "profession = 'G15|70' AND exact = 1",
            "profession=G15%7C70",
            "s.exact AND s.codes @> ARRAY[(SELECT id FROM directory.concept WHERE system = 'G15' AND code = '70')]",
        ),
    ],
)
def test_an_attribute_filter_is_sent_to_the_server(
    served: Served, filled: URL, layer: str, where: str, sent: str, condition: str
) -> None:
    expected = known(filled, condition)[layer]
    assert 0 < len(expected) < len(known(filled)[layer])
    before = len(served.asked())
    features = converted(served, layer, "-where", where)
    assert {feature["properties"]["id"] for feature in features} == expected
    assert count(run("ogrinfo", "-so", f"OAPIF:{served.address}/ogc", layer, "-where", where)) == len(expected)
    asked = served.asked()[before:]
    assert any(sent in path for path, _ in asked)
    assert {status for _, status in asked} == {"200"}


def test_a_date_filter_is_sent_to_the_server(served: Served, filled: URL) -> None:
    before = len(served.asked())
    assert converted(served, "offers", "-where", "updated_at < '2020/01/01 00:00:00'") == []
    assert len(converted(served, "offers", "-where", "updated_at >= '2020/01/01 00:00:00'")) == len(
        known(filled)["offers"]
    )
    assert [path for path, status in served.asked()[before:] if "datetime=" in path and status == "200"]
