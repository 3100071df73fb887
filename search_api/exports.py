"""Exports of the 200 results: Excel, CSV and GeoJSON, one row for each offer of each site."""

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import pandas as pd

from core.clock import local
from core.sheets import HEAD, OPTIONS, safe
from core.ui.filters import calm
from search_api.labels import FACETS, SCOPES
from search_api.param_places import ref_text
from search_api.params import query_params
from search_api.schemas import CAP, BBox, FacetKey, OfferCard, SearchAnswer, SearchItem, SearchQuery

RESULTS, QUESTION = "Résultats", "Requête"
WIDTHS = (6, 34, 22, 24, 24, 30, 8, 22, 16, 10, 12, 34, 26, 30, 36, 18, 22, 12, 14, 14, 16, 30, 18, 44)


@dataclass(frozen=True, slots=True)
class Question:
    """What an export answers: the query, the moment, and the names of the places and codes in it."""

    query: SearchQuery
    asked_at: datetime
    labels: dict[str, str]
    public_url: str


COLUMNS = (
    "Rang",
    "Nom du lieu",
    "Catégorie",
    "Département",
    "Commune",
    "Adresse",
    "Code postal",
    "Téléphone",
    "Distance (km)",
    "Position",
    "Nombre d’offres",
    "Offre",
    "Professionnel",
    "Type d’unité",
    "Ce qui y est fait",
    "Patientèle",
    "Conventionnement",
    "Carte Vitale",
    "Nouveaux patients",
    "À domicile",
    "Téléphone de rendez-vous",
    "Adresse de rendez-vous",
    "Mise à jour",
    "Fiche",
)


def rows(answer: SearchAnswer, question: Question) -> Iterator[dict[str, Any]]:
    """Yield one row for each offer shown of each site; a site always has at least one."""
    for item in answer.items:
        for offer in item.offers:
            yield _row(item, offer, question)


def _row(item: SearchItem, offer: OfferCard, question: Question) -> dict[str, Any]:
    site = item.site
    values = (
        item.rank,
        calm(site.name),
        site.category,
        calm(site.departement) or None,
        calm(site.commune) or None,
        calm(site.street) or None,
        site.postal_code,
        site.phone,
        item.distance_m / 1000 if item.distance_m is not None else None,
        None if site.lat is None else "approximative" if item.approximate else "exacte",
        item.offers_count,
        calm(offer.name),
        offer.practitioner,
        offer.type.label if offer.type else None,
        " ; ".join(label.label for label in offer.labels),
        offer.patients,
        offer.convention,
        _yes(offer.carte_vitale),
        _yes(offer.accepts_new),
        "oui" if offer.visits else None,
        offer.booking_phone,
        offer.booking_url,
        local(offer.updated_at).replace(tzinfo=None),
        f"{question.public_url}/offres/{offer.id}",
    )
    return dict(zip(COLUMNS, values, strict=True))


def _yes(value: bool | None) -> str | None:
    return None if value is None else "oui" if value else "non"


def question_lines(answer: SearchAnswer, question: Question) -> list[tuple[str, Any]]:
    """Return what the sheet « Requête » says: what was asked, when, and how much answers."""
    query, labels = question.query, question.labels

    def name(ref: str) -> str:
        return f"{labels[ref]} ({ref})" if ref in labels else ref

    lines: list[tuple[str, Any]] = [("Recherche faite le", local(question.asked_at).replace(tzinfo=None))]
    if query.q:
        lines.append(("Qui, quoi ?", query.q))
    if query.scope:
        lines.append(("Dans", SCOPES.get(query.scope, query.scope)))
    lines += [("Code", name(code)) for code in query.codes]
    lines += [("Où ?", f"{labels[ref]} ({ref[6:]})") for ref in labels if ref.startswith("where:")]
    lines += [("Dans", ", ".join(name(ref_text(ref)) for ref in group)) for group in query.within]
    if query.point is not None:
        lines.append(("Point", f"{query.point.lat:.5f} ; {query.point.lon:.5f}"))
    if query.bbox is not None:
        lines.append(("Zone de la carte", _box(query.bbox)))
    if query.radius_km is not None:
        lines.append(("Rayon (km)", query.radius_km))
    for key in FacetKey:
        lines += [(FACETS[key], name(value)) for value in query.facets.get(key, ())]
    if query.age is not None:
        lines.append(("Âge du patient", query.age))
    if query.open_at is not None:
        lines.append(("Ouvert le", local(query.open_at).replace(tzinfo=None)))
    if query.visits:
        lines.append(("Se déplace à", name(f"commune:{query.visits}")))
    if query.accepts_new:
        lines.append(("Accepte de nouveaux patients", "oui"))
    if answer.centre is not None:
        lines.append(("Distances depuis", answer.centre.label))
    lines += [
        ("Tri", "distance" if query.sort == "distance" else "pertinence"),
        ("Lieux trouvés", answer.total),
        ("Offres trouvées", answer.total_offers),
        ("Lieux dans ce fichier", len(answer.items)),
        ("Limite", f"{CAP} lieux"),
    ]
    return lines


