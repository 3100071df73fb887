"""Reading one resource by its logical id, and its present version."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Caller
from search_api.fhir.kinds import KINDS_OF_TYPE, MODELS, Kind
from search_api.fhir.outcome import FhirError, Issue
from search_api.fhir.render import render
from search_api.fhir.visible import dated, gone


@dataclass(frozen=True, slots=True)
class Found:
    """A resource that a caller may read, when it last changed, and its version."""

    resource: dict[str, Any]
    updated_at: datetime

    @property
    def version(self) -> str:
        """The identifier of the version, a digest of what the caller reads included."""
        return str(self.resource["meta"]["versionId"])

    @property
    def tag(self) -> str:
        """The validator of the version."""
        return f'W/"{self.version}"'


async def resource(session: AsyncSession, name: str, logical_id: str, caller: Caller) -> Found:
    """Return a resource by its type and logical id.

    Raises:
        FhirError: 404 when there is none, or none that the caller may know of; 410 when it left the directory.
    """
    uid = _uid(logical_id)
    if uid is not None:
        for kind in KINDS_OF_TYPE[name]:
            row = (await session.execute(dated(kind, caller).where(MODELS[kind].uid == uid))).one_or_none()
            if row is not None:
                made = await render(session, kind, [row.id], caller, within=1.0)
                if row.id in made:
                    return Found(made[row.id], row.updated_at)
        await _refuse_gone(session, KINDS_OF_TYPE[name], uid, caller, name)
    raise FhirError(404, Issue(f"Aucune ressource {name} n’a l’identifiant « {logical_id[:64]} ».", "not-found"))


async def version(session: AsyncSession, name: str, logical_id: str, version_id: str, caller: Caller) -> Found:
    """Return the present version of a resource; former ones are not kept.

    Raises:
        FhirError: 404 when the version is not the present one; as `resource` otherwise.
    """
    found = await resource(session, name, logical_id, caller)
    if found.version != version_id:
        asked, kept = version_id[:64], found.version
        raise FhirError(404, Issue(f"La version « {asked} » n’est pas gardée : seule {kept} l’est.", "not-found"))
    return found


def _uid(logical_id: str) -> uuid.UUID | None:
    try:
        found = uuid.UUID(logical_id)
    except ValueError:
        return None
    # Other spellings of the same number are other logical ids.
    return found if str(found) == logical_id else None


async def _refuse_gone(session: AsyncSession, kinds: Sequence[Kind], uid: uuid.UUID, caller: Caller, name: str) -> None:
    for kind in kinds:
        if (await session.execute(gone(kind, caller).where(MODELS[kind].uid == uid))).one_or_none() is not None:
            raise FhirError(
                410,
                Issue(
                    f"Cette ressource {name} n’est plus au répertoire : fermée, ou retirée par son porteur.",
                    "deleted",
                ),
            )
