"""What an export is asked for: types, filters, since when; read from the parameters of the request."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Caller
from search_api.fhir.kinds import KINDS_OF_TYPE, Kind
from search_api.fhir.outcome import FhirError, Issue
from search_api.fhir.search.type_filter import Filter, type_filter

FORMATS: Final = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})
PARAMETERS: Final = frozenset({"_type", "_typeFilter", "_since", "_outputFormat", "_format", "_pretty"})
FILTERS: Final = 20
LONGEST: Final = 4000


class ExportQuestion(BaseModel):
    """What an export holds: types in the order of the feed, filters as (type, query string), since when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: tuple[str, ...]
    filters: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None


def read(pairs: Sequence[tuple[str, str]], *, strict: bool) -> ExportQuestion:
    """Return the question of a request.

    Raises:
        FhirError: 400, naming each parameter that is wrong; unknown ones only when the caller is strict.
    """
    issues: list[Issue] = []
    types: dict[str, None] = {}
    filters: list[tuple[str, str]] = []
    since: datetime | None = None
    for name, value in pairs:
        if name == "_type":
            types |= dict.fromkeys(part.strip() for part in value.split(",") if part.strip())
        elif name == "_typeFilter":
            kind, mark, query = value[:LONGEST].partition("?")
            if not mark or not query or len(value) > LONGEST:
                issues.append(Issue("Un filtre s’écrit « Type?paramètres ».", expression=name))
            filters.append((kind, query))
        elif name == "_since":
            since = _instant(value)
            if since is None:
                issues.append(Issue(f"« {value[:40]} » n’est pas un instant FHIR.", expression=name))
        elif name == "_outputFormat":
            if value.replace(" ", "+") not in FORMATS:
                told = f"Le format « {value[:60]} » n’est pas proposé : demandez application/fhir+ndjson."
                issues.append(Issue(told, "not-supported", expression=name))
        elif strict and name not in PARAMETERS:
            issues.append(Issue(f"Le paramètre « {name[:40]} » est inconnu.", "not-supported", expression=name[:40]))
    issues += [
        Issue(f"Le type « {one[:40]} » n’est pas de ceux de ce flux : {', '.join(KINDS_OF_TYPE)}.", expression="_type")
        for one in types
        if one not in KINDS_OF_TYPE
    ]
    wanted = tuple(one for one in KINDS_OF_TYPE if not types or one in types)
    issues += [
        Issue(f"Le filtre porte sur « {one[:40]} », qui n’est pas demandé.", expression="_typeFilter")
        for one, _ in filters
        if one not in wanted
    ]
    if len(filters) > FILTERS:
        issues.append(Issue(f"Pas plus de {FILTERS} filtres.", "too-costly", expression="_typeFilter"))
    if issues:
        raise FhirError(400, *issues)
    return ExportQuestion(types=wanted, filters=tuple(filters), since=since)


def _instant(text: str) -> datetime | None:
    # A plus sign in an address reads as a space.
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def selects(session: AsyncSession, question: ExportQuestion, caller: Caller) -> dict[Kind, list[Filter]]:
    """Return, for each kind that a filter names, the filters of which it must meet any.

    Raises:
        FhirError: 400, a filter cannot be read.
    """
    found: dict[Kind, list[Filter]] = {}
    for name, query in question.filters:
        for kind, one in (await type_filter(session, name, query, caller)).items():
            found.setdefault(kind, []).append(one)
    return found
