"""What the results page shows around the answer: addresses, chips, options, headings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.ui.filters import NBSP, of_place, to_place, upper_first
from search_api.addresses import AROUND_ME, Pair, SearchBox, TownField, address, without
from search_api.labels import AGE_BANDS, BOUNDARY_KINDS, EVERYWHERE, FACETS, KINDS, SCOPES
from search_api.moments import moment_field, moment_label
from search_api.param_places import ref_text
from search_api.params import LAST_PAGE
from search_api.schemas import PAGE_SIZE, Facet, FacetKey, PlaceOut, SearchAnswer, SearchQuery, Sort

RADII = ("1", "2", "5", "10", "20", "50", "100")
WIDER = {"1": "5", "2": "10", "5": "20", "10": "50", "20": "100"}

OWN_FIELDS: Final = ("age", "radius_km", "open_at", "visits_lieu", "origin_lieu")
"""Parameters that are fields of their own name in the filters."""

EXAMPLES: tuple[tuple[str, list[Pair]], ...] = (
    ("Kinésithérapeute près de Mantes-la-Jolie", [("q", "kinésithérapeute"), ("where", "commune:78361")]),
    (
        "Sage-femme à moins de 10 km de Versailles",
        [("q", "sage-femme"), ("where", "commune:78646"), ("radius_km", "10")],
    ),
    ("Infirmier qui se déplace à Limay", [("q", "infirmier"), ("where", "commune:78335"), ("visits", "78335")]),
    ("Ophtalmologue dans les Hauts-de-Seine", [("q", "ophtalmologue"), ("where", "departement:92")]),
)
"""Searches that a newcomer can try."""


@dataclass(slots=True)
class ResultsView:
    """Everything that `search/results.html` needs beside the answer itself."""

    box: SearchBox
    title: str
    heading: str
    summary: str
    pairs: list[Pair]
    errors: list[tuple[str | None, str]] = field(default_factory=list)
    facets: Sequence[Facet] = ()
    chips: list[tuple[str, str]] = field(default_factory=list)
    widen: list[tuple[str, str]] = field(default_factory=list)
    places: list[tuple[str, str]] = field(default_factory=list)
    anywhere: str = ""
    centre: PlaceOut | None = None
    centred: bool = False
    measured_from: str = ""
    timed_out: bool = False
    pages: int = 1
    first: int = 0
    last: int = 0
    sort: Sort = Sort.distance
    radius: str = ""
    age: str = ""
    accepts_new: bool = False
    visits: TownField = field(default_factory=lambda: TownField("visits", "Se déplace à domicile à"))
    origin: TownField = field(default_factory=lambda: TownField("origin", "Distances depuis"))
    scope: str = ""
    bbox: str = ""
    open_value: str = ""
    open_options: list[tuple[str, str]] = field(default_factory=list)
    path: str = "/recherche"
    tiles_url: str = ""
    tiles_attribution: str = ""

    def address(self, pairs: Sequence[Pair]) -> str:
        """Return the address of a search of this page."""
        return address(pairs, self.path)

    @property
    def origin_offered(self) -> bool:
        """Whether another town may be named to tell distances from; « Où ? » is that one when it is a town."""
        return not self.centred or bool(self.origin.value or self.origin.text)

    @property
    def drawn_radius(self) -> str:
        """The radius that the map draws around the point of the distances; none when it is around another one."""
        return "" if self.origin.value else self.radius

    @property
    def distance_hint(self) -> tuple[str, str, str]:
        """The field that lets results be ordered by distance when nothing does yet: its anchor, and how to say it."""
        return "lieu", "Indiquez un lieu", "pour trier par distance"

    @property
    def radius_none(self) -> str:
        """What it means not to choose a distance."""
        return "Sans limite"

    @property
    def radius_options(self) -> list[tuple[str, str]]:
        """Distances offered, the asked one included."""
        values = [*RADII, *([self.radius] if self.radius and self.radius not in RADII else [])]
        return [(value, f"À moins de {value.replace('.', ',')}{NBSP}km") for value in sorted(values, key=float)]

    @property
    def scope_options(self) -> list[tuple[str, str]]:
        """Nomenclatures to which the free text may be limited; none without text."""
        return [("", EVERYWHERE), *SCOPES.items()] if self.box.q and not self.box.codes else []

    @property
    def filter_hidden(self) -> list[Pair]:
        """What the filters' form sends along unchanged."""
        shown = {"radius_km", "open_at", "visits", "age", "accepts_new", *(str(facet.key) for facet in self.facets)}
        if self.scope_options:
            shown.add("scope")
        if self.origin_offered:
            shown.add("origin")
        return [(name, value) for name, value in without(self.pairs) if name not in shown]

    @property
    def boundary(self) -> str:
        """Places that limit the search and have a contour to draw."""
        refs = [value for name, value in self.pairs if name == "where"]
        drawn = [ref for ref in refs if ref.partition(":")[0] in BOUNDARY_KINDS and ref != "france"]
        return ",".join(drawn) if len(drawn) == len(refs) else ""

    @property
    def query_string(self) -> str:
        """The search without its page, for the map."""
        return address(without(self.pairs), "").lstrip("?")

    @property
    def export_query(self) -> str:
        """The search without its page, for the files."""
        return self.query_string

    @property
    def coverage_href(self) -> str:
        """The report on what is searched, filters included; empty when the search names nothing to measure."""
        measured = {"q", "code", *(str(key) for key in FacetKey)}
        taken = {*measured, "scope", "age", "open_at", "accepts_new"}
        places = [pair for pair in self.pairs if pair[0] == "where"]
        if self.errors or not any(name in measured for name, _ in self.pairs):
            return ""
        kept = [pair for pair in self.pairs if pair[0] in taken]
        return address([*kept, *places] if len(places) == 1 else kept, "/couverture")

    @property
    def measured(self) -> bool:
        """Whether the search names something to measure from: in its address, or in its text."""
        names = {name for name, _ in self.pairs}
        places = [value for name, value in self.pairs if name == "where"]
        named = bool(names & {"lat", "origin", "bbox"}) or any(ref.partition(":")[0] != "france" for ref in places)
        return named or self.centre is not None

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        """Orders: address, name, whether it is the present one."""
        base = without(self.pairs, "sort")
        return [
            (self.address(base), "Distance", self.sort is Sort.distance),
            (self.address([*base, ("sort", "relevance")]), "Pertinence", self.sort is Sort.relevance),
        ]

    @property
    def explain_href(self) -> str:
        """The same page with the explanation of its order."""
        return self.address([*((n, v) for n, v in self.pairs if n != "explain"), ("explain", "1")])

    @property
    def clear_href(self) -> str:
        """The search with no filter."""
        filters = [str(key) for key in FacetKey]
        return self.address(
            without(
                self.pairs, *filters, "radius_km", "age", "open_at", "visits", "accepts_new", "bbox", "scope", "within"
            )
        )

    @property
    def sheet_suffix(self) -> str:
        """What a sheet needs to tell the distance: the place, nothing else."""
        if self.origin.value:
            return address([("where", self.origin.value)], "")
        return address([(n, v) for n, v in self.pairs if n in ("where", "lat", "lon")][:2], "")

    @property
    def open_moment(self) -> str:
        """The moment asked for as a field of the page writes it: a day and a time; empty for « maintenant »."""
        return moment_field(self.open_value)

    @property
    def narrow(self) -> list[tuple[str, str]]:
        """Ways to make a search that took too long lighter."""
        if self.centred:
            return [("À moins de 20 km", self.address([*without(self.pairs, "radius_km"), ("radius_km", "20")]))]
        return [
            (
                "Autour de Mantes-la-Jolie, par exemple",
                self.address([*without(self.pairs, "where"), ("where", "commune:78361")]),
            )
        ]

    @property
    def examples(self) -> list[tuple[str, str]]:
        """Searches that a newcomer can try."""
        return [(text, self.address(pairs)) for text, pairs in EXAMPLES]

    def page_href(self, page: int) -> str:
        """Return the address of a page of results."""
        base = [(n, v) for n, v in self.pairs if n != "page"]
        return self.address([*base, ("page", str(page))] if page > 1 else base)


