"""Pages of a card that no account holds yet: the two choices, a new account, linking to an account, unlinking."""

import uuid
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import psc_service, service, signup, web
from accounts.models_psc import PscCard
from accounts.pages_sign_up import form_lists
from accounts.person import PersonDep, SignedInDep
from accounts.professions import professions
from accounts.psc_errors import PscRefused
from accounts.psc_pages import ACCOUNT, browser_of, refused, start_address
from core.db import unit_of_work
from core.errors import InvalidInput
from core.security import csrf_protected
from core.ui import pages

router = APIRouter(include_in_schema=False)

_LINKING = "/connexion/psc?lier=1"


def _to_link(uid: uuid.UUID) -> Response:
    return RedirectResponse(f"/carte/{uid}/lier", status_code=303, headers=web.NO_STORE)


def _other(card: PscCard) -> str:
    again = start_address(card.target)
    return f"{again}{'&' if '?' in again else '?'}autre=1"


def _choices(request: Request, card: PscCard, *, known: bool, status: int = 200) -> Response:
    context = {
        "card": card,
        "known": known,
        "sign_in": f"/connexion?suite={quote(f'/carte/{card.uid}/lier', safe='')}",
        "other": _other(card),
    }
    return pages.render(request, "accounts/psc_first.html", context, status=status, headers=web.NO_STORE)


@router.get("/carte/{uid}")
async def first_time(request: Request, person: PersonDep, uid: uuid.UUID) -> Response:
    """Draw the two choices of a person whose card no account holds."""
    if person is not None:
        return _to_link(uid)
    try:
        async with unit_of_work() as session:
            card = await psc_service.find_card(session, uid, browser_of(request))
            known = await psc_service.same_rpps(session, card) is not None
    except PscRefused as error:
        return refused(request, error)
    return _choices(request, card, known=known)


async def _form(
    request: Request,
    session: AsyncSession,
    card: PscCard,
    typed: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
) -> Response:
    context = await form_lists(session) | {
        "card": card,
        "typed": dict(typed),
        "errors": dict(errors or {}),
        "other": _other(card),
    }
    status = 422 if errors else 200
    return pages.render(request, "accounts/psc_sign_up.html", context, status=status, headers=web.NO_STORE)


@router.get("/carte/{uid}/nouveau-compte")
async def sign_up_form(request: Request, person: PersonDep, uid: uuid.UUID) -> Response:
    """Draw the sign-up form, filled with what the card proves."""
    if person is not None:
        return _to_link(uid)
    try:
        async with unit_of_work() as session:
            card = await psc_service.find_card(session, uid, browser_of(request))
            if await psc_service.same_rpps(session, card) is not None:
                return _choices(request, card, known=True)
            codes = (await professions(session)).codes
            typed = {
                "title": card.title or "",
                "profession": codes.get(card.profession or "", ""),
                "specialty": codes.get(card.specialty or "", ""),
            }
            return await _form(request, session, card, typed)
    except PscRefused as error:
        return refused(request, error)


@router.post("/carte/{uid}/nouveau-compte", dependencies=[Depends(csrf_protected)])
async def sign_up(request: Request, person: PersonDep, uid: uuid.UUID) -> Response:
    """Open the account of a card, and sign in to it; only its mail address remains to be confirmed."""
    if person is not None:
        return _to_link(uid)
    typed = await web.fields(request)
    try:
        async with unit_of_work() as session:
            card = await psc_service.find_card(session, uid, browser_of(request), lock=True)
            if await psc_service.same_rpps(session, card) is not None:
                return _choices(request, card, known=True, status=409)
            proven = signup.Proven(card.subject, card.rpps, card.last_name, card.first_name)
            wanted = await signup.read_sign_up(session, typed, proven)
            account = await psc_service.open_account(session, card, wanted, proven)
            token = await service.open_sign_in(session, account, "psc", web.device(request), card.id_token)
            target = card.target
    except PscRefused as error:
        return refused(request, error)
    except InvalidInput as error:
        async with unit_of_work() as session:
            card = await psc_service.find_card(session, uid, browser_of(request))
            return await _form(request, session, card, typed, error.fields)
    return web.signed_in(web.with_target("/inscription/ouverte", target), token)


@router.get("/inscription/ouverte")
async def opened(request: Request, person: SignedInDep, suite: str = "") -> Response:
    """Say that the account is open, and that a mail awaits an answer."""
    context = {"target": web.safe_target(suite)}
    return pages.render(request, "accounts/psc_opened.html", context, headers=web.NO_STORE)


@router.get("/carte/{uid}/lier")
async def confirm_link(request: Request, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Draw whose card would be linked to which account: somebody else's must not be slipped in."""
    try:
        async with unit_of_work() as session:
            card = await psc_service.find_card(session, uid, browser_of(request))
    except PscRefused as error:
        return refused(request, error, _LINKING)
    return pages.render(request, "accounts/psc_confirm.html", {"card": card, "who": person}, headers=web.NO_STORE)


@router.post("/carte/{uid}/lier", dependencies=[Depends(csrf_protected)])
async def link(request: Request, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Link a card to the account that is signed in."""
    try:
        async with unit_of_work() as session:
            card = await psc_service.find_card(session, uid, browser_of(request), lock=True)
            target = card.target
            await psc_service.link(session, person.account_id, card)
    except PscRefused as error:
        return refused(request, error, _LINKING)
    after = f"{ACCOUNT}?info=carte-liee" if target == ACCOUNT else target
    return RedirectResponse(after, status_code=303, headers=web.NO_STORE)


@router.post("/compte/psc/delier", dependencies=[Depends(csrf_protected)])
async def unlink(person: SignedInDep) -> Response:
    """Take the card away from the account that is signed in; doing it twice changes nothing."""
    async with unit_of_work() as session:
        await psc_service.unlink(session, person.account_id, person.sign_in_id)
    return RedirectResponse(f"{ACCOUNT}?info=carte-deliee", status_code=303, headers=web.NO_STORE)
