"""Static files: each folder is served under an address that carries the hash of its content, for a year.

`/static/app/v-1a2b3c4d5e6f/app.css` may be kept forever, because another content has another address;
relative imports between modules and images stay inside the same address. The address without the hash
answers too, for a short while: fonts are named so by the style sheet.
"""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from core.settings import core_settings

ICONS: Final = (
    "arrow-left",
    "arrow-right",
    "arrow-up",
    "bell",
    "box-arrow-up-right",
    "building",
    "bullseye",
    "calendar-check",
    "camera-video",
    "check-circle",
    "check-lg",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "clock",
    "clock-history",
    "credit-card",
    "crosshair",
    "download",
    "envelope",
    "exclamation-triangle",
    "eye",
    "eye-slash",
    "file-earmark-pdf",
    "file-earmark-spreadsheet",
    "flag",
    "geo-alt",
    "globe",
    "hospital",
    "house-door",
    "inbox",
    "info-circle",
    "layout-three-columns",
    "life-preserver",
    "link-45deg",
    "list-ul",
    "lock",
    "map",
    "pencil",
    "people",
    "person",
    "person-badge",
    "person-check",
    "person-gear",
    "person-wheelchair",
    "plus-lg",
    "printer",
    "question-circle",
    "search",
    "send",
    "shield-check",
    "signpost-split",
    "sliders",
    "star",
    "star-fill",
    "telephone",
    "tools",
    "trash",
    "x-lg",
)
"""Icons that pages use, of the bootstrap-icons set (MIT); the sprite holds these and no other."""

HASH_LENGTH = 12
_YEAR = "public, max-age=31536000, immutable"
_HOUR = "public, max-age=3600"
_MOST_KEPT: Final = 1000
_MOST_JOINED: Final = 10
_PARTIAL = ("range", "if-none-match", "if-modified-since")
_TEXTS = ("text/", "image/svg", "application/json", "application/javascript")
_folders: dict[str, Path] = {}


def add_folder(name: str, folder: Path) -> None:
    """Serve a folder under `/static/<name>/`; call it before `mount`."""
    _folders[name] = folder


def vendor_folder() -> Path:
    """Return where the launcher lays the front-end packages."""
    return core_settings().home.absolute() / "static" / "vendor"


def _folder(name: str) -> Path:
    return vendor_folder() if name == "vendor" else _folders[name]


@cache
def fingerprint(name: str) -> str:
    """Return the hash of every file of a folder, read once per process."""
    digest = hashlib.sha256()
    root = _folder(name)
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:HASH_LENGTH]


def url(name: str, path: str) -> str:
    """Return the address of a static file, with the hash of its folder."""
    return f"/static/{name}/v-{fingerprint(name)}/{path}"


def read(name: str, path: str) -> bytes:
    """Return a file of ours, for the few that answer under an address of their own."""
    return (_folder(name) / path).read_bytes()


@cache
def icon_sprite() -> str:
    """Return one SVG document with a symbol for each icon; an icon that is not installed is left out."""
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    symbols = []
    for name in ICONS:
        path = vendor_folder() / "bootstrap-icons" / "icons" / f"{name}.svg"
        if path.is_file():
            # The file comes from the locked npm package, not from a person.
            root = ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314
            inner = "".join(ElementTree.tostring(child, encoding="unicode") for child in root)
            symbols.append(f'<symbol id="{name}" viewBox="0 0 16 16">{inner}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>"


@cache
def _sprite_hash() -> str:
    return hashlib.sha256(icon_sprite().encode()).hexdigest()[:HASH_LENGTH]


def icon_url(name: str) -> str:
    """Return the address of an icon in the sprite.

    Raises:
        KeyError: the icon is not one of `ICONS`.
    """
    if name not in ICONS:
        raise KeyError(name)
    return f"/static/icons/v-{_sprite_hash()}.svg#{name}"


def _packed(response: Response, *, small: bool) -> tuple[bytes, dict[str, str]]:
    """Return the body and headers of an answer; a text is compressed as far as it goes if asked."""
    body = Path(response.path).read_bytes() if isinstance(response, FileResponse) else bytes(response.body)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    if not headers["content-type"].startswith(_TEXTS):
        return body, headers
    headers["vary"] = "Accept-Encoding"
    return (gzip.compress(body, mtime=0), headers | {"content-encoding": "gzip"}) if small else (body, headers)


class _Hashed(StaticFiles):
    """Files of one folder; the `v-…` part of the address is taken off, and decides how long to keep.

    Style sheets whose names are joined by « + » are answered as one.
    """

    def __init__(self, name: str) -> None:
        super().__init__(directory=_folder(name), check_dir=False)
        self.name = name
        self._kept: dict[tuple[str, bool], tuple[bytes, dict[str, str]]] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        asked = Headers(scope=scope)
        whole = scope["method"] == "GET" and not any(name in asked for name in _PARTIAL)
        key = (path, "gzip" in asked.get("accept-encoding", ""))
        # What a hashed address holds never changes: it is read and compressed once for each process.
        if not (whole and key in self._kept):
            first, _, rest = path.replace("\\", "/").partition("/")
            hashed = first == f"v-{fingerprint(self.name)}"
            asked_for = rest if first.startswith("v-") else path
            response = self._joined(asked_for) if "+" in asked_for else await super().get_response(asked_for, scope)
            response.headers["Cache-Control"] = _YEAR if hashed else _HOUR
            if not (hashed and whole and response.status_code == 200 and len(self._kept) < _MOST_KEPT):
                return response
            self._kept[key] = await run_in_threadpool(_packed, response, small=key[1])
        body, headers = self._kept[key]
        return Response(body, headers=headers)

    def _joined(self, path: str) -> Response:
        names = path.removesuffix(".css").split("+")
        found = [self.lookup_path(f"{name}.css") for name in names[:_MOST_JOINED]]
        if not path.endswith(".css") or len(names) > _MOST_JOINED or not all(stat for _, stat in found):
            raise HTTPException(404)
        return Response(b"\n".join(Path(file).read_bytes() for file, _ in found), media_type="text/css")


async def _sprite() -> Response:
    return Response(icon_sprite(), media_type="image/svg+xml", headers={"Cache-Control": _YEAR})


add_folder("app", Path(__file__).parent / "static")


def mount(app: FastAPI) -> None:
    """Serve every registered folder, the front-end packages and the icons."""
    app.get("/static/icons/{version}.svg", include_in_schema=False)(_sprite)
    for name in [*_folders, "vendor"]:
        app.mount(f"/static/{name}", _Hashed(name), name=f"static-{name}")
