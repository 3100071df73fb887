"""Secrets of clients: random texts with a beginning that tells what they are, kept as keyed digests.

They are random on 256 bits: nobody guesses them, so that a slow digest would only slow every request down. The key of
the digest is that of the service: whoever reads the database alone cannot even tell whether a text is one of them.
"""

import secrets
from typing import Final, Literal

from core.security import signature

Kind = Literal["key", "secret", "token"]

PREFIXES: Final[dict[Kind, str]] = {"key": "rpk_", "secret": "rps_", "token": "rpt_"}
"""Beginnings that programs which look for forgotten secrets recognise."""
HINT: Final = 10
"""Characters of a secret that are shown afterwards, its prefix included."""
LONGEST: Final = 200
"""Characters of what a caller may show as a secret."""


def new(kind: Kind) -> str:
    """Return a new secret."""
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def new_public_id() -> str:
    """Return a new `client_id`."""
    return "app_" + secrets.token_hex(8)


def keyed(kind: Kind, secret: str) -> bytes:
    """Return what is kept of a secret."""
    return bytes.fromhex(signature(f"client-{kind}", secret))


def hint(secret: str) -> str:
    """Return the beginning by which people tell a secret from another."""
    return secret[:HINT] + "…"
