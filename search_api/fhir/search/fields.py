"""Fields of texts, dates and numbers; see `token_fields` for codes, `references` for links, `near` for positions."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Date, DateTime, Numeric, Text, and_, cast, func, literal, not_, or_

from search_api.fhir.search import values
from search_api.fhir.search.refusals import Refused
from search_api.fhir.search.rows import Row
from search_api.fhir.search.token_fields import Column, Condition, some

YEARS: Final = frozenset({"", "a", "an", "ans"})
"""Units that ages may be asked in; `a` is UCUM's year."""
NEARLY: Final = Decimal("0.1")
"""What `ap` allows on either side, as a part of the value."""


def folded(text: Any) -> Any:
    """The text in lower case without accents, in the order of its letters: what indexes hold."""
    return func.core.fold(text).collate("C")


def like(text: str, how: str = "equals") -> Any:
    """Return the pattern of a text, folded as the columns are, with nothing in it that LIKE would take for a joker.

    Args:
        text: what is looked for.
        how: equals, contains, ends, or the empty word for what begins so.
    """
    pattern: Any = func.core.fold(literal(text, Text))
    for char in ("\\", "%", "_"):
        pattern = func.replace(pattern, char, f"\\{char}")
    # Not concat(): only an immutable pattern, known when the statement is planned, lets an index serve.
    if how in ("contains", "ends"):
        pattern = literal("%", Text).op("||")(pattern)
    return pattern.op("||")(literal("%", Text)) if how in ("contains", "") else pattern


@dataclass(frozen=True, slots=True)
class Strings:
    """Texts; the first is the one that the parameter sorts by."""

    columns: tuple[Column, ...]

    def match(self, row: Row, value: values.Text, how: str = "") -> Condition:
        """Tell whether a text begins so; `how`: exact, contains, ends, or equals whatever the case and accents."""
        if how == "exact":
            same = folded(literal(value.text, Text))
            # Folded as well: that is what indexes hold.
            return some([and_(folded(column(row)) == same, column(row) == value.text) for column in self.columns])
        pattern = like(value.text, how)
        return some([and_(folded(column(row)).like(pattern)) for column in self.columns])

    def present(self, row: Row) -> Condition:
        """Tell whether there is a text."""
        return some([and_(column(row).is_not(None)) for column in self.columns])

    def order(self, row: Row) -> Any:
        """Return what the parameter sorts by."""
        column = self.columns[0](row)
        return func.coalesce(folded(column), "") if column.nullable else folded(column)


@dataclass(frozen=True, slots=True)
class Instants:
    """An instant."""

    column: Column

    def match(self, row: Row, span: values.Span, now: datetime) -> Condition:
        """Tell whether the instant stands where the prefix says."""
        column, low, high = self.column(row), span.low, span.high
        match span.prefix:
            case "eq" | "po":
                return and_(column >= low, column < high)
            case "ne":
                return not_(and_(column >= low, column < high))
            case "gt" | "sa":
                return and_(column >= high)
            case "lt" | "eb":
                return and_(column < low)
            case "ge":
                return and_(column >= low)
            case "le":
                return and_(column < high)
            case _:
                low, high = widened(span, now)
                return and_(column >= low, column < high)

    def present(self, row: Row) -> Condition:
        """Tell whether there is one."""
        return and_(self.column(row).is_not(None))

    def order(self, row: Row) -> Any:
        """Return what the parameter sorts by."""
        return self.column(row)


def midnight(day: Any) -> Any:
    """The instant at which a civil day of Paris begins."""
    return func.timezone("Europe/Paris", cast(cast(day, Date), DateTime(timezone=False)))


@dataclass(frozen=True, slots=True)
class Periods:
    """A period of whole days, both ends included; it may lack one of its ends, but not both."""

    first: Column
    last: Column

    def match(self, row: Row, span: values.Span, now: datetime) -> Condition:
        """Tell whether the period stands where the prefix says."""
        first, last = self.first(row), self.last(row)
        begins = func.coalesce(midnight(first), literal("-infinity", Text).cast(DateTime(timezone=True)))
        ends = func.coalesce(midnight(cast(last, Date) + 1), literal("infinity", Text).cast(DateTime(timezone=True)))
        known = or_(first.is_not(None), last.is_not(None))
        low, high = literal(span.low), literal(span.high)
        within = and_(begins >= low, ends <= high)
        match span.prefix:
            case "eq":
                found = within
            case "ne":
                found = not_(within)
            case "gt":
                found = and_(ends > high)
            case "lt":
                found = and_(begins < low)
            case "ge":
                found = or_(ends > high, within)
            case "le":
                found = or_(begins < low, within)
            case "sa":
                found = and_(begins >= high)
            case "eb":
                found = and_(ends <= low)
            case "po":
                found = and_(begins < high, ends > low)
            case _:
                wide_low, wide_high = widened(span, now)
                found = and_(begins < wide_high, ends > wide_low)
        return and_(known, found)

    def present(self, row: Row) -> Condition:
        """Tell whether there is one."""
        return or_(self.first(row).is_not(None), self.last(row).is_not(None))

    def order(self, row: Row) -> Any:
        """Return what the parameter sorts by: the beginning."""
        return func.coalesce(midnight(self.first(row)), _LONG_AGO)


_LONG_AGO: Final = literal(datetime(1, 1, 1, tzinfo=UTC), DateTime(timezone=True))


def widened(span: values.Span, now: datetime) -> tuple[datetime, datetime]:
    """Add on either side a tenth of what separates the date from the present."""
    margin = abs(now - span.low) / 10
    try:
        return span.low - margin, span.high + margin
    except OverflowError:
        return span.low, span.high


@dataclass(frozen=True, slots=True)
class Ages:
    """A number of years."""

    column: Column

    def match(self, row: Row, amount: values.Amount, name: str) -> Condition:
        """Tell whether the age stands where the prefix says.

        Raises:
            Refused: another unit than years.
        """
        if amount.unit not in YEARS or amount.system not in ("", "http://unitsofmeasure.org"):
            raise Refused("Les âges s’expriment en années (unité « a », ou aucune).", name)
        column, value = cast(self.column(row), Numeric), amount.value
        low, high = amount.low, amount.high
        match amount.prefix:
            case "eq":
                return and_(column >= low, column < high)
            case "ne":
                return not_(and_(column >= low, column < high))
            case "gt" | "sa":
                return and_(column > value)
            case "lt" | "eb":
                return and_(column < value)
            case "ge":
                return and_(column >= value)
            case "le":
                return and_(column <= value)
            case _:
                margin = abs(value) * NEARLY
                return and_(column >= min(low, value - margin), column <= max(high, value + margin))

    def present(self, row: Row) -> Condition:
        """Tell whether there is one."""
        return and_(self.column(row).is_not(None))

    def order(self, row: Row) -> Any:
        """Return what the parameter sorts by."""
        return self.column(row)
