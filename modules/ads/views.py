"""All that is shown of an ad, ready for pages, mails and the API: labels, places, periods, files, contacts."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, Text, any_, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Reach, reaches
from core.db import Fixed, keys
from core.ui.filters import MONTHS, NBSP, counted, long_date
from maps.api import PlaceHit, place_by_id, ready
from modules.ads.labels import CATEGORIES, FLAGS, SITUATIONS, STATES
from modules.ads.models import Ad, AdFile, AdPeriod, AdPlace
from modules.ads.specialties import specialty_names

TOWNS: Final = frozenset({"commune", "commune_deleguee", "arrondissement"})
"""Kinds of places that are a point on a map; the others are areas."""
ANNOUNCED: Final = "annonces"
"""The use of coordinates that ads show."""
_GONE_PLACE: Final = "Lieu retiré du découpage officiel"


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place of an ad. `ref` is what searches take (`commune:78361`); None once the place has left the index."""

    id: int
    name: str
    label: str
    kind: str
    ref: str | None
    lat: float | None
    lon: float | None

    @property
    def town(self) -> bool:
        """Whether it is a point on a map; a département, a région and France are areas."""
        return self.kind in TOWNS and self.lat is not None


@dataclass(frozen=True, slots=True)
class PeriodView:
    """A period and how it reads (« Du 1er au 31 juillet 2026 », « À partir du 10 mai 2026 »)."""

    starts_on: date
    ends_on: date | None
    text: str


@dataclass(frozen=True, slots=True)
class FileView:
    """A photo or a PDF, and where it is served; `thumb` is the address of the small picture of a photo."""

    uid: uuid.UUID
    kind: Literal["image", "pdf"]
    name: str
    address: str
    thumb: str | None
    size: int
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class AdView:
    """An ad as it is shown. What a draft lacks is an empty text.

    `flag` is the badge of the ad (« Urgent », « Disponible immédiatement »), or None. `contact` is how its author is
    reached: None when it was not asked for, and always None of an anonymous ad.
    """

    id: int
    number: int
    version: int
    account_id: int
    state: str
    state_label: str
    council: str | None
    category: str | None
    category_label: str
    side: str | None
    situation: str
    specialty: str | None
    specialty_label: str
    title: str
    description: str
    conditions: str
    flag: str | None
    anonymous: bool
    places: tuple[PlaceView, ...]
    periods: tuple[PeriodView, ...]
    files: tuple[FileView, ...]
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    ends_on: date | None
    refusals: int
    contact: Reach | None = None

    @property
    def address(self) -> str:
        """The address of its page."""
        return f"/annonces/{self.number}"

    @property
    def name(self) -> str:
        """How lists and mails name it: « n° 84 - Remplacement »."""
        if not self.number:
            # A preview: nothing is written yet.
            return self.category_label or "Annonce"
        return f"n°{NBSP}{self.number}" + (f" - {self.category_label}" if self.category_label else "")

    @property
    def photos(self) -> tuple[FileView, ...]:
        """Its photos, in their author's order."""
        return tuple(file for file in self.files if file.kind == "image")

    @property
    def documents(self) -> tuple[FileView, ...]:
        """Its PDF, in their author's order."""
        return tuple(file for file in self.files if file.kind == "pdf")

    @property
    def places_text(self) -> str:
        """Its places on one line."""
        return ", ".join(place.name for place in self.places)

    @property
    def periods_text(self) -> str:
        """Its first period, and how many follow."""
        if not self.periods:
            return ""
        more = len(self.periods) - 1
        return self.periods[0].text + (f" et {counted(more, 'autre période', 'autres périodes')}" if more else "")


def period_text(starts_on: date, ends_on: date | None) -> str:
    """Write a period: the year and the month that both ends share are said once."""
    if ends_on is None:
        return f"À partir du {long_date(starts_on)}"
    if ends_on == starts_on:
        return f"Le {long_date(starts_on)}"
    day = "1er" if starts_on.day == 1 else str(starts_on.day)
    if starts_on.year != ends_on.year:
        start = long_date(starts_on)
    elif starts_on.month != ends_on.month:
        start = f"{day}{NBSP}{MONTHS[starts_on.month - 1]}"
    else:
        start = day
    return f"Du {start} au {long_date(ends_on)}"


def place_view(place_id: int, hit: PlaceHit | None) -> PlaceView:
    """Return how a place is shown; a place that has left the index says so."""
    if hit is None:
        return PlaceView(place_id, _GONE_PLACE, _GONE_PLACE, "", None, None, None)
    return PlaceView(place_id, hit.name, hit.label, hit.kind, hit.ref, hit.lat, hit.lon)


def file_address(uid: uuid.UUID, *, thumb: bool = False) -> str:
    """Return where a file of an ad is served, to those who may read the ad."""
    return f"/annonces/fichiers/{uid}" + ("/vignette" if thumb else "")


