"""Spreadsheets: what every Excel file of ours shares, and cells that no spreadsheet takes for a formula."""

import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import xlsxwriter

EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPTIONS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""Options of XlsxWriter: a text stays a text, whatever it looks like."""
HEAD: Final = {"bold": True, "bg_color": "#0B4F55", "font_color": "#FFFFFF", "valign": "top"}
"""Format of a header row."""

_FORMULA = ("=", "+", "-", "@")
_PHONE = re.compile(r"\+[\d ().-]+")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its width in characters, and, for numbers, how a spreadsheet shows them (`0 %`)."""

    title: str
    width: int
    number: str | None = None


def safe(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula, and without control characters."""
    if not isinstance(value, str):
        return value
    text = "".join(char for char in value if unicodedata.category(char) != "Cc" or char == "\n")
    if _PHONE.fullmatch(text):
        return text
    # A space before the sign does not stop a spreadsheet.
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def texts(
    name: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[str | int | float]],
    about: Sequence[tuple[str, str]],
    *,
    made_at: datetime,
) -> bytes:
    """Return an Excel file of texts and numbers: frozen header, filter, and a second sheet that says what the file is.

    Args:
        name: of the first sheet.
        columns: in order.
        rows: a text for each column, or a number where it has a format; codes keep their leading zeros.
        about: lines (label, text) of the sheet « À propos ».
        made_at: the instant that the file says it was made at; the same data then give the same bytes.
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, OPTIONS | {"in_memory": True}) as book:
        book.set_properties({"title": name, "author": "Repère", "created": made_at.replace(tzinfo=None)})
        head, text = book.add_format(HEAD), book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(name)
        count = 0
        for rank, column in enumerate(columns):
            sheet.write_string(0, rank, column.title, head)
            sheet.set_column(rank, rank, column.width)
        formats = [book.add_format({"num_format": column.number or "@", "valign": "top"}) for column in columns]
        for count, row in enumerate(rows, 1):
            for rank, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(count, rank, safe(value), text)
                else:
                    sheet.write_number(count, rank, value, formats[rank])
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(count, 1), len(columns) - 1)
        second = book.add_worksheet("À propos")
        second.set_column(0, 0, 26)
        second.set_column(1, 1, 90)
        bold = book.add_format({"bold": True, "valign": "top"})
        for rank, (label, value) in enumerate(about):
            second.write_string(rank, 0, label, bold)
            second.write_string(rank, 1, safe(value), text)
    return buffer.getvalue()
