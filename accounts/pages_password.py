"""Pages of a forgotten password: asking for a link, choosing another one."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from accounts import links, own, sign_in_password, signup, web
from accounts.pages_sign_in import keep_device
from accounts.pages_sign_up import ask_for_mail
from core.db import SessionDep, unit_of_work
from core.errors import InvalidInput
from core.mail import valid_address
from core.security import csrf_protected
from core.ui import pages

router = APIRouter(include_in_schema=False)


@router.get("/mot-de-passe-oublie")
async def form(request: Request) -> Response:
    """Draw the form that asks for a link."""
    context = {"email": "", "errors": {}}
    return pages.render(request, "accounts/password_forgotten.html", context, headers=web.NO_STORE)


@router.post("/mot-de-passe-oublie", dependencies=[Depends(csrf_protected)])
async def ask(request: Request, after: BackgroundTasks, email: Annotated[str, Form()] = "") -> Response:
    """Send a link to who has an account; the answer is the same to who has none."""
    error = await ask_for_mail(request, email)
    if error:
        context = {"email": email, "errors": {"email": error}}
        return pages.render(request, "accounts/password_forgotten.html", context, status=422, headers=web.NO_STORE)
    # Once answered: how long the answer took must not tell either.
    after.add_task(_send, valid_address(email))
    return RedirectResponse("/mot-de-passe-oublie/envoye", status_code=303, headers=web.NO_STORE)


async def _send(email: str) -> None:
    async with unit_of_work() as session:
        account = await signup.owner_of(session, email)
        if account is None or account.status != "active":
            return
        if account.password_hash is None:
            # A mailbox alone must not open what only a card opened.
            await links.tell_known(session, account, "psc_only")
        else:
            await links.send(session, account, "reset")


@router.get("/mot-de-passe-oublie/envoye")
async def sent(request: Request) -> Response:
    """Say where to look now."""
    return pages.render(request, "accounts/password_sent.html", {}, headers=web.NO_STORE)


def _choose(request: Request, opened: links.Opened, token: str, errors: dict[str, str] | None = None) -> Response:
    status = 422 if errors else 200 if opened.state == "live" else 410
    context = {"state": opened.state, "token": token, "email": opened.email, "errors": errors or {}}
    return pages.render(request, "accounts/password_new.html", context, status=status, headers=web.NO_STORE)


@router.get("/mot-de-passe/nouveau")
async def choose(request: Request, session: SessionDep, jeton: str = "") -> Response:
    """Ask for the new password; opening the link does not use it."""
    return _choose(request, await links.look(session, jeton, "reset"), jeton)


@router.post("/mot-de-passe/nouveau", dependencies=[Depends(csrf_protected)])
async def change(request: Request) -> Response:
    """Replace a forgotten password; every browser is signed out, this one then signs in without a code."""
    typed = await web.fields(request)
    token = typed.get("jeton", "")
    async with unit_of_work() as session:
        opened = await links.look(session, token, "reset")
    if opened.state != "live" or opened.account is None:
        return _choose(request, opened, token)
    try:
        password = await own.read_password(typed, own.words_of(opened.account))
    except InvalidInput as refused:
        return _choose(request, opened, token, refused.fields)
    async with unit_of_work() as session:
        opened = await links.use(session, token, "reset")
        if opened.state != "live" or opened.account is None:
            return _choose(request, opened, token)
        await own.set_password(session, opened.account, password)
        life = sign_in_password.KNOWN_AFTER_RESET
        known = await sign_in_password.remember(session, opened.account, web.device(request), life)
    answer = RedirectResponse("/connexion?info=mot-de-passe", status_code=303, headers=web.NO_STORE)
    keep_device(answer, known, int(life.total_seconds()))
    return answer
