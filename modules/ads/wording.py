"""How mails of ads are worded: read, checked, filled, changed by a council.

The text of a council is data and never a template: names between braces are replaced in one pass, and what replaces
them is not looked at again.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, InvalidInput
from modules.ads.councils import NATIONAL
from modules.ads.models_moderation import MailWording
from modules.ads.wording_texts import BODY_MAX, PLACEHOLDERS, STANDARD, SUBJECT_MAX, Event, Wording

_NAMED: Final = re.compile(r"\{([^{}]*)\}")
_BREAKS: Final = re.compile("[^\\S\u00a0\u202f]+")
_BLANK: Final = re.compile(r"\n\s*\n")
STALE: Final = (
    "Quelqu’un de votre conseil a modifié ce message entre-temps\u00a0: rien n’a été enregistré. Ce que vous avez "
    "saisi est gardé ci-dessous\u00a0; comparez-le au texte en place, puis enregistrez à nouveau."
)


def one_line(text: str) -> str:
    """Return a text on one line; the spaces that do not break stay what they are."""
    return _BREAKS.sub(" ", text).strip()


def _problem(text: str) -> str | None:
    unknown = [name for name in _NAMED.findall(text) if name not in PLACEHOLDERS]
    if unknown:
        shown = ", ".join(f"{{{name[:40]}}}" for name in dict.fromkeys(unknown))
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        return f"Repère inconnu\u00a0: {shown}. Utilisez seulement {known}."
    if re.search(r"[{}]", _NAMED.sub("", text)):
        return "Une accolade est seule\u00a0: un repère s’écrit entre deux accolades, par exemple {numero}."
    return None


def checked(subject: str, body: str) -> Wording:
    """Return a wording that can be sent.

    Raises:
        InvalidInput: `fields` says what is wrong with `subject` or `body`.
    """
    subject = one_line(subject)
    body = "\n".join(line.rstrip() for line in body.replace("\r\n", "\n").strip().split("\n"))
    errors: dict[str, str] = {}
    for name, text, most, empty in (
        ("subject", subject, SUBJECT_MAX, "Donnez un objet au message."),
        ("body", body, BODY_MAX, "Écrivez le message."),
    ):
        said = empty if not text else _problem(text)
        if len(text) > most:
            said = f"Ce texte est trop long ({most} caractères au plus)."
        if said:
            errors[name] = said
    if errors:
        raise InvalidInput("Le message n’est pas enregistré.", fields=errors)
    return Wording(subject, body)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its names replaced by values, which are taken as they are."""
    return _NAMED.sub(lambda found: values.get(found[1], found[0]), text)


def paragraphs(body: str, values: Mapping[str, str]) -> list[str]:
    """Return the paragraphs of a body, filled; one that names a value that is empty is left out."""
    kept = []
    for paragraph in _BLANK.split(body):
        names = _NAMED.findall(paragraph)
        if paragraph.strip() and not any(values.get(name) == "" for name in names):
            kept.append(filled(paragraph.strip(), values))
    return kept


async def latest(session: AsyncSession, councils: Collection[str]) -> dict[tuple[str, str], MailWording]:
    """Return the last line of each (council, event) among some councils."""
    rows = await session.scalars(
        select(MailWording)
        .where(MailWording.council.in_(councils))
        .ext(distinct_on(MailWording.council, MailWording.event))
        .order_by(MailWording.council, MailWording.event, MailWording.version.desc())
    )
    return {(row.council, row.event): row for row in rows}


def _chosen(known: Mapping[tuple[str, str], MailWording], councils: Collection[str], event: Event) -> Wording:
    for council in councils:
        row = known.get((council, event))
        if row is not None and row.subject is not None and row.body is not None:
            return Wording(row.subject, row.body)
    return STANDARD[event]


async def wording_of(session: AsyncSession, council: str | None, event: Event) -> Wording:
    """Return how a mail is worded for a council: by itself, else by the national level, else as it stands here."""
    councils = [one for one in (council, NATIONAL) if one is not None]
    return _chosen(await latest(session, councils), councils, event)


async def usual(session: AsyncSession, council: str, event: Event) -> Wording:
    """Return the wording to which a council goes back: that of the national level, else the standard one."""
    return STANDARD[event] if council == NATIONAL else await wording_of(session, NATIONAL, event)


async def history(session: AsyncSession, council: str, event: Event) -> list[MailWording]:
    """Return who changed a wording of a council, the latest first."""
    rows = await session.scalars(
        select(MailWording)
        .where(MailWording.council == council, MailWording.event == event)
        .order_by(MailWording.version.desc())
        .limit(100)
    )
    return list(rows)


async def change(
    session: AsyncSession, council: str, event: Event, version: int, wording: Wording | None, actor: str
) -> None:
    """Give a mail of a council another wording; None goes back to the usual one.

    Raises:
        Conflict: somebody changed it since `version`.
    """
    known = (await latest(session, [council])).get((council, event))
    if (known.version if known else 0) != version:
        raise Conflict(STALE)
    kept = (known.subject, known.body) if known else (None, None)
    wanted = (wording.subject, wording.body) if wording else (None, None)
    if kept == wanted:
        return
    line = MailWording(council=council, event=event, version=version + 1, actor=actor)
    line.subject, line.body = wanted
    try:
        async with session.begin_nested():
            session.add(line)
    except IntegrityError as error:
        raise Conflict(STALE) from error
