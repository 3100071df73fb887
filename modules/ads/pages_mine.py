"""« Gérer » : one's own ads, and what is done with each: unpublish, publish again, extend, delete."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.db import SessionDep
from core.errors import Conflict, InvalidInput
from core.security import csrf_protected
from core.ui import pages
from core.ui.tables import Column, read_view
from directory.api import calendar_day, read_day
from maps.api import ready
from modules.ads import content as contents
from modules.ads import life, mine, rules
from modules.ads.councils import council_name
from modules.ads.labels import CATEGORIES, STATES, SUSPEND_REASONS, UNPUBLISH_REASONS
from modules.ads.models import Ad
from modules.ads.pages_write import MINE, NumberPath, own_ad
from modules.ads.people import AuthorDep, Reader
from modules.ads.states import AUTHOR, actions
from modules.ads.views import view, views

router = APIRouter(include_in_schema=False, prefix="/annonces")
Protected: Final = [Depends(csrf_protected)]

_COLUMNS: Final = (Column("maj", "Mise à jour", descending=True),)
NO_NUMBER: Final = 2_147_483_647


@router.get("/mes-annonces")
async def listing(
    request: Request,
    session: SessionDep,
    author: AuthorDep,
    fait: str = "",
    annonce: Annotated[int, Query(ge=1, le=NO_NUMBER)] = NO_NUMBER,
) -> Response:
    """Draw the list of one's ads."""
    await ready()
    table = read_view(
        MINE,
        request.query_params,
        _COLUMNS,
        sort="maj",
        filters={"etat": set(mine.STATES), "categorie": set(CATEGORIES)},
    )
    state, category = table.filters["etat"], table.filters["categorie"]
    table = table.counted(await mine.count(session, author, state, category))
    ads = await mine.listing(session, author, state, category, offset=table.offset)
    shown = await views(session, ads)
    reasons = await mine.refusal_reasons(session, ads)
    reasons |= {ad.id: why for ad in ads if (why := SUSPEND_REASONS.get(ad.unpublish_reason or ""))}
    context = {
        "reader": author,
        "title": "Mes annonces",
        "table": table,
        "filtered": bool(state or category),
        "rows": [(one, reasons.get(one.id), _offered(ad)) for one, ad in zip(shown, ads, strict=True)],
        "states": [(code, STATES[code]) for code in mine.STATES],
        "categories": list(CATEGORIES.items()),
        "banner": await _banner(session, author, fait, annonce),
    }
    return pages.render(request, "ads/mine.html", context)


def _offered(ad: Ad) -> set[str]:
    """Return what the author may do to an ad, as the buttons of the list say it."""
    state: Any = ad.state
    return {str(action) for action in actions(state, AUTHOR)}


async def _banner(session: AsyncSession, author: Reader, word: str, number: int) -> str:
    """Return what is said once something is done, of an ad of theirs that is as it says."""
    if word == "supprimee":
        return "L’annonce est supprimée."
    if not word or number == NO_NUMBER:
        return ""
    found = await mine.one(session, author, number)
    if found is None:
        return ""
    name = f"L’annonce n°\u00a0{number}"
    if word == "transmise" and found.state == "pending" and found.council:
        return f"{name} a bien été transmise au {council_name(found.council)}."
    said = {
        ("attente", "pending"): f"{name} est en attente de vérification par le conseil : vous pourrez la modifier dès "
        "qu’il aura répondu.",
        ("publiee", "published"): f"{name} est de nouveau publiée.",
        ("prolongee", "published"): f"{name} : la date de fin de publication est modifiée.",
        ("prolongee", "unpublished"): f"{name} : la date de fin de publication est modifiée.",
        ("depubliee", "unpublished"): f"{name} est dépubliée. Vous pouvez la publier de nouveau quand vous voulez.",
        ("inchangee", "published"): f"{name} est publiée telle quelle : rien n’avait changé.",
    }
    return said.get((word, found.state), "")


@router.get("/{number:int}/historique")
async def history(request: Request, session: SessionDep, author: AuthorDep, number: NumberPath) -> Response:
    """Draw what happened to an ad of one's own."""
    await ready()
    ad = await own_ad(session, author, number)
    context = {
        "reader": author,
        "title": f"Historique de l’annonce n° {number}",
        "view": await view(session, ad),
        "lines": await mine.history(session, ad),
        "states": STATES,
    }
    return pages.render(request, "ads/mine_history.html", context)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form of an action holds."""

    reason: str = ""
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Something that is done to an ad after a question. `asks`: what the form asks beside."""

    word: str
    action: str
    title: str
    button: str
    asks: str
    destructive: bool
    run: Callable[[AsyncSession, Reader, Ad, Asked], Awaitable[str]]


async def _unpublish(session: AsyncSession, author: Reader, ad: Ad, asked: Asked) -> str:
    await life.unpublish(session, author, ad, asked.reason)
    return "depubliee"


async def _republish(session: AsyncSession, author: Reader, ad: Ad, asked: Asked) -> str:
    return "publiee" if await life.republish(session, author, ad, asked.ends_on) else "transmise"


