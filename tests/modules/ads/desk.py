"""The form of an ad as a browser holds it: opened, filled, sent whole by one of its buttons."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import httpx
import pikepdf
from PIL import Image

from tests.accounts.helpers import form_token

FULL: dict[str, Any] = {
    "categorie": "remplacement",
    "situation": "seeks",
    "specialite": "R38|SM54",
    "titre": "Cherche un remplaçant pour l’été",
    "description": "Cabinet de ville.\nDu lundi au vendredi.",
    "conditions": "À discuter",
    "lieu": ["commune:78361"],
    "debut": ["2030-07-01"],
    "fin": ["2030-07-31"],
}
"""What may be transmitted, but for what the page fills itself."""


def inputs(page: str) -> list[tuple[str, str]]:
    """Return what a browser would send of a page's form, without its buttons and its files."""
    body = page[page.index("<form") :]
    body = max(re.findall(r'<form[^>]*method="post".*?</form>', page, re.S), key=len, default=body)
    found: list[tuple[str, str]] = []
    for tag in re.finditer(r"<(input|textarea|select)\b([^>]*)>", body):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag[2]))
        name, kind = attributes.get("name"), attributes.get("type", "")
        if name is None or kind == "file":
            continue
        if kind in ("radio", "checkbox") and not re.search(r"\bchecked\b", tag[2]):
            continue
        value = attributes.get("value", "")
        if tag[1] == "textarea":
            value = body[tag.end() : body.index("</textarea>", tag.end())].removeprefix("\n")
        elif tag[1] == "select":
            chosen = re.search(r'value="([^"]*)" selected', body[tag.end() : body.index("</select>", tag.end())])
            value = chosen[1] if chosen else ""
        found.append((name, html.unescape(value)))
    return found


@dataclass
class Desk:
    """Somebody's browser on the form of an ad."""

    client: httpx.AsyncClient
    page: str = ""
    address: str = "/annonces/deposer"
    fields: dict[str, list[str]] = field(default_factory=dict)

    async def open(self, address: str = "/annonces/deposer") -> "Desk":
        """Open the form."""
        answer = await self.client.get(address)
        assert answer.status_code == 200, answer.text
        self.address = address.partition("?")[0]
        self._take(answer.text)
        return self

    def _take(self, page: str) -> None:
        self.page = page
        self.fields = {}
        for name, value in inputs(page):
            self.fields.setdefault(name, []).append(value)

    def fill(self, **values: str | Sequence[str] | None) -> "Desk":
        """Type into fields; None empties one."""
        for name, value in values.items():
            if value is None:
                self.fields.pop(name, None)
            else:
                self.fields[name] = [value] if isinstance(value, str) else list(value)
        return self

    async def press(
        self,
        action: str = "",
        *,
        files: Sequence[tuple[str, bytes]] = (),
        headers: dict[str, str] | None = None,
        **buttons: str,
    ) -> httpx.Response:
        """Press a button; a page that comes back is the one that is filled next."""
        data: dict[str, Any] = dict(self.fields)
        data |= {name.replace("_", "-"): [value] for name, value in buttons.items()}
        if action:
            data["action"] = [action]
        sent = [("fichiers", (name, content, "application/x-anything")) for name, content in files]
        answer = await self.client.post(self.address, data=data, files=sent or None, headers=headers or {})
        if answer.headers.get("content-type", "").startswith("text/html") and "<form" in answer.text:
            form_token(answer.text)
            self._take(answer.text)
            moved = re.search(r'<form class="write"[^>]*action="([^"]*)"', answer.text)
            self.address = moved[1] if moved else self.address
        return answer


def files_of(page: str) -> list[str]:
    """Return the files that the form of a page names."""
    return re.findall(r'name="fichier" value="([^"]+)"', page)


def picture(size: tuple[int, int] = (640, 480), kind: str = "JPEG", **saved: Any) -> bytes:
    """Draw a photo."""
    image = Image.effect_noise(size, 40).convert("RGB")
    out = BytesIO()
    image.save(out, kind, **saved)
    return out.getvalue()


def pdf(**root: Any) -> bytes:
    """Make a PDF of one page; `root` is added to its catalogue."""
    made = pikepdf.new()
    made.add_blank_page()
    for name, value in root.items():
        made.Root[f"/{name}"] = value
    out = BytesIO()
    made.save(out)
    return out.getvalue()


async def written(client: httpx.AsyncClient, action: str = "transmettre", **values: Any) -> int:
    """Write an ad in the form; return its number."""
    desk = (await Desk(client).open()).fill(**(FULL | values))
    answer = await desk.press(action)
    assert answer.status_code == 303, answer.text
    found = re.search(r"annonce=(\d+)|/annonces/(\d+)/", answer.headers["location"])
    assert found
    return int(found[1] or found[2])
