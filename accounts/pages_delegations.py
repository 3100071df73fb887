"""Pages of delegations: who writes for whom, invitations, demands, the link of an invitation."""

import uuid
from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import delegation_asking, delegation_queries, delegations, messages, registry
from accounts.administration import actor_names
from accounts.labels import DELEGATION_ACTIONS
from accounts.person import Person, SignedInDep
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput, TooMany
from core.security import csrf_protected
from core.ui import pages

router = APIRouter(include_in_schema=False)

PAGE = delegations.PAGE
_DONE = {
    "invitee": "L’invitation est partie. Vous saurez ici, et par mail, si elle est acceptée.",
    "demandee": "Votre demande est enregistrée. Si ce professionnel a un compte, il la trouve dans le sien.",
    "accepted": "C’est accepté : le droit est donné dès maintenant.",
    "refused": "C’est refusé : aucun droit n’est donné.",
    "ended": "C’est terminé : le droit d’écrire est retiré, ou la demande annulée.",
}
_NO_STORE = {"Cache-Control": "private, no-store"}


@router.get(PAGE)
async def home(request: Request, session: SessionDep, person: SignedInDep, fait: str = "") -> Response:
    """Draw the delegations of a person, on both sides."""
    await messages.read_about(session, person.account_id, [PAGE])
    return await _page(request, session, person, done=_DONE.get(fait, ""))


@router.post(f"{PAGE}/inviter", dependencies=[Depends(csrf_protected)])
async def invite(request: Request, person: SignedInDep, email: Annotated[str, Form()] = "") -> Response:
    """Invite a delegate by mail."""
    try:
        async with unit_of_work() as session:
            await delegation_asking.invite(session, person, email)
    except (InvalidInput, TooMany) as error:
        return await _refused(request, person, error, email=email)
    return RedirectResponse(f"{PAGE}?fait=invitee", status_code=303)


@router.post(f"{PAGE}/demander", dependencies=[Depends(csrf_protected)])
async def ask(request: Request, person: SignedInDep, rpps: Annotated[str, Form()] = "") -> Response:
    """Ask a professional for the right to write for them."""
    try:
        async with unit_of_work() as session:
            await delegation_asking.ask(session, person, rpps)
    except (InvalidInput, TooMany) as error:
        return await _refused(request, person, error, rpps=rpps)
    return RedirectResponse(f"{PAGE}?fait=demandee", status_code=303)


@router.post(f"{PAGE}/repondre/{{uid}}", dependencies=[Depends(csrf_protected)])
async def answer(
    request: Request,
    person: SignedInDep,
    uid: uuid.UUID,
    action: Annotated[str, Form()],
    version: Annotated[int, Form()],
) -> Response:
    """Accept, refuse or cancel what waits."""
    try:
        async with unit_of_work() as session:
            state = await delegations.act(session, uid, version, action, person)
    except Conflict as error:
        return await _refused(request, person, error)
    return RedirectResponse(f"{PAGE}?fait={state}", status_code=303)


@router.post(f"{PAGE}/terminer", dependencies=[Depends(csrf_protected)])
async def end(session: SessionDep, person: SignedInDep, droit: Annotated[int, Form(ge=1, le=2**62)]) -> Response:
    """End a delegation, from either side."""
    await delegations.end_grant(session, droit, person)
    return RedirectResponse(f"{PAGE}?fait=ended", status_code=303)


@router.get(f"{PAGE}/invitation/{{token}}")
async def invitation(request: Request, session: SessionDep, person: SignedInDep, token: str) -> Response:
    """Draw an invitation that a mail's link holds."""
    found, professional = await delegations.invitation(session, token)
    context = {
        "professional": f"{professional.first_name} {professional.last_name}".strip(),
        "until": found.expires_at,
        "own": found.rpps in delegations.rpps_of(person),
        "action": request.url.path,
    }
    return pages.render(request, "accounts/delegation_invitation.html", context, headers=_NO_STORE)


@router.post(f"{PAGE}/invitation/{{token}}", dependencies=[Depends(csrf_protected)])
async def answer_invitation(
    session: SessionDep, person: SignedInDep, token: str, action: Annotated[str, Form()]
) -> Response:
    """Accept or refuse an invitation that a mail's link holds."""
    state = await delegations.answer_invitation(session, token, action, person)
    return RedirectResponse(f"{PAGE}?fait={state}", status_code=303)


async def _refused(
    request: Request, person: Person, error: DomainError, *, email: str = "", rpps: str = ""
) -> Response:
    async with unit_of_work() as session:
        return await _page(request, session, person, error=error, email=email, rpps=rpps)


async def _names(session: AsyncSession, rpps: Collection[str]) -> dict[str, str]:
    """Return the professionals' names as the registers know them, which does not tell who has an account."""
    known = await registry.scope_names(session, [f"rpps:{one}" for one in rpps])
    return {one: known.get(f"rpps:{one}", f"RPPS {one}") for one in rpps}


async def _page(
    request: Request,
    session: AsyncSession,
    person: Person,
    *,
    error: DomainError | None = None,
    email: str = "",
    rpps: str = "",
    done: str = "",
) -> Response:
    mine = delegations.rpps_of(person)
    written_for = (await session.scalars(delegation_queries.written_for(person.account_id))).all()
    waiting = (await session.scalars(delegation_queries.waiting_of_delegate(person.account_id))).all()
    past = (await session.execute(delegation_queries.past(person.account_id, mine))).all()
    actors = {row[0].actor for row in past} | {grant.given_by for grant in written_for}
    context: dict[str, Any] = {
        "mine": mine,
        "delegates": (await session.execute(delegation_queries.delegates_of(mine))).all() if mine else [],
        "invited": (await session.scalars(delegation_queries.invitations_of(mine))).all() if mine else [],
        "demands": (await session.execute(delegation_queries.demands_to(mine))).all() if mine else [],
        "invitations": (await session.execute(delegation_queries.invitations_to(person.account_id))).all(),
        "written_for": written_for,
        "waiting": waiting,
        "past": past,
        "names": await actor_names(session, actors),
        "professionals": await _names(
            session,
            {grant.scope.removeprefix("rpps:") for grant in written_for}
            | {one.rpps for one in waiting}
            | {row.rpps for row in past},
        ),
        "actions": DELEGATION_ACTIONS,
        "email": email,
        "rpps": rpps,
        "errors": (error.fields or {"": error.detail}) if error else {},
        "done": done,
    }
    status = error.status if error else 200
    return pages.render(request, "accounts/delegations.html", context, status=status, headers=_NO_STORE)
