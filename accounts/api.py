"""What the floors above may use of accounts."""

from accounts.demo_cards import DemoCard, write_cards
from accounts.pages import install
from accounts.person import LevelDep, Person, PersonDep, Right, SignedInDep, SignInNeeded, allowed, current, level_of
from accounts.service import demo_account, give, take_back

__all__ = [
    "DemoCard",
    "LevelDep",
    "Person",
    "PersonDep",
    "Right",
    "SignInNeeded",
    "SignedInDep",
    "allowed",
    "current",
    "demo_account",
    "give",
    "install",
    "level_of",
    "take_back",
    "write_cards",
]
