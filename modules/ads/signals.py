"""What may catch a moderator's eye in an ad: nothing here decides anything."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz import fuzz, process
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from modules.ads.history_contents import transmitted
from modules.ads.models import Ad, AdHistory
from modules.ads.people import Reader
from modules.ads.schemas import AdContent

Kind = Literal["phone", "email", "link", "capitals", "duplicate", "unchanged"]

CANDIDATES: Final = 200
ALIKE: Final = 88
"""Per cent from which two ads say the same thing."""
_SEPARATED: Final = r"[\s.\-–—_/()*|,·]{0,3}"
_PHONE: Final = re.compile(
    rf"(?<!\d)(?:\+{_SEPARATED}3{_SEPARATED}3|0{_SEPARATED}0{_SEPARATED}3{_SEPARATED}3|0)"
    rf"(?:{_SEPARATED}\(0\))?{_SEPARATED}[1-9](?:{_SEPARATED}\d){{8}}(?!\d)"
)
_AT: Final = r"\s*(?:@|[\[({]\s*(?:at|arobase?|@)\s*[\])}]|\b(?:at|arobase?)\b)\s*"
_DOT: Final = r"\s*(?:\.|[\[({]\s*(?:dot|point)\s*[\])}]|\b(?:dot|point)\b)\s*"
_TLD: Final = r"(?:fr|com|org|net|eu|io|info|pro|me|be|ch|lu|ca|re|nc|pf|paris|bzh|health|care|app|doctor|clinic)"
_EMAIL: Final = re.compile(
    rf"[\w+-]{{1,64}}(?:{_DOT}[\w+-]{{1,64}}){{0,3}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,2}}{_DOT}{_TLD}\b",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"\b\d{1,2}\s*[/.-]\s*\d{1,2}\s*[/.-]\s*\d{4}\b")
"""Two dates in a row would look like a telephone number."""
_LINK: Final = re.compile(
    rf"(?:https?\s*:\s*/\s*/\s*|\bwww\s*\.\s*)\S+|\b[a-z0-9][a-z0-9-]{{1,62}}(?:\.[a-z0-9-]{{1,63}}){{0,2}}\.(?P<tld>{_TLD})\b(?:/\S*)?",
    re.IGNORECASE,
)
_FEWEST_LETTERS: Final = 12
_MOST_CAPITALS: Final = 0.6


@dataclass(frozen=True, slots=True)
class Signal:
    """Something to look at: what it is, the text that shows it; `number` is that of another ad, when one is meant."""

    kind: Kind
    text: str
    number: int | None = None
    address: str | None = None


def in_text(text: str) -> list[Signal]:
    """Return what a text holds that ads should not."""
    phones = _hits(_PHONE, _DATE.sub(" ", text))
    found = [Signal("phone", f"Un numéro de téléphone est écrit\u00a0: «\u00a0{_short(hit)}\u00a0»") for hit in phones]
    mails = _hits(_EMAIL, text)
    found += [Signal("email", f"Une adresse mail est écrite\u00a0: «\u00a0{_short(hit)}\u00a0»") for hit in mails]
    rest = _EMAIL.sub(" ", text)
    found += [Signal("link", f"Un lien est écrit\u00a0: «\u00a0{_short(hit)}\u00a0»") for hit in _hits(_LINK, rest)]
    return found


def _hits(pattern: re.Pattern[str], text: str) -> list[str]:
    # « IRM.Re » is the end of a sentence and the beginning of another.
    kept = (found for found in pattern.finditer(text) if not (found.groupdict().get("tld") or "").istitle())
    return list(dict.fromkeys(found[0].strip() for found in kept))[:5]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def mostly_capitals(text: str) -> bool:
    """Tell whether a text shouts."""
    letters = [char for char in text if char.isalpha()]
    return len(letters) >= _FEWEST_LETTERS and sum(char.isupper() for char in letters) / len(letters) > _MOST_CAPITALS


async def signals(
    session: AsyncSession, reader: Reader, ad: Ad, said: AdContent, lines: Sequence[AdHistory]
) -> list[Signal]:
    """Return what may catch the eye of a moderator in an ad.

    Args:
        session: unit of work.
        reader: the moderator; addresses are those that they may open.
        ad: what is read.
        said: its content, as moderators may read it.
        lines: its history, newest first.
    """
    found: list[Signal] = []
    for name, text in (("titre", said.title), ("description", said.description), ("conditions", said.conditions)):
        found += in_text(text)
        if mostly_capitals(text):
            found.append(Signal("capitals", f"Le champ «\u00a0{name}\u00a0» est écrit surtout en capitales."))
    if _unchanged(ad, said, lines):
        found.append(Signal("unchanged", "Le contenu est le même que celui qui a été refusé."))
    return found + await _duplicates(session, reader, ad, said)


def _unchanged(ad: Ad, said: AdContent, lines: Sequence[AdHistory]) -> bool:
    refusal = next((line for line in lines if line.action == "refuse"), None)
    if refusal is None or ad.state != "pending":
        return False
    before = transmitted(lines, refusal.id)
    return before is not None and before.digest() == said.digest()


def _said(title: str, description: str) -> str:
    return " ".join(f"{title} {description}".lower().split())


async def _duplicates(session: AsyncSession, reader: Reader, ad: Ad, content: AdContent) -> list[Signal]:
    own = and_(Ad.account_id == ad.account_id, Ad.state.in_(("pending", "published", "unpublished", "refused")))
    like = and_(
        Ad.specialty == ad.specialty,
        Ad.category == ad.category,
        Ad.side == ad.side,
        Ad.state.in_(("pending", "published")),
    )
    rows = (
        await session.execute(
            select(Ad.number, Ad.title, Ad.description, Ad.state, Ad.council, Ad.account_id)
            .where(or_(own, like), Ad.id != ad.id)
            .order_by(own.desc(), Ad.updated_at.desc(), Ad.id)
            .limit(CANDIDATES)
        )
    ).all()
    texts = {at: _said(row.title, row.description) for at, row in enumerate(rows)}
    alike = process.extract(
        _said(content.title, content.description), texts, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE, limit=3
    )
    found = []
    for _, score, at in alike:
        row = rows[at]
        who = "du même auteur" if row.account_id == ad.account_id else "d’un autre auteur"
        address = None
        if reader.moderates_for(row.council):
            address = f"/annonces/moderation/{row.number}"
        elif row.state == "published":
            address = f"/annonces/{row.number}"
        text = f"Ressemble à {round(score)}\u00a0% à l’annonce n°\u00a0{row.number}, {who}."
        found.append(Signal("duplicate", text, row.number, address))
    return found
