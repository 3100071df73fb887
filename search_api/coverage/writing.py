"""The files of a report: Excel sheet, GeoJSON, standalone map, and the rows that its page pages through."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd
import shapely

from core.clock import local
from core.sheets import HEAD, OPTIONS, safe
from core.ui.filters import NBSP, hour, long_date, number
from maps.api import MapText, Measure, draw_report
from search_api.coverage import words
from search_api.coverage.figures import Summary
from search_api.coverage.scales import UNKNOWN, classified, decimals, density_text, distance_text

SHEET, ABOUT = "Communes", "Rapport"
ATTRIBUTION: Final = "Contours IGN, Insee"
COLUMNS: Final = (
    ("Code INSEE", "code", 11),
    ("Commune", "name", 30),
    ("Département", "departement", 13),
    ("Habitants", "population", 12),
    ("Offres", "offers", 9),
    ("Lieux", "sites", 9),
    ("Offres pour 10 000 habitants", "density", 16),
    ("Distance à la plus proche (km)", "km", 16),
    ("Position de la plus proche", "precision", 16),
    ("Commune de la plus proche", "nearest_commune", 28),
    ("Visitée à domicile", "visits", 12),
)
"""Columns of the sheet: title, column of the frame, width."""
FORMATS: Final = {"population": "#,##0", "offers": "#,##0", "sites": "#,##0", "density": "0.00", "km": "0.000"}


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the files are made of."""

    title: str
    what: str
    where: str
    asked_at: datetime
    frame: pd.DataFrame
    summary: Summary
    shapes: Mapping[int, Any]
    tiles_url: str = ""
    tiles_attribution: str = ""


def rows(report: Report) -> bytes:
    """Return the rows as JSON columns, for the page's table."""
    frame = report.frame.drop(columns=["id", "lon", "lat", "visiting"])
    return orjson.dumps({name: _plain(frame[name]) for name in frame})


def _plain(column: "pd.Series[Any]") -> list[Any]:
    return [None if value is None or value != value else value for value in column.tolist()]


def excel(report: Report) -> bytes:
    """Return the Excel file: a row per commune, and on a second sheet the question and what each figure means."""
    frame = report.frame.assign(
        km=report.frame["nearest_m"] / 1000,
        precision=report.frame["approximate"].map({True: "approximative", False: "exacte"}),
        visits=report.frame["visited"].map({True: "oui", False: "non déclarée"}),
    )
    frame.loc[frame["nearest_m"].isna(), "precision"] = None
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="xlsxwriter", engine_kwargs={"options": OPTIONS}) as writer:
        book = writer.book
        head = book.add_format(HEAD | {"text_wrap": True})
        formats = {column: book.add_format({"num_format": form}) for column, form in FORMATS.items()}
        text = book.add_format({"num_format": "@"})
        frame.head(0)[[]].to_excel(writer, sheet_name=SHEET, index=False)
        sheet = writer.sheets[SHEET]
        for rank, (title, column, width) in enumerate(COLUMNS):
            sheet.write_string(0, rank, title, head)
            sheet.set_column(rank, rank, width)
            for row, value in enumerate(_plain(frame[column]), 1):
                if value is None:
                    continue
                if column in formats:
                    sheet.write_number(row, rank, value, formats[column])
                else:
                    # Codes are text: a leading zero is content.
                    sheet.write_string(row, rank, safe(str(value)), text)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, max(len(frame), 1), len(COLUMNS) - 1)
        _about(book, report)
    return buffer.getvalue()


def _about(book: Any, report: Report) -> None:
    sheet = book.add_worksheet(ABOUT)
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, 1, 100)
    bold = book.add_format({"bold": True, "valign": "top"})
    day = book.add_format({"num_format": "dd/mm/yyyy hh:mm", "align": "left"})
    wrapped = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    left = book.add_format({"align": "left"})
    lines = words.sheet_lines(
        report.title,
        [
            ("Ce qui est mesuré", report.what),
            ("Territoire", report.where),
            ("Établi le", words.asked_on(report.asked_at)),
        ],
        report.summary,
    )
    for row, (label, value) in enumerate(lines):
        sheet.write_string(row, 0, label, bold)
        if isinstance(value, datetime):
            sheet.write_datetime(row, 1, value, day)
        elif isinstance(value, int | float):
            sheet.write_number(row, 1, value, left)
        else:
            sheet.write_string(row, 1, safe(value), wrapped)


