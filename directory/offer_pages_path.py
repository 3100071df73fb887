"""Pages of the guided path « Peuplement de mon offre »."""

import uuid
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from accounts.api import Person, PersonDep, SignedInDep
from core import clock
from core.db import SessionDep
from core.errors import InvalidInput, NotFound
from core.security import FORM_COOKIE, FORM_FIELD, csrf_protected, digest, new_token, set_cookie
from core.ui import pages
from core.ui.filters import hour
from directory import held_forms, offer_draft, offer_forms, offer_view
from directory import offer_steps as steps
from directory.hours_editor import HoursRound, hours_round
from directory.offer_draft import OfferChanged, Seen, StaleDraft, Work, Writing
from directory.offer_forms import Action
from directory.offer_hours import PREFIX
from directory.offer_steps import BY_KEY, STEPS, Step
from directory.offer_view import Search, StepPage, address, context, may_open, search_of
from directory.schemas import Written
from directory.sheets import offer_sheet

router = APIRouter(include_in_schema=False, prefix="/mon-offre")
Protected: Final = [Depends(csrf_protected)]

POSITION_COOKIE: Final = "repere_position"
"""Read by the search: the event that the next answers of this browser must take into account."""
POSITION_SECONDS: Final = 600
PROFESSIONAL: Final = 2
_NO_STEP: Final = "Cette étape n’existe pas."


def written(target: str, outcome: Written) -> Response:
    """Return the answer that goes on after a write, and lets the next search show it."""
    return remember(RedirectResponse(target, status_code=303), outcome.position)


def remember(answer: Response, position: int | None) -> Response:
    """Have the browser's next search wait for an event that it caused."""
    if position is not None:
        set_cookie(answer.headers, POSITION_COOKIE, str(position), seconds=POSITION_SECONDS)
    return answer


