"""The pages by HTTP alone, on an empty directory: forms, refusals, hostile and long texts."""

import httpx
import pytest

PAGE = {"Accept": "text/html"}


async def test_the_start_page_invites_to_search(client: httpx.AsyncClient) -> None:
    answer = await client.get("/recherche", headers=PAGE)
    assert answer.status_code == 200
    assert "Que cherchez-vous" in answer.text


async def test_home_says_that_the_directory_is_empty(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers=PAGE)
    assert answer.status_code == 200
    assert "Le répertoire est vide pour l’instant" in answer.text


@pytest.mark.parametrize("path", ["/aide", "/api", "/mentions-legales", "/accessibilite"])
async def test_pages_of_text(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers=PAGE)
    assert answer.status_code == 200
    assert "<h1" in answer.text
    assert " style=" not in answer.text
    assert "<script>" not in answer.text


async def test_a_form_leads_to_the_canonical_address(client: httpx.AsyncClient) -> None:
    answer = await client.get(
        "/recherche?q=kin%C3%A9&code_label=&lieu=&lat=&lon=&where_label=&age=&utm_source=lettre&page=1", headers=PAGE
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/recherche?q=kin%C3%A9"


async def test_a_choice_stands_while_its_text_does(client: httpx.AsyncClient) -> None:
    kept = await client.get(
        "/recherche", params={"q": "Sage-femme", "code": "G15|50", "code_label": "Sage-femme"}, headers=PAGE
    )
    assert kept.headers["location"] == "/recherche?code=G15%7C50"
    edited = await client.get(
        "/recherche", params={"q": "infirmier", "code": "G15|50", "code_label": "Sage-femme"}, headers=PAGE
    )
    assert edited.headers["location"] == "/recherche?q=infirmier"


async def test_an_unknown_place_is_said_at_its_field(client: httpx.AsyncClient) -> None:
    answer = await client.get("/recherche?q=kin%C3%A9&lieu=Nullepartville", headers=PAGE)
    assert answer.status_code == 422
    assert "Aucun lieu ne s’appelle" in answer.text
    assert 'value="Nullepartville"' in answer.text
    assert 'value="kiné"' in answer.text


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("q=a&age=999", "L’âge va de 0 à 150 ans."),
        ("q=a&page=15", "La page va de 1 à 14"),
        ("q=a&lat=100&lon=2", "La latitude va de -90 à 90 degrés."),
        ("q=a&open_at=demain", "Une date et une heure sont attendues"),
        ("q=a&open_at=0001-01-01T00:00%2B14:00", "Une date et une heure sont attendues"),
        ("q=a&open_at=9999-12-31T23:59-12:00", "Une date et une heure sont attendues"),
        ("q=" + "x" * 300, "Ce texte est trop long"),
        ("q=a&bbox=1,2", "Quatre nombres sont attendus"),
    ],
)
async def test_refusals_are_french_and_keep_the_search(client: httpx.AsyncClient, query: str, message: str) -> None:
    answer = await client.get(f"/recherche?{query}", headers=PAGE)
    assert answer.status_code == 422
    assert message in answer.text


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "'; DROP TABLE"]
)
async def test_what_is_typed_is_only_text(client: httpx.AsyncClient, hostile: str) -> None:
    answer = await client.get("/recherche", params={"q": hostile}, headers=PAGE)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "49" not in answer.text.partition("<h1")[2].partition("</h1>")[0]


async def test_an_empty_answer_says_what_to_widen(client: httpx.AsyncClient) -> None:
    answer = await client.get("/recherche?q=kin%C3%A9&lat=48.9&lon=1.7&radius_km=5&age=4", headers=PAGE)
    assert answer.status_code == 200
    assert "Aucune offre ne correspond" in answer.text
    # Nothing would be found without the filters either: what may be done is said, no link leads to another empty page.
    assert "Agrandissez le rayon" in answer.text
    assert "empty-links" not in answer.text


async def test_a_filter_asked_by_script_gives_its_address(client: httpx.AsyncClient) -> None:
    answer = await client.get("/recherche?q=kin%C3%A9&age=&radius_km=", headers=PAGE | {"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.headers["hx-push-url"] == "/recherche?q=kin%C3%A9"


async def test_a_lost_sheet_is_a_page(client: httpx.AsyncClient) -> None:
    for path in ("/sites/00000000-0000-0000-0000-000000000001", "/offres/00000000-0000-0000-0000-000000000001"):
        answer = await client.get(path, headers=PAGE)
        assert answer.status_code == 404
        assert "Reprendre une recherche" in answer.text
    assert (await client.get("/sites/pas-un-identifiant", headers=PAGE)).status_code == 422


MOMENT = "2026-11-28T10:15"
MOMENTS = (
    ({"open_at": "", "open_on": MOMENT, "open_was": ""}, f"?q=kine&open_at={MOMENT}"),
    ({"open_at": MOMENT, "open_on": MOMENT, "open_was": MOMENT}, f"?q=kine&open_at={MOMENT}"),
    ({"open_at": MOMENT, "open_on": "2026-11-28T11:00", "open_was": MOMENT}, "?q=kine&open_at=2026-11-28T11:00"),
    ({"open_at": "maintenant", "open_on": MOMENT, "open_was": MOMENT}, "?q=kine&open_at=maintenant"),
    ({"open_at": "", "open_on": MOMENT, "open_was": MOMENT}, "?q=kine"),
    ({"open_at": MOMENT, "open_on": "", "open_was": MOMENT}, "?q=kine"),
    ({"open_at": "2026-11-28T09:15Z", "open_on": "", "open_was": MOMENT}, "?q=kine"),
    ({"open_at": "maintenant", "open_on": "", "open_was": MOMENT}, "?q=kine&open_at=maintenant"),
)
"""What the filters send without scripts, and the search that they mean."""


@pytest.mark.parametrize(("sent", "meant"), MOMENTS)
async def test_the_list_or_the_field_says_the_moment(
    client: httpx.AsyncClient, sent: dict[str, str], meant: str
) -> None:
    answer = await client.get("/recherche", params={"q": "kine", **sent}, headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/recherche{meant}"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("2026-11-28T10:15", "2026-11-28T10:15"),
        ("2026-11-28T09:15:30%2B00:00", "2026-11-28T10:15"),
        ("2026-11-28T10:15+01:00", "2026-11-28T10:15"),
        ("0001-01-01T00:00", "0001-01-01T00:00"),
        ("0001-01-01T00:00%2B14:00", ""),
        ("9999-12-31T23:59-12:00", ""),
        ("maintenant", ""),
        ("now", ""),
        ("hier", ""),
    ],
)
async def test_the_moment_asked_for_is_shown_in_its_field(client: httpx.AsyncClient, asked: str, shown: str) -> None:
    answer = await client.get(f"/recherche?q=kine&open_at={asked}", headers=PAGE)
    assert answer.status_code in (200, 422)
    assert f'name="open_on" value="{shown}"' in answer.text
    assert f'name="open_was" value="{shown}"' in answer.text
    assert 'id="plus-open" open>' in answer.text or not shown