def _box(box: BBox) -> str:
    edges = (("ouest", box.west), ("sud", box.south), ("est", box.east), ("nord", box.north))
    return " ; ".join(f"{name} {degrees:.5f}" for name, degrees in edges)


def excel(answer: SearchAnswer, question: Question) -> bytes:
    """Return the results as an Excel file: typed columns, frozen header, filter, links, and the query."""
    frame = pd.DataFrame(list(rows(answer, question)), columns=list(COLUMNS))
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="xlsxwriter", engine_kwargs={"options": OPTIONS}) as writer:
        book = writer.book
        head = book.add_format(HEAD)
        formats = {
            "km": book.add_format({"num_format": "0.000"}),
            "day": book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
            "text": book.add_format({"num_format": "@"}),
            "link": book.add_format({"font_color": "#0B4F55", "underline": 1}),
            "bold": book.add_format({"bold": True}),
        }
        frame.head(0).to_excel(writer, sheet_name=RESULTS, index=False)
        sheet = writer.sheets[RESULTS]
        for column, name in enumerate(COLUMNS):
            sheet.write_string(0, column, name, head)
            sheet.set_column(column, column, WIDTHS[column])
        for number, row in enumerate(frame.to_dict("records"), 1):
            for column, name in enumerate(COLUMNS):
                _cell(sheet, number, column, name, row[name], formats)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, max(len(frame), 1), len(COLUMNS) - 1)
        asked = book.add_worksheet(QUESTION)
        asked.set_column(0, 0, 30)
        asked.set_column(1, 1, 70)
        for number, (label, value) in enumerate(question_lines(answer, question)):
            asked.write_string(number, 0, label, formats["bold"])
            if isinstance(value, datetime):
                asked.write_datetime(number, 1, value, formats["day"])
            elif isinstance(value, int | float):
                asked.write_number(number, 1, value)
            else:
                asked.write_string(number, 1, safe(value), formats["text"])
    return buffer.getvalue()


def _cell(sheet: Any, row: int, column: int, name: str, value: Any, formats: dict[str, Any]) -> None:
    if value is None or value != value:
        return
    if name == "Fiche":
        sheet.write_url(row, column, value, formats["link"], string="Ouvrir la fiche")
    elif name == "Distance (km)":
        sheet.write_number(row, column, value, formats["km"])
    elif isinstance(value, datetime | pd.Timestamp):
        sheet.write_datetime(
            row, column, value.to_pydatetime() if isinstance(value, pd.Timestamp) else value, formats["day"]
        )
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        # Phones, postal codes and the like are text: a leading zero is content.
        sheet.write_string(row, column, safe(str(value)), formats["text"])


def comma_separated(answer: SearchAnswer, question: Question) -> bytes:
    """Return the results as CSV for French spreadsheets: UTF-8 with BOM, `;`, decimal comma."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows(answer, question):
        writer.writerow([_csv_value(row[name]) for name in COLUMNS])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def _csv_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}".replace(".", ",")
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y %H:%M")
    return str(safe(value))


def geojson(answer: SearchAnswer, question: Question) -> bytes:
    """Return the sites that have a position as GeoJSON points; the query and the totals stand beside them."""
    features = []
    for item in answer.items:
        site = item.site
        place = (
            {"type": "Point", "coordinates": [round(site.lon, 6), round(site.lat, 6)]}
            if site.lat is not None and site.lon is not None
            else None
        )
        properties = {
            "rank": item.rank,
            "name": site.name,
            "kind": site.kind,
            "category": site.category,
            "street": site.street,
            "postal_code": site.postal_code,
            "commune": site.commune,
            "departement": site.departement,
            "phone": site.phone,
            "distance_m": item.distance_m,
            "approximate": item.approximate,
            "offers_count": item.offers_count,
            "offers": [
                {"id": str(offer.id), "name": offer.name, "practitioner": offer.practitioner} for offer in item.offers
            ],
            "url": f"{question.public_url}/sites/{site.id}",
        }
        features.append({"type": "Feature", "id": str(site.id), "geometry": place, "properties": properties})
    body = {
        "type": "FeatureCollection",
        "total": answer.total,
        "total_offers": answer.total_offers,
        "query": [list(pair) for pair in query_params(question.query)],
        "generated_at": question.asked_at.isoformat(),
        "features": features,
    }
    return orjson.dumps(body)


def filename(question: Question, extension: str) -> str:
    """Return a plain file name: the place or words asked for, and the day."""
    subject = question.query.q or next(iter(question.labels.values()), "")
    return f"repere-{slug(subject) or 'recherche'}-{local(question.asked_at):%Y%m%d-%H%M}.{extension}"


def slug(text: str) -> str:
    """Return the words of a text as a file name may hold them: « masseur-kinesitherapeute-limay »."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())[:40].strip("-")
