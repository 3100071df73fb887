"""The mailbox of the demonstration: whoever tries Repère reads there the mails that it sends."""

import uuid
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from core.db import SessionDep
from core.errors import NotFound
from core.http import public_base
from core.mail import service
from core.mail.settings import mail_settings
from core.mail.states import LABELS, state_of
from core.settings import core_settings
from core.ui import assets, pages

ADDRESS: Final = "/demo/messagerie"
HEADERS: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
SANDBOX: Final = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
# A mail carries its style on its elements; nothing else of it may act, and its links leave the frame.
MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox " + SANDBOX
)
_LONGEST_FILTER: Final = 254

pages.add_templates(Path(__file__).parent / "templates")
assets.add_folder("mail", Path(__file__).parent / "static")


def _demo_only() -> None:
    """Hide the mailbox outside the demonstration.

    Raises:
        NotFound: this is no demonstration.
    """
    if not core_settings().demo:
        raise NotFound("Cette adresse ne mène à rien, ou ce contenu n’existe plus.")


router = APIRouter(prefix=ADDRESS, include_in_schema=False, dependencies=[Depends(_demo_only)])


@router.get("")
async def mailbox(
    request: Request, session: SessionDep, destinataire: str = "", page: Annotated[str, Query()] = "1"
) -> Response:
    """Draw the list of the mails, newest first, of everyone or of one recipient."""
    recipient = destinataire.replace("\0", "").strip()[:_LONGEST_FILTER]
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1
    found = await service.page_of(session, recipient=recipient, page=number)

    def href(wanted: int) -> str:
        asked = ({"destinataire": recipient} if recipient else {}) | ({"page": wanted} if wanted > 1 else {})
        return ADDRESS + (f"?{urlencode(asked)}" if asked else "")

    context = {
        "found": found,
        "recipient": recipient,
        "href": href,
        "labels": LABELS,
        "address": ADDRESS,
        "leave": mail_settings().configured,
    }
    return pages.render(request, "mailbox/list.html", context, headers=HEADERS)


@router.get("/{uid}")
async def mail(request: Request, session: SessionDep, uid: uuid.UUID) -> Response:
    """Draw one mail: its headers, how it looks, its plain text."""
    found = await service.find(session, uid)
    context = {
        "mail": found,
        "label": LABELS[state_of(found)],
        "text": _here(request, found.text or ""),
        "address": ADDRESS,
        "sandbox": SANDBOX,
    }
    return pages.render(request, "mailbox/mail.html", context, headers=HEADERS)


@router.get("/{uid}/html")
async def mail_html(request: Request, session: SessionDep, uid: uuid.UUID) -> Response:
    """Give the HTML of one mail, for the frame of its page.

    Raises:
        NotFound: its content was erased.
    """
    found = await service.find(session, uid)
    if found.html is None:
        raise NotFound("Le contenu de ce mail a été effacé.")
    # Its links open in place of the page, not inside the frame.
    shown = _here(request, found.html).replace("<head>", '<head><base target="_top">', 1)
    return HTMLResponse(shown, headers=HEADERS | {"Content-Security-Policy": MAIL_POLICY})


def _here(request: Request, content: str) -> str:
    """Make links lead to the address by which the reader reached the demonstration."""
    return content.replace(core_settings().public_url.rstrip("/"), public_base(request))
