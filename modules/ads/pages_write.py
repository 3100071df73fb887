"""Pages where an ad is written: one form that every button sends whole, so that nothing typed is ever lost."""

import uuid
from dataclasses import replace
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, UploadFile

from accounts.api import Person, PersonDep, origin, specialties
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound, TooLarge, TooMany
from core.security import FORM_FIELD, accept_files, csrf_protected_files
from core.ui import pages
from directory.api import held_form, hold_form, holder_of, release_form
from maps.api import ready
from modules.ads import content as contents
from modules.ads import files, forms, life, mine, writing
from modules.ads.models import Ad
from modules.ads.people import AuthorDep, Reader, reader_of
from modules.ads.preview import preview
from modules.ads.schemas import MOST_FILES
from modules.ads.write_form import Drawn, blank, context, draw, errors_of, file_views, part_of

router = APIRouter(include_in_schema=False, prefix="/annonces")
Protected: Final = [Depends(csrf_protected_files)]
NumberPath = Annotated[int, Path(ge=1, le=2_147_483_647)]
WRITE: Final = "/annonces/deposer"
MINE: Final = "/annonces/mes-annonces"

accept_files(r"/annonces/(deposer|\d{1,10}/modifier)", files.LARGEST_FORM)

DONE: Final = {
    "brouillon": "Votre brouillon est enregistré. Rien n’est transmis tant que vous ne le demandez pas.",
    "enregistree": "Vos modifications sont enregistrées. L’annonce n’est pas publiée tant que vous ne le demandez pas.",
}
_TAKEN_UP: Final = (
    "Ce que vous aviez saisi est repris ci-dessous, sauf les fichiers que vous veniez de choisir. "
    "Rien n’est encore enregistré."
)
_UNHELD: Final = (
    "Votre session a pris fin et ce que vous venez de saisir n’a pas pu être gardé : trop de formulaires arrivent de "
    "votre réseau. Votre saisie est encore dans la page précédente de votre navigateur : connectez-vous dans un autre "
    "onglet, revenez à cette page, puis envoyez-la à nouveau."
)
_PLACES: Final = ("lieux", "lieux-trouves")
"""Parts of the form that are about places."""
_STALE: Final = (
    "Cette annonce a changé dans un autre onglet ou sur un autre appareil pendant que vous écriviez : rien n’a été "
    "enregistré. Ce que vous avez saisi est gardé ci-dessous ; l’enregistrer remplacera ce qui a été écrit entre-temps."
)


@router.get("/deposer")
async def write(request: Request, session: SessionDep, author: AuthorDep, reprise: str = "") -> Response:
    """Draw the form of a new ad, or what was typed before a sign-in ended."""
    held = await _held(request, session, author)
    if held is None or not reprise:
        return await draw(request, session, author, await blank(session, author), Drawn(held=held is not None), None)
    return await draw(request, session, author, forms.read(held), Drawn(notice=_TAKEN_UP), None)


@router.get("/{number:int}/modifier")
async def edit(
    request: Request, session: SessionDep, author: AuthorDep, number: NumberPath, reprise: str = "", fait: str = ""
) -> Response:
    """Draw the form of an ad of one's own."""
    ad = await own_ad(session, author, number)
    if ad.state == "pending":
        return RedirectResponse(f"{MINE}?fait=attente&annonce={number}", status_code=303)
    held = await _held(request, session, author)
    if held is not None and reprise:
        typed, drawn = forms.read(held), Drawn(notice=_TAKEN_UP)
    else:
        typed, drawn = await _kept(session, ad), Drawn(done=DONE.get(fait, ""), held=held is not None)
    return await draw(request, session, author, typed, drawn, ad)


async def _kept(session: AsyncSession, ad: Ad) -> forms.Typed:
    await ready()
    said = await contents.read(session, ad)
    uids = tuple(str(uid) for uid in await writing.file_uids(session, ad))
    return forms.typed_of(said, ad.ends_on, uid=str(ad.uid), version=ad.version, files=uids)


async def own_ad(session: AsyncSession, author: Reader, number: int) -> Ad:
    """Return an ad of somebody, to be read.

    Raises:
        NotFound: it is not theirs, or is deleted.
    """
    ad = await mine.one(session, author, number)
    if ad is None:
        raise NotFound("Cette annonce n’existe pas, ou n’est pas l’une des vôtres.")
    return ad


async def _held(request: Request, session: AsyncSession, author: Reader) -> FormData | None:
    pairs = await held_form(session, holder_of(request), request.url.path)
    # A browser that several people use: what one of them typed is not shown to another.
    if pairs is None or ("compte", str(author.person.uid)) not in pairs:
        return None
    return FormData([(name, value) for name, value in pairs])


async def _keep_aside(request: Request, session: AsyncSession, form: FormData) -> bool:
    """Keep for an hour what was typed, for this browser; return whether it is."""
    pairs = [(name, value) for name, value in form.multi_items() if name != FORM_FIELD and isinstance(value, str)]
    return await hold_form(session, holder_of(request), origin(request), request.url.path, pairs)


