"""Downloads from a real HTTP server: newest only, resumed, checked."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.settings import load as load_settings
from ingest.download import download_registers
from ingest.settings import ingest_settings
from tests.ingest import official
from tests.ingest.official import AMELI_LINE

pytestmark = pytest.mark.usefixtures("home")


class Publisher:
    """A dataset with one resource list; `cut` bytes are sent before the connection is dropped, once."""

    def __init__(self) -> None:
        self.resources: list[dict[str, object]] = []
        self.files: dict[str, bytes] = {}
        self.cut: int | None = None
        self.status = 200
        self.requests: list[tuple[str, str | None]] = []
        publisher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.answer(self)

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("range")
        self.requests.append((request.path, asked))
        if self.status != 200:
            request.send_error(self.status)
            return
        if request.path.startswith("/api/"):
            self.send(request, json.dumps({"resources": self.resources}).encode(), 200)
            return
        data = self.files[request.path]
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        request.send_response(206 if asked else 200)
        request.send_header("etag", f'"{hashlib.md5(data).hexdigest()}"')
        request.send_header("content-length", str(len(data) - start))
        request.end_headers()
        if self.cut is not None:
            request.wfile.write(data[start : self.cut])
            self.cut = None
            request.connection.close()
            return
        request.wfile.write(data[start:])

    def send(self, request: http.server.BaseHTTPRequestHandler, body: bytes, status: int) -> None:
        request.send_response(status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def publish(self, name: str, data: bytes, modified: str, *, checksum: str | None = None) -> None:
        path = f"/files/{name}"
        self.files[path] = data
        self.resources.append(
            {
                "id": name,
                "title": name,
                "url": self.url + path,
                "last_modified": modified,
                "filesize": len(data),
                "checksum": {"type": "sha1", "value": checksum or hashlib.sha1(data).hexdigest()},
            }
        )


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Publisher]:
    server = Publisher()
    monkeypatch.setenv("REPERE_INGEST_AMELI_URL", f"{server.url}/api/1/datasets/x/")
    ingest_settings.cache_clear()
    load_settings.cache_clear()
    yield server
    server.server.shutdown()
    ingest_settings.cache_clear()


def data(size: int = 300) -> bytes:
    return official.ameli_text([AMELI_LINE | {"ps_activite_nom": f"N{i}"} for i in range(size)]).encode()


def test_only_the_newest_is_fetched_and_only_once(publisher: Publisher, home: Path) -> None:
    publisher.publish("liste-ps-20261101-040312.csv", b"old", "2026-11-01T04:03:12")
    publisher.publish("liste-ps-20261115-040312.csv", data(), "2026-11-15T04:03:12")
    publisher.publish("liste-cds-20261116-040312.csv", b"other", "2026-11-16T04:03:12")
    (path,) = download_registers("ameli")
    assert path.name == "liste-ps-20261115-040312.csv"
    assert path.read_bytes() == data()
    assert path.is_relative_to(home)
    download_registers("ameli")
    assert [p for p, _ in publisher.requests].count("/files/liste-ps-20261115-040312.csv") == 1
    publisher.publish("liste-ps-20261122-040312.csv", data(10), "2026-11-22T04:03:12")
    (newer,) = download_registers("ameli")
    assert newer.read_bytes() == data(10)
    assert not path.exists()


def test_an_interrupted_download_goes_on(publisher: Publisher) -> None:
    publisher.publish("liste-ps-20261115-040312.csv", data(30_000), "2026-11-15T04:03:12")
    publisher.cut = 1_500_000
    (path,) = download_registers("ameli")
    assert path.read_bytes() == data(30_000)
    ranges = [r for p, r in publisher.requests if p.startswith("/files/")]
    assert ranges[0] is None
    assert ranges[1] is not None
    assert int(ranges[1].removeprefix("bytes=").rstrip("-")) > 0


def test_a_wrong_checksum_is_refused(publisher: Publisher, home: Path) -> None:
    publisher.publish("liste-ps-20261115-040312.csv", data(), "2026-11-15T04:03:12", checksum="0" * 40)
    with pytest.raises(Unavailable, match="somme de contrôle"):
        download_registers("ameli")
    assert not [p for p in home.rglob("*") if p.is_file() and "liste-ps" in p.name and not p.name.endswith(".origine")]


def test_refusals_of_the_publisher(publisher: Publisher) -> None:
    with pytest.raises(Unavailable, match="aucun fichier AMELI"):
        download_registers("ameli")
    publisher.status = 404
    with pytest.raises(Unavailable, match="404"):
        download_registers("ameli")


def test_a_publisher_that_does_not_answer(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher.server.server_close()
    publisher.server.shutdown()
    monkeypatch.setenv("REPERE_INGEST_DOWNLOAD_TRIES", "2")
    ingest_settings.cache_clear()
    load_settings.cache_clear()
    with pytest.raises(Unavailable, match="impossible après 2 essais"):
        download_registers("ameli")
