"""Files of the whole directory, through HTTP: what they hold is what the database holds, for whoever may read it."""

import asyncio
import csv
import io
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pandas as pd
import psycopg
import pytest
import pytest_asyncio
from psycopg.rows import dict_row
from sqlalchemy.engine import URL

from accounts.api import Caller
from core.errors import Conflict
from core.sheets import safe
from directory.projection import rebuild
from search_api.dumps.build import build, forget
from search_api.dumps.catalogue import DATASETS, FORMATS, file_name
from tests.accounts.clients import application_of
from tests.search_api.conftest import dsn
from tests.search_api.seed import CANARY

SECRETS = ("0639989877", "zzserin@example.org", "Commentaire zzserin")
FORMULA = '=HYPERLINK("http://x";"y")'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(filled: URL) -> AsyncIterator[URL]:
    """The small directory with restricted contacts, a name that is a formula, and the files of it."""
    with psycopg.connect(dsn(filled)) as conn:
        offer = conn.execute(
            "SELECT offer_id, site_id FROM directory.offer_search WHERE NOT sensitive ORDER BY offer_id LIMIT 1"
        ).fetchone()
        assert offer
        conn.execute("UPDATE directory.offer SET comment = %s WHERE id = %s", (SECRETS[2], offer[0]))
        conn.execute(
            "INSERT INTO directory.contact_point (offer_id, purpose, nature, channel, value, confidentiality) VALUES"
            " (%(o)s, 'pro_phone', '04', '2', %(p)s, 2), (%(o)s, 'other_email', '07', '3', %(m)s, 2),"
            " (%(o)s, 'booking_phone', '02', '2', '+33 1 34 00 00 01', 1), (%(o)s, 'mssante', '04', '3', %(m)s, 2)",
            {"o": offer[0], "p": SECRETS[0], "m": SECRETS[1]},
        )
        conn.execute("UPDATE directory.site SET name = %s WHERE id = %s", (FORMULA, offer[1]))
        rebuild(conn)
    build()
    yield filled


def client_of(caller: Caller) -> httpx.AsyncClient:
    """Return a client whose requests all come from a caller."""
    transport = httpx.ASGITransport(app=application_of(caller))
    return httpx.AsyncClient(transport=transport, base_url="http://repere.test")


@pytest.fixture
async def public(made: URL) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(Caller(level=1)) as opened:
        yield opened


@pytest.fixture
async def professional(made: URL) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(Caller(level=2)) as opened:
        yield opened


async def content(client: httpx.AsyncClient, dataset: str, format_: str, level: int = 1) -> bytes:
    answer = await client.get(f"/api/v1/dumps/{file_name(dataset, format_, level)}")
    assert answer.status_code == 200, answer.text
    return answer.content


async def rows_of(client: httpx.AsyncClient, dataset: str, level: int = 1) -> list[dict[str, str]]:
    text = (await content(client, dataset, "csv", level)).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def frame_of(client: httpx.AsyncClient, folder: Path, dataset: str, level: int = 1) -> pd.DataFrame:
    path = folder / f"{dataset}-{level}.parquet"
    path.write_bytes(await content(client, dataset, "parquet", level))
    with duckdb.connect() as duck:
        frame: pd.DataFrame = duck.execute(f"SELECT * FROM '{path}'").df()
    return frame


