"""Use cases of the directory that read by register key."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from directory import queries


async def find_uid(session: AsyncSession, entity: str, alias: str) -> uuid.UUID | None:
    """Return the public identifier behind a register key, present or former; None when nobody has it.

    Args:
        session: the unit of work.
        entity: legal_entity, site, practitioner or role.
        alias: for instance `finess:780000287`, `siret:…`, `struct:…`, `adeli:…`, `rpps:…`, a national id.
    """
    found: uuid.UUID | None = await session.scalar(queries.uid_by_alias(entity, alias))
    return found
