"""A portal's pages through HTTP: its zone, places chosen, table, sheets, offers kept at hand."""

import asyncio
import io
import re
import uuid

import httpx
import openpyxl
import pytest

from search_api.portals.schemas import PortalOut
from tests.accounts.helpers import signed_in
from tests.search_api.portals.helpers import GPSEO, PAGE, VERSAILLES, make, sheets, total


@pytest.fixture
async def portal(api: httpx.AsyncClient) -> PortalOut:
    return await make("mantes")


async def page(api: httpx.AsyncClient, path: str, status: int = 200) -> str:
    answer = await api.get(path, headers=PAGE, follow_redirects=True)
    assert answer.status_code == status, answer.text
    return answer.text


async def ask(api: httpx.AsyncClient, **params: object) -> dict[str, object]:
    answer = await api.get("/api/v1/search", params=params)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


@pytest.mark.parametrize("path", ["", "/favoris", "/comparer", "/widget", "/widget.js", "/integrer", "/couleurs.css"])
async def test_an_unknown_portal_is_a_404_in_french(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(f"/maillage/nulle-part{path}", headers=PAGE)
    assert answer.status_code == 404
    assert "Ce portail n’existe pas" in answer.text and '<html lang="fr"' in answer.text


@pytest.mark.parametrize("slug", ["%00", "a" * 41, "78%22", "%3Cscript%3E", "78%20"])
async def test_a_hostile_address_is_no_portal(api: httpx.AsyncClient, slug: str) -> None:
    assert (await api.get(f"/maillage/{slug}", headers=PAGE)).status_code == 404


async def test_the_zone_is_never_left(api: httpx.AsyncClient, portal: PortalOut) -> None:
    zone, everything = await ask(api, within=GPSEO), await ask(api)
    assert 0 < int(str(zone["total"])) < int(str(everything["total"]))
    outside = await ask(api, within=VERSAILLES)
    foreign = {item["site"]["id"] for item in outside["items"]}  # type: ignore[attr-defined]
    assert foreign
    searches = (
        "",
        "?q=infirmier",
        "?q=infirmier+versailles",
        f"?where={VERSAILLES}",
        f"?where={VERSAILLES}&radius_km=30",
        "?where=commune:78361&radius_km=1000",
        "?where=region:11",
        "?where=france",
        f"?within={VERSAILLES}",
        "?bbox=2.0,48.7,2.2,48.9",
        "?lat=48.80&lon=2.13&radius_km=5",
        "?vue=tableau&sort=relevance",
    )
    for search in searches:
        answer = await api.get(f"/maillage/mantes{search}", headers=PAGE, follow_redirects=True)
        assert answer.status_code in (200, 422), search
        assert foreign.isdisjoint(sheets(answer.text, "sites")), search
        files = re.findall(r'/api/v1/search\.xlsx\?([^"]*)', answer.text)
        assert all(f"within={GPSEO}" in one for one in files), search
        assert f"within={GPSEO}" in answer.text.replace("&amp;", "&"), "the map asks for the zone"
    shown = total(await page(api, "/maillage/mantes"))
    assert shown == zone["total"]
    stranger = next(iter(foreign))
    refused = await api.get(f"/maillage/mantes/sites/{stranger}", headers=PAGE)
    assert refused.status_code == 404 and "hors de la zone" in refused.text
    assert "hors de la zone" in (await api.get(f"/maillage/mantes?where={VERSAILLES}", headers=PAGE)).text


async def test_no_suggestion_names_anybody_elsewhere(api: httpx.AsyncClient) -> None:
    for typed in ("dupont", "martin", "lefevre", "nguyen"):
        groups = (await api.get("/api/v1/suggest", params={"q": typed, "within": VERSAILLES})).json()
        named = [
            one for group in groups if group["group"] in ("practitioners", "establishments") for one in group["items"]
        ]
        assert all(one["count"] for one in named), typed
        everybody = (await api.get("/api/v1/suggest", params={"q": typed})).json()
        assert sum(len(group["items"]) for group in everybody) >= len(named)


async def test_places_chosen_limit_together_and_are_taken_off(api: httpx.AsyncClient, portal: PortalOut) -> None:
    one, other, both = [
        int(str((await ask(api, within=[GPSEO, refs]))["total"]))
        for refs in ("commune:78361", "commune:78335", "commune:78361,commune:78335")
    ]
    assert both == one + other
    text = await page(api, "/maillage/mantes?where=commune:78361&where=commune:78335")
    assert total(text) == both
    assert "Retirer le lieu" in text and "Mantes-la-Jolie" in text and "Limay" in text
    assert 'href="/maillage/mantes?where=commune:78335"' in text
    wider = await page(api, "/maillage/mantes?where=commune:78361&radius_km=20")
    assert (
        total(wider) > one
        and total(wider) == (await ask(api, within=GPSEO, where="commune:78361", radius_km=20))["total"]
    )


async def test_a_place_typed_without_scripts_is_added(api: httpx.AsyncClient, portal: PortalOut) -> None:
    answer = await api.get(
        "/maillage/mantes?q=infirmier&code_label=&lieu=limay&where=commune:78361&page=1", headers=PAGE
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/maillage/mantes?q=infirmier&where=commune:78361&where=commune:78335"
    for typed in ("versailles", "zzzz", "x" * 300):
        refused = await api.get("/maillage/mantes", params={"q": "infirmier", "lieu": typed}, headers=PAGE)
        assert refused.status_code == 422
        assert (
            'href="#lieu"' in refused.text
            and f'value="{typed}"' in refused.text
            and 'value="infirmier"' in refused.text
        )
        # The zone is searched all the same, and the summary says what these results leave out.
        assert "Voici les résultats sans ce qui n’est pas compris" in refused.text and total(refused.text) > 0


async def test_a_refused_search_keeps_what_was_typed(api: httpx.AsyncClient, portal: PortalOut) -> None:
    for search in ("age=999", "open_at=hier", "unit_types=%3Cscript%3E", "page=99", "where=commune:99999999", "code=x"):
        answer = await api.get(f"/maillage/mantes?q=infirmier&{search}", headers=PAGE)
        assert answer.status_code in (303, 422), search
        if answer.status_code == 422:
            assert 'value="infirmier"' in answer.text and "error-summary" in answer.text, search
            assert "<script>" not in answer.text.partition("<main")[2]


async def test_the_first_page_begins_with_the_filters_of_the_portal(api: httpx.AsyncClient) -> None:
    await make("filtre", filters=(("kind", "liberal"),))
    answer = await api.get("/maillage/filtre", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/maillage/filtre?kind=liberal")
    text = await page(api, "/maillage/filtre")
    assert "Offre libérale" in text and 'href="/maillage/filtre?vue=carte"' in text
    assert total(await page(api, "/maillage/filtre?vue=carte")) > total(text)


async def test_results_as_a_table_and_as_a_sheet_of_excel(api: httpx.AsyncClient, portal: PortalOut) -> None:
    text = await page(api, "/maillage/mantes?vue=tableau&where=commune:78361")
    assert "<table" in text and 'data-label="Mise à jour"' in text and 'data-label="Distance"' in text
    assert 'id="carte"' not in text
    listed = await page(api, "/maillage/mantes?where=commune:78361")
    assert sheets(text, "sites") == sheets(listed, "sites")
    target = re.search(r'href="(/api/v1/search\.xlsx[^"]*)"', text)
    assert target
    answer = await api.get(target[1].replace("&amp;", "&"))
    rows = openpyxl.load_workbook(io.BytesIO(answer.content))["Résultats"]
    names = {row[4].value for row in rows.iter_rows(min_row=2)}
    assert names == {"Mantes-la-Jolie"}


async def test_pages_of_fifteen_up_to_two_hundred(api: httpx.AsyncClient, portal: PortalOut) -> None:
    first = await page(api, "/maillage/mantes?sort=relevance")
    second = await page(api, "/maillage/mantes?sort=relevance&page=2")
    assert len(re.findall('class="result"', first)) == 15
    assert set(sheets(first, "sites")).isdisjoint(sheets(second, "sites"))
    assert (await api.get("/maillage/mantes?page=15", headers=PAGE)).status_code == 422


async def test_a_sheet_tells_when_it_was_updated(api: httpx.AsyncClient, portal: PortalOut) -> None:
    uid = sheets(await page(api, "/maillage/mantes"), "offres")[0]
    text = await page(api, f"/maillage/mantes/offres/{uid}?where=commune:78361")
    assert "Mis à jour le" in text and f"/offres/{uid}/fiche.pdf" in text
    assert "http://repere.test/offres/" in text and 'href="/maillage/mantes" data-back' in text
    assert (await api.get(f"/offres/{uid}/fiche.pdf")).headers["content-type"] == "application/pdf"
    site = sheets(text, "sites")[0]
    assert f"/maillage/mantes/offres/{uid}" in await page(api, f"/maillage/mantes/sites/{site}")
    await page(api, f"/maillage/mantes/offres/{uuid.UUID(int=7)}", 404)


async def test_offers_are_kept_and_compared_by_the_address(api: httpx.AsyncClient, portal: PortalOut) -> None:
    first, second, third = sheets(await page(api, "/maillage/mantes"), "offres")[:3]
    search = await page(api, f"/maillage/mantes?q=infirmier&o={first}&o={second}")
    assert "Mes favoris" in search and search.count(f"o={first}") > 3
    assert f'type="hidden" name="o" value="{first}"' in search
    kept = await page(api, f"/maillage/mantes/favoris?o={first}&o={second}&o={second}&o=pas-un-numero&o=")
    assert kept.count("<h2>") == 2 and f'href="/maillage/mantes/favoris?o={second}" data-drop' in kept
    compared = await page(api, f"/maillage/mantes/comparer?o={first}&o={second}&o={third}")
    assert compared.count('scope="col"') == 4 and "Mise à jour" in compared
    assert f'href="/maillage/mantes/comparer?o={first}&amp;o={second}"' in compared
    gone = await page(api, f"/maillage/mantes/comparer?o={uuid.UUID(int=9)}&o={first}")
    assert "n’est plus comparée" in gone and "Une seule offre" in gone
    assert "Aucune offre n’est choisie" in await page(api, "/maillage/mantes/comparer")
    await page(api, "/maillage/mantes/favoris?" + "&".join(f"o={uuid.uuid4()}" for _ in range(101)), 422)


async def test_an_offer_outside_the_zone_is_neither_kept_nor_compared(
    api: httpx.AsyncClient, portal: PortalOut
) -> None:
    outside = await ask(api, within=VERSAILLES)
    uid = outside["items"][0]["offers"][0]["id"]  # type: ignore[index]
    for path in ("favoris", "comparer"):
        text = await page(api, f"/maillage/mantes/{path}?o={uid}")
        assert "hors de la zone" in text and f"/offres/{uid}" not in text


async def test_many_readers_at_once_do_not_wait_for_one_another(api: httpx.AsyncClient, portal: PortalOut) -> None:
    """A page that held a connection while it asks the API for another one would stop all of them."""
    from core.settings import core_settings

    readers = 4 * core_settings().pool_size
    answers = await asyncio.gather(*(api.get("/maillage/mantes?q=infirmier", headers=PAGE) for _ in range(readers)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize(("limited", "statuses"), [("ANONYMOUS", {200}), ("PAGES", {200, 429})])
async def test_a_page_counts_as_a_page_for_whoever_reads_it(
    api: httpx.AsyncClient, portal: PortalOut, monkeypatch: pytest.MonkeyPatch, limited: str, statuses: set[int]
) -> None:
    from core.settings import load
    from web.app import app

    monkeypatch.setenv(f"REPERE_API_{limited}_PER_MINUTE", "5")
    load.cache_clear()
    # Addresses of private networks are not counted: this one is of the Internet.
    transport = httpx.ASGITransport(app=app, client=("8.8.8.8" if limited == "PAGES" else "8.8.4.4", 4000))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as reader:
            answers = [await reader.get("/maillage/mantes?q=infirmier", headers=PAGE) for _ in range(6)]
    finally:
        monkeypatch.undo()
        load.cache_clear()
    assert {answer.status_code for answer in answers} == statuses
    assert limited == "ANONYMOUS" or "Trop de requêtes" in answers[-1].text


async def test_people_signed_in_keep_in_their_account(api: httpx.AsyncClient, portal: PortalOut) -> None:
    uid = sheets(await page(api, "/maillage/mantes"), "offres")[0]
    assert "Garder dans mon compte" not in await page(api, f"/maillage/mantes/offres/{uid}")
    await signed_in(api)
    text = await page(api, f"/maillage/mantes/offres/{uid}")
    assert "Garder dans mon compte" in text
    token = re.search(r'name="_csrf" value="([0-9a-f]{64})"', text)
    assert token
    done = await api.post("/favoris/ajouter", data={"_csrf": token[1], "offre": uid, "suite": "/favoris"})
    assert done.status_code == 303
    assert uid in (await api.get("/favoris")).text
    answer = await api.get("/maillage/mantes", headers=PAGE)
    assert answer.headers["cache-control"] == "private, no-store"


async def test_the_moment_asked_for_is_shown_and_left_alone(api: httpx.AsyncClient, portal: PortalOut) -> None:
    moment = "2026-11-28T10:15"
    filters = {"open_at": "", "open_on": moment, "open_was": ""}
    asked = await api.get("/maillage/mantes", params=filters, headers=PAGE)
    assert asked.headers["location"] == f"/maillage/mantes?open_at={moment}"
    shown = await page(api, asked.headers["location"])
    assert f'name="open_on" value="{moment}"' in shown and f'name="open_was" value="{moment}"' in shown
    filters = {"open_at": "maintenant", "open_on": moment, "open_was": moment}
    again = await api.get("/maillage/mantes", params=filters, headers=PAGE)
    assert again.headers["location"] == "/maillage/mantes?open_at=maintenant"


async def test_too_many_offers_to_compare_all_stay_listed(api: httpx.AsyncClient, portal: PortalOut) -> None:
    uids = sheets(await page(api, "/maillage/mantes"), "offres")[:6]
    text = await page(api, "/maillage/mantes/comparer?" + "&".join(f"o={uid}" for uid in uids))
    assert "6 offres sont choisies, 4 au plus" in text and "les 2 suivantes attendent" in text
    listed = text.partition("compare-many")[2].partition("</ol>")[0]
    for uid in uids:
        left = "&amp;".join(f"o={other}" for other in uids if other != uid)
        assert f'href="/maillage/mantes/comparer?{left}"' in listed
    kept = await page(api, "/maillage/mantes/favoris?" + "&".join(f"o={uid}" for uid in uids))
    assert 'action="/maillage/mantes/comparer" method="get" data-compare-most="4"' in kept
    assert len(re.findall(r'form="comparer" name="o" value="[^"]+" checked', kept)) == 4


async def test_distances_are_counted_from_a_town_that_limits_nothing(api: httpx.AsyncClient, portal: PortalOut) -> None:
    start = await page(api, "/maillage/mantes")
    assert "distances depuis" not in start and 'href="#origin_lieu"' in start
    everything = total(start)
    # Versailles lies outside the zone: whom the offers are for may live there.
    typed = {"lieu": "", "origin_lieu": "versailles", "origin": "", "origin_label": ""}
    asked = await api.get("/maillage/mantes", params=typed, headers=PAGE)
    assert asked.headers["location"] == f"/maillage/mantes?origin={VERSAILLES}"
    told = await page(api, asked.headers["location"])
    assert total(told) == everything and "distances depuis Versailles" in told
    assert 'name="origin_lieu" maxlength="200" value="Versailles' in told
    expected = await ask(api, within=GPSEO, origin=VERSAILLES)
    assert sheets(told, "sites")[:5] == [item["site"]["id"] for item in expected["items"]][:5]  # type: ignore[attr-defined]
    assert f"origin={VERSAILLES}" in re.findall(r'/api/v1/search\.xlsx\?([^"]*)', told)[0]
    again = {**typed, "origin": VERSAILLES, "origin_label": "Versailles (78000)", "origin_lieu": ""}
    emptied = await api.get("/maillage/mantes", params=again, headers=PAGE)
    assert "origin" not in emptied.headers["location"]
    refused = await api.get("/maillage/mantes", params={"q": "infirmier", "origin_lieu": "zzzz"}, headers=PAGE)
    assert refused.status_code == 422 and 'value="zzzz"' in refused.text and 'href="#origin_lieu"' in refused.text
    assert 'id="origin_lieu-erreur"' in refused.text


async def test_the_page_names_what_its_distances_are_told_from(api: httpx.AsyncClient, portal: PortalOut) -> None:
    for search, told in (
        ("where=commune:78361", "distances depuis Mantes-la-Jolie"),
        ("where=commune:78361&where=commune:78335", "distances depuis la plus proche des communes choisies"),
        ("where=commune:78361&where=commune:78335&origin=commune:78335", "distances depuis Limay"),
        ("q=infirmier+limay", "distances depuis Limay"),
        ("bbox=1.6,48.9,1.9,49.1", "distances depuis le milieu de la carte"),
    ):
        text = await page(api, f"/maillage/mantes?{search}")
        assert told in text and "Trier par" in text, search
    assert (await api.get("/maillage/mantes?origin=commune:99999", headers=PAGE)).status_code == 422
