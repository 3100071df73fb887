"""Pinning a place: by an address, by the map, back to the register; who may; what is absurd."""

from typing import Any

import httpx
import psycopg
import pytest

from tests.accounts.helpers import form_token, signed_in

ALICE = "10000000001"
OWN = ("professional", f"rpps:{ALICE}")


@pytest.fixture
def addresses(town: Any) -> Any:
    """Two streets of the address base in the town of the practice."""
    conn: psycopg.Connection[Any] = town.conn
    for number in (7, 9, 11):
        conn.execute(
            "INSERT INTO maps.address (id, commune_code, street_key, number, street, postal_code, point)"
            " VALUES (%s, '78361', 'rue metz', %s, 'Rue de Metz', '78200', %s)",
            (f"78361_metz_{number}", number, f"POINT({1.71 + number / 10_000} 48.99)"),
        )
    conn.commit()
    return town


def page_of(town: Any) -> str:
    return f"/mon-offre/{town.offer(ALICE)['uid']}/position"


def position(town: Any) -> Any:
    return town.one(
        "SELECT ST_X(o.position::geometry) AS lon, ST_Y(o.position::geometry) AS lat, o.exact"
        " FROM directory.offer_search o JOIN directory.offer f ON f.id = o.offer_id WHERE f.uid = %s"
        .replace("%s", f"'{town.offer(ALICE)['uid']}'")
    )  # fmt: skip


async def put(client: httpx.AsyncClient, page: str, **values: str) -> httpx.Response:
    opened = (await client.get(page)).text
    version = opened.split('name="version" value="')[1].split('"')[0]
    return await client.post(page, data={"_csrf": form_token(opened), "version": version} | values)


async def test_an_address_is_chosen_and_the_search_follows(addresses: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, OWN)
    page = page_of(addresses)
    shown = (await client.get(page, params={"adresse": "9 r. de metz"})).text
    assert shown.index("9 Rue de Metz") < shown.index("7 Rue de Metz"), "the number that was typed comes first"
    answer = await put(client, page, adresse="9 rue de Metz", choix="78361_metz_9")
    assert answer.status_code == 303
    assert "repere_position=" in answer.headers["set-cookie"]
    found = position(addresses)
    assert (round(found["lon"], 4), round(found["lat"], 4), found["exact"]) == (1.7109, 48.99, True)
    line = addresses.one("SELECT actor, action FROM directory.history WHERE entity = 'site' ORDER BY id DESC LIMIT 1")
    assert line["actor"].startswith("account:")
    assert "Position placée" in (await client.get(page)).text


async def test_the_pin_of_the_map_may_be_taken_away(addresses: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, OWN)
    page, before = page_of(addresses), position(addresses)
    assert (await put(client, page, choix="carte", lat="48,9911", lon="1.7201")).status_code == 303
    assert position(addresses)["lat"] == pytest.approx(48.9911)
    assert (await put(client, page, retirer="1")).status_code == 303
    assert position(addresses) == before


async def test_a_point_out_of_the_commune_must_be_meant(addresses: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, OWN)
    page, before = page_of(addresses), position(addresses)
    refused = await put(client, page, choix="carte", lat="48.8566", lon="2.3522")
    assert refused.status_code == 422
    assert "Mantes-la-Jolie" in refused.text
    assert 'value="2.3522"' in refused.text, "what was typed stays"
    assert position(addresses) == before
    assert (await put(client, page, choix="carte", lat="48.8566", lon="2.3522", loin="1")).status_code == 303


@pytest.mark.parametrize(
    ("lat", "lon", "field"),
    [("", "1.7", "lat"), ("48.99", "abc", "lon"), ("91", "1.7", "lat"), ("nan", "1", "lat"), ("48.9", "1e9", "lon"),
     ("48.9", "9" * 500, "lon")],
)  # fmt: skip
async def test_absurd_coordinates_are_told_at_their_field(
    addresses: Any, client: httpx.AsyncClient, lat: str, lon: str, field: str
) -> None:
    await signed_in(client, OWN)
    answer = await put(client, page_of(addresses), choix="carte", lat=lat, lon=lon)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text


async def test_a_stale_page_changes_nothing_and_strangers_find_none(addresses: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, OWN)
    page = page_of(addresses)
    first = (await client.get(page)).text
    assert (await put(client, page, choix="carte", lat="48.9911", lon="1.7201")).status_code == 303
    stale = first.split('name="version" value="')[1].split('"')[0]
    answer = await client.post(
        page, data={"_csrf": form_token(first), "version": stale, "choix": "carte", "lat": "48.98", "lon": "1.70"}
    )
    assert answer.status_code == 409
    assert position(addresses)["lat"] == pytest.approx(48.9911)
    await signed_in(client, ("professional", "rpps:10000000002"))
    assert (await client.get(page)).status_code == 404
