"""What a council writes once for all: models of reasons, and how its mails are worded."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import names_of
from core.db import SessionDep, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput, NotFound
from core.security import csrf_protected
from core.ui import pages
from modules.ads import councils, notices, refusal_models, wording
from modules.ads.life import LONGEST_REASON
from modules.ads.pages_moderation import PAGE
from modules.ads.people import ModeratorDep, Reader
from modules.ads.wording_texts import BODY_MAX, EVENTS, EXAMPLE, EXAMPLES, PLACEHOLDERS, SUBJECT_MAX, Event, Wording

router = APIRouter(include_in_schema=False)

MODELS: Final = PAGE + "/motifs"
WORDINGS: Final = PAGE + "/messages"
ModelId = Annotated[int, Path(ge=1, le=2**62)]
Version = Annotated[int, Form(ge=0, le=2**31 - 1)]
Council = Annotated[str, Query(alias="conseil", max_length=20)]
CouncilForm = Annotated[str, Form(max_length=20)]
Text = Annotated[str, Form()]
_GUARDED: Final = [Depends(csrf_protected)]


def _council(reader: Reader, asked: str) -> str:
    return refusal_models.check_council(reader, asked) if asked else refusal_models.councils_of(reader)[0]


def _choices(reader: Reader) -> list[tuple[str, str]]:
    return [(one, councils.title(one)) for one in refusal_models.councils_of(reader)]


# -- Models of reasons ---------------------------------------------------------------------------------------


@router.get(MODELS)
async def models(request: Request, session: SessionDep, reader: ModeratorDep, conseil: Council = "") -> Response:
    """Draw the models of a council, and the form of a new one."""
    return await _models(request, session, reader, _council(reader, conseil))


@router.post(MODELS, dependencies=_GUARDED)
async def add_model(
    request: Request, reader: ModeratorDep, council: CouncilForm, title: Text = "", text: Text = ""
) -> Response:
    """Add a model; what is refused is shown again as typed."""
    try:
        async with unit_of_work() as session:
            await refusal_models.add(session, reader, council, _clean(title), _clean(text))
    except InvalidInput as error:
        async with unit_of_work() as session:
            return await _models(request, session, reader, council, error, title=title, text=text)
    return RedirectResponse(f"{MODELS}?conseil={council}", status_code=303)


@router.get(MODELS + "/{model_id:int}")
async def model(request: Request, session: SessionDep, reader: ModeratorDep, model_id: ModelId) -> Response:
    """Draw the form of a model."""
    found = await refusal_models.find(session, reader, model_id)
    return _model(request, reader, found, title=found.title, text=found.text)


@router.post(MODELS + "/{model_id:int}", dependencies=_GUARDED)
async def edit_model(
    request: Request,
    reader: ModeratorDep,
    model_id: ModelId,
    version: Version,
    title: Text = "",
    text: Text = "",
    action: Annotated[Literal["save", "delete"], Form()] = "save",
) -> Response:
    """Change a model, or delete it; what is refused is shown again as typed."""
    try:
        async with unit_of_work() as session:
            council = (await refusal_models.find(session, reader, model_id)).council
            if action == "delete":
                await refusal_models.remove(session, reader, model_id, version)
            else:
                await refusal_models.edit(session, reader, model_id, version, _clean(title), _clean(text))
    except (InvalidInput, Conflict) as error:
        async with unit_of_work() as session:
            found = await refusal_models.find(session, reader, model_id)
            return _model(request, reader, found, error, title=title, text=text)
    return RedirectResponse(f"{MODELS}?conseil={council}", status_code=303)


async def _models(
    request: Request,
    session: AsyncSession,
    reader: Reader,
    council: str,
    error: DomainError | None = None,
    **typed: str,
) -> Response:
    await councils.ready()
    context = {
        "reader": reader,
        "title": "Motifs de refus",
        "page": MODELS,
        "council": council,
        "councils": _choices(reader),
        "models": await refusal_models.offered(session, [council]),
        "national": [] if council == councils.NATIONAL else await refusal_models.offered(session, [councils.NATIONAL]),
        "typed": {"title": "", "text": ""} | typed,
        "errors": error.fields if error else {},
        "longest": LONGEST_REASON,
    }
    return pages.render(request, "ads/council_models.html", context, status=error.status if error else 200)


def _model(request: Request, reader: Reader, found: Any, error: DomainError | None = None, **typed: str) -> Response:
    context = {
        "reader": reader,
        "title": "Motif de refus",
        "page": MODELS,
        "model": found,
        "typed": typed,
        "errors": (error.fields or {"": error.detail}) if error else {},
        "longest": LONGEST_REASON,
    }
    return pages.render(request, "ads/council_model.html", context, status=error.status if error else 200)


# -- Wording of mails ----------------------------------------------------------------------------------------


@router.get(WORDINGS)
async def wordings(request: Request, session: SessionDep, reader: ModeratorDep, conseil: Council = "") -> Response:
    """Draw the list of the mails of a council: which are worded by itself."""
    council = _council(reader, conseil)
    await councils.ready()
    known = await wording.latest(session, [council])
    own = {event for event in EVENTS if (row := known.get((council, event))) is not None and row.subject is not None}
    context = {
        "reader": reader,
        "title": "Messages",
        "page": WORDINGS,
        "council": council,
        "councils": _choices(reader),
        "events": [(event, label, event in own) for event, label in EVENTS.items()],
    }
    return pages.render(request, "ads/council_mails.html", context)


def _event(event: str) -> Event:
    if event not in EVENTS:
        raise NotFound("Ce message n’existe pas.")
    return event


@router.get(WORDINGS + "/{event}")
async def mail_form(
    request: Request, session: SessionDep, reader: ModeratorDep, event: str, conseil: Council = ""
) -> Response:
    """Draw how a mail is worded, with its preview and its history."""
    return await _mail(request, session, reader, _council(reader, conseil), _event(event))


@router.post(WORDINGS + "/{event}", dependencies=_GUARDED)
async def write_mail(
    request: Request,
    reader: ModeratorDep,
    event: str,
    council: CouncilForm,
    version: Version,
    subject: Text = "",
    body: Text = "",
    action: Annotated[Literal["save", "preview", "usual"], Form()] = "save",
) -> Response:
    """Keep a wording, show what it gives, or go back to the usual one."""
    about = _event(event)
    refusal_models.check_council(reader, council)
    subject, body = _clean(subject), _clean(body)
    try:
        wanted = None if action == "usual" else wording.checked(subject, body)
        if action != "preview":
            async with unit_of_work() as session:
                await wording.change(session, council, about, version, wanted, reader.person.actor)
    except (InvalidInput, Conflict) as error:
        async with unit_of_work() as session:
            typed = Wording(subject, body)
            return await _mail(request, session, reader, council, about, typed=typed, version=version, error=error)
    if wanted is not None and action == "preview":
        async with unit_of_work() as session:
            return await _mail(request, session, reader, council, about, typed=wanted, version=version)
    return RedirectResponse(f"{WORDINGS}/{event}?conseil={council}#apercu", status_code=303)


async def _mail(
    request: Request,
    session: AsyncSession,
    reader: Reader,
    council: str,
    event: Event,
    *,
    typed: Wording | None = None,
    version: int | None = None,
    error: DomainError | None = None,
) -> Response:
    await councils.ready()
    past = await wording.history(session, council, event)
    present = await wording.wording_of(session, council, event)
    shown = typed or present
    values = EXAMPLE | {"conseil": councils.title(council), "motif": EXAMPLES.get(event, EXAMPLE["motif"])}
    # What cannot be sent is not previewed; the wording in place is.
    previewed = present if isinstance(error, InvalidInput) else shown
    subject, said = notices.drawn(previewed, values)
    stale = isinstance(error, Conflict)
    current = past[0].version if past else 0
    context = {
        "reader": reader,
        "title": EVENTS[event],
        "page": WORDINGS,
        "event": event,
        "council": council,
        "council_name": councils.title(council),
        # After a conflict, the form is about what is in place now, which is shown beside.
        "version": current if stale or version is None else version,
        "typed": shown,
        "present": present if stale else None,
        "unsaved": typed is not None and error is None,
        "own": bool(past and past[0].subject is not None),
        "preview": (subject, said),
        "placeholders": PLACEHOLDERS,
        "history": past,
        "names": await names_of(session, {line.actor for line in past}),
        "errors": (error.fields or {"": error.detail}) if error else {},
        "most": (SUBJECT_MAX, BODY_MAX),
    }
    return pages.render(request, "ads/council_mail.html", context, status=error.status if error else 200)


def _clean(text: str) -> str:
    return text.replace("\x00", "").replace("\r\n", "\n")