async def _hold(request: Request, form: FormData) -> Response:
    """Keep what was typed by somebody whose sign-in has ended, and have them sign in again."""
    path = request.url.path
    async with unit_of_work() as session:
        kept = await _keep_aside(request, session, form)
    if not kept:
        raise TooMany(_UNHELD)
    address = f"/connexion?suite={quote(f'{path}?reprise=1', safe='')}"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=303)


@router.post("/deposer", dependencies=Protected)
async def send(request: Request, person: PersonDep) -> Response:
    """Act on the form of a new ad."""
    return await _act(request, person, None)


@router.post("/{number:int}/modifier", dependencies=Protected)
async def send_change(request: Request, person: PersonDep, number: NumberPath) -> Response:
    """Act on the form of an ad of one's own."""
    return await _act(request, person, number)


async def _act(request: Request, person: Person | None, number: int | None) -> Response:
    form = await request.form()
    if person is None:
        return await _hold(request, form)
    async with unit_of_work() as session:
        author = await reader_of(session, person)
        if author is None or author.standing is None:
            raise Forbidden("Seuls les médecins, les docteurs juniors et les internes publient des annonces.")
        if number is not None:
            await own_ad(session, author, number)
    # Looking at files takes seconds: nothing of the database is held meanwhile.
    typed, errors = await _take_files(request, form, author, forms.read(form))
    async with unit_of_work() as session:
        await ready()
        ad = await own_ad(session, author, number) if number is not None else None
        typed, drawn = _rearranged(form, typed, errors, part_of(request))
        action = str(form.get("action") or "")
        if action not in ("brouillon", "transmettre", "previsualiser") or drawn.candidates is not None:
            return await draw(request, session, author, typed, drawn, ad)
        if ad is not None and ad.submitted_at is not None:
            typed = replace(typed, category=ad.category or "", side=ad.side or "")
        return await _write(request, session, author, ad, typed, drawn, action)


async def _take_files(
    request: Request, form: FormData, author: Reader, typed: forms.Typed
) -> tuple[forms.Typed, dict[str, str]]:
    """Keep aside the files that a form brings; what is wrong with one is said, and the others are kept."""
    errors: list[str] = []
    status = 0
    if getattr(request.state, "form_too_long", False):
        return typed, {"files": files.HEAVY_FORM, "status": "413"}
    for sent in form.getlist("fichiers"):
        if not isinstance(sent, UploadFile) or not sent.filename:
            continue
        name = files.base_name(sent.filename)[-60:]
        if len(typed.files) >= MOST_FILES:
            errors.append(f"{MOST_FILES} fichiers au plus : « {name} » n’est pas ajouté.")
            continue
        try:
            if (sent.size or 0) > files.LARGEST_FILE:
                raise TooLarge(files.HEAVY)
            async with unit_of_work() as session:
                await files.allow_one(session, author.account_id)
            kept = await files.check(sent.filename, await sent.read())
            async with unit_of_work() as session:
                upload = await files.stage(session, author.account_id, kept)
            typed = replace(typed, files=(*typed.files, str(upload.uid)))
        except DomainError as error:
            status = status or error.status
            errors.append(f"« {name} » : {error.detail}")
    return typed, ({"files": " ".join(errors), "status": str(status or 422)} if errors else {})


def _rearranged(form: FormData, typed: forms.Typed, errors: dict[str, str], part: str) -> tuple[forms.Typed, Drawn]:
    """Do what a button of the form asks that writes nothing: places, periods and files added, moved, taken off.

    A place that is being typed is left alone where another `part` alone is drawn again.
    """
    drawn = Drawn(status=int(errors.pop("status", "422")), errors=errors)
    action = str(form.get("action") or "")
    if chosen := str(form.get("choisir-lieu") or ""):
        hit = forms.place_of(chosen)
        typed = forms.add_place(typed, hit) if hit else typed
        drawn.focus = "lieu_saisi"
    elif gone := str(form.get("retirer-lieu") or ""):
        typed = replace(typed, places=tuple(ref for ref in typed.places if ref != gone))
        drawn.focus = "lieu_saisi"
    elif (row := str(form.get("retirer-periode") or "")) and row.isascii() and row.isdigit():
        typed = replace(typed, periods=tuple(p for at, p in enumerate(typed.periods) if at != int(row[:4])))
        drawn.focus = "ajouter-periode"
    elif gone := str(form.get("retirer-fichier") or ""):
        typed = replace(typed, files=tuple(uid for uid in typed.files if uid != gone))
        drawn.focus = "fichiers"
    elif raised := str(form.get("monter-fichier") or ""):
        typed = replace(typed, files=_raised(typed.files, raised))
        drawn.focus = f"monter-{raised}"
    elif action == "ajouter-periode":
        typed = replace(typed, periods=(*(typed.periods or (("", ""),)), ("", "")))
        drawn.focus = f"debut-{len(typed.periods) - 1}"
    elif action == "ajouter-fichiers":
        drawn.focus = "fichiers"
    if typed.place_text.strip() and part in ("", *_PLACES):
        typed, drawn = _looked_up(typed, drawn, asked=action == "chercher-lieu")
    if not drawn.errors:
        drawn.status = 200
    return typed, drawn


