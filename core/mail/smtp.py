"""The server that takes mails: its address, a connection kept for several, what its refusals mean."""

import contextlib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from core.errors import DomainError
from core.mail.addresses import one_line
from core.mail.settings import MailSettings, public_host

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 20.0
_PORTS: Final = {"smtp": 25, "starttls": 587, "smtps": 465}
_CLOSING: Final = 421
_LONGEST_REASON: Final = 300


class NotConfigured(DomainError):
    """No server was named, or its address cannot be read."""

    status = 503
    code = "mail-non-configure"
    title = "Envoi des mails non configuré"


class SendingFailed(Exception):
    """A mail did not leave; `reason` is what an operator reads, `code` what the server answered."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(code)
        self.reason = one_line(reason, _LONGEST_REASON)
        self.code = code


class Refused(SendingFailed):
    """The server will never take this mail."""


class PutOff(SendingFailed):
    """The server does not take this mail now."""


class ServerTrouble(SendingFailed):
    """The server cannot be reached, or takes no mail of ours: the others would fare no better now."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are handed over, and how."""

    scheme: str
    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)

    @property
    def here(self) -> bool:
        """Whether it is this very machine, where nobody listens in between."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def tls(self) -> dict[str, bool | None]:
        """Options of the connection: what protects it, and whether the certificate is verified.

        A password never travels in clear outside this machine. Without one, encryption that a relay offers is
        taken as it comes: a certificate that nobody signed is better than none.
        """
        if self.scheme == "smtps":
            return {"use_tls": True, "start_tls": False, "validate_certs": True}
        if self.scheme == "starttls":
            return {"use_tls": False, "start_tls": True, "validate_certs": True}
        if self.here:
            return {"use_tls": False, "start_tls": False, "validate_certs": True}
        required = self.username is not None
        return {"use_tls": False, "start_tls": True if required else None, "validate_certs": required}


def server_of(settings: MailSettings) -> Server:
    """Read REPERE_SMTP_URL.

    Raises:
        NotConfigured: it is empty or cannot be read; the sentence repeats nothing of it, as it holds a password.
    """
    given = settings.smtp_url.get_secret_value().strip()
    if not given:
        raise NotConfigured("L’envoi des mails n’est pas configuré : donnez REPERE_SMTP_URL et REPERE_MAIL_FROM.")
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        raise NotConfigured(_UNREADABLE) from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise NotConfigured(_UNREADABLE)
    return Server(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


_UNREADABLE: Final = (
    "REPERE_SMTP_URL est illisible : écrivez par exemple smtps://compte:mot-de-passe@mail.exemple.fr:465, "
    "starttls://… (port 587) ou smtp://… (port 25) ; dans le mot de passe, « @ » s’écrit %40, « / » %2F et « : » %3A."
)


class Line:
    """A connection to the server, opened for the first mail and kept for the next."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._smtp: SMTP | None = None

    async def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand over one mail; it is the server's once this returns.

        Raises:
            Refused: for good.
            PutOff: for now.
            ServerTrouble: the server itself does not answer as it should.
        """
        smtp = await self._open()
        try:
            await smtp.sendmail(sender, [recipient], message.as_bytes())
        except SMTPRecipientsRefused as error:
            first = error.recipients[0]
            raise _refusal(first.code, first.message) from None
        except SMTPDataError as error:
            raise _refusal(error.code, error.message) from None
        except SMTPResponseException as error:
            # Of the greeting or of the sender: this mail has nothing to do with it.
            raise ServerTrouble(
                f"Le serveur n’accepte pas nos mails : {error.code} {error.message}", error.code
            ) from None
        except SMTPNotSupported as error:
            raise Refused(f"Le serveur ne sait pas porter ce mail : {error.message}") from None
        except (SMTPException, OSError) as error:
            raise ServerTrouble(f"La conversation avec le serveur s’est interrompue : {_words(error)}") from None

    async def check(self) -> None:
        """Open the connection, credentials included, without sending anything.

        Raises:
            ServerTrouble: the server does not answer as it should.
        """
        await self._open()

    async def _open(self) -> SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        server = self._server
        smtp = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=public_host(),
            timeout=CONNECT_SECONDS,
            **server.tls,  # type: ignore[arg-type]
        )
        where = f"{server.host}, port {server.port}"
        try:
            await smtp.connect()
        except SMTPResponseException as error:
            why = f"Le serveur {where} ne nous laisse pas entrer : {error.code} {error.message}"
            raise ServerTrouble(why, error.code) from None
        except ssl.SSLError as error:
            raise ServerTrouble(f"La connexion chiffrée au serveur {where} échoue : {_words(error)}") from None
        except (SMTPException, OSError, ValueError) as error:
            raise ServerTrouble(f"Le serveur {where} ne répond pas : {_words(error)}") from None
        smtp.timeout = ANSWER_SECONDS
        self._smtp = smtp
        return smtp

    async def close(self) -> None:
        """Take leave of the server."""
        if self._smtp is not None and self._smtp.is_connected:
            with contextlib.suppress(SMTPException, OSError):
                await self._smtp.quit()


def _refusal(code: int, answer: str) -> SendingFailed:
    if code == _CLOSING:
        return ServerTrouble(f"Le serveur ferme la connexion : {code} {answer}", code)
    if 500 <= code <= 599:
        return Refused(f"Le serveur refuse ce mail : {code} {answer}", code)
    return PutOff(f"Le serveur remet ce mail à plus tard : {code} {answer}", code)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
