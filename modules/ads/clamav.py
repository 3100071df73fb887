"""A small client of ClamAV: one content is sent, one verdict comes back (INSTREAM of clamd)."""

import asyncio
import struct
from typing import Final

import structlog
from pydantic import Field, field_validator

from core.errors import InvalidInput, Unavailable
from core.settings import RepereSettings, load

log = structlog.get_logger("repere.ads")

PIECE: Final = 65_536
SECONDS: Final = 30.0
_INFECTED: Final = "Ce fichier a été reconnu comme dangereux par l’antivirus : il n’est pas gardé."
_SILENT: Final = "L’antivirus ne répond pas : ce fichier n’est pas gardé. Ajoutez-le de nouveau dans quelques minutes."


class ClamavSettings(RepereSettings):
    """Where the antivirus is, if anywhere."""

    clamd: str | None = Field(default=None, description="clamd: host:port, or the path of its Unix socket.")

    @field_validator("clamd")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if not value:
            return None
        host, _, port = value.rpartition(":")
        if not value.startswith("/") and not (host and port.isdigit() and int(port) < 65_536):
            raise ValueError("REPERE_CLAMD attend « hôte:port » ou le chemin absolu d’une socket Unix")
        return value


def configured() -> bool:
    """Tell whether contents are looked at by an antivirus."""
    return load(ClamavSettings).clamd is not None


async def scan(content: bytes) -> None:
    """Have a content looked at, where an antivirus is configured.

    Raises:
        InvalidInput: it is infected.
        Unavailable: the antivirus does not answer, or not as it should; nothing passes unseen.
    """
    where = load(ClamavSettings).clamd
    if where is None:
        return
    try:
        async with asyncio.timeout(SECONDS):
            verdict = await _ask(where, content)
    except (OSError, TimeoutError) as error:
        log.warning("clamd_unreachable", reason=type(error).__name__)
        raise Unavailable(_SILENT) from error
    if verdict.endswith("FOUND"):
        # Neither the file's name nor its author: what an operator needs is what was found.
        log.warning("upload_infected", found=verdict.removeprefix("stream: ").removesuffix(" FOUND"))
        raise InvalidInput(_INFECTED)
    if verdict != "stream: OK":
        log.warning("clamd_refused", answer=verdict[:200])
        raise Unavailable(_SILENT)


async def _ask(where: str, content: bytes) -> str:
    if where.startswith("/"):
        reader, writer = await asyncio.open_unix_connection(where)
    else:
        host, _, port = where.rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        writer.write(b"zINSTREAM\0")
        for start in range(0, len(content), PIECE):
            piece = content[start : start + PIECE]
            writer.write(struct.pack("!I", len(piece)) + piece)
            await writer.drain()
        writer.write(struct.pack("!I", 0))
        await writer.drain()
        said = await reader.readuntil(b"\0")
    except asyncio.IncompleteReadError as error:
        raise OSError("the connection ended before the verdict") from error
    finally:
        writer.close()
    return said.rstrip(b"\0").decode("utf-8", "replace").strip()
