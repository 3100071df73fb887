"""Places from the official geo API, written over those in hand only when everything was received."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import psycopg
import shapely

from core.errors import Unavailable
from maps import supplement
from maps.gather import PlaceRow, assemble
from maps.load import write_places
from maps.schemas import PlaceKind, PlacesReport

DEFAULT_URL = "https://geo.api.gouv.fr"
SOURCE = "geo.api.gouv.fr"

FIELDS = "code,nom,codesPostaux,centre,mairie,contour,population,codeDepartement,codeRegion,codeEpci"
PART_FIELDS = "code,nom,type,chefLieu,centre,mairie,population,codeDepartement"
_ATTEMPTS = 4
_SHRINK = 0.9
"""An answer with fewer communes than this share of what we hold is a broken answer, not news."""

_TOWNS = {"75": "75056", "69": "69123", "13": "13055"}
"""Communes that are divided in arrondissements, by département."""


def refresh_places(
    conn: psycopg.Connection,
    url: str = DEFAULT_URL,
    *,
    progress: Callable[[str], None] | None = None,
    pause: float = 1.0,
) -> PlacesReport:
    """Replace the places by those of the geo API; the caller commits.

    One request a département and a kind, each tried again after a passing failure; nothing is written until
    all have answered.

    Args:
        conn: connection to write with.
        url: address of the API.
        progress: told in French what is being done.
        pause: seconds before the first new attempt, doubled each time.

    Raises:
        Unavailable: the API cannot be reached or answers something else than communes.
    """
    tell = progress or (lambda _: None)
    start = time.monotonic()
    rows: list[PlaceRow] = []
    epci_of: dict[str, str] = {}
    with httpx.Client(base_url=url, timeout=60, headers={"Accept": "application/json"}) as client:
        departements = [item["code"] for item in _get(client, "/departements", {"fields": "code"}, pause)]
        epci_names = {item["code"]: item["nom"] for item in _get(client, "/epcis", {"fields": "code,nom"}, pause)}
        for rank, departement in enumerate(sorted(departements), 1):
            tell(f"Téléchargement du département {departement} ({rank} sur {len(departements)})")
            for item in _get(client, "/communes", {"codeDepartement": departement, "fields": FIELDS}, pause):
                rows.append(_row("commune", item, ("departement", departement), departement))
                if item.get("codeEpci"):
                    epci_of[item["code"]] = item["codeEpci"]
        tell("Téléchargement des arrondissements et des communes déléguées")
        for item in _get(client, "/communes", {"type": "arrondissement-municipal", "fields": FIELDS}, pause):
            departement = item.get("codeDepartement") or item["code"][:2]
            rows.append(_row("arrondissement", item, ("commune", _TOWNS[departement]), departement))
        postal = {row.code: row.postal_codes for row in rows}
        for item in _get(client, "/communes_associees_deleguees", {"fields": PART_FIELDS}, pause):
            departement = item.get("codeDepartement") or item["code"][:2]
            part = _row("commune_deleguee", item, ("commune", str(item.get("chefLieu"))), departement)
            part.postal_codes = postal.get(str(item.get("chefLieu")), ())
            rows.append(part)
    known = {row.code for row in rows}
    rows += [
        PlaceRow(
            "commune", o.code, o.name, o.population, ("departement", o.departement), o.departement,
            o.postal_codes, o.lon, o.lat,
        )
        for o in supplement.overseas_communes()
        if o.code not in known
    ]  # fmt: skip
    _refuse_a_broken_answer(conn, sum(row.kind == "commune" for row in rows))
    former = supplement.former_codes()
    former |= {row.code: row.parent[1] for row in rows if row.kind == "commune_deleguee" and row.parent}
    tell("Contours")
    report = write_places(conn, assemble(rows, epci_of, epci_names), SOURCE, former, whole=True, progress=tell)
    report.seconds = round(time.monotonic() - start, 2)
    return report


def _get(client: httpx.Client, path: str, parameters: dict[str, str], pause: float) -> list[dict[str, Any]]:
    for attempt in range(_ATTEMPTS):
        try:
            answer = client.get(path, params=parameters)
            if answer.status_code == 200:
                return _items(path, answer.content)
            reason = f"réponse {answer.status_code}"
            passing = answer.status_code == 429 or answer.status_code >= 500
        except httpx.TransportError as error:
            reason, passing = type(error).__name__, True
        if not passing:
            break
        if attempt + 1 < _ATTEMPTS:
            time.sleep(pause * 2**attempt)
    raise Unavailable(
        f"L’API des communes ({client.base_url}) ne répond pas comme attendu ({reason} pour {path})."
        " Rien n’a été changé : les lieux déjà chargés restent en place."
        " Sans réseau, « ./repere places load » suffit."
    )


def _items(path: str, content: bytes) -> list[dict[str, Any]]:
    try:
        items = orjson.loads(content)
    except orjson.JSONDecodeError:
        items = None
    if not isinstance(items, list) or any(not isinstance(i, dict) or "code" not in i for i in items):
        raise Unavailable(f"L’API des communes a répondu autre chose qu’une liste pour {path}. Rien n’a été changé.")
    return items


def _row(kind: PlaceKind, item: dict[str, Any], parent: tuple[str, str], departement: str) -> PlaceRow:
    point = item.get("mairie") or item.get("centre") or {}
    lon, lat = (point.get("coordinates") or [None, None])[:2]
    contour = item.get("contour")
    return PlaceRow(
        kind=kind,
        code=item["code"],
        name=item["nom"],
        population=int(item.get("population") or 0),
        parent=parent,
        departement=departement,
        postal_codes=tuple(sorted(item.get("codesPostaux") or ())),
        lon=lon,
        lat=lat,
        contour=_contour(contour) if contour else None,
    )


def _contour(geometry: dict[str, Any]) -> bytes | None:
    shape = shapely.make_valid(shapely.from_geojson(orjson.dumps(geometry)))
    polygons = [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon"]
    return bytes(shapely.to_wkb(shapely.MultiPolygon(polygons))) if polygons else None


def _refuse_a_broken_answer(conn: psycopg.Connection, received: int) -> None:
    row = conn.execute("SELECT count(*) FROM maps.place WHERE kind = 'commune' AND retired_at IS NULL").fetchone()
    held = row[0] if row else 0
    if received < held * _SHRINK:
        raise Unavailable(
            f"L’API des communes n’a donné que {received} communes sur {held} connues. Rien n’a été changé."
        )
