"""Pages of administrators: the portals, what each is made of, what it would look like."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person, Service, add_service, allowed, holder, names_of
from core.db import reading, unit_of_work
from core.errors import Conflict, DomainError, InvalidInput, NotFound, Unavailable
from core.security import csrf_protected
from core.ui import pages
from core.ui.tables import Column, read_view
from search_api.addresses import address
from search_api.portals import colours, rules, service, states
from search_api.portals.client import PublicApi
from search_api.portals.schemas import PortalDraft, PortalOut
from search_api.portals.states import ACTIONS, LABELS, PASSAGES

router = APIRouter(include_in_schema=False)

AdministratorDep = Annotated[Person, Depends(allowed("administrator"))]
PAGE: Final = "/administration/portails"
COLUMNS: Final = (
    Column("adresse", "Portail", sortable=True),
    Column("zone", "Zone", sortable=False),
    Column("etat", "État", sortable=False),
    Column("modifie", "Modifié le", sortable=False),
)
HISTORY: Final = 30
"""Lines of a portal's history that its page shows, the last ones."""
FIELDS: Final = ("slug", "title", "logo", "intro", "places", "colour", "band", "filters", "hosts")
_DONE: Final = {
    "cree": "Le portail est créé et ouvert.",
    "modifie": "Le portail est modifié ; ses pages le montrent déjà.",
    "close": "Le portail est fermé : son adresse répond qu’il n’existe plus.",
    "open": "Le portail est rouvert.",
}

add_service(
    Service(
        "portails",
        "Portails",
        "Les recherches par zone, leurs couleurs, les sites qui les montrent.",
        PAGE,
        "globe",
        holder("administrator"),
        rank=82,
    )
)


@router.get(PAGE)
async def listing(request: Request, administrator: AdministratorDep) -> Response:
    """Draw the portals."""
    view = read_view(PAGE, request.query_params, COLUMNS, sort="adresse", filters={})
    async with reading() as session:
        view = view.counted(await service.count(session))
        portals = await service.page(session, view.offset, descending=view.descending)
    names = await _names(request, [ref for one in portals for ref in one.places])
    context = {"view": view, "portals": portals, "labels": LABELS, "names": names}
    return pages.render(request, "portals/administration.html", context)


@router.get(PAGE + "/nouveau")
async def blank(request: Request, administrator: AdministratorDep) -> Response:
    """Draw the form of a new portal."""
    return await _form(request, None, {"colour": "#0b5a60", "band": "#07434a"})


@router.post(PAGE + "/nouveau", dependencies=[Depends(csrf_protected)])
async def create(request: Request, administrator: AdministratorDep) -> Response:
    """Make a portal, or show what it would look like."""
    typed = await _typed(request)

    async def work(session: AsyncSession, draft: PortalDraft) -> str:
        made = await service.create(session, draft, administrator.actor)
        return f"{PAGE}/{made.slug}?fait=cree"

    return await _write(request, None, typed, work)


@router.get(PAGE + "/couleurs.css")
async def preview_colours(
    administrator: AdministratorDep,
    principale: Annotated[str, Query(pattern=r"^[0-9a-f]{6}$")],
    bandeau: Annotated[str, Query(pattern=r"^[0-9a-f]{6}$")],
) -> Response:
    """Answer the colours of a portal that is not saved yet, for its preview alone."""
    body = colours.css(colours.palette(f"#{principale}", f"#{bandeau}"), ".portal-preview")
    return Response(body, media_type="text/css", headers={"Cache-Control": "private, no-store"})


@router.get(PAGE + "/{slug}")
async def one(request: Request, administrator: AdministratorDep, slug: str, fait: str = "") -> Response:
    """Draw a portal's form, its preview and its history."""
    portal = await _stored(slug)
    return await _form(request, portal, _shown(portal), done=_DONE.get(fait, ""), preview=portal)


@router.post(PAGE + "/{slug}", dependencies=[Depends(csrf_protected)])
async def edit(
    request: Request,
    administrator: AdministratorDep,
    slug: str,
    version: Annotated[int, Form(ge=1, le=2**31 - 1)],
) -> Response:
    """Change a portal, or show what it would look like."""
    portal = await _stored(slug)
    typed = await _typed(request) | {"slug": slug}

    async def work(inner: AsyncSession, draft: PortalDraft) -> str:
        await service.edit(inner, slug, draft, version, administrator.actor)
        return f"{PAGE}/{slug}?fait=modifie"

    return await _write(request, portal, typed, work)


