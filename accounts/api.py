"""What the floors above may use of accounts."""

from accounts.pages import install
from accounts.person import LevelDep, Person, PersonDep, Right, SignedInDep, SignInNeeded, allowed, current, level_of
from accounts.service import demo_account, give, take_back
from accounts.web import safe_target

__all__ = [
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
    "safe_target",
    "take_back",
]