def _looked_up(typed: forms.Typed, drawn: Drawn, *, asked: bool) -> tuple[forms.Typed, Drawn]:
    """Add the place that is typed, or show those that it may be."""
    sure, hits = forms.look_up(typed.place_text)
    drawn.focus = "lieu_saisi"
    if asked:
        drawn.candidates = hits
    elif sure is not None:
        typed = forms.add_place(typed, sure)
    elif hits:
        drawn.candidates = hits
        drawn.errors["places"] = f"Plusieurs lieux répondent à « {forms.line(typed.place_text)[:60]} » : choisissez."
    else:
        drawn.candidates = []
        drawn.errors["places"] = f"Aucun lieu ne répond à « {forms.line(typed.place_text)[:60]} » : vérifiez le nom."
    return typed, drawn


def _raised(uids: tuple[str, ...], uid: str) -> tuple[str, ...]:
    order = list(uids)
    if uid in order and order.index(uid) > 0:
        at = order.index(uid)
        order[at - 1], order[at] = order[at], order[at - 1]
    return tuple(order)


async def _write(
    request: Request,
    session: AsyncSession,
    author: Reader,
    ad: Ad | None,
    typed: forms.Typed,
    drawn: Drawn,
    action: str,
) -> Response:
    """Keep, transmit or show what was typed."""
    checked = forms.check(typed, await specialties(session))
    asked = writing.Asked(checked.content, checked.ends_on, tuple(checked.files), transmit=action == "transmettre")
    drawn.errors = errors_of(drawn.errors, checked.errors)
    if action != "brouillon":
        # A preview tells what a submission would: better now than after the button.
        lacking = await writing.lacks(session, author, asked)
        if action == "transmettre":
            drawn.errors = errors_of(drawn.errors, lacking)
    if drawn.errors:
        drawn.status = drawn.status if drawn.status >= 400 else 422
        return await draw(request, session, author, typed, drawn, ad)
    if action == "previsualiser":
        # The back button of a browser leads from a preview to an empty form: it offers what was typed.
        await _keep_aside(request, session, await request.form())
        return await _preview(request, session, author, ad, typed, asked, lacking)
    uid, ad_id = _uid(typed.uid), ad.id if ad is not None else None
    try:
        async with session.begin_nested():
            if ad is None:
                done = await writing.begin(session, author, asked, uid)
            else:
                mine = await life.own(session, author, ad.number, typed.version)
                done = await writing.change(session, author, mine, asked)
    except InvalidInput as error:
        fields = error.fields or {"title": error.detail}
        drawn = Drawn(errors=errors_of(fields), status=422)
        return await draw(request, session, author, typed, drawn, await _now(session, author, ad_id, uid))
    except Conflict as conflict:
        return await _conflict(request, session, author, await _now(session, author, ad_id, uid), typed, conflict)
    await release_form(session, holder_of(request), request.url.path)
    return RedirectResponse(_target(done), status_code=303)


def _uid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


async def _now(session: AsyncSession, author: Reader, ad_id: int | None, uid: uuid.UUID | None) -> Ad | None:
    """Return the ad of a form as it stands, after what was tried was given up."""
    which = Ad.id == ad_id if ad_id is not None else Ad.uid == uid
    wanted = select(Ad).where(which, Ad.account_id == author.account_id, Ad.state != "deleted")
    return await session.scalar(wanted.execution_options(populate_existing=True))


async def _conflict(
    request: Request, session: AsyncSession, author: Reader, ad: Ad | None, typed: forms.Typed, conflict: Conflict
) -> Response:
    """Draw the form again with what was typed, over the version that is kept now."""
    drawn = Drawn(notice=conflict.detail, status=409)
    if ad is not None:
        drawn.stale = True
        drawn.notice = _STALE if conflict.detail == life.STALE else conflict.detail
        typed = replace(typed, version=ad.version)
    return await draw(request, session, author, typed, drawn, ad)


async def _preview(
    request: Request,
    session: AsyncSession,
    author: Reader,
    ad: Ad | None,
    typed: forms.Typed,
    asked: writing.Asked,
    lacking: dict[str, str],
) -> Response:
    shown = await context(session, author, typed, ad)
    views = await file_views(session, author.account_id, typed.files)
    shown |= {
        "title": "Aperçu de l’annonce",
        "view": await preview(session, author, ad, asked, views),
        "lacking": list(errors_of(lacking).values()),
    }
    return pages.render(request, "ads/write_preview.html", shown)


def _target(done: writing.Outcome) -> str:
    number = done.ad.number
    if done.word in ("draft", "saved"):
        return f"/annonces/{number}/modifier?fait={'brouillon' if done.word == 'draft' else 'enregistree'}"
    word = {"sent": "transmise", "published": "publiee", "extended": "prolongee", "unchanged": "inchangee"}[done.word]
    return f"{MINE}?fait={word}&annonce={number}"