def asked(url: URL, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(dsn(url), row_factory=dict_row) as conn:
        return conn.execute(query).fetchall()


# -- What they hold ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 2])
async def test_offers_are_those_of_the_database(made: URL, tmp_path: Path, level: int) -> None:
    seen = "NOT s.sensitive" if level == 1 else "true"
    wanted = asked(
        made,
        "SELECT o.uid::text AS id, o.name, cardinality(o.acts) AS acts, o.age_min, s.accepts_new, e.uid::text AS site,"
        " r.uid::text AS role, k.code AS type, k.label AS type_label, o.sensitive, o.comment,"
        " ST_X(coalesce(e.pin, e.position)::geometry) AS lon FROM directory.offer_search s"
        " JOIN directory.offer o ON o.id = s.offer_id JOIN directory.site e ON e.id = o.site_id"
        " LEFT JOIN directory.role r ON r.id = o.role_id LEFT JOIN directory.concept k ON k.id = o.type_id"
        f" WHERE {seen} ORDER BY o.id",
    )
    async with client_of(Caller(level=level)) as client:
        frame = await frame_of(client, tmp_path, "offres", level)
        rows = await rows_of(client, "offres", level)
    assert [row["id"] for row in rows] == list(frame["id"]) == [one["id"] for one in wanted]
    for one, row, (_, cells) in zip(wanted, rows, frame.iterrows(), strict=True):
        assert cells["nom"] == one["name"] and row["nom"] == safe(one["name"])
        assert (row["site_id"], row["situation_id"]) == (one["site"], one["role"] or "")
        assert len(list(filter(None, row["actes"].split(";")))) == one["acts"]
        assert int(row["age_min"]) == cells["age_min"] == one["age_min"]
        assert row["nouveaux_patients"] == {True: "true", False: "false", None: ""}[one["accepts_new"]]
        assert (row["type"], row["type_libelle"]) == (one["type"] or "", one["type_label"] or "")
        assert (row["longitude"] == "") == (one["lon"] is None)
        if one["lon"] is not None:
            assert float(row["longitude"]) == pytest.approx(one["lon"], abs=1e-6)
        if level == 2:
            assert row["sensible"] == str(one["sensitive"]).lower()
            assert row["commentaire"] == (one["comment"] or "")


async def test_sites_and_people_are_those_of_the_database(made: URL, public: httpx.AsyncClient, tmp_path: Path) -> None:
    sites = asked(
        made,
        "SELECT e.uid::text AS id, e.name, e.phone, p.code, (SELECT count(*) FROM directory.offer_search s"
        " WHERE s.site_id = e.id AND NOT s.sensitive) AS offers FROM directory.site e"
        " LEFT JOIN maps.place p ON p.id = e.commune_id WHERE e.closed_on IS NULL ORDER BY e.id",
    )
    rows = await rows_of(public, "sites")
    assert [(r["id"], r["telephone"], r["commune_insee"], int(r["offres"])) for r in rows] == [
        (one["id"], one["phone"], one["code"], one["offers"]) for one in sites
    ]
    assert [r["nom"] for r in rows] == [safe(one["name"]) for one in sites]
    people = asked(
        made,
        "SELECT r.uid::text AS id, n.rpps, n.last_name, r.convention, c.label FROM directory.offer_search s"
        " JOIN directory.role r ON r.id = s.role_id JOIN directory.practitioner n ON n.id = r.practitioner_id"
        " LEFT JOIN directory.concept c ON c.system = 'G15' AND c.code = r.profession"
        " WHERE NOT s.sensitive ORDER BY r.id",
    )
    frame = await frame_of(public, tmp_path, "professionnels")
    found = frame[["id", "rpps", "nom", "convention", "profession_libelle"]].astype(object)
    found = found.where(found.notna(), None)
    assert [tuple(one) for one in found.itertuples(index=False)] == [tuple(one.values()) for one in people]


async def test_the_dictionary_says_each_column_and_no_other(
    public: httpx.AsyncClient, professional: httpx.AsyncClient, tmp_path: Path
) -> None:
    told = (await public.get("/api/v1/dumps/dictionary")).json()
    page = (await public.get("/donnees/dictionnaire")).text
    for dataset in told["datasets"]:
        for level, client in ((1, public), (2, professional)):
            wanted = [one["name"] for one in dataset["columns"] if level == 2 or one["level"] == "public"]
            text = (await content(client, dataset["name"], "csv", level)).decode()
            assert next(csv.reader(io.StringIO(text))) == wanted
            assert list((await frame_of(client, tmp_path, dataset["name"], level)).columns) == wanted
            collection = json.loads(await content(client, dataset["name"], "geojson", level))
            assert list(collection["features"][0]["properties"]) == [
                name for name in wanted if name not in ("longitude", "latitude")
            ]
        for one in dataset["columns"]:
            assert f"<code>{one['name']}</code>" in page
            assert one["meaning"] and one["origin"] in told["origins"] and one["type"]
    assert [one["name"] for one in told["datasets"]] == [one.name for one in DATASETS]


async def test_geojson_is_read_by_gdal(public: httpx.AsyncClient, tmp_path: Path) -> None:
    body = await content(public, "sites", "geojson")
    features = json.loads(body)["features"]
    rows = {row["id"]: row for row in await rows_of(public, "sites")}
    assert {one["id"] for one in features} == rows.keys()
    for one in features:
        row = rows[one["id"]]
        if row["longitude"] == "":
            assert one["geometry"] is None
        else:
            assert one["geometry"]["coordinates"] == [float(row["longitude"]), float(row["latitude"])]
    if shutil.which("ogrinfo") is None:
        pytest.skip("GDAL is not on this machine")
    path = tmp_path / "sites.geojson"
    path.write_bytes(body)
    command = ["ogrinfo", "-ro", "-al", "-so", str(path)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert f"Feature Count: {len(features)}" in done.stdout


async def test_no_cell_is_a_formula(public: httpx.AsyncClient, tmp_path: Path) -> None:
    text = (await content(public, "sites", "csv")).decode()
    assert [row["nom"] for row in await rows_of(public, "sites") if "HYPERLINK" in row["nom"]] == [f"'{FORMULA}"]
    assert not text.startswith("\ufeff")
    for dataset in DATASETS:
        for row in await rows_of(public, dataset.name):
            for value in row.values():
                assert value == safe(value) or (value.startswith("-") and float(value) < 0)
    assert any(row["telephone_rdv"] == "+33 1 34 00 00 01" for row in await rows_of(public, "offres"))
    assert FORMULA in set((await frame_of(public, tmp_path, "sites"))["nom"])


# -- Who may have them -------------------------------------------------------------------------------------


async def test_nothing_restricted_is_in_a_public_file(
    public: httpx.AsyncClient, professional: httpx.AsyncClient, tmp_path: Path
) -> None:
    forbidden = (*SECRETS, CANARY)
    for dataset in DATASETS:
        texts = [(await content(public, dataset.name, format_)).decode() for format_ in ("csv", "geojson")]
        texts.append((await frame_of(public, tmp_path, dataset.name)).to_csv())
        for text in texts:
            assert not [word for word in forbidden if word in text]
    read = (await content(professional, "offres", "csv", 2)).decode()
    assert all(word in read for word in SECRETS)
    assert CANARY in (await content(professional, "professionnels", "csv", 2)).decode()


async def test_who_may_download_what(public: httpx.AsyncClient, professional: httpx.AsyncClient) -> None:
    listed = (await public.get("/api/v1/dumps")).json()
    assert {one["level"] for one in listed["files"]} == {"public"}
    assert len(listed["files"]) == len(DATASETS) * len(FORMATS)
    assert len((await professional.get("/api/v1/dumps")).json()["files"]) == 2 * len(DATASETS) * len(FORMATS)
    refused = await public.get("/api/v1/dumps/repere-offres-pro.csv")
    assert refused.status_code == 403 and "connectez-vous" in refused.json()["detail"]
    async with client_of(Caller(level=2, zone=("departement:78",))) as limited:
        refused = await limited.get("/api/v1/dumps/repere-offres-pro.csv")
        assert refused.status_code == 403 and "$export" in refused.json()["detail"]
        assert (await limited.get("/api/v1/dumps/repere-offres.csv")).status_code == 200
        page = (await limited.get("/donnees")).text
        assert "limité à une zone" in page and "-pro." not in page
    for name in ("inconnu.csv", "repere-offres.exe", "..%2f..%2fetc%2fpasswd", "%00", "x" * 150):
        assert (await public.get(f"/api/v1/dumps/{name}")).status_code == 404


async def test_the_list_says_what_each_file_is(public: httpx.AsyncClient) -> None:
    import hashlib

    listed = (await public.get("/api/v1/dumps")).json()
    positions = {one["position"] for one in listed["files"]}
    assert len(positions) == 1
    for one in listed["files"]:
        body = (await public.get(one["url"])).content
        assert len(body) == one["size"]
        assert hashlib.sha256(body).hexdigest() == one["sha256"]
        if one["format"] == "csv":
            assert len(await rows_of(public, one["dataset"])) == one["rows"]
    following = await public.get("/fhir/$changes", params={"since": positions.pop()})
    assert following.status_code == 200 and following.json()["entry"] == []


async def test_a_download_is_taken_up_where_it_broke_off(public: httpx.AsyncClient) -> None:
    address = "/api/v1/dumps/repere-offres.csv"
    whole = await public.get(address, headers={"Accept-Encoding": "gzip"})
    tag = whole.headers["etag"]
    assert whole.headers["accept-ranges"] == "bytes"
    assert 'filename="repere-offres.csv"' in whole.headers["content-disposition"]
    first = await public.get(address, headers={"Range": "bytes=0-999", "Accept-Encoding": "gzip"})
    rest = await public.get(address, headers={"Range": "bytes=1000-", "If-Range": tag, "Accept-Encoding": "gzip"})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == whole.content
    other = await public.get(address, headers={"Range": "bytes=1000-", "If-Range": '"autre"'})
    assert other.status_code == 200 and other.content == whole.content
    assert (await public.get(address, headers={"Range": f"bytes={len(whole.content)}-"})).status_code == 416
    same = await public.get(address, headers={"If-None-Match": tag})
    assert same.status_code == 304 and same.content == b""
    head = await public.head(address)
    assert head.headers["content-length"] == str(len(whole.content)) and head.headers["etag"] == tag


# -- Pages and makings -------------------------------------------------------------------------------------


async def test_the_page_of_the_files(public: httpx.AsyncClient, professional: httpx.AsyncClient) -> None:
    page = (await public.get("/donnees")).text
    for one in (await public.get("/api/v1/dumps")).json()["files"]:
        assert f'href="/api/v1/dumps/{one["name"]}"' in page
        assert one["sha256"] in page
    assert "-pro." not in page
    assert "repere-offres-pro.parquet" in (await professional.get("/donnees")).text
    assert 'href="/donnees"' in (await public.get("/aide")).text


async def test_old_makings_are_forgotten_and_one_is_made_at_a_time(made: URL, public: httpx.AsyncClient) -> None:
    before = {one["name"]: one["sha256"] for one in (await public.get("/api/v1/dumps")).json()["files"]}
    with psycopg.connect(dsn(made), autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(hashtext('repere-dumps'))")
        with pytest.raises(Conflict):
            build()
        conn.execute("SELECT pg_advisory_unlock(hashtext('repere-dumps'))")
        conn.execute("UPDATE search_api.dump SET made_at = made_at - interval '8 days'")
        assert forget(conn) == 0
        assert (await public.get("/api/v1/dumps/repere-offres.csv")).status_code == 200
        report = build()
        assert len(report.made) == 2 * len(DATASETS) * len(FORMATS)
        assert asked(made, "SELECT count(DISTINCT made_at) AS n FROM search_api.dump") == [{"n": 1}]
    # Nothing changed: the same rows are the same files.
    after = {one["name"]: one["sha256"] for one in (await public.get("/api/v1/dumps")).json()["files"]}
    assert after == before


async def test_nothing_is_made_yet(made: URL, public: httpx.AsyncClient) -> None:
    with psycopg.connect(dsn(made), autocommit=True) as conn:
        kept = conn.execute("SELECT * FROM search_api.dump").fetchall()
        conn.execute("CREATE TEMP TABLE kept AS TABLE search_api.dump; DELETE FROM search_api.dump")
        try:
            listed = (await public.get("/api/v1/dumps")).json()
            assert (listed["made_at"], listed["files"]) == (None, [])
            assert (await public.get("/api/v1/dumps/repere-offres.csv")).status_code == 404
            assert "pas encore fabriqués" in (await public.get("/donnees")).text
        finally:
            conn.execute("INSERT INTO search_api.dump OVERRIDING SYSTEM VALUE SELECT * FROM kept")
    assert kept
