"""Categories of FINESS establishments: how many there are in the country, and how their names are made."""

from dataclasses import dataclass

from ingest.sample.tables import rows, words


@dataclass(frozen=True, slots=True)
class Category:
    """A category of establishment.

    `count` is of the order of the national one; `growth` how strongly they gather in large towns;
    `names` are patterns with {town}, {flower} or {saint}.
    """

    code: str
    label: str
    group_code: str
    group_label: str
    count: int
    growth: float
    names: tuple[str, ...]
    statute: tuple[str, str]


CATEGORIES = tuple(
    Category(
        row["code"],
        row["label"],
        row["group_code"],
        row["group_label"],
        int(row["count"]),
        float(row["growth"]),
        tuple(row["names"].split("/")),
        (row["statute"], row["statute_label"]),
    )
    for row in rows("categories.tsv")
)
FLOWERS, SAINTS = words("flowers"), words("saints")
