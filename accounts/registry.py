"""What packages tell the home of services: their pages, the names of what rights and requests are about."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.person import Person


@dataclass(frozen=True, slots=True)
class Service:
    """A page that people may open from their home: `allowed` says who, `rank` where it stands in the list."""

    key: str
    title: str
    description: str
    address: str
    icon: str
    allowed: Callable[[Person], bool]
    rank: int = 50


@dataclass(frozen=True, slots=True)
class Reference:
    """What a request is about, as people read it: a name and the page that shows it."""

    label: str
    address: str


ScopeNames = Callable[[AsyncSession, Collection[str]], Awaitable[Mapping[str, str]]]
Referrer = Callable[[AsyncSession, UUID, int], Awaitable[Reference | None]]

_services: dict[str, Service] = {}
_scope_names: dict[str, ScopeNames] = {}
_referrers: dict[str, Referrer] = {}
_client_pages: dict[str, str] = {}
_KEY: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")


def add_service(service: Service) -> None:
    """Add a page to the home of those who may open it; call it when the package's pages are loaded.

    Raises:
        ValueError: the key is not in small letters, or belongs to another page.
    """
    known = _services.get(service.key)
    if not _KEY.fullmatch(service.key) or (known is not None and known.address != service.address):
        raise ValueError(service.key)
    _services[service.key] = service


def services_of(person: Person) -> list[Service]:
    """Return the services that a person may use, in the order of the home."""
    found = [service for service in _services.values() if service.allowed(person)]
    return sorted(found, key=lambda service: (service.rank, service.title))


def holder(*roles: str) -> Callable[[Person], bool]:
    """Return a rule for `Service.allowed`: the person holds one of these roles, whatever its scope."""

    def allowed(person: Person) -> bool:
        return any(person.has(role) for role in roles)

    return allowed


def practising(person: Person) -> bool:
    """Allow professionals, and those whose council said that they are interns or juniors."""
    return person.given_standing or person.has("professional")


def everybody(_person: Person) -> bool:
    """Allow whoever is signed in."""
    return True


def add_client_page(title: str, suffix: str) -> None:
    """Add a page of another package to the page of a client: its address is the client's, then `/suffix`."""
    _client_pages[suffix] = title


def client_pages() -> list[tuple[str, str]]:
    """Return the further pages of a client: title, and end of the address."""
    return [(title, suffix) for suffix, title in _client_pages.items()]


def add_scope_names(prefix: str, names: ScopeNames) -> None:
    """Say how scopes of a kind (`rpps`, `finess`) are read: from their values, the names that are known."""
    _scope_names[prefix] = names


def add_referrer(entity: str, referrer: Referrer) -> None:
    """Say how what a request is about (`offer`, `site`) is named at a level of confidentiality, and where it is."""
    _referrers[entity] = referrer


async def scope_names(session: AsyncSession, scopes: Collection[str]) -> dict[str, str]:
    """Return the names of scopes, by scope; those that nobody knows are left out."""
    found: dict[str, str] = {}
    by_prefix: dict[str, set[str]] = {}
    for scope in scopes:
        prefix, _, value = scope.partition(":")
        by_prefix.setdefault(prefix, set()).add(value)
    for prefix, values in by_prefix.items():
        names = _scope_names.get(prefix)
        if names is not None:
            found |= {f"{prefix}:{value}": name for value, name in (await names(session, values)).items()}
    return found


async def reference(session: AsyncSession, entity: str | None, uid: UUID | None, level: int) -> Reference | None:
    """Return what a request is about; None when it has gone, is not for this level, or when no package knows it."""
    referrer = _referrers.get(entity or "")
    return None if referrer is None or uid is None else await referrer(session, uid, level)
