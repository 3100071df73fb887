"""What a search refuses, leaves out and never tells: unknown parameters, hostile values, restricted things, endings."""

import random
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest

from core.db import connect_direct, unit_of_work
from directory.api import unpublish_offer
from directory.projection import refresh_due
from search_api.fhir.search import routes
from tests.accounts.helpers import signed_in
from tests.search_api.conftest import dsn
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.seed import MAILBOX, SECRET_PHONE, WORD
from tests.search_api.fhir.world import TYPES, bundle, entries, links, walk
from tests.search_api.seed import CANARY

STRICT = {"Prefer": "return=minimal; handling=strict"}


def issues(answer: httpx.Response) -> list[dict[str, Any]]:
    document = answer.json()
    assert document["resourceType"] == "OperationOutcome"
    assert answer.headers["content-type"] == "application/fhir+json"
    found: list[dict[str, Any]] = document["issue"]
    assert found and all(one["severity"] in ("error", "warning", "information") for one in found)
    return found


@pytest.mark.parametrize(
    "unknown", ["foo=1", "foo.name=1", "location.foo=1", "_has:Patient:service:name=1", "_has:PractitionerRole:x:y=1",
                "_has:Location:organization:name=1", "_include=HealthcareService:nothing", "_revinclude=Patient:x",
                "_include=HealthcareService:location:Organization", "near=48|2|1|km", "name="]
)  # fmt: skip
async def test_what_is_unknown_is_refused_or_told(client: httpx.AsyncClient, unknown: str) -> None:
    every = (await bundle(client, "/fhir/HealthcareService?_count=0"))["total"]
    page = await bundle(client, f"/fhir/HealthcareService?_count=2&{unknown}")
    assert page["total"] == every
    name = unknown.partition("=")[0]
    assert links(page)["self"] == "http://repere.test/fhir/HealthcareService?_count=2"
    [told] = entries(page, "outcome")
    [warning] = told["resource"]["issue"]
    assert warning["severity"] == "warning" and warning["diagnostics"].startswith(name)
    # The pages that follow know of it no more.
    assert not entries(await bundle(client, links(page)["next"]), "outcome")
    answer = await client.get(f"/fhir/HealthcareService?_count=2&{unknown}", headers=STRICT)
    assert answer.status_code == 400
    assert issues(answer)[0]["expression"] == [name]
    assert (await client.get("/fhir/HealthcareService?_count=2", headers=STRICT)).status_code == 200


