"""What the page of a report shows: the table's rows, order, filter and addresses, all kept in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
import pandas as pd

from core.errors import InvalidInput
from core.ui.filters import NBSP
from maps.api import normal_name
from search_api.addresses import Pair, address
from search_api.coverage.figures import FAR_M
from search_api.coverage.scales import decimals, density_text, distance_text

PAGE_SIZE: Final = 30
SORTS: Final = {
    "commune": ("Commune", "name", False),
    "habitants": ("Habitants", "population", True),
    "offres": ("Offres", "offers", True),
    "densite": (f"Pour 10{NBSP}000 hab.", "density", True),
    "distance": ("La plus proche", "nearest_m", True),
    "visites": ("Visites à domicile", "visited", False),
}
"""Columns of the table: heading, column of the rows, whether the first click gives the largest first."""
SHOWN: Final = {
    "": "Toutes les communes",
    "sans-offre": "Sans offre",
    "eloignees": f"À plus de 10{NBSP}km",
    "non-visitees": "Personne ne dit s’y déplacer",
}
MEASURES: Final = {"densite": "density", "distance": "distance", "visites": "visits"}
NAMES: Final = frozenset({"tri", "sens", "montrer", "page", "carte"})


@dataclass(frozen=True, slots=True)
class Asked:
    """How the table and the map are looked at."""

    sort: str = "distance"
    ascending: bool = False
    shown: str = ""
    page: int = 1
    measure: str = "densite"

    def pairs(self, **changes: Any) -> list[Pair]:
        """Return the address of this view with changes; what is as usual is left out."""
        values = {
            "tri": self.sort,
            "sens": "asc" if self.ascending else "desc",
            "montrer": self.shown,
            "carte": self.measure,
            "page": str(self.page),
        } | changes
        usual = {"tri": "distance", "montrer": "", "carte": "densite", "page": "1"}
        usual["sens"] = "desc" if SORTS[values["tri"]][2] else "asc"
        return [(name, value) for name, value in values.items() if value != usual[name]]


def read(params: Mapping[str, str]) -> Asked:
    """Read the address of a report's page.

    Raises:
        InvalidInput: a value is not one of ours.
    """
    errors: dict[str, str] = {}

    def one_of(name: str, known: Mapping[str, object], usual: str) -> str:
        value = params.get(name) or usual
        if value not in known:
            errors[name] = f"Valeurs possibles : {', '.join(key for key in known if key)}."
            return usual
        return value

    for name in params:
        if name not in NAMES:
            errors[name[:40]] = "Ce paramètre est inconnu."
    sort = one_of("tri", SORTS, "distance")
    order = one_of("sens", {"asc": 1, "desc": 1}, "desc" if SORTS[sort][2] else "asc")
    page = params.get("page") or "1"
    if not (page.isascii() and page.isdigit() and 1 <= int(page[:7]) <= 10_000):
        errors["page"], page = "Un numéro de page est attendu.", "1"
    asked = Asked(sort, order == "asc", one_of("montrer", SHOWN, ""), int(page), one_of("carte", MEASURES, "densite"))
    if errors:
        detail = "Certains paramètres sont incorrects : " + " ; ".join(f"{k} : {v}" for k, v in errors.items())
        raise InvalidInput(detail, fields=errors)
    return asked


@dataclass(frozen=True, slots=True)
class Row:
    """A commune as the table shows it."""

    code: str
    name: str
    departement: str
    population: int
    offers: int
    density: str
    distance: str
    nearest: str
    visited: bool


@dataclass(frozen=True, slots=True)
class TableView:
    """A page of the table, and the addresses of the others."""

    path: str
    asked: Asked
    rows: list[Row]
    total: int
    pages: int

    @property
    def first(self) -> int:
        """Rank of the first row shown."""
        return (self.asked.page - 1) * PAGE_SIZE + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Rank of the last row shown."""
        return min(self.asked.page * PAGE_SIZE, self.total)

    @property
    def heads(self) -> list[tuple[str, str, str, str]]:
        """Columns: key, heading, address that sorts by it, present order (`ascending`, `descending` or nothing)."""
        found = []
        for key, (heading, _, largest_first) in SORTS.items():
            current = key == self.asked.sort
            ascending = not self.asked.ascending if current else not largest_first
            href = self._at(tri=key, sens="asc" if ascending else "desc", page="1")
            state = ("ascending" if self.asked.ascending else "descending") if current else ""
            found.append((key, heading, href, state))
        return found

    @property
    def filters(self) -> list[tuple[str, str, bool]]:
        """Filters: address, name, whether it is the present one."""
        return [(self._at(montrer=key, page="1"), name, key == self.asked.shown) for key, name in SHOWN.items()]

    @property
    def measures(self) -> list[tuple[str, str, str, bool]]:
        """Measures of the map: address, key in the data, name, whether it is the present one."""
        names = {"densite": "Densité", "distance": "Distance", "visites": "Visites à domicile"}
        return [
            (self._at(carte=key) + "#carte", data, names[key], key == self.asked.measure)
            for key, data in MEASURES.items()
        ]

    def page_href(self, page: int) -> str:
        """Return the address of a page of the table."""
        return self._at(page=str(page)) + "#communes"

    def _at(self, **changes: str) -> str:
        return address(self.asked.pairs(**changes), self.path)


@lru_cache(maxsize=4)
def _frame(digest: str, content: bytes) -> pd.DataFrame:
    frame = pd.DataFrame(orjson.loads(content))
    frame["order"] = [normal_name(name) for name in frame["name"]]
    return frame


def table(path: str, digest: str, content: bytes, asked: Asked) -> TableView:
    """Return a page of the table; some milliseconds of computation, so call it in a thread.

    Raises:
        InvalidInput: the page is past the last one.
    """
    frame = _frame(digest, content)
    digits = decimals(frame["density"])
    if asked.shown == "sans-offre":
        frame = frame[frame["offers"] == 0]
    elif asked.shown == "eloignees":
        frame = frame[~(frame["nearest_m"].astype("float64") <= FAR_M)]
    elif asked.shown == "non-visitees":
        frame = frame[~frame["visited"].astype(bool)]
    column = SORTS[asked.sort][1]
    keys = ["order"] if column == "name" else [column, "order"]
    # What is not known comes last, whichever way the rest is sorted; the code tells namesakes apart.
    frame = frame.sort_values(
        [*keys, "code"], ascending=[asked.ascending, *[True] * len(keys)], na_position="last", kind="stable"
    )
    pages = max(1, -(-len(frame) // PAGE_SIZE))
    if asked.page > pages:
        message = f"La page va de 1 à {pages}."
        raise InvalidInput(message, fields={"page": message})
    shown = frame.iloc[(asked.page - 1) * PAGE_SIZE : asked.page * PAGE_SIZE]
    rows = [
        Row(
            code=row["code"],
            name=row["name"],
            departement=row["departement"],
            population=int(row["population"]),
            offers=int(row["offers"]),
            density=density_text(row["density"], digits),
            distance=distance_text(row["nearest_m"], approximate=bool(row["approximate"])),
            nearest=row["nearest_commune"] or "",
            visited=bool(row["visited"]),
        )
        for row in shown.to_dict("records")
    ]
    return TableView(path, asked, rows, len(frame), pages)
