"""The pages of a portal know nothing that the public API does not tell: what they import, and whom they ask."""

import ast
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "search_api" / "portals"
OURS = ("core", "maps", "accounts", "directory", "ingest", "search_api", "modules", "web")
PURE = {
    "search_api.addresses",
    "search_api.compare",
    "search_api.compare_table",
    "search_api.hours_words",
    "search_api.labels",
    "search_api.models_portals",
    "search_api.moments",
    "search_api.page_fields",
    "search_api.page_view",
    "search_api.schemas",
    "search_api.settings",
    "search_api.structured",
}
"""Words, fields, tables and addresses made of public schemas, and the table of the portals themselves."""
NAMES = {
    "directory.api": {"OfferSheet", "SiteSheet"},
    "maps.api": {"PlaceHit", "ready", "resolve_ref", "suggest"},
    "search_api": {"page_view", "structured"},
}
"""Of these, the schemas of sheets, and what checks the places of a portal."""
ASKS_PLACES = {"rules.py", "commands.py"}


def imported(path: Path) -> set[tuple[str, str]]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(one.name, "") for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "", one.name) for one in node.names}
    return {(module, name) for module, name in found if module.split(".")[0] in OURS}


def test_nothing_of_the_directory_nor_of_the_search_is_imported() -> None:
    files = sorted(FOLDER.glob("*.py"))
    assert len(files) > 8
    for path in files:
        for module, name in imported(path):
            allowed = (
                module.split(".")[0] == "core"
                or module == "accounts.api"
                or module.startswith("search_api.portals")
                or module in PURE
                or name in NAMES.get(module, set())
            )
            assert allowed, f"{path.name} imports {name} of {module}"
            assert module != "maps.api" or path.name in ASKS_PLACES, f"{path.name} asks the places without the API"


def test_the_only_client_is_http() -> None:
    client = (FOLDER / "client.py").read_text(encoding="utf-8")
    assert "httpx.ASGITransport(app=request.app" in client
    assert set(__import__("re").findall(r'"(/[a-z][^"{]*)', client)) == {
        "/api/v1/search", "/api/v1/offers/", "/api/v1/sites/", "/api/v1/places", "/api/v1/concepts",
    }  # fmt: skip