@pytest.mark.parametrize(
    ("query", "culprit"),
    [
        ("name:above=x", "name:above"),
        ("specialty:in=x", "specialty:in"),
        ("specialty:exact=x", "specialty:exact"),
        ("identifier:text=x", "identifier:text"),
        ("location:missing=maybe", "location:missing"),
        ("location:Organization=x", "location:Organization"),
        ("location:Organization.name=x", "location:Organization"),
        ("_lastUpdated=hier", "_lastUpdated"),
        ("_lastUpdated=2026-13", "_lastUpdated"),
        ("_lastUpdated=2026-02-30", "_lastUpdated"),
        ("_lastUpdated=0000", "_lastUpdated"),
        ("_lastUpdated=2026-01-01T25:00", "_lastUpdated"),
        ("_lastUpdated=2026-01-01T10:00%2B20:00", "_lastUpdated"),
        ("age-range-low=deux", "age-range-low"),
        ("age-range-low=18||mo", "age-range-low"),
        ("age-range-low=1e999", "age-range-low"),
        ("specialty=|", "specialty"),
        ("_sort=characteristic", "_sort"),
        ("_sort=foo", "_sort"),
        ("_sort=location", "_sort"),
        ("_count=-1", "_count"),
        ("_count=many", "_count"),
        ("_count=1&_count=2", "_count"),
        ("_summary=maybe", "_summary"),
        ("_total=yes", "_total"),
        ("_elements=name&_summary=true", "_elements"),
        ("_filter=name", "_filter"),
        ("_filter=name%20eq", "_filter"),
        ("_filter=foo%20eq%201", "_filter"),
        ("_filter=name%20gt%20a", "_filter"),
        ("_filter=(name%20eq%20a", "_filter"),
        ("_filter=name%20eq%20a%20b", "_filter"),
        ("_filter=name%20eq%20%22a", "_filter"),
        ("_filter=not%20name%20eq%20a", "_filter"),
        ("_filter=location.near%20eq%20%2248|2%22", "_filter"),
        ("_filter=name%20pr%20maybe", "_filter"),
        ("location.near=95|2|1|km", "near"),
        ("location.near=48|200|1|km", "near"),
        ("location.near=48", "near"),
        ("location.near=48|2|0|km", "near"),
        ("location.near=48|2|10000|km", "near"),
        ("location.near=48|2|1|parsec", "near"),
        ("location.near=48|2|1|km|x", "near"),
        ("location.near=nan|2|1|km", "near"),
        ("location.near=48,9|2,1|1|km", "near"),
        ("location.near:missing=true", "near:missing"),
        ("location.near-insee-code=99999|15|km", "near-insee-code"),
        ("location.near-insee-code=78361|0.01|km", "near-insee-code"),
        ("organization.partof.partof.partof.partof.partof.name=x", "name"),
    ],
)
async def test_what_cannot_be_understood_is_always_refused(client: httpx.AsyncClient, query: str, culprit: str) -> None:
    answer = await client.get(f"/fhir/HealthcareService?{query}")
    assert answer.status_code == 400, query
    [issue] = issues(answer)
    assert issue["severity"] == "error" and issue["expression"][0].endswith(culprit)


HOSTILE = ["x" * 10_000, "\x00", "a\x00b", "\x1b[2J", "\ud7ff\uffff", "'; DROP TABLE directory.offer; --", "%" * 300,
           "\\", "\\\\\\", ",", "|||", "_" * 499, "ge", "⁰" * 10, "١٢", "9" * 400, "-" * 50, "(" * 3000, '"\\u0000"',
           '"\\ud800"', "http://repere.test/fhir/" * 20, "𝔘" * 100, "{}", "null", "NaN", "1e5", "0001", "9999-12-31",
           "lt0001-01-01", "ap9999-12-31T23:59:59.999999Z", "%s %(x)s", ":x", "é" * 200]  # fmt: skip


@pytest.mark.parametrize("type_", TYPES)
async def test_hostile_values_never_break_anything(client: httpx.AsyncClient, type_: str) -> None:
    metadata = (await client.get("/fhir/metadata")).json()
    [declared] = [one for one in metadata["rest"][0]["resource"] if one["type"] == type_]
    names = [one["name"] for one in declared["searchParam"] if one["name"] != "_has"]
    names += ["_sort", "_count", "_elements", "_summary", "_total", "_include", "_revinclude", "_format", "_pretty"]
    rng = random.Random(type_)
    for name in names:
        for value in rng.sample(HOSTILE, 4):
            full = f"{name}{rng.choice(('', '', ':missing', ':text', ':not', ':contains', ':exact', ':zz'))}"
            answer = await client.get(f"/fhir/{type_}?_count=1&{full}={quote(value, errors='surrogatepass')}")
            assert answer.status_code in (200, 400, 406), (full, value, answer.text)
            if answer.status_code != 200:
                issues(answer)
    for value in HOSTILE:
        answer = await client.get(f"/fhir/{type_}?{quote(value, safe='', errors='surrogatepass')}=1&_count=1")
        assert answer.status_code in (200, 400)


