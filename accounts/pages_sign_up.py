"""Pages of signing up: the form, the link that confirms the address, the terms of use."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import challenge, limits, links, signup, web
from accounts.models import Account
from accounts.person import PersonDep
from accounts.professions import professions
from core.db import SessionDep, unit_of_work
from core.errors import InvalidInput
from core.mail import valid_address
from core.mail.settings import mail_settings
from core.security import csrf_protected
from core.ui import pages

router = APIRouter(include_in_schema=False)

SECRETS = ("password", "password_again")
"""Fields that a page never gives back."""


async def form_lists(session: AsyncSession) -> dict[str, Any]:
    """Return the lists that the fields of a sign-up offer."""
    lists = await professions(session)
    return {"titles": signup.TITLES, "professions": lists.professions, "specialties": lists.specialties}


async def _form(
    request: Request, session: AsyncSession, typed: Mapping[str, str], errors: Mapping[str, str], status: int
) -> Response:
    ticket = typed.get("ticket", "")
    again = ticket and not await challenge.is_spent(session, ticket)
    context = await form_lists(session) | {
        "ticket": await challenge.issue_again(session, ticket) if again else await challenge.issue(session),
        "typed": {name: value for name, value in typed.items() if name not in SECRETS},
        "errors": dict(errors),
        "same_rpps": errors.get("identifier") == signup.SAME_RPPS,
        "contact_email": mail_settings().contact_email,
    }
    return pages.render(request, "accounts/sign_up.html", context, status=status, headers=web.NO_STORE)


@router.get("/inscription")
async def form(request: Request, session: SessionDep, person: PersonDep) -> Response:
    """Draw the sign-up form; who has an account already is led to it."""
    if person is not None:
        return RedirectResponse("/compte", status_code=303)
    return await _form(request, session, {}, {}, 200)


@router.post("/inscription", dependencies=[Depends(csrf_protected)])
async def sign_up(request: Request) -> Response:
    """Open an account that waits for its address to be confirmed; the answer never says whose addresses are known."""
    typed = await web.fields(request)
    origin = web.origin(request)
    try:
        async with unit_of_work() as session:
            wait = await limits.take(session, limits.SIGN_UP_ADDRESS, origin)
        if wait is not None:
            message = f"Trop d’essais depuis votre réseau : attendez {limits.waiting(wait)}, puis renvoyez la page."
            raise InvalidInput(message, fields={"challenge": message})
        async with unit_of_work() as session:
            wanted = await signup.read_sign_up(session, typed)
        nonce = await _checked(typed, origin)
        # Spent whatever follows: who tries numbers one after the other pays for each.
        async with unit_of_work() as session:
            await challenge.spend(session, nonce)
        async with unit_of_work() as session:
            await signup.refuse_same_rpps(session, wanted.rpps_claimed)
            await signup.register(session, wanted)
    except InvalidInput as refused:
        async with unit_of_work() as session:
            return await _form(request, session, typed, refused.fields, 422)
    return RedirectResponse("/inscription/envoyee", status_code=303, headers=web.NO_STORE)


async def _checked(typed: Mapping[str, str], origin: str) -> str:
    # What is counted must stay counted when the form is refused.
    refused: InvalidInput | None = None
    nonce = ""
    async with unit_of_work() as session:
        try:
            nonce = await challenge.check(session, typed.get("ticket", ""), typed.get("solution", ""), origin)
        except InvalidInput as error:
            refused = error
    if refused is not None:
        raise refused
    return nonce


@router.get("/inscription/envoyee")
async def sent(request: Request) -> Response:
    """Say where to look now."""
    return pages.render(request, "accounts/sign_up_sent.html", {}, headers=web.NO_STORE)


@router.get("/inscription/renvoyer")
async def again_form(request: Request) -> Response:
    """Draw the form that asks for the link again."""
    return pages.render(request, "accounts/sign_up_again.html", {"email": "", "errors": {}}, headers=web.NO_STORE)


@router.post("/inscription/renvoyer", dependencies=[Depends(csrf_protected)])
async def again(request: Request, after: BackgroundTasks, email: Annotated[str, Form()] = "") -> Response:
    """Send the link again, when somebody waits for it; the answer is the same when nobody does."""
    error = await ask_for_mail(request, email)
    if error:
        context = {"email": email, "errors": {"email": error}}
        return pages.render(request, "accounts/sign_up_again.html", context, status=422, headers=web.NO_STORE)
    # Once answered: how long the answer took must not tell either.
    after.add_task(_send_again, valid_address(email))
    return RedirectResponse("/inscription/envoyee", status_code=303, headers=web.NO_STORE)


async def ask_for_mail(request: Request, email: str) -> str | None:
    """Count somebody's request for a link; return why it is refused, None when it may be looked at."""
    if not email.strip():
        return signup.MISSING["email"]
    try:
        valid_address(email)
    except InvalidInput as error:
        return error.detail
    async with unit_of_work() as session:
        wait = await limits.take(session, limits.ASK_ADDRESS, web.origin(request))
    return None if wait is None else f"Trop de demandes depuis votre réseau : attendez {limits.waiting(wait)}."


async def _send_again(email: str) -> None:
    async with unit_of_work() as session:
        known = await signup.owner_of(session, email)
        if known is not None:
            await links.tell_known(session, known)
            return
        waiting = await session.scalar(
            select(Account)
            .where(func.lower(Account.email_wanted) == email.lower(), Account.status == "pending")
            .order_by(Account.id.desc())
            .limit(1)
        )
        if waiting is not None:
            await links.send(session, waiting, "confirm")


@router.get("/inscription/valider")
async def look(request: Request, session: SessionDep, jeton: str = "") -> Response:
    """Show what a link is worth; opening it changes nothing, since programs that read mails open every address."""
    return _link_page(request, await links.look(session, jeton, "confirm"), jeton)


@router.post("/inscription/valider", dependencies=[Depends(csrf_protected)])
async def confirm(request: Request, jeton: Annotated[str, Form()] = "") -> Response:
    """Confirm the address of a new account."""
    async with unit_of_work() as session:
        opened = await links.confirm_address(session, jeton, "confirm")
    return _link_page(request, opened, jeton, done=opened.state == "live")


def _link_page(request: Request, opened: links.Opened, token: str, *, done: bool = False) -> Response:
    return web.link_page(request, "accounts/sign_up_link.html", opened, token, done=done)


@router.get("/conditions")
async def terms(request: Request) -> Response:
    """Draw the terms of use."""
    return pages.render(request, "accounts/terms.html", {"contact_email": mail_settings().contact_email})