def chips(
    pairs: Sequence[Pair],
    facets: Sequence[Facet],
    code_label: Callable[[str], str | None],
    visits_name: str,
    extra_places: Mapping[str, str],
    shown_codes: Sequence[str],
    path: str = "/recherche",
) -> list[tuple[str, str]]:
    """Return the active filters: what each says, and the address of the search without it."""
    labels = {(str(facet.key), value.code): value.label for facet in facets for value in facet.values}
    found: list[tuple[str, str]] = []
    for name, value in pairs:
        text = _chip(name, value, labels, code_label, visits_name, extra_places, shown_codes)
        if text:
            rest = [pair for pair in without(pairs) if pair != (name, value)]
            found.append((text, address(rest, path)))
    return found


def _chip(
    name: str,
    value: str,
    labels: Mapping[tuple[str, str], str],
    code_label: Callable[[str], str | None],
    visits_name: str,
    extra_places: Mapping[str, str],
    shown_codes: Sequence[str],
) -> str | None:
    if name in FACETS:
        words = AGE_BANDS | KINDS
        return labels.get((name, value)) or code_label(value) or words.get(value) or value
    texts: dict[str, Callable[[], str | None]] = {
        "radius_km": lambda: f"À moins de {value.replace('.', ',')}{NBSP}km",
        "age": lambda: f"{value}{NBSP}ans",
        "open_at": lambda: "Ouvert maintenant" if value == "maintenant" else f"Ouvert {moment_label(value)}",
        "visits": lambda: f"Se déplace {to_place(visits_name or value)}",
        "accepts_new": lambda: "Accepte de nouveaux patients",
        "bbox": lambda: "Zone de la carte",
        "scope": lambda: f"Texte cherché dans : {SCOPES.get(value, value)}",
        "where": lambda: extra_places.get(value),
        "within": lambda: f"Dans{NBSP}: " + ", ".join(extra_places.get(ref, ref) for ref in value.split(",")),
        "code": lambda: None if value in shown_codes else code_label(value) or value,
    }
    make = texts.get(name)
    return make() if make else None


