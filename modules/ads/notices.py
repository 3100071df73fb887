"""What is told by mail of the life of an ad: one mail for each line of its history, to their « Ordre » address."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Account, reach, send_message
from core import mail
from core.errors import InvalidInput
from core.ui.filters import long_date, lower_first
from modules.ads import councils, wording
from modules.ads.labels import CATEGORIES, STANDINGS, UNPUBLISH_REASONS
from modules.ads.models import Ad, AdHistory
from modules.ads.wording_texts import Event, Wording

log = structlog.get_logger("repere.ads")
mail.add_templates(Path(__file__).parent / "templates")

_EVENTS: Final[Mapping[str, Event]] = {
    "submit": "submitted",
    "revise": "submitted",
    "accept": "published",
    "republish": "published",
    "refuse": "refused",
    "unpublish": "unpublished",
    "expire": "unpublished",
    "suspend": "suspended",
}
"""What is told of an action; the others are not told: their author does them alone, or nobody is left to read."""
_ACTIONS: Final[Mapping[Event, tuple[str, str]]] = {
    "submitted": ("Suivre l’annonce", "/annonces/mes-annonces"),
    "published": ("Voir l’annonce", "/annonces/{number}"),
    "refused": ("Corriger l’annonce", "/annonces/{number}/modifier"),
    "warning": ("Prolonger l’annonce", "/annonces/mes-annonces"),
    "unpublished": ("Gérer mes annonces", "/annonces/mes-annonces"),
    "suspended": ("Gérer mes annonces", "/annonces/mes-annonces"),
    "report_received": ("Voir l’annonce", "/annonces/{number}"),
    "report_closed": ("Trouver une annonce", "/annonces"),
}
_UNKNOWN: Final = ("Écrire à l’assistance", "/assistance")
"""For whoever reads no ads any more, theirs included."""


def values_of(ad: Ad, motive: str = "") -> dict[str, str]:
    """Return what stands for the names of a wording: one line each, but for the reason."""
    return {
        "numero": str(ad.number),
        "titre": wording.one_line(ad.title),
        "categorie": CATEGORIES.get(ad.category or "", ""),
        "conseil": councils.title(ad.council),
        "fin": long_date(ad.ends_on),
        "motif": motive,
    }


def _motive(line: AdHistory) -> str:
    if line.action == "unpublish":
        said = UNPUBLISH_REASONS.get(line.reason or "")
        return "vous l’avez dépubliée" + (f" ({said[:1].lower()}{said[1:]})" if said else "") + "."
    if line.action == "expire" and line.from_state == "pending":
        return "la date de fin que vous aviez choisie est passée avant que le conseil ne l’ait vérifiée."
    if line.action == "expire":
        return "la date de fin de publication est passée."
    if line.action == "suspend":
        return _suspended(line)
    return line.reason or ""


def _suspended(line: AdHistory) -> str:
    said = line.detail or {}
    if line.reason == "licence":
        return f"votre licence de remplacement a pris fin le {long_date(date.fromisoformat(said['ended']))}."
    if line.reason == "standing":
        now = lower_first(STANDINGS[said["standing"]])
        return (
            f"votre situation a été retirée ou changée\u00a0: celle d’aujourd’hui ({now}) ne permet pas cette annonce."
        )
    return "vous n’êtes plus connu comme médecin, docteur junior ou interne."


async def announce(session: AsyncSession, ad: Ad, line: AdHistory) -> None:
    """Write the mail that a passage calls for, in its transaction; nothing after the account was closed."""
    event = _EVENTS.get(line.action)
    if event is not None:
        lost = line.action == "suspend" and line.reason == "unknown"
        await tell(session, ad, event, str(line.id), _motive(line), action=_UNKNOWN if lost else None)


async def warn(session: AsyncSession, ad: Ad) -> bool:
    """Tell an author that an ad ends soon, once for each end; return whether the mail is new."""
    return await tell(session, ad, "warning", f"{ad.number}:{ad.ends_on}")


async def tell(
    session: AsyncSession,
    ad: Ad,
    event: Event,
    key: str,
    motive: str = "",
    *,
    account_id: int | None = None,
    action: tuple[str, str] | None = None,
) -> bool:
    """Write a mail and a message to the author of an ad, or to an account; the same key never gives another one.

    Args:
        session: the unit of work.
        ad: what it is about.
        event: which wording.
        key: of the mail, with its event.
        motive: what stands for « motif ».
        account_id: who is told, the author by default.
        action: the words and the path of its button; those of the event by default.

    Returns:
        Whether a mail is new.
    """
    to = ad.account_id if account_id is None else account_id
    await councils.ready()
    worded = await wording.wording_of(session, ad.council, event)
    values = values_of(ad, motive)
    subject, said = drawn(worded, values)
    label, path = action or _ACTIONS[event]
    path = path.format(number=ad.number)
    await send_message(session, to, kind=f"ads.{event}", key=key, subject=subject, body="\n\n".join(said), link=path)
    address = (await reach(session, to, "ordre")).email
    if address is None:
        return False
    name = await session.scalar(
        select(func.concat_ws(" ", Account.first_name, Account.last_name)).where(Account.id == to)
    )
    context = {"title": subject, "paragraphs": said, "label": label, "path": path, "council": values["conseil"]}
    try:
        return await mail.queue(
            session,
            kind=f"ads.{event}",
            key=key,
            to=address,
            to_name=(name or "").strip(),
            template="ads/event",
            context=context,
        )
    except InvalidInput:
        # An address that cannot be written to must not keep an ad from its passage; the message says it all.
        log.warning("ad_mail_not_written", ad=ad.number, notice=event)
        return False


def drawn(worded: Wording, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the subject and the paragraphs of a mail."""
    return wording.one_line(wording.filled(worded.subject, values)), wording.paragraphs(worded.body, values)
