"""Addresses that others give us to call: HTTPS, on the Internet, never a network behind us.

The name is resolved once and the connection made to the address that was checked, so that a name which answers
otherwise the second time leads nowhere else. `local` also permits this machine itself, in clear: for trials.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import httpx
import idna

from core.errors import InvalidInput

LONGEST: Final = 500
RESOLVE_SECONDS: Final = 3.0
_TIMEOUT: Final = httpx.Timeout(5.0, connect=3.0)
_NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


class Unreachable(Exception):
    """An address that is not called; `reason` says why, in French."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart: `host` as the DNS and the certificate know it."""

    scheme: str
    host: str
    port: int
    path: str


def read(url: str, *, local: bool = False) -> Target:
    """Return an address taken apart.

    Raises:
        InvalidInput: it has not the form of an address that we call.
    """
    text = url.strip()
    if not text or len(text) > LONGEST or any(ord(char) <= 32 or ord(char) == 127 for char in text):
        raise _refused("Écrivez une adresse qui commence par https://, de 500 caractères au plus.")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = _host(parts.hostname or "")
    except ValueError:
        raise _refused("Cette adresse ne peut être lue : vérifiez son nom et son port.") from None
    if parts.scheme not in (("https", "http") if local else ("https",)):
        raise _refused("Une adresse en https:// est attendue.")
    if "@" in parts.netloc or parts.fragment:
        raise _refused("Une adresse sans nom d’utilisateur ni « # » est attendue.")
    if port is not None and port != 443 and port < 1024:
        raise _refused("Ce port n’est pas permis : laissez 443, ou choisissez-en un à partir de 1024.")
    try:
        literal = ip_address(host)
    except ValueError:
        if "." not in host and not local:
            raise _refused("Un nom complet est attendu, par exemple portail.exemple.fr.") from None
    else:
        if not permitted(literal, local=local):
            raise _refused("Cette adresse est celle d’un réseau privé : rien n’y est envoyé.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise _refused("Le chemin de cette adresse contient des accents : écrivez-les en %XX.")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def _host(name: str) -> str:
    if not name:
        raise ValueError
    try:
        return str(ip_address(name))
    except ValueError:
        return idna.encode(name.rstrip("."), uts46=True).decode()


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, fields={"adresse": message})


def permitted(address: IPv4Address | IPv6Address, *, local: bool = False) -> bool:
    """Tell whether an address is one of the Internet, whatever it hides inside."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return permitted(address.ipv4_mapped, local=local)
        if address.sixtofour is not None or address.teredo is not None or any(address in net for net in _NAT64):
            return False
    if address.is_loopback:
        return local
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


async def resolve(target: Target, *, local: bool = False) -> str:
    """Return the address to connect to.

    Raises:
        Unreachable: the name does not exist, or one of its addresses is not one of the Internet.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise Unreachable("Le nom de cette adresse n’est pas connu.") from None
    addresses = [ip_address(str(info[4][0]).partition("%")[0]) for info in found]
    if not addresses or not all(permitted(one, local=local) for one in addresses):
        raise Unreachable("Ce nom mène à un réseau privé : rien n’y est envoyé.")
    return str(addresses[0])


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@asynccontextmanager
async def call(
    method: str, target: Target, address: str, headers: Mapping[str, str], content: bytes | None = None
) -> AsyncIterator[httpx.Response]:
    """Call a target at the address that was checked; the answer's body is not read, redirections are not followed."""
    where = f"[{address}]" if ":" in address else address
    usual = 443 if target.scheme == "https" else 80
    host = f"[{target.host}]" if ":" in target.host else target.host
    # The certificate is still asked for the name, whatever address we connect to.
    extensions = {"sni_hostname": target.host}
    async with (
        httpx.AsyncClient(verify=_tls(), trust_env=False, follow_redirects=False, timeout=_TIMEOUT) as client,
        client.stream(
            method,
            f"{target.scheme}://{where}:{target.port}{target.path}",
            content=content,
            headers={
                "Host": host if target.port == usual else f"{host}:{target.port}",
                "Accept-Encoding": "identity",
                **headers,
            },
            extensions=extensions,
        ) as answer,
    ):
        yield answer
