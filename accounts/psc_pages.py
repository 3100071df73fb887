"""Pages of signing in by Pro Santé Connect: leaving for it, coming back, signing out of it."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from accounts import limits, psc, psc_service, service, web
from accounts.person import Person, PersonDep, SignInNeeded
from accounts.psc_errors import PscRefused
from accounts.psc_service import Returned
from accounts.settings import psc_settings
from core.db import unit_of_work
from core.errors import NotFound
from core.security import new_token, read_cookie, set_cookie
from core.ui import pages

router = APIRouter(include_in_schema=False)

ACCOUNT = "/compte"
_COOKIE_SECONDS = 3600
_ANSWERS = {
    "access_denied": "cancelled",
    "login_required": "cancelled",
    "interaction_required": "cancelled",
    "consent_required": "cancelled",
    "server_error": "down",
    "temporarily_unavailable": "down",
}
"""What the provider may say instead of a code; anything else is a matter of settings."""


def browser_of(request: Request) -> str | None:
    """Return the secret by which this browser is told from others during a sign-in by card."""
    return read_cookie(request.scope, web.cookie("psc"))


def refused(request: Request, error: PscRefused, again: str = "/connexion/psc") -> Response:
    """Draw why a sign-in did not end, and what to do."""
    joint = "&" if "?" in again else "?"
    context = {"refusal": error.refusal, "again": again, "other": f"{again}{joint}autre=1"}
    return pages.render(
        request, "accounts/psc_refused.html", context, status=error.refusal.status, headers=web.NO_STORE
    )


def start_address(target: str, *, linking: bool = False) -> str:
    """Return the address that begins a sign-in by card: a link, since no form may lead to another site."""
    return "/connexion/psc?lier=1" if linking else web.with_target("/connexion/psc", target)


def offered_start(target: str) -> str | None:
    """Return the address that begins a sign-in by card, None where no provider is set up (`psc_start` in templates)."""
    return start_address(target) if psc_settings().offered else None


@router.get("/connexion/psc")
async def start(
    request: Request, person: PersonDep, suite: str = "", autre: bool = False, lier: bool = False
) -> Response:
    """Send the browser to Pro Santé Connect: to sign in, or to link a card to the account that is signed in."""
    if not psc_settings().offered:
        raise NotFound("Ce site ne propose pas la connexion par Pro Santé Connect.")
    if lier and person is None:
        raise SignInNeeded("Connectez-vous pour continuer.")
    target = ACCOUNT if lier else web.safe_target(suite)
    if person is not None and not lier:
        return RedirectResponse(target, status_code=303)
    browser = browser_of(request) or new_token()
    try:
        async with unit_of_work() as session:
            if await limits.take(session, limits.PSC_START, web.origin(request)) is not None:
                raise PscRefused("too_often")
            begun = await psc_service.begin(session, browser, target, person.account_id if person else None)
        address = await psc.authorization_address(
            state=begun.state, nonce=begun.nonce, verifier=begun.verifier, other_card=autre
        )
    except PscRefused as error:
        return refused(request, error, start_address(target, linking=lier))
    answer = RedirectResponse(address, status_code=303, headers=web.NO_STORE)
    set_cookie(answer.headers, web.cookie("psc"), browser, seconds=_COOKIE_SECONDS)
    return answer


@router.get("/connexion/psc/retour")
async def come_back(
    request: Request,
    person: PersonDep,
    state: str = "",
    code: str = "",
    iss: str | None = None,
    error: str = "",
) -> Response:
    """Receive the browser that Pro Santé Connect sends back."""
    browser = browser_of(request)
    again = "/connexion/psc"
    try:
        if not state or not browser:
            raise PscRefused("expired")
        async with unit_of_work() as session:
            returned = await psc_service.take(session, state, browser)
        again = start_address(returned.target, linking=returned.account_id is not None)
        if returned.again:
            # The back button, or the page loaded again, of somebody who did sign in.
            if person is None:
                raise PscRefused("expired")
            return RedirectResponse(returned.target, status_code=303, headers=web.NO_STORE)
        if error or not code:
            raise PscRefused(_ANSWERS.get(error, "misconfigured") if error else "unverified")
        proof = await psc.exchange(code, nonce=returned.nonce, verifier=returned.verifier, issuer=iss)
        return await _settle(request, person, returned, proof, browser)
    except PscRefused as refusal:
        return refused(request, refusal, again)


async def _settle(
    request: Request, person: Person | None, returned: Returned, proof: psc.Proof, browser: str
) -> Response:
    """Sign in the account of a card, or have the card wait for its holder's choice."""
    async with unit_of_work() as session:
        account = await psc_service.holder(session, proof.identity.subject)
        if returned.account_id is not None:
            if person is None or person.account_id != returned.account_id:
                raise PscRefused("expired")
            if account is not None and account.id != person.account_id:
                raise PscRefused("linked_elsewhere")
            if account is not None:
                return RedirectResponse(returned.target, status_code=303, headers=web.NO_STORE)
        if account is None:
            card = await psc_service.keep_card(session, proof, browser, returned.target)
            page = "/lier" if person else ""
            return RedirectResponse(f"/carte/{card}{page}", status_code=303, headers=web.NO_STORE)
        if person is not None:
            await service.end_sign_in(session, person.account_id, person.sign_in_id)
        token = await service.open_sign_in(session, account, "psc", web.device(request), proof.id_token)
    return web.signed_in(returned.target, token)


@router.get("/deconnexion/psc")
async def signed_out(request: Request) -> Response:
    """Draw the end of a sign-out that went through Pro Santé Connect."""
    return pages.render(request, "accounts/psc_signed_out.html", headers=web.NO_STORE)