def widen(pairs: Sequence[Pair], filters: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return ways to find more: a larger radius, each filter taken off, the whole of France."""
    given = dict(pairs)
    found: list[tuple[str, str]] = []
    if radius := given.get("radius_km"):
        base = without(pairs, "radius_km")
        if wider := WIDER.get(radius):
            found.append((f"Chercher à moins de {wider}{NBSP}km", address([*base, ("radius_km", wider)])))
        found.append(("Ne pas limiter la distance", address(base)))
    for text, href in filters:
        if "km" not in text or "moins de" not in text:
            found.append((f"Retirer le filtre « {text} »", href))
    place = given.get("where", "")
    if place and place.partition(":")[0] in ("epci", "departement", "territory", "region"):
        found.append(("Chercher dans toute la France", address([*without(pairs, "where"), ("where", "france")])))
    if given.get("scope"):
        found.append(("Chercher le texte dans tout le répertoire", address(without(pairs, "scope"))))
    return found[:8]


def headings(query: SearchQuery | None, what: str, place: str) -> tuple[str, str]:
    """Return the page's heading and the one-line summary of the search."""
    subject = upper_first(what) if what else "Toutes les offres"
    if query is None or not (place or what):
        return ("Rechercher une offre de santé" if not what else subject), (what or "Rechercher")
    if not place:
        return subject, subject
    if query.point is not None and place == AROUND_ME:
        return f"{subject} autour de moi", f"{subject} · {place}"
    boundary = not query.where or query.where[0].kind in ("epci", "departement", "region", "territory", "france")
    return f"{subject} · {place}" if boundary else f"{subject} près {of_place(place)}", f"{subject} · {place}"


def paging(answer: SearchAnswer) -> tuple[int, int, int]:
    """Return the number of pages, and the ranks of the first and last results shown."""
    pages = max(1, min(answer.pages, LAST_PAGE))
    first = (answer.page - 1) * PAGE_SIZE + 1
    return pages, first, first + len(answer.items) - 1


def extra_place_refs(query: SearchQuery) -> list[str]:
    """Return the places beyond the first, which « Où ? » shows."""
    return [ref_text(ref) for ref in query.where[1:]]


def fill_town(town: TownField, value: str, name: str, refused: Mapping[str, str]) -> None:
    """Put in a field of a town what was chosen, or the text that was refused."""
    town.value, town.text, town.chosen = value, name, name
    if town.name in refused and not value:
        town.text = refused[town.name]