def _number(form: FormData, name: str) -> int:
    text = str(form.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _step(key: str) -> Step:
    step = BY_KEY.get(key)
    if step is None:
        raise NotFound(_NO_STEP)
    return step


@router.get("/{uid}/modifier")
async def intro(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Draw the way into the path: what it is for the first time, the menu of its steps afterwards."""
    work = await offer_draft.open_work(session, person, uid)
    shown = {"work": work, "steps": offer_view.progress(work, Step(0, "", "", "")), "base": f"/mon-offre/{uid}"}
    return pages.render(request, "directory/path_intro.html", shown)


@router.post("/{uid}/modifier", dependencies=Protected)
async def start(session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Begin the draft and open the first step."""
    work = await offer_draft.open_work(session, person, uid)
    await offer_draft.begin(session, person, work)
    return RedirectResponse(address(work, STEPS[0].key), status_code=303)


@router.get("/{uid}/modifier/{key}")
async def show_step(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID, key: str) -> Response:
    """Draw a step, with what was typed before the sign-in ended where the browser comes back for it."""
    step = _step(key)
    work = await offer_draft.open_work(session, person, uid)
    if work.first_time and work.draft is None:
        return RedirectResponse(address(work), status_code=303)
    if not may_open(work, step):
        return RedirectResponse(address(work, STEPS[min(work.reached, len(STEPS) - 1)].key), status_code=303)
    if key == "recapitulatif":
        return await _summary(request, work)
    page = StepPage(work, step, work.values, focus=request.query_params.get("retour"))
    held = await _held(request, session) if "reprise" in request.query_params else None
    tab, version = new_token()[:16], work.version
    if held is not None and key in steps.MODELS:
        page.values = work.values | offer_forms.from_form(key, held)
        page.restored = True
        tab, version = str(held.get("onglet", ""))[:40], _number(held, "version")
    return await _draw(request, session, page, search_of(request.query_params), tab=tab, version=version)


async def _draw(
    request: Request,
    session: AsyncSession,
    page: StepPage,
    search: Search,
    *,
    tab: str,
    version: int,
    status: int = 200,
) -> Response:
    shown = await context(session, page, search)
    shown |= {"tab": tab, "version": version, "saved": _saved(page.work)}
    if page.step.key == "informations":
        shown["sheet"] = await offer_sheet(session, page.work.offer.uid, PROFESSIONAL, hidden=True)
    template = f"directory/step_{page.step.key.replace('-', '_')}.html"
    return pages.render(request, template, shown, status=status)


def _saved(work: Work) -> str:
    draft = work.draft
    if draft is None or not draft.data:
        return ""
    return f"Enregistré à {hour(clock.local(draft.updated_at))}"


async def _summary(
    request: Request, work: Work, *, status: int = 200, notice: str = "", errors: dict[str, str] | None = None
) -> Response:
    problems, _ = offer_draft.checked(work)
    found = errors if errors is not None else problems.fields
    shown = {
        "work": work,
        "step": BY_KEY["recapitulatif"],
        "steps": offer_view.progress(work, BY_KEY["recapitulatif"]),
        "previous": BY_KEY["horaires"],
        "lines": offer_view.summary_lines(work, work.values),
        "problems": [(f"{_where(work, name)}", message) for name, message in found.items()],
        "refused": errors is not None,
        "notice": notice,
        "version": work.version,
        "saved": _saved(work),
        "base": f"/mon-offre/{work.offer.uid}",
    }
    return pages.render(request, "directory/step_recapitulatif.html", shown, status=status)


def _where(work: Work, name: str) -> str:
    return f"{address(work, steps.STEP_OF.get(name.partition(':')[0], STEPS[1].key))}#{offer_view.anchor(name)}"


def _holder(request: Request) -> bytes:
    return digest(f"held:{request.cookies.get(FORM_COOKIE, '')}")


async def _held(request: Request, session: AsyncSession) -> FormData | None:
    pairs = await held_forms.held_form(session, _holder(request), request.url.path)
    return FormData([(name, value) for name, value in pairs]) if pairs is not None else None


async def _hold(request: Request, session: AsyncSession, form: FormData) -> Response:
    """Keep what was typed by somebody whose sign-in has ended, and have them sign in again."""
    path = request.url.path
    pairs = [(name, str(value)) for name, value in form.multi_items() if name != FORM_FIELD]
    await held_forms.hold_form(session, _holder(request), path, pairs)
    target = f"/connexion?suite={quote(f'{path}?reprise=1', safe='')}"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)


@router.post("/{uid}/modifier/{key}", dependencies=Protected)
async def write(request: Request, session: SessionDep, person: PersonDep, uid: uuid.UUID, key: str) -> Response:
    """Keep a step in the draft, then do what the button asked."""
    step = _step(key)
    form = await request.form()
    if person is None:
        return await _hold(request, session, form)
    work = await offer_draft.open_work(session, person, uid)
    action = offer_forms.action_of(form)
    if key == "recapitulatif":
        return await _publish(request, session, person, work, form, action)
    if key == "informations":
        await offer_draft.pass_step(session, person, work, step.number)
        return RedirectResponse(address(work, STEPS[step.number].key), status_code=303)
    return await _write_step(request, session, person, StepPage(work, step, work.values), form, action)


async def _write_step(
    request: Request, session: AsyncSession, person: Person, page: StepPage, form: FormData, action: Action
) -> Response:
    work, step, key = page.work, page.step, page.step.key
    if action.edits and action.field not in steps.MODELS[key].model_fields:
        raise NotFound(_NO_STEP)
    values = offer_forms.from_form(key, form)
    for name in values:
        # The person was shown both values and chose the one that stands.
        if form.get(f"choix.{name}") == "theirs":
            values[name] = page.values[name]
    if action.edits:
        applied = await offer_forms.apply(session, work.site, action, form, values)
        values, page.errors = applied.values, applied.errors
    hours = hours_round(form) if key == "horaires" else None
    if hours is not None and hours.acted:
        action = Action("horaires")
    background = action.word == "garder"
    problems, _ = steps.check(page.values | values, work.index, [key])
    forward = action.word == "suivant"
    writing = Writing(
        version=_number(form, "version"),
        tab=str(form.get("onglet", ""))[:40],
        background=background,
        leaving=action.word in ("suivant", "precedent", "quitter"),
        passed=step.number if forward and not problems.fields else 0,
    )
    try:
        work.draft = await offer_draft.write_step(session, person, work, key, values, writing)
    except StaleDraft as stale:
        return _stale(request, page, stale, form)
    await held_forms.release_form(session, _holder(request), request.url.path)
    page.values = work.values
    if background:
        shown = {"saved": _saved(work), "version": work.version, "tab": writing.tab}
        return pages.render(request, "directory/_saved.html", shown)
    if hours is not None and hours.acted:
        return await _hours_again(request, session, page, hours, writing.tab)
    if page.errors:
        page.distance = str(form.get("rayon", ""))[:20]
        # What htmx gets with an error it does not show.
        status = 200 if request.headers.get("hx-request") == "true" else 422
        tab = writing.tab or new_token()[:16]
        return await _draw(request, session, page, Search(), tab=tab, version=work.version, status=status)
    if action.edits:
        return RedirectResponse(_back(work, key, action, form), status_code=303)
    if forward and problems.fields:
        page.errors = problems.fields
        tab = writing.tab or new_token()[:16]
        return await _draw(request, session, page, Search(), tab=tab, version=work.version, status=422)
    if action.word == "precedent":
        return RedirectResponse(address(work, STEPS[step.number - 2].key), status_code=303)
    if action.word == "quitter":
        return RedirectResponse(f"/mon-offre/{work.offer.uid}?fait=brouillon", status_code=303)
    return RedirectResponse(address(work, STEPS[step.number].key), status_code=303)


async def _hours_again(
    request: Request, session: AsyncSession, page: StepPage, hours: HoursRound, tab: str
) -> Response:
    """Return the step once a button of the editor of hours has done its work."""
    if not hours.errors:
        query = f"?{urlencode({'retour': hours.focus})}#{hours.focus}" if hours.focus else ""
        return RedirectResponse(f"{address(page.work, page.step.key)}{query}", status_code=303)
    page.errors = {f"{PREFIX}{name}": message for name, message in hours.errors.items()}
    page.focus = hours.focus
    return await _draw(request, session, page, Search(), tab=tab, version=page.work.version, status=422)


def _back(work: Work, key: str, action: Action, form: FormData) -> str:
    """Return where a button of a list leads: the same step, at the list, with its search where one was made."""
    query: dict[str, str] = {"retour": action.field}
    if action.word == "chercher":
        query = {"champ": action.field, "q": str(form.get(f"q.{action.field}", ""))[: offer_view.QUERY_MAX]}
        if form.get(f"partout.{action.field}"):
            query["partout"] = "1"
    elif action.word == "tout":
        query = {"tout": action.field}
    return f"{address(work, key)}?{urlencode(query)}#champ-{action.field}"


def _stale(request: Request, page: StepPage, stale: StaleDraft, form: FormData) -> Response:
    if request.headers.get("hx-request") == "true":
        return pages.render(
            request,
            "directory/_stale.html",
            headers={"HX-Retarget": "#etat", "HX-Reswap": "innerHTML", "HX-Reselect": "#etat-texte"},
        )
    work = page.work
    assert work.draft is not None  # noqa: S101 - only a draft can be stale
    hidden = [
        (name, str(value))
        for name, value in form.multi_items()
        if name not in (FORM_FIELD, "version", "action") and not name.startswith(("choix.", "q.", "nouveau."))
    ]
    shown = {
        "work": work,
        "title": "Cette étape a changé entre-temps",
        "explanation": "Un autre onglet, ou une autre personne, l’a modifiée à "
        f"{hour(clock.local(work.draft.updated_at))}. Choisissez ce que vous gardez : rien n’est encore perdu.",
        "rows": offer_draft.difference(work, stale.differing, stale.mine, stale.theirs),
        "mine_label": "Ce que vous venez de saisir",
        "theirs_label": "Ce que contient le brouillon",
        "taken": [],
        "hidden": [*hidden, ("version", str(work.version))],
        "action": "suivant",
        "button": "Garder ces choix",
        "base": f"/mon-offre/{work.offer.uid}",
    }
    return pages.render(request, "directory/conflict.html", shown, status=409)


async def _publish(
    request: Request, session: AsyncSession, person: Person, work: Work, form: FormData, action: Action
) -> Response:
    if action.word == "precedent":
        return RedirectResponse(address(work, "horaires"), status_code=303)
    if action.word == "quitter":
        return RedirectResponse(f"/mon-offre/{work.offer.uid}?fait=brouillon", status_code=303)
    if work.draft is None:
        return RedirectResponse(f"/mon-offre/{work.offer.uid}?fait=sans-brouillon", status_code=303)
    if work.first_time and work.reached < BY_KEY["horaires"].number:
        return RedirectResponse(address(work, STEPS[work.reached].key), status_code=303)
    if _number(form, "version") != work.version:
        notice = "Le brouillon a changé depuis que cette page a été affichée : relisez-le, puis enregistrez."
        return await _summary(request, work, status=409, notice=notice)
    seen = Seen(
        offer=_number(form, "vue_offre"),
        site=_number(form, "vue_lieu"),
        choices={name.removeprefix("choix."): str(value) for name, value in form.items() if name.startswith("choix.")},
    )
    try:
        outcome = await offer_draft.publish_draft(session, person, work, seen)
    except OfferChanged as changed:
        return _changed(request, work, changed)
    except InvalidInput as refused:
        return await _summary(request, work, status=422, errors=refused.fields)
    return written(f"/mon-offre/{work.offer.uid}?fait=enregistre", outcome)


def _changed(request: Request, work: Work, changed: OfferChanged) -> Response:
    hidden: list[tuple[str, Any]] = [
        ("version", work.version),
        ("vue_offre", work.offer.version),
        ("vue_lieu", work.site.version),
    ]
    shown = {
        "work": work,
        "title": "Votre offre a été modifiée entre-temps",
        "explanation": "Quelqu’un d’autre a publié une modification pendant que vous rédigiez. Votre brouillon est "
        "gardé ; choisissez ce qui doit être publié.",
        "rows": offer_draft.difference(work, changed.conflicts, changed.mine, changed.theirs),
        "mine_label": "Votre brouillon",
        "theirs_label": "Publié actuellement",
        "taken": offer_draft.difference(work, changed.taken, changed.mine, changed.theirs),
        "hidden": hidden,
        "action": "enregistrer",
        "button": "Enregistrer",
        "base": f"/mon-offre/{work.offer.uid}",
    }
    return pages.render(request, "directory/conflict.html", shown, status=409)


@router.get("/{uid}/modifier/{key}/recherche")
async def live_search(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID, key: str) -> Response:
    """Draw what a search in a list finds, while it is typed."""
    work = await offer_draft.open_work(session, person, uid)
    name = request.query_params.get("champ", "")
    if key not in steps.MODELS or name not in steps.MODELS[key].model_fields or name not in offer_forms.PICKED:
        raise NotFound(_NO_STEP)
    text = request.query_params.get(f"q.{name}", "")[: offer_view.QUERY_MAX]
    everywhere = bool(request.query_params.get(f"partout.{name}"))
    page = StepPage(work, _step(key), work.values)
    picker = (await offer_view.pickers(session, page, Search(field=name, text=text, everywhere=everywhere)))[name]
    return pages.render(request, "directory/_results.html", {"picker": picker})


@router.get("/{uid}/annuler")
async def ask_drop(request: Request, session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Ask before a draft is dropped."""
    work = await offer_draft.open_work(session, person, uid)
    if work.draft is None:
        return RedirectResponse(f"/mon-offre/{uid}", status_code=303)
    return pages.render(request, "directory/drop.html", {"work": work, "base": f"/mon-offre/{uid}"})


@router.post("/{uid}/annuler", dependencies=Protected)
async def drop(session: SessionDep, person: SignedInDep, uid: uuid.UUID) -> Response:
    """Drop the draft; what is published stays."""
    work = await offer_draft.open_work(session, person, uid)
    await offer_draft.drop(session, work.offer.id)
    return RedirectResponse(f"/mon-offre/{uid}?fait=abandonne", status_code=303)
