"""Pages of signing in: the three ways, and the code of the second step."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import MutableHeaders

from accounts import limits, passwords, psc_pages, service, sign_in_password, web
from accounts.models import Account
from accounts.person import PersonDep, current
from accounts.personas import PERSONAS, present
from core.db import SessionDep, unit_of_work
from core.mail.settings import mail_settings
from core.security import csrf_protected, set_cookie
from core.settings import core_settings
from core.ui import pages

router = APIRouter(include_in_schema=False)

CODE, DEVICE = "code", "device"
"""Cookies: a second step under way, a browser that its owner made known."""
WRONG = "Cette adresse et ce mot de passe ne vont pas ensemble. Vérifiez-les, ou changez de mot de passe."
MISSING = {"email": "Indiquez votre adresse mail.", "password": "Indiquez votre mot de passe."}
MESSAGES = {
    "validee": "Votre adresse est validée : connectez-vous.",
    "mot-de-passe": "Votre nouveau mot de passe est enregistré : connectez-vous.",
    "code-expire": "Ce code n’est plus valable. Saisissez à nouveau votre mot de passe pour en recevoir un autre.",
    "code-use": "Trop de codes faux : par sécurité, saisissez à nouveau votre mot de passe.",
    "supprime": "Votre compte est supprimé.",
}
"""What the page may be asked to say first."""


async def _page(
    request: Request, target: str, *, email: str = "", errors: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    personas: dict[str, Account] = {}
    if core_settings().demo:
        async with unit_of_work() as session:
            personas = await present(session)
    context = {
        "target": target,
        "email": email,
        "errors": dict(errors or {}),
        "message": MESSAGES.get(request.query_params.get("info", "")),
        "personas": [(p, personas[p.key]) for p in PERSONAS if p.key in personas],
    }
    return pages.render(request, "accounts/sign_in.html", context, status=status, headers=web.NO_STORE)


@router.get("/connexion")
async def ways(request: Request, person: PersonDep, suite: str = "") -> Response:
    """Draw the ways of signing in."""
    target = web.safe_target(suite)
    return RedirectResponse(target, status_code=303) if person is not None else await _page(request, target)


@router.get("/connexion/aide")
async def sign_in_help(request: Request) -> Response:
    """Draw what helps to sign in: the cards, what to do without one, whom to ask."""
    context = {"psc": psc_pages.offered_start("/accueil"), "contact_email": mail_settings().contact_email}
    return pages.render(request, "accounts/sign_in_help.html", context)


@router.post("/connexion", dependencies=[Depends(csrf_protected)])
async def by_password(request: Request) -> Response:
    """Sign in with an address and a password: at once on a known browser, with a code sent by mail elsewhere."""
    typed = await web.fields(request)
    email, password = typed.get("email", "").strip()[:300], typed.get("password", "")
    target, origin = web.safe_target(typed.get("suite")), web.origin(request)
    device_token = request.cookies.get(web.cookie(DEVICE))
    errors = {name: MISSING[name] for name, value in (("email", email), ("password", password)) if not value}
    if errors:
        return await _page(request, target, email=email, errors=errors, status=422)
    async with unit_of_work() as session:
        found = await sign_in_password.look(session, _kept(email), origin, device_token)
    if found.wait is not None:
        errors = {"": f"Trop d’essais : attendez {limits.waiting(found.wait)}, ou choisissez un nouveau mot de passe."}
        return await _page(request, target, email=email, errors=errors, status=429)
    right = await passwords.verify(found.stored, password)
    wait = None
    if right:
        async with unit_of_work() as session:
            account = await sign_in_password.pass_password(session, found, password, _kept(email), origin)
            if account is not None and await sign_in_password.known_device(session, account.id, device_token):
                return await finish(request, session, account, target)
            if account is not None:
                token, wait = await sign_in_password.ask_code(session, account)
                if token is not None:
                    return _to_code(target, token)
    if wait is not None:
        errors = {"": f"Trop de codes viennent de vous être envoyés : attendez {limits.waiting(wait)}."}
        return await _page(request, target, email=email, errors=errors, status=429)
    return await _page(request, target, email=email, errors={"password": WRONG}, status=422)


def _kept(text: str) -> str:
    """Return a text that the database can look for."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


