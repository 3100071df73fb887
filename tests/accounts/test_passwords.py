"""Passwords: one form whatever the keyboard, strength said in French, nobody's compared like somebody's."""

import asyncio
import unicodedata

import pytest

from accounts import passwords
from accounts.labels import device, happening, right

STRONG = "tournesol guitare vapeur"


@pytest.mark.parametrize(
    "password",
    [
        STRONG,
        "été à la forêt noire",
        "é" * 3 + "wQ7 zébu ukulélé",
        "".join(chr(33 + (n * n * 7 + 13 * n) % 90) for n in range(256)),
        "鍵空海山川木火水土金月日",
    ],
)
async def test_strong_passwords_of_any_alphabet_and_length_are_accepted(password: str) -> None:
    assert await passwords.weakness(password) is None
    assert await passwords.verify(await passwords.hashed(password), unicodedata.normalize("NFD", password))


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "trop court"),
        ("a" * 11, "trop court"),
        ("a" * 12, "répétés"),
        ("motdepasse123", "devinerait"),
        ("azertyuiopqsd", "devinerait"),
        ("12345678901234", "devinerait"),
        ("x" * 257, "trop long"),
    ],
)
async def test_weak_passwords_are_refused_with_advice(password: str, message: str) -> None:
    refused = await passwords.weakness(password)
    assert refused is not None
    assert message in refused


@pytest.mark.parametrize(
    ("password", "personal"),
    [
        ("lefèvre guitare vapeur", ("Lefevre",)),
        ("LEFEVRE guitare vapeur", ("Lefèvre",)),
        ("le-fevre guitare vapeur", ("Lefevre",)),
        ("guitare vapeur a.martin84", ("a.martin84@exemple.fr",)),
    ],
)
async def test_a_password_does_not_speak_of_its_owner(password: str, personal: tuple[str, ...]) -> None:
    refused = await passwords.weakness(password, personal)
    assert refused is not None and "votre nom" in refused


async def test_short_names_do_not_forbid_everything() -> None:
    assert await passwords.weakness("tournesol guitare vapeur li", ("Li", "Bo", "")) is None


async def test_names_of_one_person_stay_out_of_the_next_measure() -> None:
    many = ("Tournesol", "Guitares")
    await passwords.weakness("vapeur zébu ukulélé", many)
    assert await passwords.weakness(STRONG) is None


async def test_nobody_has_no_password() -> None:
    for tried in ("", STRONG, "personne n’a ce mot de passe", "x" * 100_000):
        assert not await passwords.verify(None, tried)
    assert not await passwords.verify("not a hash", STRONG)


async def test_a_crowd_is_served() -> None:
    kept = await passwords.hashed(STRONG)
    answers = await asyncio.gather(*(passwords.verify(kept, STRONG if n % 2 else "faux") for n in range(10)))
    assert answers == [bool(n % 2) for n in range(10)]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox sur Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
         " Safari/605.1.15", "Safari sur Mac"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
         " CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome sur iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
         " Safari/537.36 Edg/140.0.0.0", "Edge sur Windows"),
        ("", "Navigateur inconnu"),
        ("<script>alert(1)</script>", "Navigateur inconnu"),
    ],
)  # fmt: skip
def test_browsers_are_named(agent: str, name: str) -> None:
    assert device(agent) == name


def test_rights_and_happenings_are_said_in_french() -> None:
    assert right("administrator", "") == "Administrateur du site"
    assert right("site_manager", "finess:780000287") == "Gestionnaire d’établissement (FINESS\u00a0780000287)"
    assert happening("granted", {"role": "moderator", "scope": "council:2A"}) == (
        "Accès donné\u00a0: Modérateur (conseil départemental\u00a02A)"
    )
    assert happening("inconnu", None) == "inconnu"
