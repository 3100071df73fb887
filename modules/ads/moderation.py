"""Use cases of moderators: the table, one ad with all that helps to judge it, the decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Account, Standing, names_of, standing_of
from core.errors import Conflict, NotFound
from core.ui.filters import hour, long_date
from core.ui.tables import View
from directory.api import Offer, OfferSearch, Practitioner, Role, Site, searchable
from modules.ads import councils, life, moderation_queries, reports
from modules.ads.labels import REASONS, STATES
from modules.ads.models import Ad, AdHistory
from modules.ads.moderation_queries import Wanted
from modules.ads.people import Reader, moderated_by

Decision = Literal["accept", "refuse"]
DONE: Final[Mapping[Decision, str]] = {"accept": "acceptée", "refuse": "refusée"}
MOST_SHEETS: Final = 5
MOST_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class Table:
    """A page of the table."""

    view: View
    rows: list[Row[Any]]
    waiting: int
    escalated: int
    reported: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of the directory that shows an author."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an ad, as a moderator checks it. `registered`: their name in the RPPS, None when it has none.

    `elsewhere`: the département where they practise by the registers, when the council of the ad is another's.
    """

    name: str
    rpps: str | None
    registered: str | None
    standing: Standing | None
    sheets: list[Sheet]
    elsewhere: str = ""


async def table(session: AsyncSession, reader: Reader, wanted: Wanted, view: View) -> Table:
    """Return a page of the table, in two statements."""
    total, waiting, escalated, reported = (await session.execute(moderation_queries.counts(reader, wanted))).one()
    view = view.counted(total)
    found = await session.execute(
        moderation_queries.rows(reader, wanted, view.sort, view.descending, offset=view.offset)
    )
    return Table(view, list(found), waiting, escalated, reported)


async def find(session: AsyncSession, reader: Reader, number: int) -> Ad:
    """Return an ad that somebody moderates.

    Raises:
        NotFound: it is not theirs to moderate.
    """
    ad = await session.scalar(select(Ad).where(Ad.number == number, moderated_by(reader)))
    if ad is None:
        raise NotFound("Cette annonce n’existe pas, ou relève d’un autre conseil.")
    return ad


async def author_of(session: AsyncSession, reader: Reader, ad: Ad) -> Author:
    """Return who wrote an ad: their account, what the registers say of them, their sheets of the directory."""
    first, last, rpps = (
        await session.execute(
            select(Account.first_name, Account.last_name, Account.rpps).where(Account.id == ad.account_id)
        )
    ).one()
    registered: str | None = None
    sheets: list[Sheet] = []
    if rpps:
        known = await session.execute(
            select(Practitioner.first_name, Practitioner.last_name)
            .where(Practitioner.rpps == rpps, Practitioner.closed_on.is_(None))
            .order_by(Practitioner.id)
            .limit(1)
        )
        registered = next((f"{row.first_name} {row.last_name}".strip() for row in known), None)
        offers = await session.execute(
            select(Offer.uid, Site.name)
            .join(Role, Role.id == Offer.role_id)
            .join(Practitioner, Practitioner.id == Role.practitioner_id)
            .join(OfferSearch, OfferSearch.offer_id == Offer.id)
            .join(Site, Site.id == Offer.site_id)
            .where(Practitioner.rpps == rpps, searchable(reader.person.level))
            .order_by(Site.name, Offer.id)
            .limit(MOST_SHEETS)
        )
        sheets = [Sheet(f"/offres/{row.uid}", row.name) for row in offers]
    standing = await standing_of(session, ad.account_id)
    practises = standing.practises if standing else None
    elsewhere = councils.departement_name(practises) if practises and practises != ad.council else ""
    return Author(f"{first} {last}".strip(), rpps, registered, standing, sheets, elsewhere)


async def lines_of(session: AsyncSession, ad: Ad) -> list[AdHistory]:
    """Return the history of an ad, newest first."""
    found = await session.scalars(
        select(AdHistory).where(AdHistory.ad_id == ad.id).order_by(AdHistory.id.desc()).limit(MOST_LINES)
    )
    return list(found)


