"""Electronic addresses: the forms that can be written to, and names that cannot break a header."""

import re
import unicodedata
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Final

import idna

from core.errors import InvalidInput

LONGEST: Final = 254
LONGEST_NAME: Final = 120
_LONGEST_LOCAL: Final = 64
_ENCODED_WORD: Final = 45
"""Bytes of a text that one encoded word holds (RFC 2047), whatever its encoding."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SHAPE = "Cette adresse n’a pas la forme d’une adresse électronique, par exemple prenom.nom@exemple.fr."
_ACCENT = "Avant l’arobase, une adresse électronique ne contient ni accent ni espace."


def valid_address(text: str, field: str = "email") -> str:
    """Return an address as mails are sent to it: no space around, its domain in small ASCII letters.

    Raises:
        InvalidInput: nobody can be written to there; `field` bears the message.
    """
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain:
        raise _refused(_SHAPE, field)
    if not _LOCAL.fullmatch(local):
        raise _refused(_SHAPE if local.isascii() else _ACCENT, field)
    try:
        host = idna.encode(domain, uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise _refused(_SHAPE, field) from None
    address = f"{local}@{host}"
    if "." not in host or host.endswith(".") or host.rpartition(".")[2].isdigit():
        raise _refused(_SHAPE, field)
    if len(local) > _LONGEST_LOCAL or len(address) > LONGEST:
        raise _refused(f"Cette adresse est trop longue ({LONGEST} caractères au plus).", field)
    return address


def _refused(message: str, field: str) -> InvalidInput:
    return InvalidInput(message, fields={field: message})


def one_line(text: str, longest: int) -> str:
    """Return a text on one line of a bounded length, for a header: no break, no control or invisible character."""
    kept = "".join(" " if unicodedata.category(one) in _INVISIBLE else one for one in text)
    line = re.sub(r"[ \t]+", " ", kept).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def mailbox(address: str, name: str = "") -> Address:
    """Return what a header holds of a valid address."""
    local, _, domain = address.rpartition("@")
    shown = one_line(name, LONGEST_NAME)
    # A name that takes two encoded words is shown by some readers with a space in its middle: better none.
    if not shown.isascii() and len(shown.encode()) > _ENCODED_WORD:
        shown = ""
    return Address(display_name=shown, username=local, domain=domain)


def read_mailbox(text: str) -> Address:
    """Read an operator's « Repère <ne-pas-repondre@exemple.fr> », or an address alone.

    Raises:
        InvalidInput: it holds no address that can be used.
    """
    name, address = parseaddr(text)
    return mailbox(valid_address(address), name)
