"""The page of a search: chips, headings, orders, pages, what widens an empty answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from modules.ads.labels import CATEGORIES, OFFERS, READERS, SEEKS
from modules.ads.schemas import Period
from modules.ads.search import Found
from modules.ads.search_form import Typed
from modules.ads.search_places import distances
from modules.ads.search_query import (
    CAP,
    PAGE_SIZE,
    RADII,
    USUAL_RADIUS,
    AdQuery,
    Pair,
    address,
    find_place,
    pairs,
    write_period,
)
from modules.ads.views import TOWNS, AdView, period_text, specialty_label

GENERIC: Final = {SEEKS: "Je me propose", OFFERS: "Je cherche quelqu’un"}
"""The reader's situation when no category is chosen, by side of the ads that are for them."""
FIELD_IDS: Final = {
    "category": "category",
    "side": "side",
    "specialty": "specialty",
    "place": "lieu",
    "lieu": "lieu",
    "radius_km": "radius_km",
    "period": "start-0",
    "q": "q",
}
"""Where the page shows the error of a parameter."""


@dataclass(slots=True)
class ResultsView:
    """What the page shows around the ads."""

    typed: Typed
    query: AdQuery | None
    specialties: Mapping[str, str]
    heading: str = "Trouver une annonce"
    found: Found | None = None
    ads: list[tuple[AdView, int | None, str]] = field(default_factory=list)
    chips: list[tuple[str, str]] = field(default_factory=list)
    sorts: list[tuple[str, str, bool]] = field(default_factory=list)
    widen: list[tuple[str, str]] = field(default_factory=list)
    timed_out: bool = False

    @property
    def errors(self) -> list[tuple[str | None, str]]:
        """What is wrong, each with the field that shows it."""
        return [(FIELD_IDS.get(name), text) for name, text in self.typed.errors.items()]

    @property
    def error_of(self) -> dict[str | None, str]:
        """What is wrong, by field."""
        return {FIELD_IDS.get(name): text for name, text in self.typed.errors.items()}

    @property
    def pages(self) -> int:
        """How many pages the answer has: it stops at the cap."""
        total = min(self.found.total if self.found else 0, CAP)
        return max(1, -(-total // PAGE_SIZE))

    @property
    def first(self) -> int:
        """Rank of the first ad of the page."""
        return self.query.offset + 1 if self.query and self.ads else 0

    @property
    def last(self) -> int:
        """Rank of the last ad of the page."""
        return self.query.offset + len(self.ads) if self.query else 0

    @property
    def capped(self) -> bool:
        """Whether more ads answer than are given."""
        return self.found is not None and self.found.total > CAP

    @property
    def centred(self) -> bool:
        """Whether a town is searched, so that a distance makes sense."""
        return any(place.kind in TOWNS for place in self.typed.places)

    @property
    def question(self) -> str:
        """The search without its page, as the map and saved searches take it."""
        return address(pairs(self.query, page=False), "")[1:] if self.query else ""

    @property
    def situations(self) -> list[tuple[str, str, dict[str, str]]]:
        """The choices of « ma situation »: side, text for the chosen category, texts by category."""
        category = self.typed.value("category")
        return [
            (side, READERS.get((category, side), GENERIC[side]), {key: READERS[key, side] for key in CATEGORIES})
            for side in (SEEKS, OFFERS)
        ]

    def page_href(self, page: int) -> str:
        """Return the address of a page."""
        assert self.query is not None  # noqa: S101 - only an answer has pages
        return address(pairs(self.query.model_copy(update={"page": page})))


def build(
    typed: Typed, specialties: Mapping[str, str], found: Found | None = None, ads: list[AdView] | None = None
) -> ResultsView:
    """Return the view of a search and of its answer, if it could be asked."""
    view = ResultsView(typed, typed.query, specialties)
    if typed.query is None:
        return view
    asked = pairs(typed.query, page=False)
    view.heading = heading(typed.query, specialties)
    view.chips = _chips(typed.query, asked, specialties)
    if view.centred:
        view.sorts = [
            (address(pairs(typed.query.model_copy(update={"sort": sort, "page": 1}))), label, typed.query.sort == sort)
            for sort, label in (("date", "Plus récentes"), ("distance", "Plus proches"))
        ]
    if found is not None:
        view.found = found
        metres = {one.ad_id: one.metres for one in found.ads}
        view.ads = [_card(ad, metres.get(ad.id), found) for ad in ads or ()]
        view.widen = _widen(typed.query, asked) if not found.total else []
    return view


def situation_label(category: str | None, side: str) -> str:
    """Return the reader's situation."""
    return READERS.get((category or "", side), GENERIC[side])


def heading(query: AdQuery, specialties: Mapping[str, str]) -> str:
    """Say a search in a few words: the title of its page, and the name proposed when it is saved."""
    parts = [CATEGORIES.get(query.category or "", "")]
    if query.specialty:
        parts.append(specialty_label(specialties, query.specialty))
    if query.q:
        parts.append(f"« {query.q} »")
    if query.places:
        names = [find_place(ref).name for ref in query.places]
        parts.append(", ".join(names[:3]) + ("…" if len(names) > 3 else ""))
    said = " · ".join(part for part in parts if part)
    return said or "Toutes les annonces"


def _card(ad: AdView, metres: int | None, found: Found) -> tuple[AdView, int | None, str]:
    """Return an ad with its distance and its places, those that the search names or holds first."""
    towns = [place for place in ad.places if place.town]
    far = {}
    if found.wanted.towns and towns:
        placed = [find_place(place.ref) for place in towns if place.ref]
        far = distances(found.wanted.towns, placed)
        far |= {place.id: known for place in towns if (known := found.wanted.metres(place.id)) is not None}
    if metres is None and far:
        metres = min(far.values())
        if any(place.id in found.wanted.around for place in ad.places):
            metres = 0
    ordered = sorted(ad.places, key=lambda place: far.get(place.id, 0 if place.id in found.wanted.around else 10**9))
    names = [place.name for place in ordered]
    where = ", ".join(names[:4]) + (f" et {len(names) - 4} autres lieux" if len(names) > 5 else "")
    if len(names) == 5:
        where += f", {names[4]}"
    # An ad for a whole area is nowhere in particular.
    return ad, metres if towns and metres != 0 else None, where


def _without(asked: list[Pair], name: str, value: str | None = None) -> str:
    kept = [(key, held) for key, held in asked if key != name or (value is not None and held != value)]
    if name == "place" and not any(key == "place" and find_place(held).kind in TOWNS for key, held in kept):
        kept = [(key, held) for key, held in kept if key not in ("radius_km", "sort")]
    return address(kept)


def _chips(query: AdQuery, asked: list[Pair], specialties: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the active filters, each with the address of the search without it."""
    found: list[tuple[str, str]] = []
    if query.category:
        found.append((CATEGORIES[query.category], _without(asked, "category")))
    if query.side:
        found.append((situation_label(query.category, query.side), _without(asked, "side")))
    if query.specialty:
        found.append((specialty_label(specialties, query.specialty), _without(asked, "specialty")))
    for ref in query.places:
        place = find_place(ref)
        around = f" et {query.radius_km}\u00a0km autour" if place.kind in TOWNS else ""
        found.append((place.label + around, _without(asked, "place", ref)))
    found += [(_period(period), _without(asked, "period", write_period(period))) for period in query.periods]
    if query.q:
        found.append((f"« {query.q} »", _without(asked, "q")))
    return found


def _period(period: Period) -> str:
    return period_text(period.starts_on, period.ends_on)


def _widen(query: AdQuery, asked: list[Pair]) -> list[tuple[str, str]]:
    """Return what widens a search that found nothing, the least change first."""
    found: list[tuple[str, str]] = []
    places = [find_place(ref) for ref in query.places]
    if any(place.kind in TOWNS for place in places) and query.radius_km < RADII[-1]:
        wider = next(radius for radius in RADII if radius > max(query.radius_km, USUAL_RADIUS - 1))
        changed = query.model_copy(update={"radius_km": wider, "page": 1})
        found.append((f"Chercher jusqu’à {wider}\u00a0km", address(pairs(changed))))
    for name, held, text in (
        ("period", query.periods, "À toutes les dates"),
        ("q", query.q, f"Sans le texte « {query.q} »"),
        ("specialty", query.specialty, "Dans toutes les spécialités"),
        ("side", query.side, "Quelle que soit votre situation"),
        ("category", query.category, "Dans toutes les catégories"),
        ("place", query.places, "Partout en France"),
    ):
        if held:
            found.append((text, _without(asked, name)))
    return found


def summary(query: AdQuery, specialties: Mapping[str, str]) -> str:
    """Say every filter of a search on one line, for lists and mails."""
    texts = [text for text, _ in _chips(query, pairs(query, page=False), specialties)]
    return " · ".join(texts) or "Toutes les annonces"