async def _extend(session: AsyncSession, author: Reader, ad: Ad, asked: Asked) -> str:
    await life.extend(session, author, ad, asked.ends_on)
    return "prolongee"


async def _delete(session: AsyncSession, author: Reader, ad: Ad, asked: Asked) -> str:
    await life.remove(session, author, ad)
    return "supprimee"


MOVES: Final = {
    move.word: move
    for move in (
        Move("depublier", "unpublish", "Dépublier l’annonce", "Dépublier l’annonce", "reason", False, _unpublish),
        Move("republier", "republish", "Publier de nouveau l’annonce", "Publier de nouveau", "end", False, _republish),
        Move("prolonger", "extend", "Modifier la fin de l’annonce", "Enregistrer la date", "end", False, _extend),
        Move("supprimer", "delete", "Supprimer l’annonce", "Supprimer l’annonce", "", True, _delete),
    )
}


def _move(request: Request) -> Move:
    return MOVES[request.url.path.rpartition("/")[2]]


@router.get("/{number:int}/depublier")
@router.get("/{number:int}/republier")
@router.get("/{number:int}/prolonger")
@router.get("/{number:int}/supprimer")
async def ask(request: Request, session: SessionDep, author: AuthorDep, number: NumberPath) -> Response:
    """Ask before something is done to an ad."""
    move = _move(request)
    ad = await own_ad(session, author, number)
    if move.action not in _offered(ad):
        return RedirectResponse(f"{MINE}#annonce-{number}", status_code=303)
    today = clock.today(await clock.now(session))
    ends_on = ad.ends_on
    if ends_on is None or ends_on < today:
        ends_on = rules.usual_end(today)
    return await _draw(request, session, author, ad, move, {"ends_on": ends_on.isoformat(), "reason": "filled"})


@router.post("/{number:int}/depublier", dependencies=Protected)
@router.post("/{number:int}/republier", dependencies=Protected)
@router.post("/{number:int}/prolonger", dependencies=Protected)
@router.post("/{number:int}/supprimer", dependencies=Protected)
async def do(
    request: Request,
    session: SessionDep,
    author: AuthorDep,
    number: NumberPath,
    version: Annotated[str, Form(max_length=20)] = "",
    raison: Annotated[str, Form(max_length=20)] = "",
    fin_publication: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Do it."""
    move = _move(request)
    typed = {"ends_on": fin_publication, "reason": raison}
    known = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
    try:
        asked = _asked(move, raison, fin_publication)
        async with session.begin_nested():
            ad = await life.own(session, author, number, known)
            done = await move.run(session, author, ad, asked)
    except InvalidInput as error:
        ad = await own_ad(session, author, number)
        # What an ad lacks beyond its date is written in its form.
        errors = {name: said for name, said in error.fields.items() if name in ("ends_on", "reason")}
        others = [said for name, said in error.fields.items() if name not in errors]
        return await _draw(request, session, author, ad, move, typed, errors, " ".join(others), 422)
    except Conflict as conflict:
        ad = await own_ad(session, author, number)
        return await _draw(request, session, author, ad, move, typed, {}, conflict.detail, 409)
    return RedirectResponse(f"{MINE}?fait={done}&annonce={number}", status_code=303)


def _asked(move: Move, reason: str, end: str) -> Asked:
    if move.asks == "reason":
        if reason not in UNPUBLISH_REASONS:
            raise InvalidInput("Choisissez une raison.", fields={"reason": "Choisissez une raison."})
        return Asked(reason=reason)
    if move.asks != "end":
        return Asked()
    try:
        return Asked(ends_on=read_day(end) if end.strip() else None)
    except ValueError as error:
        said = f"« {end[:20]} » n’est pas une date qui existe : écrivez par exemple 31/12/2026."
        raise InvalidInput(said, fields={"ends_on": said}) from error


async def _draw(
    request: Request,
    session: AsyncSession,
    author: Reader,
    ad: Ad,
    move: Move,
    typed: dict[str, str],
    errors: dict[str, str] | None = None,
    notice: str = "",
    status: int = 200,
) -> Response:
    await ready()
    today = clock.today(await clock.now(session))
    said = errors or {}
    anchors = {"ends_on": "fin_publication", "reason": "raison-filled"}
    context = {
        "reader": author,
        "title": f"{move.title} n° {ad.number}",
        "view": await view(session, ad),
        "move": move,
        "possible": move.action in _offered(ad),
        "reasons": list(UNPUBLISH_REASONS.items()),
        "reason": typed["reason"],
        "ends_on": calendar_day(typed["ends_on"]),
        "errors": {"ends_on": "", "reason": ""} | said,
        "summary": [(anchors[name], message) for name, message in said.items()],
        "notice": notice,
        "latest_end": rules.latest_end(today),
        "version": ad.version,
        "at_once": (await contents.read(session, ad)).digest() == ad.accepted if move.word == "republier" else False,
    }
    return pages.render(request, "ads/mine_move.html", context, status=status)