def geojson(report: Report, frame: pd.DataFrame, measures: Sequence[Measure]) -> bytes:
    """Return the communes as GeoJSON (RFC 7946): contour, else point, else nothing; figures as properties.

    The classes of the maps stand beside: `measures` says what each number of class means.
    """
    shapes = _geometries(report)
    texts = shapely.to_geojson(shapes)
    columns = ["code", "name", "departement", "population", "offers", "sites", "nearest_commune", "visited"]
    numbers = {"nearest_m": "nearest_m", "density": "offers_per_10000"}
    data = {name: _plain(frame[name]) for name in [*columns, *numbers, "approximate"]}
    classes = {measure.key: frame[measure.column].tolist() for measure in measures}
    features = []
    for row, shape in enumerate(texts.tolist()):
        near = data["nearest_m"][row]
        properties = {name: data[name][row] for name in columns} | {
            "offers_per_10000": None if data["density"][row] is None else round(data["density"][row], 3),
            "nearest_m": None if near is None else int(near),
            "nearest_approximate": None if near is None else data["approximate"][row],
            "classes": {key: values[row] for key, values in classes.items()},
        }
        geometry = None if shape is None else orjson.Fragment(shape)
        identity = f"commune:{data['code'][row]}"
        features.append({"type": "Feature", "id": identity, "geometry": geometry, "properties": properties})
    body: dict[str, Any] = {
        "type": "FeatureCollection",
        "title": report.title,
        "question": {"what": report.what, "where": report.where},
        "generated_at": report.asked_at.isoformat(),
        "source": words.SOURCE,
        "attribution": ATTRIBUTION,
        "summary": report.summary.model_dump(),
        "measures": [
            {
                "key": measure.key,
                "title": measure.title,
                "classes": [{"label": one.label, "fill": one.fill, "ink": one.ink} for one in measure.classes],
            }
            for measure in measures
        ],
        "features": features,
    }
    if (box := _bounds(shapes)) is not None:
        body["bbox"] = [round(edge, 5) for edge in box]
    return orjson.dumps(body)


def _geometries(report: Report) -> Any:
    frame = report.frame
    points: Any = shapely.points(frame["lon"].round(5).to_numpy(), frame["lat"].round(5).to_numpy())
    found = np.empty(len(frame), dtype=object)
    for row, (place, lon) in enumerate(zip(frame["id"].tolist(), frame["lon"].tolist(), strict=True)):
        found[row] = report.shapes.get(place, None if lon != lon else points[row])
    return found


def _bounds(shapes: Any) -> tuple[float, float, float, float] | None:
    drawn = [shape for shape in shapes if shape is not None]
    if not drawn:
        return None
    west, south, east, north = shapely.total_bounds(drawn)
    return float(west), float(south), float(east), float(north)


def view(report: Report) -> tuple[float, float, float, float]:
    """Return what a map shows first: all of it, but of a country its mainland."""
    shapes = _geometries(report)
    mainland = ~report.frame["departement"].str.startswith(("97", "98")).to_numpy()
    for chosen in (shapes[mainland], shapes):
        if (box := _bounds(chosen)) is not None:
            west, south, east, north = box
            # One lone point still needs a view around it.
            margin = max(0.0, 0.02 - (east - west)) / 2
            return west - margin, south - margin, east + margin, north + margin
    return -5.2, 41.3, 9.6, 51.1


def html(report: Report, frame: pd.DataFrame, measures: Sequence[Measure]) -> bytes:
    """Return the standalone map."""
    digits = decimals(frame["density"])
    drawn = pd.DataFrame(
        {
            "name": frame["name"] + " (" + frame["code"] + ")",
            "geometry": _geometries(report),
            "population_text": [number(int(value)) if value else UNKNOWN for value in frame["population"]],
            "offers_text": [number(int(value)) for value in frame["offers"]],
            "density_text": [density_text(value, digits) or UNKNOWN for value in frame["density"]],
            "distance_text": [
                f"{distance_text(metres, approximate=about)} ({town})"
                if metres == metres and town
                else distance_text(metres, approximate=about) or UNKNOWN
                for metres, about, town in zip(
                    frame["nearest_m"], frame["approximate"], frame["nearest_commune"], strict=True
                )
            ],
            "visits_text": ["oui" if value else "non déclarées" for value in frame["visited"]],
        }
    ).join(frame[[measure.column for measure in measures]])
    fields = {
        "offers_text": "Offres",
        "population_text": "Habitants",
        "density_text": f"Pour 10{NBSP}000 hab.",
        "distance_text": "La plus proche",
        "visits_text": "Visites à domicile",
    }
    text = MapText(
        title=report.title,
        subtitle=f"Établi le {long_date(report.asked_at)} à {hour(local(report.asked_at))}",
        source=f"Source{NBSP}: {words.SOURCE}. Population{NBSP}: Insee.",
        attribution=ATTRIBUTION,
        unknown=UNKNOWN,
        bounds=view(report),
        notes=tuple(words.cautions(report.summary)),
        tiles_url=report.tiles_url,
        tiles_attribution=report.tiles_attribution,
    )
    return draw_report(drawn, measures, fields, text).encode()


def classes(report: Report) -> tuple[pd.DataFrame, tuple[Measure, ...]]:
    """Return the rows with their classes, and the measures that the maps colour by."""
    return classified(report.frame)
