"""« Mon offre » through HTTP: who sees which offers, what a sheet says, statuses, previews, reports."""

from typing import Any

import httpx
import pytest

from core.db import unit_of_work
from core.mail.delivery import deliver
from directory.api import ContactIn, OfferDescription, describe_offer
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in
from tests.smtp import text_of

ALICE, JEAN = "10000000001", "10000000002"
OWN = ("professional", f"rpps:{ALICE}")


def own(town: Any, rpps: str = ALICE) -> str:
    return f"/mon-offre/{town.offer(rpps)['uid']}"


async def post(client: httpx.AsyncClient, page: str, address: str, **values: str) -> httpx.Response:
    opened = await client.get(page)
    assert opened.status_code == 200, opened.text
    return await client.post(address, data={"_csrf": form_token(opened.text), **values})


def version(page: str) -> str:
    return page.split('name="version" value="')[1].split('"')[0]


@pytest.mark.parametrize(
    ("grants", "mine", "hospital"),
    [
        ([OWN], True, False),
        ([("delegate", f"rpps:{ALICE}")], True, False),
        ([("professional", f"rpps:{JEAN}")], False, False),
        ([("delegate", f"rpps:{JEAN}")], False, False),
        ([("site_manager", "finess:780000287")], False, True),
        ([("site_manager", f"rpps:{ALICE}")], False, False),
        ([("professional", "finess:780000287")], False, False),
        ([("moderator", "council:78"), ("agent", "region:11"), ("coordinator", "departement:78")], False, False),
        ([("administrator", "")], True, True),
        ([], False, False),
    ],
    ids=["own", "delegate", "colleague", "other delegate", "manager", "wrong scope", "wrong scope 2", "watchers",
         "administrator", "nobody"],
)  # fmt: skip
async def test_an_offer_exists_only_for_those_who_may_edit_it(
    town: Any, client: httpx.AsyncClient, grants: list[tuple[str, str]], mine: bool, hospital: bool
) -> None:
    await signed_in(client, *grants)
    theirs = town.one("SELECT uid FROM directory.offer WHERE kind = 'establishment' ORDER BY id LIMIT 1")
    pages = ("", "/modifier", "/apercu", "/signaler", "/depublier")
    for path, may in ((own(town), mine), (f"/mon-offre/{theirs}", hospital)):
        for page in pages:
            assert (await client.get(f"{path}{page}")).status_code == (200 if may else 404), (path, page)
        if not may:
            token = form_token((await client.get("/accueil")).text)
            for action in ("/modifier", "/depublier", "/modifier/contacts", "/annuler", "/signaler"):
                answer = await client.post(f"{path}{action}", data={"_csrf": token, "version": "1"})
                assert answer.status_code == 404, action


async def test_nobody_edits_before_signing_in(town: Any, client: httpx.AsyncClient) -> None:
    asked = await client.get(own(town), headers={"Accept": "text/html"})
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/connexion?suite=%2Fmon-offre")


async def test_a_manager_does_not_own_the_practices_of_liberals_inside(town: Any, client: httpx.AsyncClient) -> None:
    town.role(town.people["810000000002"]["key"], "finess:780000287")
    town.publish()
    liberal = town.one(
        "SELECT o.uid FROM directory.offer o JOIN directory.site s ON s.id = o.site_id"
        " WHERE s.finess = '780000287' AND o.kind = 'liberal'"
    )
    await signed_in(client, ("site_manager", "finess:780000287"))
    assert (await client.get(f"/mon-offre/{liberal}")).status_code == 404


async def test_the_tree_tells_group_practices_from_salaried_work(town: Any, client: httpx.AsyncClient) -> None:
    town.role(town.people[f"8{ALICE}"]["key"], "finess:780000287", "S")
    town.practice("struct:410000000001002", name="CABINET DU LAC")
    town.role(town.people[f"8{ALICE}"]["key"], "struct:410000000001002")
    town.publish()
    await signed_in(client, OWN)
    page = (await client.get("/mon-offre")).text
    assert "Cabinet de groupe" in page
    assert "Cabinet individuel" in page
    assert "L’établissement décrit lui-même son offre" in page
    assert "Alice MARTIN" in page
    assert "RPPS 10000000001" in page


