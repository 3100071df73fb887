"""Models of reasons: what moderators of a council choose instead of typing it again."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from modules.ads.councils import NATIONAL
from modules.ads.life import LONGEST_REASON
from modules.ads.models_moderation import RefusalModel
from modules.ads.people import Reader

TITLE_MAX: Final = 80
MOST: Final = 50
"""Models of a council: more would no longer be read."""
_STALE: Final = "Ce modèle a été modifié entre-temps\u00a0: rien n’a été enregistré. Relisez-le, puis recommencez."


def councils_of(reader: Reader) -> list[str]:
    """Return the councils whose models and mails somebody writes; the national level is one."""
    return [*sorted(reader.councils), *([NATIONAL] if reader.national else [])]


def check_council(reader: Reader, council: str) -> str:
    """Return a council for which somebody writes.

    Raises:
        Forbidden: it is not theirs.
    """
    if council not in councils_of(reader):
        raise Forbidden("Vous n’écrivez pas pour ce conseil.")
    return council


async def offered(session: AsyncSession, councils: Collection[str]) -> list[RefusalModel]:
    """Return the models of some councils, by title."""
    rows = await session.scalars(
        select(RefusalModel)
        .where(RefusalModel.council.in_(councils))
        .order_by(RefusalModel.council == NATIONAL, func.core.fold(RefusalModel.title), RefusalModel.id)
        .limit(MOST * (len(councils) or 1))
    )
    return list(rows)


async def find(session: AsyncSession, reader: Reader, model_id: int, version: int | None = None) -> RefusalModel:
    """Return a model that somebody writes, locked when it is about to change.

    Raises:
        NotFound: it does not exist, or is another council's.
        Conflict: it changed since `version`.
    """
    wanted = select(RefusalModel).where(RefusalModel.id == model_id, RefusalModel.council.in_(councils_of(reader)))
    model = await session.scalar(wanted if version is None else wanted.with_for_update())
    if model is None:
        raise NotFound("Ce modèle n’existe plus, ou n’est pas celui de votre conseil.")
    if version is not None and model.version != version:
        raise Conflict(_STALE)
    return model


def checked(title: str, text: str) -> tuple[str, str]:
    """Return the title and the text of a model.

    Raises:
        InvalidInput: `fields` says what is wrong.
    """
    title, text = " ".join(title.split()), text.replace("\r\n", "\n").strip()
    errors: dict[str, str] = {}
    if not title:
        errors["title"] = "Donnez un nom au modèle."
    elif len(title) > TITLE_MAX:
        errors["title"] = f"Ce nom est trop long ({TITLE_MAX} caractères au plus)."
    if not text:
        errors["text"] = "Écrivez le motif."
    elif len(text) > LONGEST_REASON:
        errors["text"] = f"Ce motif est trop long ({LONGEST_REASON} caractères au plus)."
    if errors:
        raise InvalidInput("Le modèle n’est pas enregistré.", fields=errors)
    return title, text


async def add(session: AsyncSession, reader: Reader, council: str, title: str, text: str) -> RefusalModel:
    """Add a model to a council.

    Raises:
        Forbidden: it is not theirs.
        InvalidInput: the title or the text is refused, or there are too many models.
    """
    check_council(reader, council)
    title, text = checked(title, text)
    count = await session.scalar(select(func.count()).select_from(RefusalModel).where(RefusalModel.council == council))
    if (count or 0) >= MOST:
        said = f"Un conseil garde {MOST} modèles au plus\u00a0: supprimez-en un."
        raise InvalidInput(said, fields={"title": said})
    model = RefusalModel(council=council, title=title, text=text, updated_by=reader.person.actor)
    session.add(model)
    await session.flush()
    return model


async def edit(session: AsyncSession, reader: Reader, model_id: int, version: int, title: str, text: str) -> None:
    """Change a model; reasons already sent stay as they were.

    Raises:
        NotFound: it is not theirs.
        Conflict: it changed meanwhile.
        InvalidInput: the title or the text is refused.
    """
    model = await find(session, reader, model_id, version)
    model.title, model.text = checked(title, text)
    model.updated_by, model.updated_at = reader.person.actor, await clock.now(session)
    model.version += 1


async def remove(session: AsyncSession, reader: Reader, model_id: int, version: int) -> None:
    """Delete a model; reasons already sent stay.

    Raises:
        NotFound: it is not theirs.
        Conflict: it changed meanwhile.
    """
    await session.delete(await find(session, reader, model_id, version))