async def test_too_much_is_refused(client: httpx.AsyncClient) -> None:
    deep = "not (" * 200 + "name eq a" + ")" * 200
    wide = " or ".join(["name eq a"] * 150)
    for query in (
        f"_filter={quote(deep)}",
        f"_filter={quote(wide)}",
        "_filter=" + "x" * 5000,
        "&".join(f"location.organization.name={one}" for one in range(1000)),
        "_id=" + ",".join(str(one) for one in range(600)),
        "&".join("_id=" + ",".join(str(one) for one in range(200)) for _ in range(9)),
        "&".join(f"name={'x' * 400}" for _ in range(70)),
        "organization." * 300 + "name=x",
        "_has:PractitionerRole:service:" * 200 + "name=x",
        "_sort=" + ",".join(["name"] * 5),
    ):
        answer = await client.get(f"/fhir/HealthcareService?{query}")
        assert answer.status_code == 400, query[:80]
        assert issues(answer)[0]["code"] in ("too-costly", "too-long", "invalid", "not-supported")
    form = await client.post("/fhir/HealthcareService/_search", data={f"name{one}": "x" for one in range(4000)})
    assert form.status_code == 400
    huge = await client.post("/fhir/HealthcareService/_search", data={"name": "x" * 400_000})
    assert huge.status_code in (400, 413)
    broken = await client.post(
        "/fhir/HealthcareService/_search",
        content=b"\xff\xfe=%zz&name=%ff",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert broken.status_code in (200, 400)


async def test_other_types_and_formats(client: httpx.AsyncClient) -> None:
    for path in ("/fhir/Patient", "/fhir/healthcareservice", "/fhir/Patient/_search"):
        answer = await client.get(path)
        assert answer.status_code == 404
        issues(answer)
    assert (await client.get("/fhir/Location?_format=xml")).status_code == 406
    for ours in ("json", "application/fhir%2Bjson", "application/json"):
        assert (await client.get(f"/fhir/Location?_count=1&_format={ours}")).status_code == 200
    pretty = await client.get("/fhir/Location?_count=1&_pretty=true")
    assert pretty.text.startswith('{\n  "resourceType": "Bundle"')


async def test_nothing_restricted_answers(client: httpx.AsyncClient) -> None:
    """Each restricted word, under each text or code parameter, alone, chained, in an expression: nobody finds it."""
    metadata = (await client.get("/fhir/metadata")).json()
    for declared in metadata["rest"][0]["resource"]:
        type_ = declared["type"]
        everything = " ".join(one["resource"]["id"] for one in await walk(client, f"/fhir/{type_}?_count=200"))
        assert everything
        for one in declared["searchParam"]:
            if one["type"] not in ("string", "token") or one["name"].startswith("_"):
                continue
            for word in (WORD, SECRET_PHONE, MAILBOX, f"{WORD}@kine.mssante.fr", CANARY):
                contains = ":contains" if one["type"] == "string" else ""
                assert (await bundle(client, f"/fhir/{type_}?{one['name']}{contains}={word}&_count=0"))["total"] == 0
    for query in (f"practitioner.name:contains={CANARY}", f"practitioner.family={CANARY}"):
        assert (await bundle(client, f"/fhir/PractitionerRole?{query}&_count=0"))["total"] == 0
        has = f"_has:PractitionerRole:service:{query}"
        assert (await bundle(client, f"/fhir/HealthcareService?{has}&_count=0"))["total"] == 0
    public = {type_: (await bundle(client, f"/fhir/{type_}?_count=0"))["total"] for type_ in TYPES}
    await signed_in(client, ("professional", "rpps:10101010101"))
    assert (await bundle(client, f"/fhir/PractitionerRole?practitioner.family={CANARY}&_count=0"))["total"] > 0
    for type_ in ("HealthcareService", "PractitionerRole", "Practitioner"):
        assert (await bundle(client, f"/fhir/{type_}?_count=0"))["total"] > public[type_]
    # Comments and contacts are found by nobody.
    assert (await bundle(client, f"/fhir/HealthcareService?name:contains={WORD}&_count=0"))["total"] == 0


async def test_what_left_is_told_to_who_asks_for_changes(client: httpx.AsyncClient, feed: Feed) -> None:
    await signed_in(client, ("professional", "rpps:10101010101"))
    everybody = await walk(client, "/fhir/HealthcareService?_count=200")
    client.cookies.clear()
    shown = await walk(client, "/fhir/HealthcareService?_count=200")
    hidden = {one["resource"]["id"] for one in everybody} - {one["resource"]["id"] for one in shown}
    chosen = [shown[3]["resource"], shown[-1]["resource"]]
    assert hidden
    [(now,)] = feed.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    for uid in [one["id"] for one in chosen] + sorted(hidden)[:1]:
        [(version,)] = feed.sql("SELECT version FROM directory.offer WHERE uid = %s", uid)
        assert isinstance(version, int)
        async with unit_of_work() as session:
            await unpublish_offer(session, uid, "essai", version)
    changed = await walk(client, f"/fhir/HealthcareService?_lastUpdated=ge{now}&_count=1")
    assert {one["resource"]["id"] for one in changed} == {one["id"] for one in chosen}
    for one in changed:
        resource = one["resource"]
        [source] = [known for known in chosen if known["id"] == resource["id"]]
        assert resource.keys() == {"resourceType", "id", "meta", "identifier", "active"}
        assert resource["active"] is False and resource["identifier"][0]["value"] == source["identifier"][0]["value"]
        assert resource["meta"]["lastUpdated"] > source["meta"]["lastUpdated"]
        assert resource["meta"]["tag"] == source["meta"]["tag"] and "profile" not in resource["meta"]
    uid = chosen[0]["id"]
    for query, count in (
        (f"_id={uid}", 0),
        (f"_id={uid}&_lastUpdated=ge{now}", 1),
        (f"_lastUpdated=ge{now}&active=false", 2),
        (f"_lastUpdated=ge{now}&active=true", 0),
        (f"identifier=urn:uuid:{uid}&_lastUpdated=gt2000", 1),
        (f"_lastUpdated=ge{now}&_tag=11", 2),
        (f"_lastUpdated=ge{now}&_tag=99", 0),
        (f"_lastUpdated=ge{now}&name:missing=false", 0),
        ("active=false", 0),
    ):
        page = await bundle(client, f"/fhir/HealthcareService?{query}")
        assert page["total"] == len(entries(page)) == count, query
        informed = "name" in query
        assert bool(entries(page, "outcome")) == informed
    roles = await walk(client, f"/fhir/PractitionerRole?_lastUpdated=ge{now}")
    assert roles and all(one["resource"]["active"] is False for one in roles)


async def test_closed_organisations_are_found_by_the_day_they_closed(client: httpx.AsyncClient, feed: Feed) -> None:
    [(uid, finess)] = feed.sql(
        "UPDATE directory.site SET closed_on = '2026-03-04', updated_at = now() WHERE id = (SELECT min(id) FROM"
        " directory.site WHERE finess IS NOT NULL AND closed_on IS NULL) RETURNING uid::text, finess"
    )
    for query, found in (
        ("eq2026-03-04", True),
        ("2026-03", True),
        ("ge2026-03-05", False),
        ("le2026-03-04", True),
        ("sa2026-03-03", True),
        ("eb2026-03-05", True),
        ("gt2026-03-04", False),
    ):
        page = await bundle(client, f"/fhir/Organization?period-end={query}")
        assert ([one["resource"]["id"] for one in entries(page)] == [uid]) == found, query
        if found:
            [one] = entries(page)
            assert one["resource"]["extension"][0]["valuePeriod"] == {"end": "2026-03-04"}
            assert finess in {known["value"] for known in one["resource"]["identifier"]}
    assert (await bundle(client, f"/fhir/Organization?identifier={finess}"))["total"] == 0
    page = await bundle(client, f"/fhir/Location?_lastUpdated=gt2020&_id={uid}")
    assert [one["resource"]["status"] for one in entries(page)] == ["inactive"]


async def test_the_statement_of_capabilities_tells_what_works(client: httpx.AsyncClient) -> None:
    from fhir.resources.R4B.capabilitystatement import CapabilityStatement

    answer = await client.get("/fhir/metadata")
    document = answer.json()
    CapabilityStatement.parse_obj(document)
    assert document["fhirVersion"] == "4.0.1" and document["kind"] == "instance"
    for declared in document["rest"][0]["resource"]:
        for one in declared["searchParam"]:
            value = {"date": "2026", "quantity": "18", "special": "48|2|1|km"}.get(one["type"], "x")
            name = one["name"]
            if name == "_filter":
                value = "_id eq x"
            elif name == "_has":
                continue
            elif name == "near-insee-code":
                value = "78361|15|km"
            answer = await client.get(f"/fhir/{declared['type']}?{name}={quote(value)}&_count=1", headers=STRICT)
            assert answer.status_code == 200, (declared["type"], name, answer.text)
            sortable = "Peut servir de tri" in one["documentation"]
            extra = f"{name}={quote(value)}&" if one["type"] == "special" else ""
            answer = await client.get(f"/fhir/{declared['type']}?{extra}_sort=-{name}&_count=1", headers=STRICT)
            assert answer.status_code == (200 if sortable else 400), name
        for path in declared["searchInclude"]:
            answer = await client.get(f"/fhir/{declared['type']}?_include={path}&_count=1", headers=STRICT)
            assert answer.status_code == 200
        for path in declared["searchRevInclude"]:
            answer = await client.get(f"/fhir/{declared['type']}?_revinclude={path}&_count=1", headers=STRICT)
            assert answer.status_code == 200
    assert urlsplit(document["implementation"]["url"]).path == "/fhir"


async def test_an_offer_that_a_date_takes_away_is_told(client: httpx.AsyncClient, feed: Feed) -> None:
    shown = await walk(client, "/fhir/HealthcareService?_count=200")
    uid = shown[7]["resource"]["id"]
    [(now,)] = feed.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    # It closes today for good; nobody writes anything on that day.
    feed.sql(
        "UPDATE directory.offer SET closing_on = (core.now() AT TIME ZONE 'Europe/Paris')::date, reopening_on = NULL,"
        " updated_at = '2026-01-01' WHERE uid = %s",
        uid,
    )
    assert (await bundle(client, f"/fhir/HealthcareService?_id={uid}"))["total"] == 1
    for _ in range(2):
        with connect_direct() as connection:
            refresh_due(connection)
    assert (await bundle(client, f"/fhir/HealthcareService?_id={uid}"))["total"] == 0
    page = await bundle(client, f"/fhir/HealthcareService?_id={uid}&_lastUpdated=ge{now}")
    assert [one["resource"]["active"] for one in entries(page)] == [False]
    # It is told once: the next day's work does not bring it back.
    [(later,)] = feed.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    with connect_direct() as connection:
        refresh_due(connection)
    assert (await bundle(client, f"/fhir/HealthcareService?_lastUpdated=ge{later}"))["total"] == 0


async def test_a_search_that_takes_too_long_says_so(
    client: httpx.AsyncClient, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "SECONDS", 1)
    with psycopg.connect(dsn(feed.url)) as other:
        other.execute("LOCK TABLE directory.offer_search")
        answer = await client.get("/fhir/HealthcareService?name=x")
    assert answer.status_code == 503
    [issue] = issues(answer)
    assert issue["code"] == "too-costly" and "trop de temps" in issue["diagnostics"]
    assert answer.headers["retry-after"]
    assert (await client.get("/fhir/HealthcareService?name=x")).status_code == 200


async def test_the_root_leads_to_the_statement(client: httpx.AsyncClient) -> None:
    for path in ("/fhir", "/fhir/"):
        answer = await client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 404 and "/fhir/metadata" in issues(answer)[0]["diagnostics"]
