"""Refresh from the geo API, played by a local server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from cli import assemble
from core.db import connect_direct
from core.errors import Unavailable
from maps import api
from maps.refresh import refresh_places

pytestmark = pytest.mark.usefixtures("clean_database")

SQUARE = {"type": "Polygon", "coordinates": [[[1.7, 48.9], [1.8, 48.9], [1.8, 49.0], [1.7, 49.0], [1.7, 48.9]]]}


def commune(code: str, name: str, departement: str = "78", **more: Any) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [1.75, 48.95]}
    found = {"code": code, "nom": name, "codesPostaux": ["78200"], "population": 1000, "codeDepartement": departement}
    return found | {"centre": point, "contour": SQUARE, "codeEpci": "200059889"} | more


class Api:
    """What the server answers, and what it was asked."""

    def __init__(self) -> None:
        self.departements = [{"code": "78"}, {"code": "75"}]
        self.communes = {
            "78": [commune("78361", "Mantes-la-Jolie", population=44000), commune("78362", "Mantes-la-Ville")],
            "75": [commune("75056", "Paris", "75", codesPostaux=["75001", "75012"], codeEpci="200054781")],
        }
        self.failures = 0
        self.broken: bytes | None = None
        self.asked: list[str] = []
        self.url = ""

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        if self.failures:
            self.failures -= 1
            return 503, b"later"
        if self.broken is not None:
            return 200, self.broken
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        items: list[dict[str, Any]] = []
        if parts.path == "/departements":
            items = self.departements
        elif parts.path == "/epcis":
            items = [{"code": "200059889", "nom": "Grand Paris Seine et Oise"}]
        elif parts.path == "/communes_associees_deleguees":
            items = [{"code": "78999", "nom": "Vieux-Mantes", "chefLieu": "78361", "codeDepartement": "78"}]
        elif parts.path == "/communes" and "type" in query:
            items = [commune("75112", "Paris 12e Arrondissement", "75", codesPostaux=["75012"])]
        elif parts.path == "/communes":
            items = self.communes[query["codeDepartement"][0]]
        else:
            return 404, b"{}"
        return 200, json.dumps(items).encode()


@pytest.fixture
def geo() -> Iterator[Api]:
    played = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = played.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    played.url = f"http://127.0.0.1:{server.server_port}"
    yield played
    server.shutdown()
    thread.join()
    server.server_close()


def refresh(geo: Api) -> api.PlacesReport:
    with connect_direct() as connection:
        return refresh_places(connection, geo.url, pause=0)


def test_places_come_from_the_api(geo: Api) -> None:
    report = refresh(geo)
    assert report.source == "geo.api.gouv.fr"
    town = api.resolve_ref("commune", "78361")
    assert town is not None
    assert (town.name, town.population, town.lon) == ("Mantes-la-Jolie", 44000, 1.75)
    epci = api.resolve_ref("epci", "200059889")
    assert epci is not None
    assert epci.name == "Grand Paris Seine et Oise"
    twelfth = api.resolve_ref("commune", "75112")
    assert twelfth is not None
    assert twelfth.kind == "arrondissement"
    # Overseas collectivités, which the API leaves out, and the delegated commune.
    assert api.resolve_ref("commune", "97801") is not None
    former = api.resolve_ref("commune", "78999")
    assert former is not None
    assert refresh(geo).new == 0


def test_a_passing_failure_is_tried_again(geo: Api) -> None:
    geo.failures = 2
    assert refresh(geo).by_kind["arrondissement"] == 1


@pytest.mark.parametrize("broken", [b"", b"<html>", b'{"code": 1}', b"[1, 2]", b'[{"nom": "x"}]'])
def test_an_answer_that_is_no_list_changes_nothing(geo: Api, broken: bytes) -> None:
    refresh(geo)
    version = api.places_version()
    geo.broken = broken
    with pytest.raises(Unavailable, match="Rien n’a été changé"):
        refresh(geo)
    assert api.places_version() == version


def test_too_few_communes_change_nothing(geo: Api) -> None:
    geo.communes["78"] += [commune(f"78{n:03d}", f"Ville {n}") for n in range(100, 300)]
    refresh(geo)
    geo.communes["78"] = geo.communes["78"][:2]
    with pytest.raises(Unavailable, match="communes sur"):
        refresh(geo)
    assert api.resolve_ref("commune", "78150") is not None


def test_without_network_the_message_says_what_to_do() -> None:
    result = CliRunner().invoke(assemble(), ["places", "refresh", "--url", "http://127.0.0.1:9", "--json"])
    assert isinstance(result.exception, Unavailable)
    assert "places load" in result.exception.detail


def test_the_command_loads_the_embedded_places() -> None:
    result = CliRunner().invoke(assemble(), ["places", "load", "--departement", "978", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["by_kind"]["commune"] == 1
