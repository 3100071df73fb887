"""Scopes of a client: what its tokens and keys open."""

from collections.abc import Collection
from typing import Final

from accounts.person import PROFESSIONAL_LEVEL, PUBLIC_LEVEL

READ: Final = "directory.read"
READ_PROFESSIONAL: Final = "directory.read.professional"
EXPORT: Final = "export"
WEBHOOKS: Final = "webhooks"

SCOPES: Final = {
    READ: "Lire ce que voit le grand public",
    READ_PROFESSIONAL: "Lire aussi ce qui est réservé aux professionnels",
    EXPORT: "Extraire l’annuaire entier",
    WEBHOOKS: "Être prévenue des changements (webhooks)",
}
"""In the order of pages, with their French labels."""


def in_order(scopes: Collection[str]) -> list[str]:
    """Return scopes in the order of `SCOPES`, each once; those that do not exist are left out."""
    return [scope for scope in SCOPES if scope in scopes]


def reads(scopes: Collection[str]) -> bool:
    """Tell whether anything may be read with these scopes."""
    return READ in scopes or READ_PROFESSIONAL in scopes


def level(scopes: Collection[str]) -> int:
    """Return the confidentiality that these scopes open."""
    return PROFESSIONAL_LEVEL if READ_PROFESSIONAL in scopes else PUBLIC_LEVEL