async def test_who_has_one_offer_goes_straight_to_it(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, OWN)
    answer = await client.get("/mon-offre")
    assert (answer.status_code, answer.headers["location"]) == (303, own(town))
    await signed_in(client)
    nothing = await client.get("/mon-offre")
    assert "Aucune offre n’est rattachée à votre compte" in nothing.text
    assert 'href="/assistance?objet=offer&amp;page=/mon-offre"' in nothing.text
    asked = (await client.get("/assistance?objet=offer&page=/mon-offre")).text
    assert '<option value="offer" selected>' in asked


async def test_the_administrator_finds_offers_by_number(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, ("administrator", ""))
    assert "tree-leaf" not in (await client.get("/mon-offre")).text
    for text in (ALICE, "780000287", "mart", "MARTIN"):
        assert "tree-leaf" in (await client.get("/mon-offre", params={"q": text})).text, text
    for text in ("%", "_", "\\", "zzz", "0" * 90):
        assert "tree-leaf" not in (await client.get("/mon-offre", params={"q": text})).text, text


async def test_the_sheet_says_what_is_missing_and_where_to_write_it(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, OWN)
    page = (await client.get(own(town))).text
    assert "Fiche complète à" in page
    assert f"{own(town)}/modifier/contacts#champ-booking_phone" in page
    assert "Aucune coordonnée géographique précise" not in page
    town.sites["struct:410000000001001"] |= {"position_level": "commune"}
    town.publish()
    assert "Aucune coordonnée géographique précise" in (await client.get(own(town))).text


async def test_unpublish_hides_at_once_and_republish_shows_again(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, OWN)
    base, uid = own(town), town.offer(ALICE)["uid"]
    seen = version((await client.get(f"{base}/depublier")).text)
    done = await post(client, f"{base}/depublier", f"{base}/depublier", version=seen, raison="Congé long")
    assert (done.status_code, done.headers["location"]) == (303, f"{base}?fait=depublie")
    assert "repere_position=" in done.headers["set-cookie"]
    assert (await client.get(f"/api/v1/offers/{uid}")).status_code == 404
    assert "Republier" in (await client.get(base)).text
    line = town.one("SELECT detail FROM directory.history WHERE action = 'unpublished'")
    assert line["reason"] == "Congé long"
    stale = await post(client, f"{base}/republier", f"{base}/republier", version="1")
    assert stale.status_code == 409
    seen = version((await client.get(f"{base}/republier")).text)
    assert (await post(client, f"{base}/republier", f"{base}/republier", version=seen)).status_code == 303
    assert (await client.get(f"/api/v1/offers/{uid}")).status_code == 200
    # Twice, from a page that was left open.
    assert (await client.get(f"{base}/republier")).status_code == 303


async def test_leaving_a_place_hides_the_offer_and_tells_the_operator(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, OWN)
    base = own(town)
    seen = version((await client.get(f"{base}/je-n-exerce-plus-ici")).text)
    await post(client, f"{base}/je-n-exerce-plus-ici", f"{base}/je-n-exerce-plus-ici", version=seen, raison="Retraite")
    assert town.offer(ALICE)["status"] == "left"
    assert (await client.get(f"/api/v1/offers/{town.offer(ALICE)['uid']}")).status_code == 404
    asked = "SELECT e.text FROM accounts.support_entry e JOIN accounts.support_request r ON r.id = e.request_id"
    assert "Retraite" in town.one(f"{asked} WHERE r.kind = 'left_place'")
    # The register still lags: a load must not bring the offer back.
    town.people[f"8{ALICE}"] |= {"first_name": "ALICIA"}
    town.publish()
    assert town.offer(ALICE)["status"] == "left"
    assert "Alicia MARTIN" not in str(town.found())


