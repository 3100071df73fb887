"""Who makes portals, what is refused with what message, two people at once, closing; the command."""

import os
import re
import subprocess
import sys

import httpx
import pytest
from sqlalchemy.engine import URL

from core.db import unit_of_work
from search_api.portals import colours, service
from tests.accounts.helpers import form_token, signed_in
from tests.conftest import ROOT
from tests.search_api.portals.helpers import PAGE

LIST = "/administration/portails"
FORM = {
    "slug": "essai",
    "title": "Portail d’essai",
    "logo": "Essai",
    "intro": "Une phrase.",
    "places": "Yvelines",
    "colour": "#0b5a60",
    "band": "#07434a",
    "filters": "http://repere.test/recherche?kind=liberal",
    "hosts": "https://www.exemple.fr",
}


async def send(api: httpx.AsyncClient, path: str, values: dict[str, str]) -> httpx.Response:
    opened = await api.get(path if not path.endswith("/etat") else path.removesuffix("/etat"))
    assert opened.status_code == 200, opened.text
    version = re.search(r'name="version" value="(\d+)"', opened.text)
    data = {"_csrf": form_token(opened.text)} | ({"version": version[1]} if version else {}) | values
    return await api.post(path, data=data, headers=PAGE)


async def test_only_administrators(api: httpx.AsyncClient) -> None:
    for path in (LIST, f"{LIST}/nouveau", f"{LIST}/78", f"{LIST}/couleurs.css?principale=000000&bandeau=000000"):
        assert (await api.get(path, headers=PAGE)).headers["location"].startswith("/connexion")
    await signed_in(api, ("coordinator", "departement:78"))
    assert (await api.get(LIST, headers=PAGE)).status_code == 403
    assert LIST not in (await api.get("/accueil")).text


async def test_a_portal_is_made_changed_closed_and_opened_again(api: httpx.AsyncClient) -> None:
    await signed_in(api, ("administrator", ""))
    assert LIST in (await api.get("/accueil")).text
    made = await send(api, f"{LIST}/nouveau", FORM)
    assert made.headers["location"] == f"{LIST}/essai?fait=cree"
    page = (await api.get(made.headers["location"])).text
    assert "departement:78" in page and "kind=liberal" in page and "https://www.exemple.fr" in page
    assert "Créé le" in page and "Anne Durand" in page
    assert "Portail d’essai" in (await api.get(LIST)).text
    assert (await api.get("/maillage/essai")).headers["location"] == "/maillage/essai?kind=liberal"
    again = await send(api, f"{LIST}/nouveau", FORM)
    assert again.status_code == 422 and "déjà celle d’un portail" in again.text

    changed = await send(api, f"{LIST}/essai", FORM | {"title": "Autre titre", "slug": "deplace", "filters": ""})
    assert changed.status_code == 303
    assert "Autre titre" in (await api.get("/maillage/essai")).text
    assert (await api.get("/maillage/deplace")).status_code == 404

    refused = await send(api, f"{LIST}/essai/etat", {"action": "close"})
    assert refused.status_code == 422 and "Cochez la case" in refused.text
    assert (await send(api, f"{LIST}/essai/etat", {"action": "close", "sur": "oui"})).status_code == 303
    assert (await api.get("/maillage/essai", headers=PAGE)).status_code == 404
    assert (await send(api, f"{LIST}/essai/etat", {"action": "close", "sur": "oui"})).status_code == 409
    assert (await send(api, f"{LIST}/essai/etat", {"action": "open"})).status_code == 303
    assert (await api.get("/maillage/essai")).status_code == 200
    assert "Rouvert le" in (await api.get(f"{LIST}/essai")).text


async def test_two_people_at_once_and_nothing_typed_is_lost(api: httpx.AsyncClient) -> None:
    await signed_in(api, ("administrator", ""))
    await send(api, f"{LIST}/nouveau", FORM | {"slug": "deux"})
    assert (await send(api, f"{LIST}/deux", FORM | {"title": "Le premier"})).status_code == 303
    late = await send(api, f"{LIST}/deux", FORM | {"title": "Le second", "version": "1"})
    assert late.status_code == 409
    assert 'value="Le second"' in late.text and "a changé entre-temps" in late.text
    assert "Le premier" in (await api.get("/maillage/deux?vue=carte")).text


