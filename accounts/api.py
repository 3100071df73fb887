"""What the floors above may use of accounts. Mapped classes are for SELECT only."""

from accounts.callers import Caller, CallerDep, KeyNeeded, MissingScope, caller_of, program_scope, scoped
from accounts.clients import usage as client_usage
from accounts.clients.demo import Sandbox, demo_clients, sandbox
from accounts.clients.keys import ALGORITHMS as SIGNING_ALGORITHMS
from accounts.clients.programs import (
    Program,
    add_client_actions,
    client_contact,
    find_program,
    note_client,
    program,
)
from accounts.clients.scopes import EXPORT, READ, READ_PROFESSIONAL, WEBHOOKS
from accounts.clients.scopes import SCOPES as API_SCOPES
from accounts.coordinates.reach import USES, Reach, reach, reaches
from accounts.coordinates.reading import sorted_phone
from accounts.coordinates.visit import first_visit_done
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
from accounts.models import Account
from accounts.pages import install
from accounts.person import (
    LevelDep,
    Person,
    PersonDep,
    Right,
    SignedInDep,
    SignInNeeded,
    allowed,
    current,
    level_for,
    level_of,
)
from accounts.professions import Professions, use_professions
from accounts.registry import (
    Reference,
    Service,
    add_client_page,
    add_referrer,
    add_scope_names,
    add_service,
    everybody,
    holder,
    practising,
    scope_names,
    services_of,
)
from accounts.service import demo_account, demo_numbers, give, names_of, take_back
from accounts.standings.demo import demo_standing
from accounts.standings.followers import follow_standings
from accounts.standings.known import KnownPerson, known_person, specialties, use_known_people
from accounts.standings.reading import Standing, standing_of, standings_of
from accounts.support_asking import ask_support
from accounts.web import origin, safe_target

__all__ = [
    "API_SCOPES",
    "EXPORT",
    "READ",
    "READ_PROFESSIONAL",
    "SIGNING_ALGORITHMS",
    "USES",
    "WEBHOOKS",
    "Account",
    "Caller",
    "CallerDep",
    "DemoCard",
    "Holder",
    "Kept",
    "KeyNeeded",
    "KnownPerson",
    "LevelDep",
    "Limit",
    "MissingScope",
    "Person",
    "PersonDep",
    "Professions",
    "Program",
    "Reach",
    "Reference",
    "Right",
    "Sandbox",
    "Service",
    "SignInNeeded",
    "SignedInDep",
    "Standing",
    "Told",
    "add_actions",
    "add_client_actions",
    "add_client_page",
    "add_favourite",
    "add_referrer",
    "add_scope_names",
    "add_service",
    "allowed",
    "ask_support",
    "caller_of",
    "client_contact",
    "client_usage",
    "current",
    "demo_account",
    "demo_clients",
    "demo_numbers",
    "demo_standing",
    "everybody",
    "favourites",
    "find_program",
    "first_visit_done",
    "follow_standings",
    "give",
    "holder",
    "holders",
    "install",
    "is_favourite",
    "known_person",
    "level_for",
    "level_of",
    "messages",
    "names_of",
    "note_client",
    "note_favourite",
    "origin",
    "place_favourite",
    "practising",
    "program",
    "program_scope",
    "raise_favourite",
    "reach",
    "reaches",
    "remove_favourite",
    "safe_target",
    "sandbox",
    "scope_names",
    "scoped",
    "send_message",
    "services_of",
    "sorted_phone",
    "specialties",
    "standing_of",
    "standings_of",
    "take",
    "take_back",
    "use_known_people",
    "use_professions",
    "write_cards",
]
