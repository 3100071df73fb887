"""Pages of the guided path « Peuplement de mon offre »."""

import uuid
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from accounts.api import Person, PersonDep, SignedInDep
from core import clock
from core.db import SessionDep
from core.errors import InvalidInput, NotFound
from core.security import csrf_protected, new_token, set_cookie
from core.ui import pages
from core.ui.filters import hour
from directory import offer_draft, offer_forms, offer_view
from directory import offer_steps as steps
from directory.hours_editor import HoursRound, hours_round
from directory.hours_pages import VIEWS
from directory.hours_views import calendar_now, legend_of
from directory.offer_draft import OfferChanged, Seen, StaleDraft, Work, Writing
from directory.offer_forms import Action, Search
from directory.offer_hours import PREFIX
from directory.offer_pages_conflict import changed_offer, stale_step
from directory.offer_pages_held import held, hold, release
from directory.offer_preview import as_if_published
from directory.offer_steps import BY_KEY, STEPS, Step
from directory.offer_view import StepPage, address, context, may_open, search_of
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


def number(form: FormData, name: str) -> int:
    """Return a version that a page sends back; 0 when it is none."""
    text = str(form.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@dataclass(frozen=True, slots=True)
class Shown:
    """The versions that a page of the path was drawn from: the draft’s (0 without one), the offer’s, its place’s."""

    draft: int
    offer: int
    site: int

    @classmethod
    def of(cls, work: Work) -> "Shown":
        """Return those of now."""
        return cls(work.version, work.offer.version, work.site.version)

    @classmethod
    def by(cls, form: FormData) -> "Shown":
        """Return those that a page sends back."""
        return cls(number(form, "version"), number(form, "vue_offre"), number(form, "vue_lieu"))


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
    kept = await held(request, session) if "reprise" in request.query_params else None
    tab, shown = new_token()[:16], Shown.of(work)
    if kept is not None and key in steps.MODELS:
        page.values = work.values | offer_forms.from_form(key, kept)
        page.restored = True
        tab, shown = str(kept.get("onglet", ""))[:40], Shown.by(kept)
    view = request.query_params.get("vue", "")
    if key == "horaires" and kept is None and view in VIEWS:
        return await _hours_calendar(request, session, person, page, view)
    page.lost = "reprise" in request.query_params and kept is None
    return await _draw(request, session, page, search_of(request.query_params), tab=tab, versions=shown)


async def _draw(
    request: Request,
    session: AsyncSession,
    page: StepPage,
    search: Search,
    *,
    tab: str,
    versions: Shown,
    status: int = 200,
) -> Response:
    shown = await context(session, page, search)
    shown |= {"tab": tab, "versions": versions, "saved": _saved(page.work)}
    if page.step.key == "informations":
        shown["sheet"] = await offer_sheet(session, page.work.offer.uid, PROFESSIONAL, hidden=True)
    template = f"directory/step_{page.step.key.replace('-', '_')}.html"
    return pages.render(request, template, shown, status=status)


async def _hours_calendar(
    request: Request, session: AsyncSession, person: Person, page: StepPage, view: str
) -> Response:
    """Draw a week or a month of the hours that the draft would publish; the editor, where they break a rule."""
    work = page.work
    tab, versions = new_token()[:16], Shown.of(work)
    problems, _ = steps.check(work.values, work.index, [page.step.key])
    if problems.fields:
        page.errors = problems.fields
        return await _draw(request, session, page, Search(), tab=tab, versions=versions)
    async with as_if_published(session, person, work):
        calendar = await calendar_now(session, work.offer.id, VIEWS[view], request.query_params.get("date", ""))
    shown = await context(session, page, Search())
    shown |= {"tab": tab, "versions": versions, "saved": _saved(work)}
    shown |= {"calendar": calendar, "legend": legend_of(calendar), "view": view}
    return pages.render(request, "directory/step_horaires.html", shown)


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


@router.post("/{uid}/modifier/{key}", dependencies=Protected)
async def write(request: Request, session: SessionDep, person: PersonDep, uid: uuid.UUID, key: str) -> Response:
    """Keep a step in the draft, then do what the button asked."""
    step = _step(key)
    form = await request.form()
    if person is None:
        return await hold(request, session, uid, key, form)
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
    # The calendar of hours holds no field: what stands in the draft stays.
    calendar = key == "horaires" and "calendrier" in form
    values = steps.of_step(key, work.values) if calendar else offer_forms.from_form(key, form)
    for name in values:
        # The person was shown both values and chose the one that stands.
        if form.get(f"choix.{name}") == "theirs":
            values[name] = page.values[name]
    if action.edits:
        applied = await offer_forms.apply(session, work.site, action, form, values)
        values, page.errors = applied.values, applied.errors
    hours = hours_round(form) if key == "horaires" and not calendar else None
    if hours is not None and hours.acted:
        action = Action("horaires")
    background = action.word == "garder"
    problems, _ = steps.check(page.values | values, work.index, [key])
    forward = action.word in ("suivant", *VIEWS)
    shown = Shown.by(form)
    writing = Writing(
        version=shown.draft,
        offer=shown.offer,
        site=shown.site,
        tab=str(form.get("onglet", ""))[:40],
        background=background,
        leaving=action.word in ("suivant", "precedent", "quitter", *VIEWS),
        passed=step.number if action.word == "suivant" and not problems.fields else 0,
    )
    try:
        work.draft = await offer_draft.write_step(session, person, work, key, values, writing)
    except StaleDraft as stale:
        return stale_step(request, work, stale, form)
    await release(request, session)
    page.values = work.values
    if background:
        saved = {"saved": _saved(work), "versions": Shown.of(work), "tab": writing.tab}
        return pages.render(request, "directory/_saved.html", saved)
    if hours is not None and hours.acted:
        return await _hours_again(request, session, page, hours, writing.tab)
    if page.errors:
        page.distance = str(form.get("rayon", ""))[:20]
        # What htmx gets with an error it does not show.
        status = 200 if request.headers.get("hx-request") == "true" else 422
        tab = writing.tab or new_token()[:16]
        return await _draw(request, session, page, Search(), tab=tab, versions=Shown.of(work), status=status)
    if action.edits:
        return RedirectResponse(_back(work, key, action, form), status_code=303)
    if forward and problems.fields:
        page.errors = problems.fields
        tab = writing.tab or new_token()[:16]
        return await _draw(request, session, page, Search(), tab=tab, versions=Shown.of(work), status=422)
    if action.word == "precedent":
        return RedirectResponse(address(work, STEPS[step.number - 2].key), status_code=303)
    if action.word == "quitter":
        return RedirectResponse(f"/mon-offre/{work.offer.uid}?fait=brouillon", status_code=303)
    if action.word in VIEWS:
        return RedirectResponse(f"{address(work, 'horaires')}?vue={action.word}", status_code=303)
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
    return await _draw(request, session, page, Search(), tab=tab, versions=Shown.of(page.work), status=422)


def _back(work: Work, key: str, action: Action, form: FormData) -> str:
    """Return where a button of a list leads: the same step, at the list, with its search where one was made."""
    query: dict[str, str] = {"retour": action.field}
    if action.word == "chercher":
        query = {"champ": action.field, "q": str(form.get(f"q.{action.field}", ""))[: offer_view.QUERY_MAX]}
        if form.get(f"partout.{action.field}"):
            query["partout"] = "1"
    elif action.word == "entiere":
        query = {"champ": action.field, "partout": "1", "entiere": "1"}
    elif action.word == "tout":
        query = {"tout": action.field}
    return f"{address(work, key)}?{urlencode(query)}#champ-{action.field}"


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
    if number(form, "version") != work.version:
        notice = "Le brouillon a changé depuis que cette page a été affichée : relisez-le, puis enregistrez."
        return await _summary(request, work, status=409, notice=notice)
    seen = Seen(
        offer=number(form, "vue_offre"),
        site=number(form, "vue_lieu"),
        choices={name.removeprefix("choix."): str(value) for name, value in form.items() if name.startswith("choix.")},
    )
    try:
        outcome = await offer_draft.publish_draft(session, person, work, seen)
    except OfferChanged as changed:
        return changed_offer(request, work, changed)
    except InvalidInput as refused:
        return await _summary(request, work, status=422, errors=refused.fields)
    return written(f"/mon-offre/{work.offer.uid}?fait=enregistre", outcome)


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
