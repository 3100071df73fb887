"""Pages of administrators: the accounts, what each may do, its history."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import administration, administration_queries, registry
from accounts.labels import ACTIONS, METHODS, ORIGINS, ROLES, STANDINGS, STATUSES, happening
from accounts.person import Person, allowed
from accounts.scopes import HELP
from accounts.standings.reading import standing_of
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput
from core.security import csrf_protected
from core.ui import pages
from core.ui.tables import read_view

router = APIRouter(include_in_schema=False)

AdministratorDep = Annotated[Person, Depends(allowed("administrator"))]
VersionForm = Annotated[int, Form()]
PAGE = "/administration/comptes"
_DONE = {
    "donne": "Le droit est donné ; il vaut dès la prochaine page que cette personne ouvre.",
    "retire": "Le droit est retiré ; il ne vaut plus dès maintenant.",
    "rpps": "Le numéro RPPS est confirmé, et le droit de professionnel donné.",
    "rpps-ecarte": "Le numéro RPPS déclaré est écarté.",
    "deconnecte": "Tous les appareils de ce compte sont déconnectés.",
    "ferme": "Le compte est fermé et ses données personnelles sont effacées.",
}


@router.get(PAGE)
async def accounts(request: Request, session: SessionDep, administrator: AdministratorDep) -> Response:
    """Draw the accounts, as the address says."""
    view = read_view(
        PAGE,
        request.query_params,
        administration_queries.COLUMNS,
        sort="nom",
        filters=administration_queries.FILTERS,
    )
    view = view.counted(await session.scalar(administration_queries.accounts_count(view)) or 0)
    rows = (await session.scalars(administration_queries.accounts_page(view))).all()
    held: dict[int, list[str]] = {}
    for account_id, role in await session.execute(administration_queries.live_roles([row.id for row in rows])):
        held.setdefault(account_id, []).append(ROLES[role])
    context = {"view": view, "accounts": rows, "held": held, "roles": ROLES, "statuses": STATUSES}
    return pages.render(request, "accounts/administration.html", context)


@router.get(PAGE + "/{uid}")
async def one(
    request: Request, session: SessionDep, administrator: AdministratorDep, uid: uuid.UUID, fait: str = ""
) -> Response:
    """Draw an account: who it is, what it may do, what happened to it."""
    return await _account(request, session, administrator, uid, done=_DONE.get(fait, ""))


@router.post(PAGE + "/{uid}/droits", dependencies=[Depends(csrf_protected)])
async def give(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    version: VersionForm,
    role: Annotated[str, Form()] = "",
    portee: Annotated[str, Form()] = "",
) -> Response:
    """Give a role over a scope."""

    async def work(session: AsyncSession) -> None:
        await administration.give_role(session, uid, version, role, portee, administrator)

    return await _do(request, administrator, uid, work, "donne", role=role, scope=portee)


@router.post(PAGE + "/{uid}/droits/retirer", dependencies=[Depends(csrf_protected)])
async def take(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    version: VersionForm,
    droit: Annotated[int, Form(ge=1, le=2**62)],
) -> Response:
    """Take a right back."""

    async def work(session: AsyncSession) -> None:
        await administration.take_role(session, uid, version, droit, administrator)

    return await _do(request, administrator, uid, work, "retire")


@router.post(PAGE + "/{uid}/rpps", dependencies=[Depends(csrf_protected)])
async def judge_rpps(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    version: VersionForm,
    action: Annotated[str, Form()],
) -> Response:
    """Confirm the RPPS that a person only said, or set it aside."""
    confirmed = action == "confirmer"

    async def work(session: AsyncSession) -> None:
        await administration.judge_rpps(session, uid, version, administrator, confirmed=confirmed)

    return await _do(request, administrator, uid, work, "rpps" if confirmed else "rpps-ecarte")


@router.post(PAGE + "/{uid}/deconnecter", dependencies=[Depends(csrf_protected)])
async def end_sign_ins(session: SessionDep, administrator: AdministratorDep, uid: uuid.UUID) -> Response:
    """Sign an account out everywhere."""
    await administration.end_sign_ins(session, uid, administrator)
    return RedirectResponse(f"{PAGE}/{uid}?fait=deconnecte", status_code=303)


@router.post(PAGE + "/{uid}/fermer", dependencies=[Depends(csrf_protected)])
async def close(
    request: Request,
    administrator: AdministratorDep,
    uid: uuid.UUID,
    version: VersionForm,
    sur: Annotated[str, Form()] = "",
) -> Response:
    """Close an account for ever, once the administrator has said so."""

    async def work(session: AsyncSession) -> None:
        if sur != "oui":
            message = "Cochez la case pour confirmer : une fermeture ne se défait pas."
            raise InvalidInput(message, fields={"sur": message})
        await administration.close(session, uid, version, administrator)

    return await _do(request, administrator, uid, work, "ferme")


async def _do(
    request: Request,
    administrator: Person,
    uid: uuid.UUID,
    work: Callable[[AsyncSession], Awaitable[None]],
    done: str,
    *,
    role: str = "",
    scope: str = "",
) -> Response:
    try:
        async with unit_of_work() as session:
            await work(session)
    except (InvalidInput, Conflict) as error:
        async with unit_of_work() as session:
            return await _account(request, session, administrator, uid, error=error, role=role, scope=scope)
    return RedirectResponse(f"{PAGE}/{uid}?fait={done}", status_code=303)


async def _account(
    request: Request,
    session: AsyncSession,
    administrator: Person,
    uid: uuid.UUID,
    *,
    error: DomainError | None = None,
    role: str = "",
    scope: str = "",
    done: str = "",
) -> Response:
    account = await administration.find(session, uid)
    params = {} if error else request.query_params
    view = read_view(f"{PAGE}/{uid}", params, administration_queries.HISTORY, sort="date", filters={})
    view = view.counted(await session.scalar(administration_queries.history_count(account.id)) or 0)
    history = (await session.scalars(administration_queries.history(account.id, view))).all()
    live = (await session.scalars(administration_queries.grants_of(account.id, live=True))).all()
    ended = (await session.scalars(administration_queries.grants_of(account.id, live=False))).all()
    actors = {grant.given_by for grant in (*live, *ended)} | {grant.ended_by or "" for grant in ended}
    scopes = {grant.scope for grant in (*live, *ended)} | {
        line.detail["scope"] for line in history if isinstance(line.detail, dict) and "scope" in line.detail
    }
    context = {
        "account": account,
        "own": account.id == administrator.account_id,
        "live": live,
        "ended": ended,
        "sign_ins": (await session.scalars(administration_queries.live_sign_ins(account.id))).all(),
        "history": history,
        "standing": await standing_of(session, account.id),
        "standings": {"doctor": "Médecin (registre)"} | STANDINGS,
        "happening": happening,
        "view": view,
        "names": await administration.actor_names(session, actors | {line.actor for line in history}),
        "scopes": await registry.scope_names(session, scopes - {""}),
        "roles": ROLES,
        "offered": {role: ROLES[role] for role in HELP},
        "role_help": HELP,
        "origins": ORIGINS,
        "statuses": STATUSES,
        "methods": METHODS,
        "actions": ACTIONS,
        "role": role,
        "scope": scope,
        "errors": (error.fields or {"": error.detail}) if error else {},
        "done": done,
    }
    return pages.render(request, "accounts/administration_account.html", context, status=error.status if error else 200)