async def finish(request: Request, session: AsyncSession, account: Account, target: str) -> Response:
    """Open the sign-in under a new token; the one that this browser may have had ends."""
    former = current(request)
    if former is not None:
        await service.end_sign_in(session, former.account_id, former.sign_in_id)
    token = await service.open_sign_in(session, account, "password", web.device(request))
    answer = web.signed_in(target, token)
    _drop_code(answer.headers)
    return answer


def _drop_code(headers: MutableHeaders) -> None:
    set_cookie(headers, web.cookie(CODE), "", seconds=0)


def _to_code(target: str, token: str) -> Response:
    answer = RedirectResponse(web.with_target("/connexion/code", target), status_code=303, headers=web.NO_STORE)
    set_cookie(answer.headers, web.cookie(CODE), token, seconds=int(sign_in_password.CODE_LIFE.total_seconds()) * 4)
    return answer


def _back(target: str, why: str) -> Response:
    answer = RedirectResponse(web.with_target(f"/connexion?info={why}", target), status_code=303, headers=web.NO_STORE)
    _drop_code(answer.headers)
    return answer


_ENDED = {"none": "code-expire", "worn": "code-use"}


def _code_page(
    request: Request,
    step: sign_in_password.Step,
    target: str,
    *,
    error: str = "",
    sent: bool = False,
    status: int = 200,
) -> Response:
    context = {
        "target": target,
        "errors": {"code": error} if error else {},
        "sent": sent,
        "expired": step.state == "expired",
        "wait": limits.waiting(step.wait) if step.wait else "",
        "days": sign_in_password.KNOWN_FOR.days,
    }
    return pages.render(request, "accounts/sign_in_code.html", context, status=status, headers=web.NO_STORE)


@router.get("/connexion/code")
async def code_form(request: Request, session: SessionDep, suite: str = "", envoye: bool = False) -> Response:
    """Ask for the code that was sent by mail."""
    target = web.safe_target(suite)
    step = await sign_in_password.second_step(session, request.cookies.get(web.cookie(CODE)))
    if step.state in _ENDED:
        return _back(target, _ENDED[step.state])
    return _code_page(request, step, target, sent=envoye)


@router.post("/connexion/code", dependencies=[Depends(csrf_protected)])
async def code(request: Request) -> Response:
    """Finish signing in with the code."""
    async with unit_of_work() as session:
        return await _try_code(request, session)


async def _try_code(request: Request, session: AsyncSession) -> Response:
    typed = await web.fields(request)
    target = web.safe_target(typed.get("suite"))
    given = "".join(char for char in typed.get("code", "")[:40] if not char.isspace())
    cookie = request.cookies.get(web.cookie(CODE))
    well_formed = len(given) == 6 and given.isascii() and given.isdigit()
    step = await sign_in_password.second_step(session, cookie, given if well_formed else None)
    if step.account is not None:
        answer = await finish(request, session, step.account, target)
        if typed.get("remember"):
            token = await sign_in_password.remember(session, step.account, web.device(request))
            keep_device(answer, token, int(sign_in_password.KNOWN_FOR.total_seconds()))
        return answer
    if step.state in _ENDED:
        return _back(target, _ENDED[step.state])
    if step.state == "expired":
        error = "Ce code a expiré : demandez-en un autre."
    elif not well_formed:
        error = "Le code a six chiffres : recopiez celui du dernier mail."
    else:
        rest = "essai" if step.left == 1 else "essais"
        error = f"Ce code n’est pas celui du dernier mail. Il vous reste {step.left} {rest}."
    return _code_page(request, step, target, error=error, status=422)


def keep_device(answer: Response, token: str, seconds: int) -> None:
    """Keep in the browser what makes it known."""
    set_cookie(answer.headers, web.cookie(DEVICE), token, seconds=seconds)


@router.post("/connexion/code/renvoyer", dependencies=[Depends(csrf_protected)])
async def send_again(request: Request) -> Response:
    """Send another code."""
    target = web.safe_target((await web.fields(request)).get("suite"))
    async with unit_of_work() as session:
        step = await sign_in_password.send_again(session, request.cookies.get(web.cookie(CODE)))
    if step.state in _ENDED:
        return _back(target, _ENDED[step.state])
    if step.wait is not None:
        return _code_page(request, step, target, status=429)
    return RedirectResponse(web.with_target("/connexion/code?envoye=1", target), status_code=303, headers=web.NO_STORE)
