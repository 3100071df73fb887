"""Pages of the address of an account: wishing another one, proving it, keeping the present one after all."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from accounts import links, own, web
from accounts.models import Account
from accounts.pages_account import check_secret, draw, to_account
from accounts.person import SignedInDep
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, InvalidInput
from core.security import csrf_protected

router = APIRouter(include_in_schema=False)


def _form(
    request: Request,
    mine: Account,
    typed: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    status: int = 0,
) -> Response:
    context = {"mine": mine, "typed": {name: typed.get(name, "") for name in ("email", "email_again")}}
    return draw(request, "accounts/account_address.html", context, errors, status)


@router.get("/compte/adresse")
async def form(request: Request, session: SessionDep, person: SignedInDep) -> Response:
    """Draw the form that asks for another address."""
    return _form(request, await own.mine(session, person), {})


@router.post("/compte/adresse", dependencies=[Depends(csrf_protected)])
async def wish(request: Request, person: SignedInDep) -> Response:
    """Ask for another address; it counts once its owner has confirmed it."""
    typed = await web.fields(request)
    try:
        await check_secret(person, typed.get("current", ""))
        async with unit_of_work() as session:
            await own.wish_address(session, person, typed)
    except (InvalidInput, Conflict) as refused:
        async with unit_of_work() as session:
            mine = await own.mine(session, person)
        return _form(request, mine, typed, refused.fields or {"": refused.detail}, refused.status)
    return to_account("adresse")


@router.post("/compte/adresse/renvoyer", dependencies=[Depends(csrf_protected)])
async def again(person: SignedInDep) -> Response:
    """Send the link again."""
    async with unit_of_work() as session:
        sent = await own.send_address_again(session, person)
    return to_account("renvoye" if sent else "attendez")


@router.post("/compte/adresse/garder", dependencies=[Depends(csrf_protected)])
async def keep(person: SignedInDep, version: Annotated[str, Form()] = "") -> Response:
    """Keep the present address after all."""
    async with unit_of_work() as session:
        await own.forget_wish(session, person, version)
    return to_account("adresse-gardee")


@router.get("/compte/adresse/valider")
async def look(request: Request, session: SessionDep, jeton: str = "") -> Response:
    """Show what a link is worth; opening it changes nothing."""
    return _page(request, await links.look(session, jeton, "address"), jeton)


@router.post("/compte/adresse/valider", dependencies=[Depends(csrf_protected)])
async def confirm(request: Request, jeton: Annotated[str, Form()] = "") -> Response:
    """Make the new address that of the account."""
    async with unit_of_work() as session:
        opened = await links.confirm_address(session, jeton, "address")
    return _page(request, opened, jeton, done=opened.state == "live")


def _page(request: Request, opened: links.Opened, token: str, *, done: bool = False) -> Response:
    return web.link_page(request, "accounts/account_address_link.html", opened, token, done=done)
