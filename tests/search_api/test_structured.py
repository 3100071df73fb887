"""What search engines read of a sheet: only what is public, whoever asks, and never the end of its block."""

import json
import re
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from core.db import unit_of_work
from directory.api import ContactIn, OfferDescription, describe_offer
from tests.accounts.helpers import signed_in
from tests.search_api.conftest import dsn
from tests.search_api.portals.helpers import make

BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


def block(text: str) -> dict[str, Any]:
    found = BLOCK.findall(text)
    assert len(found) == 1 and "<" not in found[0]
    made: dict[str, Any] = json.loads(found[0])
    assert made["@context"] == "https://schema.org"
    return made


async def described(url: URL) -> str:
    with psycopg.connect(dsn(url)) as conn:
        row = conn.execute(
            "SELECT o.uid, o.version FROM directory.offer o JOIN directory.offer_search s ON s.offer_id = o.id"
            " JOIN maps.place p ON p.id = s.commune_id WHERE NOT s.sensitive AND s.exact AND p.code = '78361'"
            " AND o.role_id IS NOT NULL ORDER BY o.id LIMIT 1"
        ).fetchone()
    assert row
    contacts = [
        ContactIn(purpose="booking_phone", value="0199001234"),
        ContactIn(purpose="pro_phone", value="0639987711"),
    ]
    change = OfferDescription(contacts=contacts, accepts_new=True, territory=["commune:78335"])
    async with unit_of_work() as session:
        await describe_offer(session, row[0], change, "essai", row[1])
    return str(row[0])


@pytest.mark.parametrize("base", ["", "/maillage/fiches"])
async def test_an_offer_is_described_with_public_things_only(api: httpx.AsyncClient, filled: URL, base: str) -> None:
    await make("fiches")
    uid = await described(filled)
    made = block((await api.get(f"{base}/offres/{uid}")).text)
    assert made["url"] == made["@id"] == f"http://repere.test/offres/{uid}"
    assert made["address"]["addressLocality"] and made["address"]["addressCountry"] == "FR"
    assert made["geo"]["@type"] == "GeoCoordinates" and 48.9 < made["geo"]["latitude"] < 49.1
    assert made["telephone"] == "+33199001234" or made["telephone"].endswith("199001234")
    assert made["isAcceptingNewPatients"] is True and made["areaServed"] == [{"@type": "City", "name": "Limay"}]
    await signed_in(api, ("professional", "rpps:10101010101"))
    whole = (await api.get(f"{base}/offres/{uid}")).text
    assert "39 98 77 11" in whole.replace("\u00a0", " ") and block(whole) == made
    site = re.findall(r"/sites/([0-9a-f-]{36})", whole)[0]
    assert block((await api.get(f"{base}/sites/{site}")).text)["@type"] in ("MedicalClinic", "Hospital", "Pharmacy")


async def test_a_name_cannot_end_the_block(api: httpx.AsyncClient, filled: URL) -> None:
    hostile = "CABINET </script><script>alert('x')</script><!-- \u2028"
    with psycopg.connect(dsn(filled), autocommit=True) as conn:
        row = conn.execute(
            "UPDATE directory.site SET name = %s WHERE id = (SELECT min(site_id) FROM directory.offer_search"
            " WHERE NOT sensitive) RETURNING uid",
            (hostile,),
        ).fetchone()
    assert row
    text = (await api.get(f"/sites/{row[0]}")).text
    assert block(text)["name"] == hostile
    assert "<script>alert" not in text
