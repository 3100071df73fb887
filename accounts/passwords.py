"""Passwords: how they are kept, compared, and which ones are strong enough."""

import asyncio
import threading
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

SHORTEST: Final = 12
LONGEST: Final = 256
RULES: Final = (
    "12 caractères au moins, par exemple quatre mots sans rapport entre eux. "
    "Ni votre nom, ni votre adresse mail, ni un mot de passe courant."
)
_STRONG: Final = 3
_MEASURED: Final = 36
"""What zxcvbn looks at: a password made of signs that stand for letters (« 4@8({ ») takes seconds beyond."""
_SHORTEST_NAME: Final = 4

T = TypeVar("T")

_hasher = PasswordHasher()
# Each computation takes 64 MiB: a crowd at the door must wait, not fill the memory.
_workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")
_measuring = threading.Lock()

_ADVICE = {
    "Straight rows of keys are easy to guess.": "Des touches voisines du clavier se devinent facilement.",
    "Short keyboard patterns are easy to guess.": "Des touches voisines du clavier se devinent facilement.",
    'Repeats like "aaa" are easy to guess.': "Des caractères répétés se devinent facilement.",
    'Repeats like "abcabcabc" are only slightly harder to guess than "abc".': "Répéter un mot ne protège guère.",
    'Sequences like "abc" or "6543" are easy to guess.': "Des suites comme « abc » ou « 6543 » se devinent facilement.",
    "Recent years are easy to guess.": "Une année récente se devine facilement.",
    "Dates are often easy to guess.": "Une date se devine facilement.",
    "This is a top-10 common password.": "C’est l’un des dix mots de passe les plus courants.",
    "This is a top-100 common password.": "C’est l’un des cent mots de passe les plus courants.",
    "This is a very common password.": "C’est un mot de passe très courant.",
    "This is similar to a commonly used password.": "Il ressemble à un mot de passe courant.",
    "A word by itself is easy to guess.": "Un mot seul se devine facilement.",
    "Names and surnames by themselves are easy to guess.": "Un nom ou un prénom se devine facilement.",
    "Common names and surnames are easy to guess.": "Un nom ou un prénom courant se devine facilement.",
}
"""What zxcvbn says, in French."""


def normal(password: str) -> str:
    """Return a password in the one form that is kept: an « é » is the same whatever keyboard typed it."""
    return unicodedata.normalize("NFC", password)


async def _work(function: "partial[T]") -> T:
    return await asyncio.get_running_loop().run_in_executor(_workers, function)


async def hashed(password: str) -> str:
    """Return what is stored of a password (argon2id)."""
    return await _work(partial(_hasher.hash, normal(password)))


@cache
def _nobody() -> str:
    return _hasher.hash("personne n’a ce mot de passe")


def _matches(stored: str | None, password: str) -> bool:
    try:
        _hasher.verify(stored or _nobody(), normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


async def verify(stored: str | None, password: str) -> bool:
    """Tell whether a password is the one that was stored; nobody's takes as long to refuse as somebody's."""
    if len(password) > LONGEST:
        password = ""
    return await _work(partial(_matches, stored, password))


def outdated(stored: str) -> bool:
    """Tell whether a password should be hashed again, because today's parameters are stronger."""
    return _hasher.check_needs_rehash(stored)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if char.isalnum())


def _words(personal: Iterable[str]) -> list[str]:
    words = []
    for text in personal:
        name = text.partition("@")[0]
        for word in (name, *"".join(char if char.isalnum() else " " for char in name).split()):
            plain = _plain(word)
            if len(plain) >= _SHORTEST_NAME and plain not in words:
                words.append(plain)
    return words


def _measure(password: str, words: list[str]) -> str | None:
    # zxcvbn keeps the personal words in a table of the process.
    with _measuring:
        found = zxcvbn(password[:_MEASURED], user_inputs=words)
        zxcvbn("x", user_inputs=[])
    if found["score"] >= _STRONG:
        return None
    advice = _ADVICE.get(found["feedback"]["warning"] or "", "")
    return (
        " ".join(["Ce mot de passe se devinerait trop vite.", advice]).strip()
        + " Ajoutez un ou deux mots peu courants : majuscules, chiffres et symboles ne sont pas nécessaires."
    )


async def weakness(password: str, personal: Iterable[str] = ()) -> str | None:
    """Return why a new password is refused, in French; None when it is strong enough.

    Args:
        password: as typed.
        personal: names and addresses of its owner, which it must not contain.
    """
    chosen = normal(password)
    if len(chosen) < SHORTEST:
        return f"Ce mot de passe est trop court : il faut au moins {SHORTEST} caractères."
    if len(chosen) > LONGEST:
        return f"Ce mot de passe est trop long : {LONGEST} caractères au plus."
    words = _words(personal)
    if any(word in _plain(chosen) for word in words):
        return "Ce mot de passe contient votre nom ou votre adresse mail : choisissez-en un qui ne parle pas de vous."
    return await _work(partial(_measure, chosen, words))