@pytest.mark.parametrize(
    ("grants", "status"),
    [
        ([OWN], 303),
        ([("delegate", f"rpps:{ALICE}")], 303),
        ([("administrator", "")], 303),
        ([("professional", f"rpps:{JEAN}")], 404),
        ([("site_manager", "finess:780000287")], 404),
        ([("moderator", "council:78"), ("agent", "region:11"), ("coordinator", "departement:78")], 404),
        ([], 404),
    ],
    ids=["own", "delegate", "administrator", "colleague", "manager", "watchers", "nobody"],
)
async def test_an_author_says_that_all_is_exact(
    town: Any, client: httpx.AsyncClient, grants: list[tuple[str, str]], status: int
) -> None:
    offer, base = town.offer(ALICE), own(town)
    fresh = f"SELECT updated_at > now() - interval '1 hour' FROM directory.offer WHERE uid = '{offer['uid']}'"
    await signed_in(client, *grants)
    token = form_token((await client.get("/accueil")).text)
    await client.post(f"{base}/exact", data={"_csrf": token})
    assert not town.all("SELECT id FROM directory.history WHERE action = 'confirmed'"), "not described: nothing to say"
    async with unit_of_work() as session:
        contacts = [ContactIn(purpose="booking_phone", value="0199007777")]
        await describe_offer(session, offer["uid"], OfferDescription(contacts=contacts), "essai", offer["version"])
    town.conn.execute(f"UPDATE directory.offer SET updated_at = now() - interval '1 year' WHERE uid = '{offer['uid']}'")
    assert (await client.post(f"{base}/exact", data={"_csrf": "0" * 64})).status_code == 403
    assert not town.one(fresh)
    answer = await client.post(f"{base}/exact", data={"_csrf": token})
    assert answer.status_code == status
    assert town.one(fresh) == (status == 303)
    if status == 303:
        assert "repere_position=" in answer.headers["set-cookie"]
        page = (await client.get(answer.headers["location"])).text
        assert "Votre offre porte la date d’aujourd’hui" in page
        assert f'action="{base}/exact"' in page
        again = await client.post(f"{base}/exact", data={"_csrf": token})
        assert again.status_code == 303
        assert len(town.all("SELECT id FROM directory.history WHERE action = 'confirmed'")) == 1


async def test_previews_show_each_reader_what_they_may_read(town: Any, client: httpx.AsyncClient) -> None:
    async with unit_of_work() as session:
        offer = town.offer(ALICE)
        description = OfferDescription(
            comment="Code 4321",
            contacts=[
                ContactIn(purpose="booking_phone", value="0199007777"),
                ContactIn(purpose="pro_phone", value="0199008888"),
            ],
        )
        await describe_offer(session, offer["uid"], description, "essai", offer["version"])
    await signed_in(client, ("delegate", f"rpps:{ALICE}"))
    for view, restricted in (("patient", False), ("portail", False), ("pro", True), ("inconnue", False)):
        page = (await client.get(f"{own(town)}/apercu", params={"vue": view})).text
        assert "01\u00a099\u00a000\u00a077\u00a077" in page, view
        assert ("01\u00a099\u00a000\u00a088\u00a088" in page) == restricted, view
        assert ("Code 4321" in page) == restricted, view


async def test_an_error_of_a_register_reaches_the_operator(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, OWN)
    page = f"{own(town)}/signaler"
    for values in ({}, {"champ": "RPPS : Nom"}, {"champ": "inventé", "texte": "x"}, {"champ": "Autre", "texte": "  "},
                   {"champ": "Autre", "texte": "x" * 2001}):  # fmt: skip
        answer = await post(client, page, page, **values)
        assert answer.status_code == 422, values
        assert "Corrigez ce qui suit" in answer.text
        assert values.get("texte", "").strip() in answer.text
    assert (await post(client, page, page, champ="RPPS : Nom", texte="MARTIN-DUPONT")).status_code == 303
    asked = town.one(
        "SELECT e.text, r.ref_uid, r.kind FROM accounts.support_entry e"
        " JOIN accounts.support_request r ON r.id = e.request_id"
    )
    assert asked["kind"] == "register"
    assert asked["ref_uid"] == town.offer(ALICE)["uid"]
    assert "MARTIN-DUPONT" in asked["text"]