async def views(session: AsyncSession, ads: Sequence[Ad], *, contacts: bool = False) -> list[AdView]:
    """Return ads as they are shown, in the order given; two statements at most, whatever their number.

    Args:
        session: unit of work; what waits in it is written first.
        ads: whoever calls has checked that the reader may read them.
        contacts: how authors are reached too; never told of an anonymous ad.
    """
    await session.flush()
    return await views_of(session, [ad.id for ad in ads], contacts=contacts)


async def view(session: AsyncSession, ad: Ad, *, contacts: bool = False) -> AdView:
    """Return one ad as it is shown. See `views`."""
    return (await views(session, [ad], contacts=contacts))[0]


async def views_of(session: AsyncSession, ids: Sequence[int], *, contacts: bool = False) -> list[AdView]:
    """Return the same of ads named by their keys; those that do not exist are left out."""
    if not ids:
        return []
    await ready()
    names = await specialty_names(session)
    rows = {row.id: row for row in await _SHOWN.rows(session, ids=keys(ids))}
    named = {row.account_id for row in rows.values() if not row.anonymous} if contacts else set()
    known = await reaches(session, named, ANNOUNCED) if named else {}
    return [_made(rows[one], names, known if contacts else None) for one in ids if one in rows]


def specialty_label(names: Mapping[str, str], specialty: str | None) -> str:
    """Return the French name of a specialty (`R38|SM54`); the code itself when the nomenclature lost it."""
    return names.get(specialty, specialty.rpartition("|")[2]) if specialty else ""


def _listed(table: type[AdPlace] | type[AdPeriod] | type[AdFile], *said: Any, order: Sequence[Any]) -> Any:
    """Return the lines of an ad in a table, as one JSON value."""
    line = func.jsonb_build_array(*said)
    lines = select(func.jsonb_agg(aggregate_order_by(line, *order))).where(table.ad_id == Ad.id)
    return func.coalesce(lines.scalar_subquery(), literal_column("'[]'::jsonb", JSONB))


_SHOWN: Final = Fixed(
    select(
        *(
            getattr(Ad, name)
            for name in (
                "id", "number", "version", "account_id", "state", "council", "category", "side", "specialty", "title",
                "description", "conditions", "urgent", "anonymous", "created_at", "updated_at", "submitted_at",
                "published_at", "ends_on", "refusals",
            )
        ),
        _listed(AdPlace, AdPlace.place_id, order=(AdPlace.position, AdPlace.place_id)).label("places"),
        _listed(
            AdPeriod, AdPeriod.starts_on, AdPeriod.ends_on, order=(AdPeriod.starts_on, AdPeriod.position)
        ).label("periods"),
        _listed(
            AdFile,
            AdFile.uid, AdFile.kind, AdFile.name, AdFile.thumb.is_not(None), AdFile.size, AdFile.width, AdFile.height,
            order=(AdFile.position, AdFile.id),
        ).label("files"),
    )
    # As many readings by key: an array tells the planner how many they are.
    .where(Ad.id == any_(cast(bindparam("ids", type_=Text), ARRAY(BigInteger))))
)  # fmt: skip
"""Everything that is shown of some ads: one statement, as its way there and back costs as much as its reading."""


def _made(row: Any, names: Mapping[str, str], known: Mapping[int, Reach] | None) -> AdView:
    return AdView(
        id=row.id,
        number=row.number,
        version=row.version,
        account_id=row.account_id,
        state=row.state,
        state_label=STATES[row.state],
        council=row.council,
        category=row.category,
        category_label=CATEGORIES.get(row.category or "", ""),
        side=row.side,
        situation=SITUATIONS.get((row.category or "", row.side or ""), ""),
        specialty=row.specialty,
        specialty_label=specialty_label(names, row.specialty),
        title=row.title,
        description=row.description,
        conditions=row.conditions,
        flag=FLAGS.get(row.side or "") if row.urgent else None,
        anonymous=row.anonymous,
        places=tuple(place_view(place_id, place_by_id(place_id)) for (place_id,) in row.places),
        periods=tuple(_period(*line) for line in row.periods),
        files=tuple(_file(*line) for line in row.files),
        created_at=row.created_at,
        updated_at=row.updated_at,
        submitted_at=row.submitted_at,
        published_at=row.published_at,
        ends_on=row.ends_on,
        refusals=row.refusals,
        contact=None if known is None or row.anonymous else known.get(row.account_id, Reach()),
    )


def _period(start: str, end: str | None) -> PeriodView:
    starts_on, ends_on = date.fromisoformat(start), date.fromisoformat(end) if end else None
    return PeriodView(starts_on, ends_on, period_text(starts_on, ends_on))


def _file(
    uid: str, kind: str, name: str, has_thumb: bool, size: int, width: int | None, height: int | None
) -> FileView:
    key = uuid.UUID(uid)
    return FileView(
        uid=key,
        kind="image" if kind == "image" else "pdf",
        name=name,
        address=file_address(key),
        thumb=file_address(key, thumb=True) if has_thumb else None,
        size=size,
        width=width,
        height=height,
    )
