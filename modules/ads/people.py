"""Who reads, writes and moderates ads: decided here, and applied in every query."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import ColumnElement, Date, and_, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person, SignedInDep, Standing, standing_of
from core import http
from core.db import SessionDep
from core.errors import DomainError, Forbidden
from modules.ads.models import Ad, AdFile, AdHistory

COUNCIL: Final = "council:"
VISIT: Final = "/coordonnees/premiere-visite"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is known: what they are, which councils they moderate, whether they are of the national level."""

    person: Person
    standing: Standing | None
    councils: frozenset[str]
    national: bool

    @property
    def account_id(self) -> int:
        """Their account."""
        return self.person.account_id

    @property
    def moderates(self) -> bool:
        """Whether they moderate anything."""
        return self.national or bool(self.councils)

    def moderates_for(self, council: str | None) -> bool:
        """Tell whether they moderate the ads of a council; the national level moderates all of them."""
        return self.national or council in self.councils


async def reader_of(session: AsyncSession, person: Person) -> Reader | None:
    """Return somebody as a reader of ads, or None: nobody else sees an ad."""
    councils = frozenset(
        scope.removeprefix(COUNCIL) for scope in person.scopes("moderator") if scope.startswith(COUNCIL)
    )
    national = person.has("administrator")
    standing = await standing_of(session, person.account_id)
    if standing is None and not councils and not national:
        return None
    return Reader(person, standing, councils, national)


async def _reader(session: SessionDep, person: SignedInDep) -> Reader:
    reader = await reader_of(session, person)
    if reader is None:
        raise Forbidden(
            "Les annonces sont réservées aux médecins, aux docteurs juniors et aux internes connus du répertoire. "
            "Si vous êtes l’un d’eux, écrivez à l’assistance pour faire reconnaître votre statut."
        )
    return reader


class VisitNeeded(DomainError):
    """The reader has not said yet what may be shown of them, nor which council is theirs."""

    status = 403
    code = "premiere-visite"
    title = "Première visite"


async def ask_to_visit(request: Request, error: Exception) -> Response:
    """Send a browser to the first visit, from which it comes back; programs get the problem itself."""
    assert isinstance(error, VisitNeeded)  # noqa: S101 - registered for this class
    if not http.wants_page(request):
        return http.problem(error.status, error.title, error.detail, code=error.code)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{VISIT}?suite={quote(here, safe='')}", status_code=303)


async def _visitor(request: Request, reader: Annotated[Reader, Depends(_reader)]) -> Reader:
    if request.method == "GET" and reader.standing and not reader.standing.visited:
        raise VisitNeeded("Répondez d’abord aux questions de la première visite.")
    return reader


async def _author(reader: Annotated[Reader, Depends(_visitor)]) -> Reader:
    if reader.standing is None:
        raise Forbidden("Seuls les médecins, les docteurs juniors et les internes publient des annonces.")
    return reader


async def _moderator(reader: Annotated[Reader, Depends(_reader)]) -> Reader:
    if not reader.moderates:
        raise Forbidden("Cette page est réservée aux conseils départementaux.")
    return reader


ReaderDep = Annotated[Reader, Depends(_reader)]
"""FastAPI dependency: who reads ads; anybody else is told that they may not."""
VisitorDep = Annotated[Reader, Depends(_visitor)]
"""FastAPI dependency of pages: as `ReaderDep`, once the first visit is done; a page that is opened leads there."""
AuthorDep = Annotated[Reader, Depends(_author)]
"""FastAPI dependency: who may write ads."""
ModeratorDep = Annotated[Reader, Depends(_moderator)]
"""FastAPI dependency: who moderates, for a council or nationally."""


def today() -> ColumnElement[date]:
    """Return the civil day in Paris of the database's instant, in SQL: a subquery, worked out once for all the rows."""
    return select(cast(func.timezone("Europe/Paris", func.core.now()), Date)).scalar_subquery()


def shown() -> ColumnElement[bool]:
    """Select the ads that readers find: published, through their last day, even if the clock's passage is late."""
    # As a subquery, the day is computed once and not for each row.
    return and_(Ad.state == "published", Ad.ends_on >= select(today()).scalar_subquery())


def moderated_by(reader: Reader) -> ColumnElement[bool]:
    """Select the ads that somebody moderates: drafts and deleted ads are nobody's but their author's."""
    told = Ad.state.in_(("pending", "published", "unpublished", "refused"))
    sent = and_(told, Ad.submitted_at.is_not(None))
    return sent if reader.national else and_(sent, Ad.council.in_(sorted(reader.councils)))


def readable_by(reader: Reader) -> ColumnElement[bool]:
    """Select the ads that somebody may open: those shown, their own, those that they moderate.

    What an author corrects of a refused or unpublished ad is theirs until it is transmitted again.
    """
    own = and_(Ad.account_id == reader.account_id, Ad.state != "deleted")
    rules = [shown(), own]
    if reader.moderates:
        rules.append(and_(moderated_by(reader), Ad.state.in_(("pending", "published"))))
    return or_(*rules)


def file_readable_by(reader: Reader) -> ColumnElement[bool]:
    """Select, in a join of ads and their files, the files that somebody may open: as the text that they belong to.

    Moderators read what was last transmitted of a refused or unpublished ad, and so its files, not those added since.
    """
    if not reader.moderates:
        return readable_by(reader)
    sent = (
        select(AdHistory.detail["files"])
        .where(AdHistory.ad_id == Ad.id, AdHistory.action.in_(("submit", "revise")), AdHistory.detail.is_not(None))
        .order_by(AdHistory.id.desc())
        .limit(1)
        .correlate(Ad)
        .scalar_subquery()
    )
    named = func.jsonb_build_array(func.jsonb_build_object("name", AdFile.name, "digest", AdFile.digest))
    return or_(readable_by(reader), and_(moderated_by(reader), sent.op("@>", is_comparison=True)(named)))
