"""A real HTTP server that takes webhooks, and may answer anything or nothing."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Taken:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What arrived, and what is answered: a status for each request, the last one repeated."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0
    endless: bool = False
    kill: int | None = None
    """A process to kill once a request was taken, before it hears of it."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notices?a=b"

    def status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.taken.append(Taken(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if receiver.kill is not None:
                os.kill(receiver.kill, signal.SIGKILL)
                receiver.kill = None
                return
            time.sleep(receiver.slow)
            self.send_response(receiver.status())
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                while receiver.endless:
                    self.wfile.write(b"x" * 65_536)
            except OSError:
                pass

        def do_GET(self) -> None:
            receiver.taken.append(Taken(self.path, {}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
