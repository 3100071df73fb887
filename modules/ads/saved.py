"""Searches that people keep: their names, their mails, what stops these."""

import uuid
from collections.abc import Mapping
from typing import Final, get_args
from urllib.parse import parse_qsl

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, InvalidInput, NotFound
from core.security import signature
from modules.ads.models_saved import SavedSearch, SearchAlert
from modules.ads.people import Reader
from modules.ads.schemas_find import Frequency
from modules.ads.search_query import AdQuery, address, pairs, parse

LIMIT: Final = 20
"""Searches that one account keeps."""
LONGEST_NAME: Final = 80
FREQUENCIES: Final[Mapping[str, str]] = {
    "now": "À la parution de chaque annonce",
    "daily": "Une fois par jour, à 7\u00a0h",
    "none": "Sans mail",
}
"""How often a saved search writes."""
_GONE: Final = "Cette recherche n’existe plus : elle a été supprimée, ou n’est pas l’une des vôtres."
_STALE: Final = "Cette recherche a changé dans un autre onglet : rien n’a été modifié. Relisez-la, puis recommencez."


async def mine(session: AsyncSession, account_id: int) -> list[SavedSearch]:
    """Return the searches of somebody, the latest first."""
    wanted = select(SavedSearch).where(SavedSearch.account_id == account_id).order_by(SavedSearch.id.desc())
    return list(await session.scalars(wanted.limit(LIMIT)))


async def find(session: AsyncSession, account_id: int, uid: uuid.UUID, version: int | None = None) -> SavedSearch:
    """Return a search of somebody, locked.

    Raises:
        NotFound: it is not theirs, or is gone.
        Conflict: it changed since `version`.
    """
    found = await session.scalar(
        select(SavedSearch)
        .where(SavedSearch.uid == uid, SavedSearch.account_id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(_GONE)
    if version is not None and found.version != version:
        raise Conflict(_STALE)
    return found


async def save(session: AsyncSession, reader: Reader, query: AdQuery, name: str, frequency: str) -> SavedSearch:
    """Keep a search; the same one kept twice stays one, under its new name.

    Raises:
        InvalidInput: the name or the frequency is not one, or the account keeps as many as it may.
    """
    said = _name(name)
    often = _frequency(frequency)
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"saved-search:{reader.account_id}"}
    )
    held = await mine(session, reader.account_id)
    written = stored(query)
    for one in held:
        if one.query == written:
            await change(session, one, name, frequency)
            return one
    if len(held) >= LIMIT:
        refusal = f"Vous gardez déjà {LIMIT} recherches : supprimez-en une pour en enregistrer une autre."
        raise InvalidInput(refusal, fields={"name": refusal})
    # The first digest tells of what follows, not of a day that was over.
    today = clock.today(await clock.now(session))
    row = SavedSearch(account_id=reader.account_id, name=said, query=written, frequency=often, digest_on=today)
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return row


async def change(session: AsyncSession, saved: SavedSearch, name: str, frequency: str) -> None:
    """Rename a search, locked, and say how often it writes; without mail, what waited is not told.

    Raises:
        InvalidInput: the name or the frequency is not one.
    """
    saved.name, saved.frequency = _name(name), _frequency(frequency)
    saved.version += 1
    await session.flush()
    if saved.frequency == "none":
        await _forget_waiting(session, saved.id)


async def remove(session: AsyncSession, saved: SavedSearch) -> None:
    """Delete a search, with what it was told of."""
    await session.delete(saved)
    await session.flush()


async def stop(session: AsyncSession, uid: uuid.UUID) -> SavedSearch | None:
    """Stop the mails of a search for whoever holds its signed link; None when it is gone."""
    saved = await session.scalar(select(SavedSearch).where(SavedSearch.uid == uid).with_for_update())
    if saved is not None and saved.frequency != "none":
        await change(session, saved, saved.name, "none")
    return saved


def stored(query: AdQuery) -> str:
    """Return a search as it is kept: its address, without page nor order."""
    return address(pairs(query.model_copy(update={"sort": "date"}), page=False), "")[1:]


def read(saved: SavedSearch, specialties: Mapping[str, str]) -> AdQuery | None:
    """Return what a saved search asks; None when one of its places or codes is no longer known."""
    try:
        return parse(parse_qsl(saved.query), specialties)
    except InvalidInput:
        return None


def stop_path(uid: uuid.UUID) -> str:
    """Return the signed path that stops the mails of a search, signed in or not."""
    return f"/annonces/recherches/{uid}/arreter?s={signature('ads-search', str(uid))}"


async def _forget_waiting(session: AsyncSession, saved_id: int) -> None:
    await session.execute(delete(SearchAlert).where(SearchAlert.search_id == saved_id, SearchAlert.told_at.is_(None)))


def _name(name: str) -> str:
    said = " ".join(name.replace("\x00", "").split())
    refusal = None
    if not said:
        refusal = "Donnez un nom à cette recherche."
    elif len(said) > LONGEST_NAME:
        refusal = f"Ce nom est trop long ({LONGEST_NAME} caractères au plus)."
    if refusal:
        raise InvalidInput(refusal, fields={"name": refusal})
    return said


def _frequency(frequency: str) -> str:
    if frequency not in get_args(Frequency):
        refusal = "Choisissez quand un mail vous prévient."
        raise InvalidInput(refusal, fields={"frequency": refusal})
    return frequency