async def test_hostile_addresses_are_refused_without_an_error_of_ours(town: Any, client: httpx.AsyncClient) -> None:
    await sign_in(client, await make_account(OWN))
    for path in ("/mon-offre/x", f"{own(town)}/inconnu", f"{own(town)}/modifier/inconnue", "/mon-offre/" + "0" * 400):
        assert (await client.get(path)).status_code in (404, 422), path


async def test_a_report_is_received_by_mail(town: Any, client: httpx.AsyncClient, smtp_sink: Any) -> None:
    await sign_in(client, await make_account(OWN, email="anne@example.org"))
    page = f"{own(town)}/signaler"
    assert (await post(client, page, page, champ="RPPS : Nom", texte="MARTIN-DUPONT")).status_code == 303
    await deliver()
    [message] = smtp_sink.to("anne@example.org")
    assert "est arrivée" in message["Subject"]
    assert "Erreur d’un registre" in text_of(message)
    assert "/assistance/" in text_of(message)


async def test_asking_too_often_loses_no_text_and_never_keeps_an_offer_on_show(
    town: Any, client: httpx.AsyncClient
) -> None:
    await sign_in(client, await make_account(OWN, email="anne@example.org"))
    page, base = f"{own(town)}/signaler", own(town)
    for rank in range(10):
        assert (await post(client, page, page, champ="Autre", texte=f"Demande {rank}")).status_code == 303
    refused = await post(client, page, page, champ="RPPS : Nom", texte="MARTIN-DUPONT, de naissance")
    assert refused.status_code == 429
    assert "plusieurs demandes depuis une heure" in refused.text
    assert "MARTIN-DUPONT, de naissance</textarea>" in refused.text
    assert 'value="RPPS : Nom" selected' in refused.text
    assert town.one("SELECT count(*) FROM accounts.support_request WHERE kind = 'register'") == 10
    leave = f"{base}/je-n-exerce-plus-ici"
    left = await post(client, leave, leave, version=version((await client.get(leave)).text), raison="Retraite")
    assert (left.status_code, left.headers["location"]) == (303, f"{base}?fait=quitte")
    assert town.offer(ALICE)["status"] == "left"
    assert town.one("SELECT count(*) FROM accounts.support_request WHERE kind = 'left_place'") == 1


def hospital_with(town: Any, count: int) -> None:
    """Give the hospital some offers beside those that its registers gave it."""
    town.conn.execute(
        "INSERT INTO directory.offer (site_id, kind, origin, name) SELECT s.id, 'establishment', 'essai:' || n,"
        " 'Consultation n° ' || lpad(n::text, 3, '0') FROM directory.site s, generate_series(1, %s) n"
        " WHERE s.finess = '780000287'",
        [count],
    )


async def test_a_manager_of_many_offers_searches_among_them(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, ("site_manager", "finess:780000287"))
    hospital_with(town, 5)
    few = (await client.get("/mon-offre")).text
    assert few.count('class="tree-leaf"') == town.one("SELECT count(*) FROM directory.offer WHERE kind <> 'liberal'")
    assert "Établissement" in few
    assert "FINESS 780000287" in few
    assert 'name="q"' not in few
    town.conn.execute("DELETE FROM directory.offer WHERE origin LIKE 'essai:%'")
    hospital_with(town, 310)
    total = town.one("SELECT count(*) FROM directory.offer WHERE kind <> 'liberal'")
    many = (await client.get("/mon-offre")).text
    assert many.count('class="tree-leaf"') == 300
    assert f"{total - 300} autres offres" in many.replace("\u00a0", " ")
    assert 'name="q"' in many
    for text, found in (("N° 309", 1), ("consultation n", 310), ("780000287", total), ("%", 0), ("_", 0), ("MARTIN", 0),
                        (ALICE, 0)):  # fmt: skip
        page = (await client.get("/mon-offre", params={"q": text})).text
        assert page.count('class="tree-leaf"') == min(found, 300), text
        assert 'name="q"' in page, text
        assert ("Aucune offre ne répond" in page) == (found == 0), text
        assert "rattachée à votre compte" not in page, text
    one = town.one("SELECT uid FROM directory.offer WHERE origin = 'essai:309'")
    assert "ne sont pas montrées" in (await client.get(f"/mon-offre/{one}")).text
