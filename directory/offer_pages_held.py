"""What a step of the path does with what was typed by somebody whose sign-in has ended."""

import uuid
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from accounts.api import origin
from core.errors import NotFound, TooMany
from core.security import FORM_FIELD
from core.ui import pages
from directory import held_forms
from directory import offer_steps as steps
from directory.held_forms import holder_of
from directory.models_offer import Offer


async def held(request: Request, session: AsyncSession) -> FormData | None:
    """Return what this browser sent to this step after its sign-in had ended."""
    pairs = await held_forms.held_form(session, holder_of(request), request.url.path)
    return FormData([(name, value) for name, value in pairs]) if pairs is not None else None


async def release(request: Request, session: AsyncSession) -> None:
    """Forget what was held for this step: it was sent again."""
    await held_forms.release_form(session, holder_of(request), request.url.path)


async def hold(request: Request, session: AsyncSession, uid: uuid.UUID, key: str, form: FormData) -> Response:
    """Keep what was typed by somebody whose sign-in has ended, and have them sign in again.

    Raises:
        NotFound: there is no such offer.
        TooMany: it could not be kept; the page in their browser still has it.
    """
    path, quiet = request.url.path, request.headers.get("hx-request") == "true"
    target = path
    if key in steps.MODELS:
        if await session.scalar(select(Offer.id).where(Offer.uid == uid)) is None:
            raise NotFound("Cette offre n’existe pas, ou n’est plus au répertoire.")
        pairs = [(name, str(value)) for name, value in form.multi_items() if name != FORM_FIELD]
        if not await held_forms.hold_form(session, holder_of(request), origin(request), path, pairs):
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