@router.post(PAGE + "/{slug}/etat", dependencies=[Depends(csrf_protected)])
async def move(
    request: Request,
    administrator: AdministratorDep,
    slug: str,
    version: Annotated[int, Form(ge=1, le=2**31 - 1)],
    action: Annotated[str, Form()] = "",
    sur: Annotated[str, Form()] = "",
) -> Response:
    """Close a portal, once the administrator has said so, or open it again."""
    try:
        if action not in PASSAGES:
            raise NotFound("Cette action n’existe pas.")
        if action == "close" and sur != "oui":
            message = "Cochez la case pour confirmer : les sites qui montrent ce portail afficheront un cadre vide."
            raise InvalidInput(message, fields={"sur": message})
        async with unit_of_work() as session:
            await service.move(session, slug, action, version, administrator.actor)
    except (InvalidInput, Conflict) as error:
        portal = await _stored(slug)
        return await _form(request, portal, _shown(portal), error=error, preview=portal)
    return RedirectResponse(f"{PAGE}/{slug}?fait={action}", status_code=303)


async def _stored(slug: str) -> PortalOut:
    # The connection is given back at once: the page asks the API, which needs one of its own.
    async with reading() as session:
        return await service.any_state(session, slug)


async def _names(request: Request, refs: Sequence[str]) -> dict[str, str]:
    """Return what places are called, by reference."""
    distinct = list(dict.fromkeys(refs))
    found: dict[str, str] = {}
    async with PublicApi(request, anonymous=True) as api:
        for start in range(0, len(distinct), rules.PLACES):
            found |= {place.ref: place.label for place in await api.named(distinct[start : start + rules.PLACES])}
    return found


async def _typed(request: Request) -> dict[str, str]:
    form = await request.form()
    return {name: value for name in (*FIELDS, "action") if isinstance(value := form.get(name, ""), str)}


def _shown(portal: PortalOut) -> dict[str, str]:
    """Return a portal as its form shows it."""
    return {
        "slug": portal.slug,
        "title": portal.title,
        "logo": portal.logo,
        "intro": portal.intro,
        "places": "\n".join(portal.places),
        "colour": portal.colour,
        "band": portal.band,
        "filters": address(portal.filters, "").lstrip("?"),
        "hosts": "\n".join(portal.hosts),
    }


async def _write(request: Request, portal: PortalOut | None, typed: dict[str, str], work: Any) -> Response:
    """Save what was typed, or only show it; what is refused or stale stays in the form."""
    draft: PortalDraft | None = None
    try:
        draft = await rules.read(typed)
        await _tried(request, draft)
        if typed.get("action") == "voir":
            return await _form(request, portal, typed, preview=draft, unsaved=True)
        async with unit_of_work() as session:
            target = await work(session, draft)
    except (InvalidInput, Conflict) as error:
        return await _form(request, portal, typed, error=error, preview=draft or portal, unsaved=draft is not None)
    return RedirectResponse(target, status_code=303)


async def _tried(request: Request, draft: PortalDraft) -> None:
    """Ask the API the search that the portal begins with.

    Raises:
        InvalidInput: it refuses a filter.
    """
    async with PublicApi(request, anonymous=True) as api:
        try:
            await api.search([*draft.filters, ("within", ",".join(draft.places))])
        except Unavailable:
            # What was typed must not be lost because a search took long.
            return
        except InvalidInput as error:
            raise InvalidInput(error.detail, fields={"filters": error.detail}) from None


async def _form(
    request: Request,
    portal: PortalOut | None,
    values: Mapping[str, str],
    *,
    error: DomainError | None = None,
    preview: PortalDraft | None = None,
    unsaved: bool = False,
    done: str = "",
) -> Response:
    zone = list((await _names(request, preview.places)).values()) if preview is not None else []
    history = list(reversed(portal.history))[:HISTORY] if portal else []
    async with reading() as session:
        names = await names_of(session, {line["by"] for line in history})
    context = {
        "portal": portal,
        "values": {name: values.get(name, "") for name in FIELDS},
        "errors": (error.fields or {"": error.detail}) if error else {},
        "preview": preview,
        "unsaved": unsaved,
        "zone": zone,
        "ratios": _ratios(preview) if preview else [],
        "history": [
            (ACTIONS[line["action"]], datetime.fromisoformat(line["at"]), names.get(line["by"], "l’exploitant"))
            for line in history
        ],
        "labels": LABELS,
        "active": states.ACTIVE,
        "done": done,
        "most": {"title": rules.TITLE, "logo": rules.LOGO, "intro": rules.INTRO},
    }
    return pages.render(request, "portals/administration_one.html", context, status=error.status if error else 200)


def _ratios(draft: PortalDraft) -> list[tuple[str, str]]:
    drawn = colours.palette(draft.colour, draft.band)
    pairs = (
        ("Texte blanc sur les boutons", drawn.action, colours.PAPER),
        ("Filtres actifs", drawn.deep, drawn.wash),
        ("Texte du bandeau", drawn.band, drawn.band_ink),
    )
    return [(what, f"{colours.contrast(a, b):.1f}".replace(".", ",")) for what, a, b in pairs]
