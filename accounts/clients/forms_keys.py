"""The public keys of a client as they are given: pasted, or at an address; what was typed is kept, right or wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from accounts.clients.key_sets import Unread, fetch
from accounts.clients.keys import PublicKey, pasted
from core.errors import InvalidInput

_ONE: Final = "Collez un jeu de clés, ou donnez l’adresse où il se lit : l’un des deux."


@dataclass(frozen=True, slots=True)
class KeysForm:
    """What was typed."""

    text: str = ""
    url: str = ""
    grace: int = 7


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """Keys that were read, and the address where they will be read again."""

    keys: Sequence[PublicKey]
    url: str | None = None


async def read(form: KeysForm) -> GivenKeys:
    """Return the keys that a form gives; an address is read now, so that a wrong one is told at once.

    Raises:
        InvalidInput: with a message at the field.
    """
    text, url = form.text.strip(), form.url.strip()
    if bool(text) == bool(url):
        raise InvalidInput(_ONE, fields={"adresse" if text else "cles": _ONE})
    if text:
        return GivenKeys(pasted(text))
    try:
        return GivenKeys(await fetch(url), url)
    except Unread as error:
        message = f"Les clés n’ont pas été lues à cette adresse. {error.reason}"
        raise InvalidInput(message, fields={"adresse": message}) from None
