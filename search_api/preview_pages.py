"""The preview of an offer for who writes it: the page that others read, with what the draft would publish."""

import uuid
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from accounts.api import SignedInDep
from core.db import SessionDep
from core.ui import pages
from directory.api import PROFESSIONAL, PUBLIC, offer_preview
from search_api.sheet_pages import offer_context

router = APIRouter(include_in_schema=False)

VIEWS: Final = {"patient": "Patient", "pro": "Professionnel", "portail": "Portail"}
"""As whom the offer is read, by the word of the address."""


@router.get("/mon-offre/{uid}/apercu")
async def preview(
    request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID, vue: str = "patient"
) -> Response:
    """Draw the offer as a patient, a professional or a portal will see it."""
    view = vue if vue in VIEWS else "patient"
    found = await offer_preview(session, person, uid, PROFESSIONAL if view == "pro" else PUBLIC)
    base = f"/mon-offre/{uid}"
    shown = await offer_context(request, found.sheet) | {"preview": found, "view": view, "views": VIEWS, "base": base}
    if view == "portail":
        shown["document"] = _rows(found.sheet.model_dump(mode="json"))
        return pages.render(request, "search/preview_portal.html", shown)
    return pages.render(request, "search/preview.html", shown | {"hours_href": f"{base}/modifier/horaires?vue=semaine"})


def _rows(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Return a JSON document as lines (address of the field, value), nothing nested."""
    if isinstance(value, dict):
        return [row for name, child in value.items() for row in _rows(child, f"{path}.{name}" if path else name)]
    if isinstance(value, list):
        return [row for place, child in enumerate(value) for row in _rows(child, f"{path}[{place}]")] or [(path, "[]")]
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return [(path, text)]
