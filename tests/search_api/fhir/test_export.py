"""Bulk exports: what they hold, what may be asked, how files are taken."""

import gzip
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from accounts.api import Caller
from core.settings import load
from search_api.fhir.kinds import KINDS_OF_TYPE
from tests.accounts.helpers import signed_in
from tests.search_api.fhir import seed
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.exporting import DOCTOR, Json, by_type, written
from tests.search_api.fhir.exporting import nobody_listens as nobody_listens
from tests.search_api.fhir.exporting import without_workers as without_workers
from tests.search_api.fhir.test_resources import PROFESSIONAL, PUBLIC, everything

pytestmark = pytest.mark.usefixtures("without_workers")


@pytest.mark.parametrize("caller", [PUBLIC, PROFESSIONAL], ids=["public", "professional"])
async def test_an_export_is_the_directory(
    client: httpx.AsyncClient, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPERE_EXPORT_LINES", "100")
    load.cache_clear()
    if caller is PROFESSIONAL:
        await signed_in(client, DOCTOR)
    manifest = await written(client)
    load.cache_clear()
    assert manifest["requiresAccessToken"] is (caller is PROFESSIONAL)
    assert manifest["request"] == "http://repere.test/fhir/$export"
    assert manifest["deleted"] == manifest["error"] == []
    assert max(file["count"] for file in manifest["output"]) == 100, "files are bounded"
    found = await by_type(client, manifest)
    for name, kinds in KINDS_OF_TYPE.items():
        wanted: dict[str, Json] = {}
        for kind in kinds:
            wanted |= {one["id"]: one for one in (await everything(kind, caller)).values()}
        assert found[name] == json.loads(json.dumps(wanted))
    text = json.dumps(found)
    for secret in (seed.WORD, seed.SECRET_PHONE, "0639989878", "ZZCANARI"):
        assert (secret in text) is (caller is PROFESSIONAL), secret
    references = {one for kind in found.values() for resource in kind.values() for one in _references(resource)}
    assert references
    assert all(one.partition("/")[2] in found[one.partition("/")[0]] for one in references), "all of one instant"


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [one for part in value.values() for one in _references(part)]
    return [one for part in value for one in _references(part)] if isinstance(value, list) else []


async def test_types_are_chosen(client: httpx.AsyncClient) -> None:
    manifest = await written(client, "?_type=Location,Practitioner&_outputFormat=application/fhir%2Bndjson")
    assert {file["type"] for file in manifest["output"]} == {"Location", "Practitioner"}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?_type=Patient", "_type"),
        ("?_type=Location,%3Cb%3E", "_type"),
        ("?_since=yesterday", "_since"),
        ("?_outputFormat=text/csv", "_outputFormat"),
        ("?_typeFilter=Location", "_typeFilter"),
        ("?_type=Location&_typeFilter=Practitioner%3Fname=a", "_typeFilter"),
        ("?" + "&".join(f"_typeFilter=Location%3Fname={n}" for n in range(40)), "_typeFilter"),
    ],
)
async def test_a_wrong_question_is_refused(client: httpx.AsyncClient, query: str, parameter: str) -> None:
    answer = await client.get(f"/fhir/$export{query}")
    assert answer.status_code == 400
    issues = answer.json()["issue"]
    assert parameter in [one for issue in issues for one in issue["expression"]]
    assert all(issue["diagnostics"] for issue in issues)


async def test_an_unknown_parameter_is_refused_to_the_strict_alone(client: httpx.AsyncClient) -> None:
    refused = await client.get("/fhir/$export?_elements=id", headers={"Prefer": "respond-async, handling=strict"})
    assert (refused.status_code, refused.json()["issue"][0]["expression"]) == (400, ["_elements"])
    assert (await client.get("/fhir/$export?_elements=id", headers={"Prefer": "handling=lenient"})).status_code == 202
    assert (await client.get("/fhir/$export?_format=xml")).status_code == 406


async def test_filters_limit_a_type(feed: Feed, client: httpx.AsyncClient) -> None:
    async def total(search: str) -> int:
        return int((await client.get(f"/fhir/{search}&_summary=count")).json()["total"])

    first, second = "location.address-city=mantes&name:contains=a", "_filter=location.address-city%20sw%20limay"
    both = f"_filter={quote('(location.address-city sw mantes and name co a) or location.address-city sw limay')}"
    expected = [await total(f"HealthcareService?{one}") for one in (first, both)]
    assert 0 < expected[0] < expected[1] < await total("HealthcareService?active=true")
    query = f"?_type=HealthcareService,Location&_typeFilter={quote(f'HealthcareService?{first}', safe='')}"
    manifest = await written(client, query)
    counts = {file["type"]: file["count"] for file in manifest["output"]}
    assert counts["HealthcareService"] == expected[0]
    assert counts["Location"] == await total("Location?status=active"), "a type without filter is whole"
    more = await written(client, f"{query}&_typeFilter={quote(f'HealthcareService?{second}', safe='')}")
    found = {file["type"]: file["count"] for file in more["output"]}["HealthcareService"]
    assert found == expected[1], "any of the filters"
    for wrong in ("unknown=1", "_count=3", "_sort=name", "_include=HealthcareService:location", "location.near=1"):
        refused = await client.get(f"/fhir/$export?_typeFilter={quote(f'HealthcareService?{wrong}', safe='')}")
        assert refused.status_code == 400, wrong
        assert refused.json()["issue"][0]["diagnostics"]


async def test_a_file_is_taken_in_parts_and_compressed(client: httpx.AsyncClient) -> None:
    manifest = await written(client, "?_type=HealthcareService")
    url = manifest["output"][0]["url"]
    plain = {"Accept-Encoding": "identity"}
    whole = await client.get(url, headers=plain)
    assert whole.headers["accept-ranges"] == "bytes"
    size = len(whole.content)
    half = size // 2
    first = await client.get(url, headers={"Range": f"bytes=0-{half - 1}"})
    assert (first.status_code, first.headers["content-range"]) == (206, f"bytes 0-{half - 1}/{size}")
    rest = await client.get(url, headers={"Range": f"bytes={half}-", "If-Range": first.headers["etag"]})
    assert first.content + rest.content == whole.content
    other = await client.get(url, headers={"Range": f"bytes={half}-", "If-Range": '"other"'} | plain)
    assert (other.status_code, other.content) == (200, whole.content), "another file is given whole"
    beyond = await client.get(url, headers={"Range": f"bytes={size + 5}-"})
    assert beyond.status_code == 416
    assert (await client.get(url, headers={"If-None-Match": whole.headers["etag"]} | plain)).status_code == 304
    async with client.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as squeezed:
        assert squeezed.headers["content-encoding"] == "gzip"
        assert squeezed.headers["etag"] != whole.headers["etag"]
        raw = b"".join([piece async for piece in squeezed.aiter_raw()])
    assert gzip.decompress(raw) == whole.content
    assert len(raw) < size / 3
    again = await client.get(url, headers={"Accept-Encoding": "gzip", "If-None-Match": squeezed.headers["etag"]})
    assert again.status_code == 304
    base = url.rpartition("/")[0]
    for name in ("HealthcareService-2", "HealthcareService-1%00", "..%2F..%2Fetc", "Location-1"):
        assert (await client.get(f"{base}/{name}.ndjson")).status_code == 404, name
