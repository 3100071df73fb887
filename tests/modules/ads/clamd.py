"""An antivirus of the tests: speaks INSTREAM as clamd does, and finds the EICAR mark."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

MARK = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


class Clamd:
    """What it was sent, and what it says when it is told to."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.answer: bytes | None = None
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!I", await reader.readexactly(4))[0]:
            content += await reader.readexactly(length)
        self.contents.append(content)
        found = b"stream: Eicar-Signature FOUND\0" if MARK in content else b"stream: OK\0"
        writer.write(found if self.answer is None else self.answer)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def clamd() -> AsyncIterator[Clamd]:
    """Run it on a port of this machine."""
    made = Clamd()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