async def test_a_preview_saves_nothing(api: httpx.AsyncClient) -> None:
    await signed_in(api, ("administrator", ""))
    shown = await send(api, f"{LIST}/nouveau", FORM | {"slug": "apercu", "colour": "#6b2a6e", "action": "voir"})
    assert shown.status_code == 200
    assert "pas encore enregistré" in shown.text and "principale=6b2a6e" in shown.text and "Yvelines" in shown.text
    assert (await api.get("/maillage/apercu", headers=PAGE)).status_code == 404
    style = await api.get(f"{LIST}/couleurs.css?principale=6b2a6e&bandeau=07434a")
    assert style.headers["content-type"].startswith("text/css") and ".portal-preview {" in style.text
    assert (await api.get(f"{LIST}/couleurs.css?principale=red;}}&bandeau=07434a")).status_code == 422


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("slug", "Été 78 !", "lettres sans accent"),
        ("slug", "", "lettres sans accent"),
        ("title", "x" * 81, "81 caractères, 80 au plus"),
        ("title", "  ", "au moins 3"),
        ("logo", "", "au moins 1"),
        ("intro", "x" * 401, "400 au plus"),
        ("places", "", "au moins un lieu"),
        ("places", "departement:78\nAtlantide-sur-Mer-Zzz", "Atlantide"),
        ("places", "departement:780", "Aucun lieu"),
        ("places", "\n".join(f"commune:{n}" for n in range(78_000, 78_030)), "Trop de lieux"),
        ("colour", "red", "# suivi de six"),
        ("colour", "#fff;}body{display:none", "# suivi de six"),
        ("colour", "#ffd400", "trop claire"),
        ("colour", "#0b5a6", "# suivi de six"),
        ("band", "url(//x)", "# suivi de six"),
        ("filters", "couleur=rouge", "n’est pas un filtre"),
        ("filters", "within=departement:75", "n’est pas un filtre"),
        ("filters", "age=999", "150"),
        ("filters", "unit_types=J238|zzzz", "n’existe dans aucune nomenclature"),
        ("filters", "???", "Collez l’adresse"),
        ("hosts", "https://*.exemple.fr", "n’est pas l’adresse d’un site"),
        ("hosts", "http://www.exemple.fr", "n’est pas l’adresse d’un site"),
        ("hosts", "https://exemple.fr; script-src *", "n’est pas l’adresse d’un site"),
        ("hosts", "https://exemple.fr/chemin", "n’est pas l’adresse d’un site"),
        ("hosts", "javascript:alert(1)", "n’est pas l’adresse d’un site"),
        ("hosts", "\n".join(f"https://s{n}.fr" for n in range(21)), "Trop de sites"),
    ],
)
async def test_what_is_refused_is_told_at_its_field(api: httpx.AsyncClient, field: str, value: str, told: str) -> None:
    await signed_in(api, ("administrator", ""))
    answer = await send(api, f"{LIST}/nouveau", FORM | {"slug": "refuse", field: value})
    assert answer.status_code == 422, answer.text
    assert told in answer.text and f'href="#{field}"' in answer.text and f'id="{field}-erreur"' in answer.text
    assert "Portail d’essai" in answer.text or field == "title"
    assert (await api.get("/maillage/refuse", headers=PAGE)).status_code == 404


async def test_a_hostile_portal_stays_text(api: httpx.AsyncClient) -> None:
    await signed_in(api, ("administrator", ""))
    hostile = '"><script>alert(1)</script>'
    values = FORM | {"slug": "hostile", "title": f"T {hostile}", "logo": hostile, "intro": hostile, "filters": ""}
    assert (await send(api, f"{LIST}/nouveau", values)).status_code == 303
    uid = re.findall(r"/offres/([0-9a-f-]{36})", (await api.get("/maillage/hostile")).text)[0]
    for path in ("", "?vue=tableau", f"/offres/{uid}", "/favoris", "/comparer", "/widget", "/integrer"):
        text = (await api.get(f"/maillage/hostile{path}", headers=PAGE)).text
        assert "<script>alert" not in text and "&lt;script&gt;alert" in text, path
    for path in (LIST, f"{LIST}/hostile"):
        assert "<script>alert" not in (await api.get(path)).text


def test_every_pair_of_colours_that_passes_is_readable() -> None:
    assert round(colours.contrast("#000000", "#ffffff"), 2) == 21
    assert round(colours.contrast("#777777", "#ffffff"), 2) == 4.48
    for step in range(0, 256, 15):
        for colour in (f"#{step:02x}3040", f"#30{step:02x}40", f"#3040{step:02x}", f"#{step:02x}{step:02x}{step:02x}"):
            if "colour" in colours.problems(colour, colour):
                continue
            drawn = colours.palette(colour, colour)
            assert min(
                colours.contrast(drawn.action, "#ffffff"),
                colours.contrast(drawn.action, drawn.wash),
                colours.contrast(drawn.deep, drawn.wash),
                colours.contrast(drawn.band, drawn.band_ink),
            ) >= 4.5  # fmt: skip


async def test_the_colours_answer_with_a_validator(api: httpx.AsyncClient) -> None:
    await signed_in(api, ("administrator", ""))
    await send(api, f"{LIST}/nouveau", FORM | {"slug": "couleurs", "colour": "#6b2a6e"})
    api.cookies.clear()
    answer = await api.get("/maillage/couleurs/couleurs.css")
    assert "--action: #6b2a6e;" in answer.text and answer.headers["content-type"].startswith("text/css")
    again = await api.get("/maillage/couleurs/couleurs.css", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def run(filled: URL, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"REPERE_DATABASE_URL": filled.render_as_string(hide_password=False)}
    command = [sys.executable, "cli.py", "portals", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


async def test_the_command(api: httpx.AsyncClient, filled: URL) -> None:
    refused = run(filled, "create", "ligne", "--place", "78", "--title", "En ligne", "--colour", "#ffff00")
    assert refused.returncode == 1 and "trop claire" in refused.stderr
    made = run(filled, "create", "ligne", "--place", "departement:78", "--title", "En ligne")
    assert made.returncode == 0, made.stderr
    assert "/maillage/ligne" in made.stdout
    assert (await api.get("/maillage/ligne")).status_code == 200
    closed = run(filled, "close", "ligne")
    assert closed.returncode == 0, closed.stderr
    assert (await api.get("/maillage/ligne", headers=PAGE)).status_code == 404


async def test_the_portals_of_the_demonstration_are_made_once(api: httpx.AsyncClient) -> None:
    for wanted in (2, 0):
        async with unit_of_work() as session:
            assert await service.create_demo(session) == wanted
    page = (await api.get("/maillage/78")).text
    assert "Maillage 78" in page and "Yvelines" in page
