"""The hours of an offer in a real browser: grid, mouse, keyboard, buttons with and without scripts, both widths."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect
from sqlalchemy.engine import URL

from tests.browser import conftest
from tests.browser.conftest import NARROW, WIDE, Watch
from tests.browser.test_accessibility import OpenPage, check

pytestmark = pytest.mark.browser
EDITOR = "/essai/brouillon"


@pytest.fixture(scope="session")
def site(directory_database: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application with a page that hosts the editor and writes nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = conftest._environment(directory_database) | {"REPERE_FILES": str(tmp_path_factory.mktemp("files"))}
    command = [sys.executable, "-m", "uvicorn", "tests.directory.hours_host:app", "--port", str(port)]
    log = tmp_path_factory.mktemp("hours") / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=conftest.ROOT, env=environment, stdout=output, stderr=output)
        try:
            _wait(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            if httpx.get(f"{address}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


async def save(page: Page) -> dict[str, Any]:
    """Save, and return what would be written."""
    await page.get_by_role("button", name="Enregistrer les horaires").click()
    found: dict[str, Any] = json.loads(await page.locator("#saved").inner_text())
    return found


def slots(saved: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(slot["weekday"], slot["opens"][:5], slot["closes"][:5]) for slot in saved["hours"]]


async def add(page: Page, day: str, opens: str, closes: str) -> None:
    await page.get_by_role("button", name=f"Ajouter une plage : {day}").click()
    row = page.get_by_role("group", name=day, exact=False).filter(has=page.locator(".he-row")).locator(".he-row").last
    await expect(row.locator("input[type=time]").first).to_be_focused()
    await row.locator("input[type=time]").first.fill(opens)
    await row.locator("input[type=time]").last.fill(closes)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
async def test_a_week_is_typed_cut_and_copied(open_page: OpenPage, size: tuple[int, int], scripts: bool) -> None:
    page = await open_page(EDITOR, size, scripts=scripts)
    await add(page, "Lundi", "09:00", "19:00")
    await page.get_by_role("button", name="Couper en deux : Lundi, plage 1").click()
    await expect(page.get_by_label("Lundi, plage 2", exact=False).first).to_be_visible()
    await page.get_by_text("Copier ce jour vers… : Lundi").click()
    copies = page.get_by_role("group", name="Copier lundi vers")
    await copies.get_by_label("Mardi").check()
    await copies.get_by_label("Jeudi").check()
    await copies.get_by_role("button", name="Copier").click()
    await expect(page.get_by_role("button", name="Retirer : Jeudi, plage 2")).to_be_visible()
    await page.get_by_role("button", name="Retirer : Mardi, plage 1").click()
    await expect(page.get_by_role("button", name="Retirer : Mardi, plage 2")).to_have_count(0)
    assert slots(await save(page)) == [
        (1, "09:00", "12:00"),
        (1, "14:00", "19:00"),
        (2, "14:00", "19:00"),
        (4, "09:00", "12:00"),
        (4, "14:00", "19:00"),
    ]


async def test_the_grid_is_moved_by_keyboard(open_page: OpenPage) -> None:
    page = await open_page(EDITOR)
    await add(page, "Lundi", "09:00", "12:00")
    block = page.locator("button.hg-slot")
    await expect(block).to_have_accessible_name("lundi, 9 h – 12 h Sur RDV")
    await block.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Shift+ArrowUp"):
        await page.keyboard.press(key)
    block = page.locator("button.hg-slot")
    await expect(block).to_have_accessible_name("mardi, 9 h 30 – 12 h 15 Sur RDV")
    await expect(block).to_be_focused()
    await expect(page.locator("[data-hours-status]")).to_contain_text("mardi")
    await page.keyboard.press("Enter")
    await expect(page.locator(".he-day[data-day='2'] input[type=time]").first).to_be_focused()
    assert slots(await save(page)) == [(2, "09:30", "12:15")]
    await page.locator("button.hg-slot").focus()
    await page.keyboard.press("Delete")
    await expect(page.locator("button.hg-slot")).to_have_count(0)
    assert slots(await save(page)) == []


async def test_the_grid_is_drawn_with_the_mouse(open_page: OpenPage) -> None:
    page = await open_page(EDITOR)
    await page.locator(".hg-frame").scroll_into_view_if_needed()

    async def spot(at: float, day: int) -> tuple[float, float]:
        box = await page.locator(f".hg-day[data-day='{day}']").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] * at / 24

    async def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        await page.mouse.move(*start)
        await page.mouse.down()
        await page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        await page.mouse.move(*end)
        await page.mouse.up()

    await drag(await spot(9, 3), await spot(12, 3))
    assert slots(await save(page)) == [(3, "09:00", "12:00")]
    await page.locator(".hg-frame").scroll_into_view_if_needed()
    await drag(await spot(10, 3), await spot(12, 4))
    end, later = await spot(13.92, 4), await spot(14.92, 4)
    await drag(end, later)
    assert slots(await save(page)) == [(4, "11:00", "15:00")]


async def test_a_night_goes_on_the_next_day(open_page: OpenPage) -> None:
    page = await open_page(EDITOR)
    await add(page, "Dimanche", "22:00", "02:00")
    await expect(page.locator(".hg-day[data-day='1'] .hg-rest")).to_contain_text("22 h – 2 h")
    await expect(page.locator(".hg-day[data-day='7'] button.hg-slot")).to_have_count(1)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
async def test_errors_are_at_their_field_and_enter_saves(open_page: OpenPage, watch: Watch, scripts: bool) -> None:
    watch.allow("422")
    page = await open_page(EDITOR, scripts=scripts)
    await add(page, "Lundi", "09:00", "09:00")
    await page.keyboard.press("Enter")
    await expect(page.locator(".error-summary")).to_contain_text("Lundi, plage 1 : la plage commence et finit")
    await expect(page.locator("#h-0-a")).to_have_attribute("aria-describedby", "h-0-a-erreur")
    await page.locator("#h-0-a").fill("10:00")
    assert slots(await save(page)) == [(1, "09:00", "10:00")]


async def test_a_leave_with_a_replacement(open_page: OpenPage) -> None:
    page = await open_page(EDITOR)
    await page.get_by_role("button", name="Ajouter des congés").click()
    await expect(page.locator("#e-0-type")).to_be_focused()
    await page.get_by_label("Premier jour").fill("2199-08-01")
    await page.get_by_label("Remplaçant").fill("Dr Petit")
    await expect(page.locator(".he-special")).to_be_hidden()
    saved = await save(page)
    assert [(e["kind"], e["starts_on"], e["replacement"]) for e in saved["exceptions"]] == [
        ("leave", "2199-08-01", "Dr Petit")
    ]
    await page.locator("#e-0-type").select_option("special")
    await expect(page.get_by_label("Remplaçant")).to_be_hidden()
    await expect(page.locator(".he-special").get_by_role("button", name="Ajouter une plage")).to_be_visible()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_editor_and_the_hours_page_are_accessible(open_page: OpenPage, size: tuple[int, int]) -> None:
    page = await open_page(EDITOR, size)
    await add(page, "Lundi", "09:00", "12:00")
    await page.get_by_text("Copier ce jour vers… : Lundi").click()
    await page.get_by_label("Horaires propres aux jours fériés").check()
    await page.get_by_role("button", name="Ajouter des congés").click()
    await expect(page.locator("#e-0-type")).to_be_focused()
    await check(page)
    found = await page.request.get("/api/v1/search", params={"q": "kiné", "where": "commune:78361"})
    offers = [offer for item in (await found.json())["items"] for offer in item["offers"] if offer["described"]]
    for view in ("semaine", "mois"):
        page = await open_page(f"/offres/{offers[0]['id']}/horaires?vue={view}", size)
        await expect(page.get_by_role("link", name="suivant")).to_be_visible()
        await check(page)
