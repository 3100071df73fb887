"""French writing, static files, error pages."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import httpx
import pytest
from jinja2 import UndefinedError

from core.ui import assets, filters, pages

S = "\u00a0"


@pytest.mark.parametrize(
    ("metres", "text"),
    [(None, ""), (0, f"0{S}m"), (4, f"0{S}m"), (848, f"850{S}m"), (994.9, f"990{S}m"), (996, f"1,0{S}km"),
     (3_249, f"3,2{S}km"), (9_940, f"9,9{S}km"), (9_960, f"10{S}km"), (1_234_000, f"1{S}234{S}km")],
)  # fmt: skip
def test_distances(metres: float | None, text: str) -> None:
    assert filters.distance(metres) == text


def test_numbers_dates_and_hours() -> None:
    assert filters.number(1_630) == f"1{S}630"
    assert filters.number(3.5) == "3,5"
    assert filters.number(-1_234_567) == f"-1{S}234{S}567"
    assert filters.long_date(date(2026, 5, 10)) == f"10{S}mai 2026"
    assert filters.long_date(date(2026, 8, 1)) == f"1er{S}août 2026"
    # Late in the evening of UTC it is already the next day in Paris.
    assert filters.long_date(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == f"1er{S}janvier 2027"
    assert filters.hour(time(9, 30)) == f"9{S}h{S}30"
    assert filters.hour(time(9)) == f"9{S}h"
    assert filters.hour(datetime(2026, 7, 1, 7, 5, tzinfo=UTC)) == f"9{S}h{S}05"


@pytest.mark.parametrize(
    ("value", "shown", "link"),
    [
        ("0199001234", "01 99 00 12 34", "tel:+33199001234"),
        ("01.99.00.12.34", "01 99 00 12 34", "tel:+33199001234"),
        ("+33 1 99 00 12 34", "01 99 00 12 34", "tel:+33199001234"),
        ("3624", "3624", "tel:3624"),
        ("<b>", "<b>", "tel:"),
        (None, "", "tel:"),
    ],
)
def test_telephones(value: str | None, shown: str, link: str) -> None:
    assert filters.phone(value).replace(S, " ") == shown
    assert filters.tel(value) == link


def test_counts_agree() -> None:
    assert filters.counted(0, "site") == f"0{S}site"
    assert filters.counted(1, "site") == f"1{S}site"
    assert filters.counted(1_630, "lieu", "lieux") == f"1{S}630{S}lieux"


@pytest.mark.parametrize(
    ("name", "text"),
    [("Achères", "d’Achères"), ("Le Havre", "du Havre"), ("Les Mureaux", "des Mureaux"), ("Limay", "de Limay"),
     ("La Celle-Saint-Cloud", "de la Celle-Saint-Cloud"), ("L’Isle-Adam", "de l’Isle-Adam"),
     ("L'Isle-Adam", "de l’Isle-Adam"), ("", "de ")],
)  # fmt: skip
def test_of_a_town(name: str, text: str) -> None:
    assert filters.of_place(name) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [("Achères", "à Achères"), ("Le Havre", "au Havre"), ("Les Mureaux (78130)", "aux Mureaux (78130)"), ("", "à "),
     ("La Celle-Saint-Cloud", "à la Celle-Saint-Cloud"), ("L'Isle-Adam", "à l’Isle-Adam"), ("Lesigny", "à Lesigny")],
)  # fmt: skip
def test_to_a_town(name: str, text: str) -> None:
    assert filters.to_place(name) == text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("CENTRE HOSPITALIER DE L'ISLE", "Centre Hospitalier de l’Isle"),
        ("Boissy-l'Aillerie", "Boissy-l’Aillerie"),
        ("Les 'Lilas' d'Anne", "Les 'Lilas' d’Anne"),
        ("EHPAD LES LILAS", "EHPAD les Lilas"),
        ("12 BIS RUE DE LA RÉPUBLIQUE", "12 Bis rue de la République"),
        ("Cabinet du Val", "Cabinet du Val"),
        ("CH", "CH"),
        (None, ""),
    ],
)
def test_capitals_are_calmed(written: str | None, shown: str) -> None:
    assert filters.calm(written) == shown


def test_only_web_addresses_become_links() -> None:
    assert filters.web_url("https://exemple.fr/rdv") == "https://exemple.fr/rdv"
    for refused in ("javascript:alert(1)", "data:text/html,x", "//exemple.fr", "exemple.fr", "", None):
        assert filters.web_url(refused) is None


def test_an_unknown_variable_or_icon_fails() -> None:
    with pytest.raises(UndefinedError):
        pages.environment.from_string("{{ inconnu }}").render()
    with pytest.raises(KeyError):
        assets.icon_url("inconnue")


def test_every_icon_of_the_templates_is_in_the_sprite() -> None:
    import re

    root = Path(__file__).parent.parent.parent
    used = set()
    for path in [*root.glob("*/templates/**/*.html"), *root.glob("core/ui/templates/**/*.html")]:
        used |= set(re.findall(r"icon\('([a-z0-9-]+)'", path.read_text(encoding="utf-8")))
    assert used <= set(assets.ICONS)


async def test_static_files_are_kept_a_year_under_their_hash(client: httpx.AsyncClient) -> None:
    hashed = await client.get(assets.url("app", "app.css"))
    assert hashed.status_code == 200
    assert "immutable" in hashed.headers["cache-control"]
    plain = await client.get("/static/app/app.css")
    assert plain.status_code == 200
    assert "immutable" not in plain.headers["cache-control"]
    old = await client.get("/static/app/v-000000000000/app.css")
    assert old.status_code == 200
    assert "immutable" not in old.headers["cache-control"]


async def test_style_sheets_are_joined_in_order(client: httpx.AsyncClient) -> None:
    each = [(await client.get(assets.url("app", name))).text for name in ("parts.css", "app.css")]
    for _ in range(2):
        joined = await client.get(assets.url("app", "parts+app.css"))
        assert joined.text == "\n".join(each)
        assert joined.headers["content-type"] == "text/css; charset=utf-8"
        assert "immutable" in joined.headers["cache-control"]
    for refused in ("app+nothing.css", "app+../filters.css", "app+parts.js", "+".join(["app"] * 11) + ".css", "+.css"):
        assert (await client.get(assets.url("app", refused))).status_code == 404, refused


async def test_a_static_text_is_compressed_once_for_who_takes_it_so(client: httpx.AsyncClient) -> None:
    address = assets.url("app", "app.css")
    plain = await client.get(address, headers={"Accept-Encoding": "identity"})
    packed = await client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    for name in ("Content-Type", "Cache-Control", "ETag", "X-Content-Type-Options"):
        assert packed.headers[name] == plain.headers[name], name
    assert "Accept-Encoding" in packed.headers["Vary"]
    known = {"If-None-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"}
    assert (await client.get(address, headers=known)).status_code == 304
    part = await client.get(address, headers={"Range": "bytes=0-99", "Accept-Encoding": "gzip"})
    assert (part.status_code, part.content) == (206, plain.content[:100])


@pytest.mark.parametrize(
    "path",
    ["/static/app/../../../pyproject.toml", "/static/app/%2e%2e/filters.py", "/static/app/", "/static/app/x%00y"],
)
async def test_nothing_outside_the_folders_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code in (400, 404)


async def test_errors_are_pages_for_people_and_json_for_programs(client: httpx.AsyncClient) -> None:
    page = await client.get("/nulle-part", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "<h1>Introuvable</h1>" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    program = await client.get("/api/v1/nulle-part", headers={"Accept": "text/html"})
    assert program.headers["content-type"] == "application/problem+json"