async def decide(
    session: AsyncSession, reader: Reader, number: int, version: int, decision: Decision, reason: str = ""
) -> Ad:
    """Accept or refuse an ad.

    Raises:
        NotFound: it is not theirs to moderate.
        Forbidden: they wrote it.
        Conflict: somebody acted on it meanwhile; the message says who and what.
        InvalidInput: the reason is too long.
    """
    try:
        ad = await life.moderated(session, reader, number, version)
        if decision == "accept":
            await life.accept(session, reader, ad)
        else:
            await life.refuse(session, reader, ad, reason)
            # What was reported is no longer shown: there is nothing left to look at.
            await reports.close(session, reader, ad, reports.REMOVED)
    except Conflict as error:
        raise Conflict(await _told(session, reader, number, error)) from error
    return ad


async def _told(session: AsyncSession, reader: Reader, number: int, error: Conflict) -> str:
    if error.detail != life.ALREADY:
        return error.detail
    line = await session.scalar(
        select(AdHistory)
        .join(Ad, Ad.id == AdHistory.ad_id)
        .where(Ad.number == number, moderated_by(reader))
        .order_by(AdHistory.id.desc())
        .limit(1)
    )
    if line is None:
        return error.detail
    when = f"le {long_date(line.at)} à {hour(line.at)}"
    who = await _who(session, reader, line)
    if line.action in DONE:
        said = f"{who} a déjà {'accepté' if line.action == 'accept' else 'refusé'} cette annonce {when}."
    elif line.action == "suspend":
        said = f"La situation de l’auteur ne permet plus cette annonce\u00a0: elle a été dépubliée {when}."
    elif line.council is None and line.actor == life.CLOCK:
        said = f"La date de fin de cette annonce est passée\u00a0: elle a été dépubliée {when}."
    else:
        said = (
            f"L’auteur a modifié cette annonce {when}\u00a0: elle est à l’état «\u00a0{STATES[line.to_state]}\u00a0»."
        )
    return f"{said} Rien n’a été modifié\u00a0: relisez-la ci-dessous."


async def _who(session: AsyncSession, reader: Reader, line: AdHistory) -> str:
    council = councils.short_of_line(line.council)
    if line.actor == reader.person.actor:
        return "Vous-même, dans un autre onglet,"
    if line.council not in own_lines(reader):
        return council
    name = (await names_of(session, [line.actor])).get(line.actor)
    return f"{name} ({council})" if name else council


def own_lines(reader: Reader) -> frozenset[str]:
    """Return how histories call the councils of a moderator: of these, they may read the names of their colleagues."""
    mine = {councils.short(council) for council in reader.councils}
    return frozenset(mine | {councils.NATIONAL} if reader.national else mine)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of history as moderators read it: who, what they did, why, when."""

    who: str
    name: str
    text: str
    reason: str
    at: datetime
    refusal: bool


async def history(session: AsyncSession, reader: Reader, lines: Sequence[AdHistory]) -> list[Line]:
    """Return lines of history as moderators read them."""
    names = await names_of(session, {line.actor for line in lines})
    mine = own_lines(reader)
    found = []
    for line in lines:
        name = names.get(line.actor, "Un compte fermé")
        if line.actor == life.CLOCK:
            who, colleague = "Repère", ""
        elif line.council is not None:
            who, colleague = councils.short_of_line(line.council), name if line.council in mine else ""
        else:
            who, colleague = name, ""
        found.append(Line(who, colleague, _what(line), _why(line), line.at, line.action == "refuse"))
    return found


def _what(line: AdHistory) -> str:
    if line.action == "create":
        return "a créé le brouillon"
    if line.action == "extend":
        after = (line.detail or {}).get("after")
        until = f" au {long_date(datetime.fromisoformat(after).date())}" if after else ""
        return f"a modifié la date de fin de publication{until and ', portée' + until}"
    more = {
        "revise": ", en modifiant le contenu",
        "republish": ", sans modifier le contenu accepté",
        "expire": ", date de fin atteinte",
        "suspend": ", la situation de son auteur ne la permettant plus",
    }.get(line.action, "")
    return f"a passé le statut à {STATES[line.to_state]}{more}"


def _why(line: AdHistory) -> str:
    reason = line.reason or ""
    return REASONS.get(reason, reason) if line.action in ("unpublish", "suspend") else reason
