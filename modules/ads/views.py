"""All that is shown of an ad, ready for pages, mails and the API: labels, places, periods, files, contacts."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Reach, reaches
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
    """Return ads as they are shown, in the order given; a fixed number of statements whatever their number.

    Args:
        session: unit of work.
        ads: whoever calls has checked that the reader may read them.
        contacts: how authors are reached too; never told of an anonymous ad.
    """
    if not ads:
        return []
    await ready()
    ids = [ad.id for ad in ads]
    names = await specialty_names(session)
    places = await _places(session, ids)
    periods = await _periods(session, ids)
    files = await _files(session, ids)
    named = {ad.account_id for ad in ads if not ad.anonymous} if contacts else set()
    known = await reaches(session, named, ANNOUNCED) if named else {}
    return [
        AdView(
            id=ad.id,
            number=ad.number,
            version=ad.version,
            account_id=ad.account_id,
            state=ad.state,
            state_label=STATES[ad.state],
            council=ad.council,
            category=ad.category,
            category_label=CATEGORIES.get(ad.category or "", ""),
            side=ad.side,
            situation=SITUATIONS.get((ad.category or "", ad.side or ""), ""),
            specialty=ad.specialty,
            specialty_label=specialty_label(names, ad.specialty),
            title=ad.title,
            description=ad.description,
            conditions=ad.conditions,
            flag=FLAGS.get(ad.side or "") if ad.urgent else None,
            anonymous=ad.anonymous,
            places=places.get(ad.id, ()),
            periods=periods.get(ad.id, ()),
            files=files.get(ad.id, ()),
            created_at=ad.created_at,
            updated_at=ad.updated_at,
            submitted_at=ad.submitted_at,
            published_at=ad.published_at,
            ends_on=ad.ends_on,
            refusals=ad.refusals,
            contact=known.get(ad.account_id, Reach()) if contacts and not ad.anonymous else None,
        )
        for ad in ads
    ]


async def view(session: AsyncSession, ad: Ad, *, contacts: bool = False) -> AdView:
    """Return one ad as it is shown. See `views`."""
    return (await views(session, [ad], contacts=contacts))[0]


def specialty_label(names: Mapping[str, str], specialty: str | None) -> str:
    """Return the French name of a specialty (`R38|SM54`); the code itself when the nomenclature lost it."""
    return names.get(specialty, specialty.rpartition("|")[2]) if specialty else ""


async def _places(session: AsyncSession, ids: Sequence[int]) -> dict[int, tuple[PlaceView, ...]]:
    rows = await session.execute(
        select(AdPlace.ad_id, AdPlace.place_id)
        .where(AdPlace.ad_id.in_(ids))
        .order_by(AdPlace.ad_id, AdPlace.position, AdPlace.place_id)
    )
    found: dict[int, list[PlaceView]] = {}
    for ad_id, place_id in rows:
        found.setdefault(ad_id, []).append(place_view(place_id, place_by_id(place_id)))
    return {ad_id: tuple(held) for ad_id, held in found.items()}


async def _periods(session: AsyncSession, ids: Sequence[int]) -> dict[int, tuple[PeriodView, ...]]:
    rows = await session.execute(
        select(AdPeriod.ad_id, AdPeriod.starts_on, AdPeriod.ends_on)
        .where(AdPeriod.ad_id.in_(ids))
        .order_by(AdPeriod.ad_id, AdPeriod.starts_on, AdPeriod.position)
    )
    found: dict[int, list[PeriodView]] = {}
    for ad_id, starts_on, ends_on in rows:
        found.setdefault(ad_id, []).append(PeriodView(starts_on, ends_on, period_text(starts_on, ends_on)))
    return {ad_id: tuple(held) for ad_id, held in found.items()}


async def _files(session: AsyncSession, ids: Sequence[int]) -> dict[int, tuple[FileView, ...]]:
    rows = await session.scalars(
        select(AdFile).where(AdFile.ad_id.in_(ids)).order_by(AdFile.ad_id, AdFile.position, AdFile.id)
    )
    found: dict[int, list[FileView]] = {}
    for file in rows:
        view = FileView(
            uid=file.uid,
            kind="image" if file.kind == "image" else "pdf",
            name=file.name,
            address=file_address(file.uid),
            thumb=file_address(file.uid, thumb=True) if file.thumb else None,
            size=file.size,
            width=file.width,
            height=file.height,
        )
        found.setdefault(file.ad_id, []).append(view)
    return {ad_id: tuple(held) for ad_id, held in found.items()}
