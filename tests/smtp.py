"""A real SMTP server on this machine: it keeps what it takes, and refuses, hesitates or is down when told to."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class SmtpSink:
    """The server. `messages` holds what it took, in order."""

    def __init__(self) -> None:
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            self.port: int = trial.getsockname()[1]
        self.messages: list[EmailMessage] = []
        self.senders: list[str] = []
        self.recipients: list[list[str]] = []
        self.refusals: dict[str, list[str]] = {"RCPT": [], "DATA": [], "MAIL": []}
        self.held = threading.Event()
        self.held.set()
        self.asked = threading.Event()
        """Set once the server was handed a content."""
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def refuse(self, verb: str, answer: str, times: int = 1) -> None:
        """Answer this to the next commands (`RCPT`, `DATA`, `MAIL`) of this kind."""
        self.refusals[verb] += [answer] * times

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the server from answering to a content for the length of a block."""
        self.held.clear()
        try:
            yield
        finally:
            self.held.set()

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails that were taken for an address."""
        return [one for one, rcpt in zip(self.messages, self.recipients, strict=True) if address in rcpt]

    def _next(self, verb: str) -> str | None:
        return self.refusals[verb].pop(0) if self.refusals[verb] else None

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refused = self._next("MAIL")
        if refused is None:
            envelope.mail_from = address
        return refused or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refused = self._next("RCPT")
        if refused is None:
            envelope.rcpt_tos.append(address)
        return refused or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.asked.set()
        await asyncio.to_thread(self.held.wait)
        refused = self._next("DATA")
        if refused is None:
            assert isinstance(envelope.content, bytes)
            parsed = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(parsed, EmailMessage)
            self.messages.append(parsed)
            self.senders.append(envelope.mail_from or "")
            self.recipients.append(list(envelope.rcpt_tos))
        return refused or "250 OK"


def text_of(message: EmailMessage) -> str:
    """Return the plain text of a mail."""
    return _part(message, "plain")


def html_of(message: EmailMessage) -> str:
    """Return the HTML of a mail."""
    return _part(message, "html")


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert isinstance(part, EmailMessage)
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")
