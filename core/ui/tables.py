"""Tables of the back office: filters, order and page kept in the address, thirty rows a page, true totals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlencode

from core.errors import InvalidInput

PAGE_SIZE: Final = 30
LONGEST_TEXT: Final = 200
_LAST_PAGE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its key in the address, its heading, whether it can be sorted and begins with the largest."""

    key: str
    heading: str
    sortable: bool = True
    descending: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """How a table is looked at; the address says it, so that a link shows the same thing."""

    path: str
    columns: Sequence[Column]
    sort: str
    descending: bool
    filters: Mapping[str, str] = field(default_factory=dict)
    page: int = 1
    total: int = 0
    usual_sort: str = ""

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def first(self) -> int:
        """Rank of the first row shown."""
        return (self.page - 1) * PAGE_SIZE + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Rank of the last row shown."""
        return min(self.page * PAGE_SIZE, self.total)

    @property
    def offset(self) -> int:
        """How many rows stand before the page."""
        return (self.page - 1) * PAGE_SIZE

    def counted(self, total: int) -> "View":
        """Return the view of a table that has this many rows; a page past the end becomes the last one."""
        known = replace(self, total=total)
        return replace(known, page=min(self.page, known.pages))

    def href(self, page: int = 1, *, sort: str | None = None, descending: bool | None = None) -> str:
        """Return the address of another page, or of another order from its first page."""
        key = self.sort if sort is None else sort
        down = self.descending if descending is None else descending
        pairs = [(name, value) for name, value in self.filters.items() if value]
        if key != self.usual_sort or down != self._column(key).descending:
            pairs += [("tri", key), ("sens", "desc" if down else "asc")]
        if page > 1:
            pairs.append(("page", str(page)))
        return self.path + (f"?{urlencode(pairs)}" if pairs else "")

    @property
    def order(self) -> list[tuple[str, str]]:
        """Return what a form of filters carries to keep the order."""
        if self.sort == self.usual_sort and self.descending == self._column(self.sort).descending:
            return []
        return [("tri", self.sort), ("sens", "desc" if self.descending else "asc")]

    @property
    def heads(self) -> list[tuple[str, str | None, str | None]]:
        """Return the headings: text, address that sorts by it, its `aria-sort`."""
        found: list[tuple[str, str | None, str | None]] = []
        for column in self.columns:
            if not column.sortable:
                found.append((column.heading, None, None))
            elif column.key == self.sort:
                said = "descending" if self.descending else "ascending"
                found.append((column.heading, self.href(sort=column.key, descending=not self.descending), said))
            else:
                found.append((column.heading, self.href(sort=column.key, descending=column.descending), None))
        return found

    def _column(self, key: str) -> Column:
        return next(column for column in self.columns if column.key == key)


def read_view(
    path: str,
    params: Mapping[str, str],
    columns: Sequence[Column],
    *,
    sort: str,
    filters: Mapping[str, Collection[str] | None],
) -> View:
    """Read the address of a table.

    Args:
        path: the table's page.
        params: what its address holds.
        columns: the table's columns.
        sort: the column that orders it as usual.
        filters: names of the filters, with the values that each may take (None: any text).

    Raises:
        InvalidInput: a value is not one of ours.
    """
    errors: dict[str, str] = {}
    kept: dict[str, str] = {}
    for name, values in filters.items():
        value = params.get(name, "").replace("\x00", "").strip()
        if values is not None and value and value not in values:
            errors[name] = "Valeur inconnue."
        elif len(value) > LONGEST_TEXT:
            errors[name] = f"Ce texte est trop long ({LONGEST_TEXT} caractères au plus)."
        else:
            kept[name] = value
    key = params.get("tri") or sort
    column = next((column for column in columns if column.key == key and column.sortable), None)
    if column is None:
        errors["tri"] = "Cette colonne n’existe pas."
    direction = params.get("sens") or ""
    if direction not in ("", "asc", "desc"):
        errors["sens"] = "« asc » ou « desc » est attendu."
    page = params.get("page") or "1"
    if not (page.isascii() and page.isdigit() and len(page) <= 6 and 1 <= int(page) <= _LAST_PAGE):
        errors["page"] = "Un numéro de page est attendu."
    if errors or column is None:
        detail = "Cette adresse est incorrecte : " + " ; ".join(f"{name} : {said}" for name, said in errors.items())
        raise InvalidInput(detail, fields=errors)
    descending = direction == "desc" if direction else column.descending
    return View(path, columns, key, descending, kept, int(page), usual_sort=sort)
