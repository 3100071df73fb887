"""The settings of portals: found by address, made, changed, closed. Nothing here commits."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, InvalidInput, NotFound
from core.ui.tables import PAGE_SIZE
from search_api.models_portals import Portal
from search_api.portals.schemas import PortalDraft, PortalOut
from search_api.portals.states import ACTIVE, PASSAGES

STALE: Final = (
    "Ce portail a changé entre-temps : rien n’a été modifié. Vos réponses sont gardées ci-dessous ; "
    "rechargez la page pour voir ce qui a changé."
)
UNKNOWN: Final = "Ce portail n’existe pas, ou il est fermé. Vérifiez son adresse."


def out(row: Portal) -> PortalOut:
    """Return a portal as pages know it."""
    return PortalOut(
        slug=row.slug,
        title=row.title,
        logo=row.logo,
        intro=row.intro,
        places=tuple(row.places),
        colour=row.colour,
        band=row.band,
        filters=tuple((name, value) for name, value in row.filters),
        hosts=tuple(row.hosts),
        state=row.state,
        version=row.version,
        updated_at=row.updated_at,
        history=tuple(row.history),
    )


async def _row(session: AsyncSession, slug: str, *, lock: bool = False) -> Portal | None:
    statement = select(Portal).where(Portal.slug == slug)
    # A portal that is locked may have been read before by the same session.
    return await session.scalar(
        statement.with_for_update().execution_options(populate_existing=True) if lock else statement
    )


async def find(session: AsyncSession, slug: str) -> PortalOut:
    """Return the open portal of an address.

    Raises:
        NotFound: there is none, or it is closed.
    """
    row = await _row(session, slug)
    if row is None or row.state != ACTIVE:
        raise NotFound(UNKNOWN)
    return out(row)


async def any_state(session: AsyncSession, slug: str) -> PortalOut:
    """Return a portal, open or closed, for those who administer it.

    Raises:
        NotFound: there is none.
    """
    row = await _row(session, slug)
    if row is None:
        raise NotFound("Ce portail n’existe pas.")
    return out(row)


async def count(session: AsyncSession, *, active: bool = False) -> int:
    """Return how many portals there are."""
    statement = select(func.count()).select_from(Portal)
    return await session.scalar(statement.where(Portal.state == ACTIVE) if active else statement) or 0


async def page(
    session: AsyncSession, offset: int = 0, limit: int = PAGE_SIZE, *, active: bool = False, descending: bool = False
) -> list[PortalOut]:
    """Return some portals, by address."""
    order = Portal.slug.desc() if descending else Portal.slug
    statement = select(Portal).order_by(order, Portal.id).offset(offset).limit(limit)
    rows = await session.scalars(statement.where(Portal.state == ACTIVE) if active else statement)
    return [out(row) for row in rows]


async def create(session: AsyncSession, draft: PortalDraft, actor: str) -> PortalOut:
    """Make a portal.

    Raises:
        InvalidInput: the address is taken.
    """
    if await _row(session, draft.slug) is not None:
        message = f"L’adresse /maillage/{draft.slug} est déjà celle d’un portail, peut-être fermé."
        raise InvalidInput(message, fields={"slug": message})
    row = Portal(slug=draft.slug)
    _write(row, draft)
    row.history = [await _line(session, "create", actor)]
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return out(row)


async def edit(session: AsyncSession, slug: str, draft: PortalDraft, version: int, actor: str) -> PortalOut:
    """Change a portal; its address stays, as others have it in their pages.

    Raises:
        NotFound: there is none.
        Conflict: it changed since `version`.
    """
    row = await _current(session, slug, version)
    _write(row, draft)
    return await _changed(session, row, "edit", actor)


async def move(session: AsyncSession, slug: str, action: str, version: int, actor: str) -> PortalOut:
    """Close a portal, or open it again.

    Raises:
        NotFound: there is none.
        Conflict: it changed since `version`, or is not in the state that the action starts from.
    """
    row = await _current(session, slug, version)
    before, after = PASSAGES[action]
    if row.state != before:
        raise Conflict(STALE)
    row.state = after
    return await _changed(session, row, action, actor)


async def _current(session: AsyncSession, slug: str, version: int) -> Portal:
    row = await _row(session, slug, lock=True)
    if row is None:
        raise NotFound("Ce portail n’existe pas.")
    if row.version != version:
        raise Conflict(STALE)
    return row


def _write(row: Portal, draft: PortalDraft) -> None:
    row.title, row.logo, row.intro = draft.title, draft.logo, draft.intro
    row.colour, row.band = draft.colour, draft.band
    row.places, row.hosts = list(draft.places), list(draft.hosts)
    row.filters = [list(pair) for pair in draft.filters]


async def _changed(session: AsyncSession, row: Portal, action: str, actor: str) -> PortalOut:
    row.version += 1
    row.history = [*row.history, await _line(session, action, actor)]
    row.updated_at = await clock.now(session)
    await session.flush()
    return out(row)


async def _line(session: AsyncSession, action: str, actor: str) -> dict[str, str]:
    return {"at": (await clock.now(session)).isoformat(), "by": actor, "action": action}


DEMO: Final[Sequence[PortalDraft]] = (
    PortalDraft(
        slug="78",
        title="Maillage 78",
        logo="Maillage 78",
        intro="Le portail des professionnels de santé et de l’autonomie des Yvelines : trouver à qui adresser un "
        "patient, près de chez lui.",
        places=("departement:78",),
        colour="#0b5a60",
        band="#07434a",
        hosts=("https://demo.example.org",),
    ),
    PortalDraft(
        slug="idf-domicile",
        title="Soins à domicile en Île-de-France",
        logo="Domicile IDF",
        intro="Les professionnels et les structures qui se déplacent chez les patients d’Île-de-France.",
        places=("region:11",),
        colour="#6b2a6e",
        band="#f3e9f3",
        filters=(("reception", "R338|05"),),
        hosts=("https://demo.example.org",),
    ),
)
"""The portals of the demonstration."""


async def create_demo(session: AsyncSession) -> int:
    """Make the portals of the demonstration that are missing; return how many. Running it again changes nothing."""
    made = 0
    for draft in DEMO:
        if await _row(session, draft.slug) is None:
            await create(session, draft, "demo")
            made += 1
    return made
