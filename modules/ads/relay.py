"""Messages to the authors of anonymous ads: passed on by mail, neither address is shown before the author answers."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Limit, take
from core import clock, mail
from core.errors import Conflict, InvalidInput, TooMany
from modules.ads.labels import STANDINGS
from modules.ads.people import Reader
from modules.ads.reading import Opened, address_of

LONGEST: Final = 3000
SHORTEST: Final = 10
MESSAGES: Final = Limit("ads-relay", 10, timedelta(minutes=10))
"""Messages that one account may pass on."""
KEPT_TRYING: Final = timedelta(days=3)

mail.add_templates(Path(__file__).parent / "templates")


async def send(session: AsyncSession, reader: Reader, opened: Opened, message: str, agreed: bool, token: str) -> bool:
    """Pass a message on to the author of an anonymous ad; return whether it is new (a double click is not).

    Args:
        session: unit of work.
        reader: who writes; the author answers to their confirmed e-mail.
        opened: the ad.
        message: as typed.
        agreed: whether they accept that the author reads their name and address.
        token: of the form, so that it is sent once.

    Raises:
        InvalidInput: the message, or the agreement, is missing.
        Conflict: the ad is not anonymous, is one's own, or somebody has no e-mail.
        TooMany: this account writes too much.
    """
    text = message.replace("\x00", "").replace("\r\n", "\n").strip()
    errors: dict[str, str] = {}
    if len(text) < SHORTEST:
        errors["message"] = "Écrivez votre message."
    elif len(text) > LONGEST:
        errors["message"] = f"Ce message est trop long ({LONGEST} caractères au plus, {len(text)} pour le moment)."
    if not agreed:
        errors["agreed"] = "Acceptez que l’auteur reçoive votre nom et votre adresse : il ne peut répondre qu’ainsi."
    if errors:
        raise InvalidInput("Le message n’est pas parti.", fields=errors)
    if not opened.ad.anonymous or opened.mine or opened.ad.state != "published":
        raise Conflict("Cette annonce ne reçoit pas de message par ce formulaire. Rien n’est parti.")
    sender = await address_of(session, reader.account_id)
    if sender is None:
        raise Conflict("Confirmez d’abord une adresse mail dans « Coordonnées » : l’auteur vous répondra là.")
    author = await address_of(session, opened.ad.account_id)
    if author is None:
        raise Conflict("L’auteur ne peut pas être joint pour le moment. Rien n’est parti : réessayez plus tard.")
    wait = await take(session, MESSAGES, str(reader.account_id))
    if wait is not None:
        minutes = -(-int(wait.total_seconds()) // 60)
        raise TooMany(
            f"Vous avez envoyé beaucoup de messages. Réessayez dans {minutes}\u00a0minutes ; rien n’est parti."
        )
    standing = reader.standing
    return await mail.queue(
        session,
        kind="ads.relay",
        key=f"{opened.ad.number}:{reader.person.uid}:{_token(token)}",
        to=author,
        template="ads/relay",
        context={
            "number": opened.ad.number,
            "title": opened.ad.title,
            "path": opened.view.address,
            "name": standing.name if standing else reader.person.name,
            "standing": STANDINGS[standing.kind] if standing else "",
            "address": sender,
            "message": text,
        },
        # Between two people: nobody else reads it once it has left.
        secret=True,
        expires_at=await clock.now(session) + KEPT_TRYING,
        reply_to=sender,
    )


def new_token() -> str:
    """Return what makes one form one message."""
    return str(uuid.uuid4())


def _token(given: str) -> str:
    try:
        return str(uuid.UUID(given))
    except ValueError:
        return new_token()
