"""The page of an ad for its moderators: what helps to judge it, accept, refuse, the history."""

from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import specialties
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput
from core.security import csrf_protected
from core.ui import pages
from modules.ads import changes, councils, moderation, moderation_queries, refusal_models, reports, signals, states
from modules.ads.content import read
from modules.ads.history_contents import accepted, judged
from modules.ads.labels import STANDINGS
from modules.ads.life import LONGEST_REASON
from modules.ads.models import Ad
from modules.ads.pages_moderation import PAGE
from modules.ads.people import ModeratorDep, Reader
from modules.ads.views import view

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Path(ge=1, le=moderation_queries.LARGEST_NUMBER)]
Version = Annotated[int, Form(ge=0, le=2**31 - 1)]
_ONE: Final = PAGE + "/{number:int}"


@router.get(_ONE)
async def one(
    request: Request,
    session: SessionDep,
    reader: ModeratorDep,
    number: Number,
    historique: Annotated[Literal["", "refus", "statuts"], Query()] = "",
    ordre: Annotated[Literal["", "anciens"], Query()] = "",
    fait: Annotated[int, Query(ge=0, le=moderation_queries.LARGEST_NUMBER)] = 0,
    quoi: Annotated[Literal["", "accept", "refuse"], Query()] = "",
    refuser: Annotated[Literal["", "oui"], Query()] = "",
) -> Response:
    """Draw an ad as its readers see it, with what helps to judge it."""
    shown = {"tab": historique, "oldest": ordre == "anciens", "done": fait if quoi else 0, "done_what": quoi}
    shown["refusing"] = bool(refuser)
    return await _page(request, session, reader, number, shown)


@router.get(_ONE + "/accepter")
async def ask(request: Request, session: SessionDep, reader: ModeratorDep, number: Number) -> Response:
    """Ask for a confirmation, where no script does."""
    ad = await moderation.find(session, reader, number)
    if ad.state != "pending":
        raise states.refusal(ad.state)  # type: ignore[arg-type]
    context = {"reader": reader, "title": f"Publier l’annonce n° {number}", "ad": ad, "page": f"{PAGE}/{number}"}
    return pages.render(request, "ads/moderation_accept.html", context)


@router.post(_ONE + "/accepter", dependencies=[Depends(csrf_protected)])
async def accept(request: Request, reader: ModeratorDep, number: Number, version: Version) -> Response:
    """Publish an ad; a moderator who comes second is told who decided."""
    return await _decide(request, reader, number, version, "accept")


@router.post(_ONE + "/refuser", dependencies=[Depends(csrf_protected)])
async def refuse(
    request: Request,
    reader: ModeratorDep,
    number: Number,
    version: Version,
    reason: Annotated[str, Form()] = "",
    model: Annotated[str, Form(max_length=20)] = "",
    action: Annotated[Literal["refuse", "fill"], Form()] = "refuse",
) -> Response:
    """Refuse an ad, or fill the reason from a model where no script does; what was typed is kept."""
    reason = reason.replace("\r\n", "\n").replace("\x00", "")
    if action == "fill":
        async with unit_of_work() as session:
            ad = await moderation.find(session, reader, number)
            known = {str(one.id): one.text for one in await _models(session, ad)}
            filled = "\n\n".join(part for part in (reason.strip(), known.get(model, "")) if part)
            return await _page(request, session, reader, number, {"reason": filled, "refusing": True})
    return await _decide(request, reader, number, version, "refuse", reason)


@router.post(_ONE + "/signalements", dependencies=[Depends(csrf_protected)])
async def close_reports(reader: ModeratorDep, number: Number) -> Response:
    """Close the reports of an ad that stays as it is."""
    async with unit_of_work() as session:
        await reports.close(session, reader, await moderation.find(session, reader, number), reports.KEPT)
    return RedirectResponse(f"{PAGE}/{number}", status_code=303)


async def _decide(
    request: Request, reader: Reader, number: int, version: int, decision: moderation.Decision, reason: str = ""
) -> Response:
    try:
        async with unit_of_work() as session:
            await moderation.decide(session, reader, number, version, decision, reason)
            following = await session.scalar(moderation_queries.next_waiting(reader, number))
    except (Conflict, InvalidInput) as error:
        async with unit_of_work() as session:
            shown = {"error": error, "reason": reason, "refusing": decision == "refuse"}
            return await _page(request, session, reader, number, shown)
    target = PAGE if following is None else f"{PAGE}/{following}"
    return RedirectResponse(f"{target}?{urlencode({'fait': number, 'quoi': decision})}", status_code=303)


async def _models(session: AsyncSession, ad: Ad) -> list[Any]:
    return list(await refusal_models.offered(session, [ad.council or "", councils.NATIONAL]))


async def _page(
    request: Request, session: AsyncSession, reader: Reader, number: int, shown: dict[str, Any]
) -> Response:
    ad = await moderation.find(session, reader, number)
    error: DomainError | None = shown.get("error")
    lines = await moderation.lines_of(session, ad)
    now = await read(session, ad)
    drawn = await view(session, ad, contacts=True)
    names = await specialties(session)
    before = accepted(lines)
    said, unsent = judged(ad.state, now, lines)
    own = ad.account_id == reader.account_id
    told = await moderation.history(session, reader, lines)
    context = {
        "reader": reader,
        "title": f"Annonce n° {number}",
        "ad": ad,
        "view": drawn,
        "page": f"{PAGE}/{number}",
        "author": await moderation.author_of(session, reader, ad),
        "standings": STANDINGS,
        "council": councils.title(ad.council),
        "signals": await signals.signals(session, reader, ad, said, lines),
        "changes": changes.changes(before, now, names) if before is not None and ad.state == "pending" else [],
        "unsent": unsent,
        "sent": changes.written(said, names) if unsent else [],
        "own": own,
        "reports": [] if own else (await reports.open_reports(session, [ad.id])).get(ad.id, []),
        "may": set() if own else states.actions(ad.state, states.MODERATOR),  # type: ignore[arg-type]
        "models": await _models(session, ad),
        "longest": LONGEST_REASON,
        "refusals": [line for line in told if line.refusal],
        "lines": told,
        "tab": "",
        "oldest": False,
        "done": 0,
        "done_what": "",
        "done_labels": moderation.DONE,
        "reason": "",
        "refusing": False,
        "errors": (error.fields or {"": error.detail}) if error else {},
    } | {name: value for name, value in shown.items() if name != "error"}
    return pages.render(request, "ads/moderation_ad.html", context, status=error.status if error else 200)
