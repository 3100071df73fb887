"""What is marked « professionnels » never leaks: planted in every restricted field, crawled for, and searched for.

Every address that an anonymous browser, or an account without rights, can reach by following links, forms and the
documents that describe our APIs is read; none may hold a planted value, in any format, however it is written.
"""

import html
import io
import re
import shutil
import subprocess
import uuid
import zipfile
from collections import deque
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import delete, func, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import USES
from accounts.models import Account
from accounts.models_coordinates import Coordinate, CoordinateUse
from core import tasks
from core.db import unit_of_work
from directory.api import PROFESSIONAL, ContactIn, Offer, OfferDescription, Practitioner, Role, describe_offer
from directory.labels import PURPOSES
from search_api import engines
from search_api.fhir import export_work
from search_api.models_export import Export
from tests.accounts.helpers import signed_in
from tests.search_api.conftest import filled, indexed
from tests.search_api.portals.helpers import make

__all__ = ["filled"]

WORD = "zzserin"
REACHED = ["zzpinson"]
"""What stands in the coordinates of accounts: no reader of the directory may meet it, professionals neither."""
PHONES = iter(f"0639{number:06d}" for number in range(989_900, 999_999))
PAGES = 500
"""Addresses read in one crawl."""
ALIKE = 4
"""Addresses read among those that differ by an identifier or a value only."""
_LINK = re.compile(
    r"""(?:href|src|action|content|data-[a-z-]*url|data-source)=["']([^"'#]+)|"((?:https?://repere\.test)?/[a-z][^"\s{}]*)\""""
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
STARTS = (
    "/",
    "/recherche?where=commune:78361",
    "/recherche?q=kine&where=departement:78",
    "/aide",
    "/nomenclatures",
    "/api",
    "/api/openapi.json",
    "/api/v1/search?where=commune:78361&radius_km=50",
    "/api/v1/search.xlsx?where=commune:78361",
    "/api/v1/search.csv?where=departement:78",
    "/api/v1/search.geojson?where=departement:78",
    "/api/v1/suggest?q=kin",
    "/api/v1/map?zoom=12&view=1.5,48.8,2.2,49.1",
    "/tiles/offers.json",
    "/tiles/offers/14/8270/5636.mvt",
    "/tiles/offers/9/258/176.mvt",
    "/ogc?f=json",
    "/ogc/collections/offers/items?limit=1000",
    "/ogc/collections/sites/items?limit=1000",
    "/sitemap.xml",
    "/robots.txt",
    "/connexion",
    "/maillage/canari",
    "/maillage/canari?vue=tableau",
    "/maillage/canari/widget?q=kine",
    "/maillage/canari/integrer",
)


def _values() -> dict[str, str]:
    """Return a value for every restricted contact field."""
    made = {}
    for name, purpose in PURPOSES.items():
        if purpose.confidentiality < PROFESSIONAL:
            continue
        if purpose.form in ("phone", "fax"):
            made[name] = next(PHONES)
        elif purpose.form == "email":
            made[name] = f"{WORD}-{name.replace('_', '-')}@example.org"
        else:
            made[name] = f"https://{WORD}.example.org/{name}"
    return made


async def _plant() -> tuple[list[str], list[str]]:
    """Plant values in some public offers; return the offers' addresses and what must never be read."""
    uids, needles = [], [WORD]
    async with unit_of_work() as session:
        offers = (
            await session.scalars(
                select(Offer).where(Offer.sensitive.is_(False), Offer.closed_on.is_(None)).order_by(Offer.id).limit(8)
            )
        ).all()
        # What a doctor keeps of how they are reached is for the Ordre and their ads, whatever the public reads of them.
        numbers = await session.scalars(
            select(Practitioner.rpps)
            .join(Role, Role.practitioner_id == Practitioner.id)
            .where(Role.id.in_([offer.role_id for offer in offers if offer.role_id]), Practitioner.rpps.is_not(None))
            .distinct()
            .order_by(Practitioner.rpps)
        )
        for number in numbers.all():
            phone = next(PHONES)
            REACHED.append(phone[1:])
            kept = {"address": f"1 rue {REACHED[0]}", "email": f"{REACHED[0]}@example.org", "mobile": f"+33{phone[1:]}"}
            await _reached(session, number, kept)
        for offer in offers:
            values = _values()
            needles += [value[1:] for value in values.values() if value.isdigit()]
            contacts = [ContactIn(purpose=name, value=value) for name, value in values.items()]
            written = OfferDescription(contacts=contacts, comment=f"Commentaire {WORD}")
            await describe_offer(session, offer.uid, written, "essai", offer.version)
            uids.append(str(offer.uid))
    assert len(REACHED) > 1, "nobody keeps any coordinate"
    return uids, needles


async def _reached(session: AsyncSession, rpps: str | None, kept: dict[str, str]) -> None:
    """Have the account of a professional be reached at these coordinates, whatever for."""
    account = Account(status="active", first_name="Anne", last_name="Durand", rpps=rpps)
    session.add(account)
    await session.flush()
    for kind, value in kept.items():
        row = Coordinate(account_id=account.id, kind=kind, value=value, confirmed_at=func.core.now())
        session.add(row)
        await session.flush()
        session.add_all(CoordinateUse(account_id=account.id, use=use, kind=kind, coordinate_id=row.id) for use in USES)


async def _professionals(but: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return professionals who have one offer only, by RPPS number, and it; none of `but`."""
    async with unit_of_work() as session:
        rows = await session.execute(
            select(Practitioner.rpps, func.min(func.text(Offer.uid)))
            .join(Role, Role.practitioner_id == Practitioner.id)
            .join(Offer, Offer.role_id == Role.id)
            .where(Practitioner.rpps.is_not(None), Offer.closed_on.is_(None))
            .group_by(Practitioner.rpps)
            .having(func.count() == 1)
            .order_by(func.min(Offer.id))
        )
        return [(rpps, uid) for rpps, uid in rows if uid not in but]


def _readable(answer: httpx.Response) -> str:
    """Return everything an answer says, whatever its format."""
    kind = answer.headers.get("content-type", "")
    body = answer.content
    if "spreadsheet" in kind:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return " ".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    if "pdf" in kind and (tool := shutil.which("pdftotext")):
        return subprocess.run([tool, "-", "-"], input=body, capture_output=True, check=True).stdout.decode()
    return body.decode("utf-8", "replace") + " ".join(f"{k}: {v}" for k, v in answer.headers.items())


def _found(text: str, needles: list[str]) -> list[str]:
    plain = html.unescape(text)
    lowered = plain.lower()
    digits = re.sub(r"[\s.\u00a0\u202f%+-]|%20|&nbsp;", "", plain)
    return [needle for needle in needles if needle in lowered or (needle.isdigit() and needle in digits)]


def _shape(path: str) -> str:
    parts = urlsplit(path)
    names = ",".join(sorted({pair.partition("=")[0] for pair in parts.query.split("&")}))
    return re.sub(r"\d+", "N", _UUID.sub("U", parts.path)) + "?" + names


async def _crawl(client: httpx.AsyncClient, starts: list[str], needles: list[str]) -> tuple[int, list[str]]:
    """Follow everything; return how many addresses were read, and the leaks as « address: value »."""
    waiting, seen, shapes, leaks = deque(starts), set(starts), dict[str, int](), []
    read = 0
    while waiting and read < PAGES:
        path = waiting.popleft()
        answer = await client.get(path, headers={"Accept": "text/html,*/*"})
        read += 1
        assert answer.status_code < 500, path
        if answer.is_redirect:
            found = [answer.headers["location"]]
        else:
            text = _readable(answer)
            leaks += [f"{path}: {needle}" for needle in _found(text, needles)]
            found = [html.unescape(a or b) for a, b in _LINK.findall(text)] if len(text) < 3_000_000 else []
        for link in found:
            target = urljoin(f"http://repere.test{path}", link)
            parts = urlsplit(target)
            if parts.netloc != "repere.test" or parts.path.startswith("/static/") or "{" in target:
                continue
            address = parts.path + (f"?{parts.query}" if parts.query else "")
            shape = _shape(address)
            if address in seen or shapes.get(shape, 0) >= ALIKE or parts.path == "/deconnexion":
                continue
            seen.add(address)
            shapes[shape] = shapes.get(shape, 0) + 1
            waiting.append(address)
    return read, leaks


def _starts(uids: list[str], site_uids: list[str]) -> list[str]:
    found = list(STARTS)
    for uid in uids:
        found += [f"/offres/{uid}", f"/api/v1/offers/{uid}", f"/ogc/collections/offers/items/{uid}?f=json"]
        found += [f"/maillage/canari/offres/{uid}", f"/maillage/canari/comparer?o={uid}"]
        found += [f"/offres/{uid}/fiche.pdf", f"/offres/{uid}/horaires.ics", f"/offres/{uid}/horaires"]
        found += [f"/fhir/HealthcareService/{uid}", f"/fhir/HealthcareService/{uid}?_pretty=true"]
    for uid in site_uids:
        found += [f"/sites/{uid}", f"/api/v1/sites/{uid}", f"/sites/{uid}/fiche.pdf"]
        found += [f"/fhir/Organization/{uid}", f"/fhir/Location/{uid}"]
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def planted(filled: URL) -> tuple[list[str], list[str]]:
    """The offers that hold restricted values, and these values; a portal that shows them."""
    await make("canari", places=("departement:78",))
    return await _plant()


@pytest.fixture
async def browser(
    request: pytest.FixtureRequest, filled: URL, planted: object, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, answered by the engine that the test names, whose index knows what was planted."""
    from web.app import app

    if getattr(request, "param", "postgis") == "columns":
        indexed(filled, tmp_path)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as opened:
        yield opened
    engines.use(None)


@pytest.mark.parametrize(
    ("browser", "reader"),
    [("columns", "anonymous"), ("postgis", "account without rights"), ("postgis", "delegate of somebody else")],
    indirect=["browser"],
)
async def test_nothing_restricted_is_read_or_found(
    planted: tuple[list[str], list[str]], browser: httpx.AsyncClient, reader: str
) -> None:
    uids, needles = planted
    if reader == "account without rights":
        await signed_in(browser)
    elif reader == "delegate of somebody else":
        (other, own), *_ = await _professionals(but=uids)
        await signed_in(browser, ("delegate", f"rpps:{other}"))
        assert (await browser.get(f"/mon-offre/{own}")).status_code == 200, "the delegate's own pages are crawled too"
    sheets = [(await browser.get(f"/api/v1/offers/{uid}")).json() for uid in uids]
    starts = _starts(uids, [s["site"]["uid"] for s in sheets])
    if reader == "delegate of somebody else":
        starts += [f"/mon-offre/{own}", *(f"/mon-offre/{uid}/apercu?vue=pro" for uid in uids)]
        starts += ["/comparer?" + "&".join(f"o={uid}" for uid in uids[:4])]
    read, leaks = await _crawl(browser, starts, needles + REACHED)
    assert not leaks
    assert read > 150, "the crawl hardly read anything"
    everything = (await browser.get("/api/v1/search", params={"where": "region:11"})).json()["total_offers"]
    for needle in needles[:4] + REACHED[:2]:
        for text in (needle, f"0{needle}"):
            found = await browser.get("/api/v1/search", params={"q": text, "where": "region:11"})
            assert found.status_code in (200, 422)
            assert found.status_code == 422 or found.json()["total_offers"] in (0, everything), text
            suggested = await browser.get("/api/v1/suggest", params={"q": text})
            assert not _found(suggested.text.replace(text, ""), needles + REACHED)


@pytest.mark.parametrize("browser", ["postgis"], indirect=True)
async def test_a_professional_reads_what_was_planted(
    planted: tuple[list[str], list[str]], browser: httpx.AsyncClient
) -> None:
    uids, needles = planted
    await signed_in(browser, ("professional", "rpps:10101010101"))
    page = await browser.get(f"/offres/{uids[0]}")
    assert page.status_code == 200
    assert not _found(_readable(page), REACHED)
    assert len(_found(_readable(page), needles)) >= 3, "the values are nowhere: the crawl proves nothing"
    assert page.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("browser", ["postgis"], indirect=True)
async def test_a_delegate_reads_what_was_planted_in_the_offers_they_write_only(
    planted: tuple[list[str], list[str]], browser: httpx.AsyncClient
) -> None:
    uids, needles = planted
    own = next(pair for pair in await _professionals() if pair[1] in uids)
    await signed_in(browser, ("delegate", f"rpps:{own[0]}"))
    for uid in uids:
        found = _found(_readable(await browser.get(f"/offres/{uid}")), needles)
        assert (len(found) >= 3) == (uid == own[1]), uid
        assert (await browser.get(f"/mon-offre/{uid}/apercu?vue=pro")).status_code == (200 if uid == own[1] else 404)


@pytest.mark.parametrize("reader", ["anonymous", "account without rights", "professional"])
async def test_nothing_restricted_is_in_the_files_of_an_export(
    planted: tuple[list[str], list[str]], browser: httpx.AsyncClient, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.app.conf, "broker_url", "memory://")
    uids, needles = planted
    if reader != "anonymous":
        await signed_in(browser, *([("professional", "rpps:10101010101")] if reader == "professional" else []))
    async with unit_of_work() as session:
        # The crawl asked for some too.
        await session.execute(delete(Export))
    asked = await browser.get("/fhir/$export")
    status = asked.headers["content-location"].removeprefix("http://repere.test")
    await export_work.carry_out(uuid.UUID(status.rpartition("/")[2]))
    files = (await browser.get(status)).json()["output"]
    assert {file["type"] for file in files} == {
        "HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole"
    }  # fmt: skip
    texts = [(await browser.get(file["url"])).text for file in files]
    assert all(any(uid in text for text in texts) for uid in uids)
    leaks = {needle for text in texts for needle in _found(text, needles)}
    assert leaks == (set(needles) if reader == "professional" else set())
    assert not [text for text in texts if _found(text, REACHED)]


@pytest.mark.parametrize("browser", ["columns", "postgis"], indirect=True)
async def test_a_restricted_contact_changes_no_validator(
    planted: tuple[list[str], list[str]], browser: httpx.AsyncClient
) -> None:
    uids, _ = planted
    addresses = ["/tiles/offers/9/258/176.mvt", "/api/v1/map?zoom=12&view=1.5,48.8,2.2,49.1"]
    before = [(await browser.get(path)).headers.get("etag") for path in addresses]
    async with unit_of_work() as session:
        offer = await session.scalar(select(Offer).where(Offer.uid == uids[0]))
        assert offer is not None
        changed = OfferDescription(contacts=[ContactIn(purpose="pro_phone", value=next(PHONES))])
        await describe_offer(session, offer.uid, changed, "essai", offer.version)
    assert [(await browser.get(path)).headers.get("etag") for path in addresses] == before
