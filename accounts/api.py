"""What the floors above may use of accounts."""

from accounts.callers import Caller, CallerDep, KeyNeeded, MissingScope, caller_of, scoped
from accounts.clients import usage as client_usage
from accounts.clients.scopes import EXPORT, READ, READ_PROFESSIONAL, WEBHOOKS
from accounts.demo_cards import DemoCard, write_cards
from accounts.favourites import (
    Kept,
    add_favourite,
    favourites,
    is_favourite,
    note_favourite,
    place_favourite,
    raise_favourite,
    remove_favourite,
)
from accounts.holders import Holder, holders
from accounts.labels import add_actions
from accounts.limits import Limit, take
from accounts.messages import Told, messages, send_message
from accounts.pages import install
from accounts.person import LevelDep, Person, PersonDep, Right, SignedInDep, SignInNeeded, allowed, current, level_of
from accounts.professions import Professions, use_professions
from accounts.registry import (
    Reference,
    Service,
    add_referrer,
    add_scope_names,
    add_service,
    everybody,
    holder,
    scope_names,
    services_of,
)
from accounts.service import demo_account, demo_numbers, give, names_of, take_back
from accounts.support_asking import ask_support
from accounts.web import origin, safe_target

__all__ = [
    "EXPORT",
    "READ",
    "READ_PROFESSIONAL",
    "WEBHOOKS",
    "Caller",
    "CallerDep",
    "DemoCard",
    "Holder",
    "Kept",
    "KeyNeeded",
    "LevelDep",
    "Limit",
    "MissingScope",
    "Person",
    "PersonDep",
    "Professions",
    "Reference",
    "Right",
    "Service",
    "SignInNeeded",
    "SignedInDep",
    "Told",
    "add_actions",
    "add_favourite",
    "add_referrer",
    "add_scope_names",
    "add_service",
    "allowed",
    "ask_support",
    "caller_of",
    "client_usage",
    "current",
    "demo_account",
    "demo_numbers",
    "everybody",
    "favourites",
    "give",
    "holder",
    "holders",
    "install",
    "is_favourite",
    "level_of",
    "messages",
    "names_of",
    "note_favourite",
    "origin",
    "place_favourite",
    "raise_favourite",
    "remove_favourite",
    "safe_target",
    "scope_names",
    "scoped",
    "send_message",
    "services_of",
    "take",
    "take_back",
    "use_professions",
    "write_cards",
]
