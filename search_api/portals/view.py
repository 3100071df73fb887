"""What the results page of a portal shows around the answer of the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from search_api import page_view
from search_api.addresses import SearchBox, address, without
from search_api.labels import BOUNDARY_KINDS
from search_api.moments import open_choices
from search_api.page_view import ResultsView
from search_api.portals import parameters
from search_api.portals.forms import Typed
from search_api.portals.schemas import PortalOut
from search_api.schemas import CAP, PlaceOut, SearchAnswer, Sort

FIELD_IDS = {"q": "q", "code": "q", "scope": "scope", "where": "lieu", "lieu": "lieu", "origin": "origin_lieu",
             "visits": "visits_lieu"}  # fmt: skip
"""Where the page shows the error of a parameter."""
BOX_FIELDS = {"q": "q", "code": "q", "where": "lieu", "lieu": "lieu"}


@dataclass(slots=True)
class PortalView(ResultsView):
    """The view of a search inside a zone: the places chosen are chips, results a map or a table."""

    within: str = ""
    chosen: list[tuple[PlaceOut, str]] = field(default_factory=list)
    table: bool = False
    answer: SearchAnswer | None = None

    @property
    def query_string(self) -> str:
        """The search as the API takes it, without its page."""
        return address(parameters.asked(without(self.pairs), self.within), "").lstrip("?")

    @property
    def boundary(self) -> str:
        """Places whose contours the map draws: those chosen, else the zone."""
        chosen = [place.ref for place, _ in self.chosen]
        drawn = chosen or [ref for ref in self.within.split(",") if ref != "france"]
        return "" if self.radius else ",".join(drawn)

    @property
    def kept(self) -> list[str]:
        """The offers that the address keeps at hand."""
        return parameters.kept(self.pairs)

    @property
    def kept_elsewhere(self) -> list[str]:
        """Those of them that the page does not show."""
        shown = {str(offer.id) for item in self.answer.items for offer in item.offers[:3]} if self.answer else set()
        return [uid for uid in self.kept if uid not in shown]

    @property
    def sheet_suffix(self) -> str:
        """What a sheet carries on: the town that distances are told from, and the offers kept at hand."""
        town = self.origin.value or next((one.ref for one, _ in self.chosen if parameters.is_centre(one.ref)), None)
        own = [("where", town)] if town else []
        return address([*own, *((parameters.KEPT, uid) for uid in self.kept)], "")

    @property
    def kept_suffix(self) -> str:
        """The offers kept at hand alone."""
        return address([(parameters.KEPT, uid) for uid in self.kept], "")

    @property
    def measured(self) -> bool:
        """Whether there are distances to order by."""
        return self.centred or self.bbox != "" or self.centre is not None

    @property
    def origin_offered(self) -> bool:
        """Always: the places chosen limit, and distances may be asked for from elsewhere."""
        return True

    @property
    def distance_hint(self) -> tuple[str, str, str]:
        """The field that names a town to tell distances from without limiting the search to it."""
        return "origin_lieu", "Comptez les distances", "depuis une commune"

    @property
    def clear_href(self) -> str:
        """The search with no filter; its places stay."""
        kept = {"q", "code", "where", "origin", parameters.VIEW, parameters.KEPT, "sort"}
        # Something stays in the address, which would otherwise be that of the first page with its own filters.
        pairs = [(n, v) for n, v in without(self.pairs) if n in kept]
        return self.address(pairs if pairs else [(parameters.VIEW, parameters.MAP)])

    @property
    def views(self) -> list[tuple[str, str, str, bool]]:
        """The two ways to show results: address, name, icon, whether it is the present one."""
        base = [(n, v) for n, v in self.pairs if n != parameters.VIEW]
        return [
            (self.address([*base, (parameters.VIEW, parameters.MAP)]), "Carte et liste", "map", not self.table),
            (self.address([*base, (parameters.VIEW, parameters.TABLE)]), "Tableau", "list-ul", self.table),
        ]

    @property
    def radius_none(self) -> str:
        """What it means not to choose a distance: the places chosen limit by themselves."""
        return "Dans ces lieux seulement"

    @property
    def hidden_places(self) -> list[str]:
        """References of the places chosen, which the search form sends along."""
        return [place.ref for place, _ in self.chosen]


def view(
    portal: PortalOut,
    typed: Typed,
    answer: SearchAnswer | None,
    labels: Mapping[str, str],
    now: datetime,
    errors: Mapping[str, str],
) -> PortalView:
    """Return what the page shows of a search.

    Args:
        portal: whose page it is.
        typed: what was asked.
        answer: the API's, None when it refused or was not asked.
        labels: what the codes of the search are called.
        now: present instant, for the choices of « Ouvert ».
        errors: French messages by parameter, the form's own and the API's.
    """
    given: dict[str, Any] = dict(reversed(typed.pairs))
    box = _box(typed, given, labels, errors)
    facets = answer.facets if answer else []
    made = PortalView(
        box=box,
        title=portal.title,
        heading=_heading(box.q, typed.places, portal),
        summary=box.q or "Rechercher",
        pairs=typed.pairs,
        facets=facets,
        path=portal.path,
        within=portal.within,
        answer=answer,
        errors=[
            (FIELD_IDS.get(name, name if name in page_view.OWN_FIELDS else None), text) for name, text in errors.items()
        ],
        age=given.get("age", ""),
        radius=given.get("radius_km", "").replace(",", "."),
        accepts_new=bool(given.get("accepts_new")),
        scope=given.get("scope", ""),
        bbox=given.get("bbox", ""),
        table=given.get(parameters.VIEW) == parameters.TABLE,
        centred=any(parameters.is_centre(place.ref) for place in typed.places),
        sort=Sort.relevance if given.get("sort") == Sort.relevance else Sort.distance,
    )
    made.chosen = [
        (place, made.address([pair for pair in without(typed.pairs) if pair != ("where", place.ref)]
                             or [(parameters.VIEW, parameters.MAP)]))
        for place in typed.places
    ]  # fmt: skip
    made.chips = page_view.chips(typed.pairs, facets, labels.get, typed.visits_name, {}, box.codes[:1], portal.path)
    made.widen = _widen(made) if answer and not answer.total else []
    page_view.fill_town(made.visits, given.get("visits", ""), typed.visits_name, typed.towns)
    page_view.fill_town(made.origin, given.get("origin", ""), typed.origin_name, typed.towns)
    made.open_value, made.open_options = open_choices(now, given.get("open_at", ""))
    if answer is not None:
        made.pages, made.first, made.last = page_view.paging(answer)
        made.centre = answer.centre if answer.centre and answer.centre.lat is not None else None
        made.measured_from = _measured_from(made)
    return made


def _box(typed: Typed, given: Mapping[str, Any], labels: Mapping[str, str], errors: Mapping[str, str]) -> SearchBox:
    codes = [value for name, value in typed.pairs if name == "code"]
    box = SearchBox(q=given.get("q", ""), codes=codes)
    if codes and not box.q:
        box.q = box.code_label = labels.get(codes[0], codes[0])
    box.place = typed.place_text
    box.errors = {BOX_FIELDS[name]: text for name, text in errors.items() if name in BOX_FIELDS}
    shown = ("sort", "radius_km", "origin", parameters.VIEW, parameters.KEPT)
    box.kept = [(name, value) for name, value in typed.pairs if name in shown or name in parameters.FACETS]
    return box


def _measured_from(made: PortalView) -> str:
    """Name the point from which the distances of the page are told; there are none without one."""
    towns = sum(parameters.is_centre(place.ref) for place, _ in made.chosen)
    if not made.origin.value and towns > 1:
        return "la plus proche des communes choisies"
    if made.centre is None:
        return "le milieu de la carte" if made.bbox else ""
    return "le milieu de la zone" if made.centre.kind in BOUNDARY_KINDS else made.centre.name


def _heading(what: str, places: Sequence[PlaceOut], portal: PortalOut) -> str:
    subject = what[:1].upper() + what[1:] if what else "Toutes les offres"
    where = ", ".join(place.name for place in places[:3]) + ("…" if len(places) > 3 else "")
    return f"{subject} · {where}" if where else subject if what else portal.title


def _widen(made: PortalView) -> list[tuple[str, str]]:
    """Return ways to find more without leaving the zone."""
    found = [(f"Retirer le filtre « {text} »", href) for text, href in made.chips]
    if made.chosen:
        base = without(made.pairs, "where", "radius_km")
        found.append(("Chercher dans toute la zone du portail", made.address(base)))
    return found[:8]


def capped(answer: SearchAnswer) -> bool:
    """Tell whether more was found than can be shown."""
    return answer.total > CAP
