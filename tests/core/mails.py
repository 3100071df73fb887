"""What the tests of mails share: a template of theirs, time that passes, rows read back."""

from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import mail
from core.db import unit_of_work

mail.add_templates(Path(__file__).parent / "templates")
ZOE = "zoe.leveque@exemple.fr"


async def write(
    session: AsyncSession,
    key: str = "1",
    *,
    to: str = ZOE,
    name: str = "Zoé Lévêque",
    token: str = "jeton",
    **more: Any,
) -> bool:
    """Queue a mail of the tests' template."""
    context = {"name": name, "token": token}
    return await mail.queue(
        session, kind="test.lien", key=key, to=to, to_name=name, template="essai/lien", context=context, **more
    )


async def write_and_commit(key: str = "1", **more: Any) -> None:
    """Queue a mail and commit it."""
    async with unit_of_work() as session:
        assert await write(session, key, **more)


async def rows() -> list[Any]:
    """Return the outbox as it is committed, oldest first."""
    async with unit_of_work() as session:
        return list(await session.execute(text("SELECT * FROM core.mail ORDER BY id")))


async def later(interval: str) -> None:
    """Let time pass for every mail: their instants move into the past."""
    columns = ", ".join(f"{name} = {name} - :d" for name in ("queued_at", "touched_at", "next_at", "give_up_at"))
    async with unit_of_work() as session:
        await session.execute(text(f"UPDATE core.mail SET {columns}".replace(":d", f"interval '{interval}'")))
