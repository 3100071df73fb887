"""What a step of the path does with what was typed by somebody whose sign-in has ended."""

import uuid
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from accounts.api import origin
from core.errors import TooMany
from core.security import FORM_COOKIE, FORM_FIELD, digest
from core.ui import pages
from directory import held_forms
from directory import offer_steps as steps


def _holder(request: Request) -> bytes:
    return digest(f"held:{request.cookies.get(FORM_COOKIE, '')}")


async def held(request: Request, session: AsyncSession) -> FormData | None:
    """Return what this browser sent to this step after its sign-in had ended."""
    pairs = await held_forms.held_form(session, _holder(request), request.url.path)
    return FormData([(name, value) for name, value in pairs]) if pairs is not None else None


async def release(request: Request, session: AsyncSession) -> None:
    """Forget what was held for this step: it was sent again."""
    await held_forms.release_form(session, _holder(request), request.url.path)


async def hold(request: Request, session: AsyncSession, uid: uuid.UUID, key: str, form: FormData) -> Response:
    """Keep what was typed by somebody whose sign-in has ended, and have them sign in again.

    Raises:
        TooMany: it could not be kept; the page in their browser still has it.
    """
    path, quiet = request.url.path, request.headers.get("hx-request") == "true"
    target = path
    if key in steps.MODELS:
        pairs = [(name, str(value)) for name, value in form.multi_items() if name != FORM_FIELD]
        if not await held_forms.hold_form(session, _holder(request), origin(request), uid, path, pairs):
            if quiet:
                return pages.render(
                    request,
                    "directory/_unheld.html",
                    headers={"HX-Retarget": "#etat", "HX-Reswap": "innerHTML", "HX-Reselect": "#etat-texte"},
                )
            raise TooMany(
                "Votre session a pris fin et ce que vous venez de saisir n’a pas pu être gardé : trop de formulaires "
                "arrivent de votre réseau. Votre saisie est encore dans la page précédente de votre navigateur : "
                "connectez-vous dans un autre onglet, revenez à cette page, puis envoyez-la à nouveau."
            )
        target = f"{path}?reprise=1"
    address = f"/connexion?suite={quote(target, safe='')}"
    if quiet:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=303)
