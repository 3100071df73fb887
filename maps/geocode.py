"""A position for each address: house number, street, register coordinates, else the town's point.

Distinct addresses are looked up together in the BAN table; streets written otherwise than in the BAN are
compared with those of the same commune only.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg

from maps import store
from maps.projections import epsg_of, precision_of, to_wgs84
from maps.store import PlaceSet
from maps.street_match import nearest_streets
from maps.streets import repetition_of, split_street, street_key

LEVELS = ("none", "commune", "place", "street", "number")
"""From the least to the most precise; a position of a better level replaces another."""
NONE, COMMUNE, PLACE, STREET, NUMBER = range(5)
SOURCES = (None, "commune", "finess", "ban")
BY_COMMUNE, BY_FINESS, BY_BAN = 1, 2, 3

_NEAR = 0.05
"""Degrees around a commune's contour in which register coordinates are still believed."""
_WIDE = 0.5
"""The same around the point of a commune without contour."""

_EXACT = """
    INSERT INTO geo_hit (id, lon, lat, level, score)
    SELECT DISTINCT ON (q.id) q.id, ST_X(a.point::geometry), ST_Y(a.point::geometry), 4,
           CASE WHEN a.certified = 1 THEN 100 ELSE 97 END
      FROM geo_query q
      JOIN maps.address a ON a.commune_code = q.commune_code AND a.street_key = q.street_key
                         AND a.number = q.number AND a.repetition = q.repetition
     ORDER BY q.id, a.certified DESC, a.id
"""

# The nearest number, on the same side of the street when two are as near; a lone "12 bis" is level number.
_NEAREST = """
    INSERT INTO geo_hit (id, lon, lat, level, score)
    SELECT DISTINCT ON (q.id) q.id, ST_X(n.point::geometry), ST_Y(n.point::geometry),
           CASE WHEN n.number = q.number THEN 4 ELSE 3 END,
           CASE WHEN n.number = q.number THEN 90 ELSE greatest(60, 84 - abs(n.number - q.number)) END
      FROM geo_query q
      JOIN maps.street s ON s.commune_code = q.commune_code AND s.street_key = q.street_key
     CROSS JOIN LATERAL (
           SELECT a.point, a.number FROM maps.address a
            WHERE a.commune_code = q.commune_code AND a.street_key = q.street_key
            ORDER BY abs(a.number - q.number), (a.number + q.number) % 2, a.repetition, a.number, a.id LIMIT 1) n
     WHERE q.number IS NOT NULL AND NOT EXISTS (SELECT FROM geo_hit h WHERE h.id = q.id)
     ORDER BY q.id, abs(n.number - q.number)
"""

_MIDDLE = """
    INSERT INTO geo_hit (id, lon, lat, level, score)
    SELECT DISTINCT ON (q.id) q.id, ST_X(s.point::geometry), ST_Y(s.point::geometry), 3, 70
      FROM geo_query q
      JOIN maps.street s ON s.commune_code = q.commune_code AND s.street_key = q.street_key
     WHERE NOT EXISTS (SELECT FROM geo_hit h WHERE h.id = q.id)
     ORDER BY q.id, s.addresses DESC, s.commune_code
"""


def geocode(conn: psycopg.Connection, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the position of each address. See `maps.api.geocode`."""
    places = store.current()
    size = len(frame)
    lon, lat = np.full(size, np.nan), np.full(size, np.nan)
    level, source = np.zeros(size, dtype=np.int8), np.zeros(size, dtype=np.int8)
    score = np.zeros(size, dtype=np.int16)

    def take(where: Any, x: Any, y: Any, levels: Any, scores: Any, origin: int) -> None:
        """Keep the proposed positions that are more precise than those in hand."""
        known = np.isfinite(x) & np.isfinite(y)
        better = known & ((levels > level[where]) | ((levels == level[where]) & (scores > score[where])))
        at = where[better]
        lon[at], lat[at], level[at], score[at], source[at] = (
            x[better], y[better], levels[better], scores[better], origin,
        )  # fmt: skip

    every = np.arange(size)
    rows = _rows(places, frame)
    known = np.flatnonzero(rows >= 0)
    lons, lats = np.asarray(places.lons), np.asarray(places.lats)
    take(known, lons[rows[known]], lats[rows[known]], np.full(known.size, COMMUNE), np.full(known.size, 20), BY_COMMUNE)
    if {"x", "y"} <= set(frame.columns):
        take(every, *_register_positions(conn, places, frame, rows), BY_FINESS)
    if "street" in frame.columns and known.size:
        take(*_ban_positions(conn, places, frame, rows), BY_BAN)
    return pd.DataFrame(
        {
            "lon": lon,
            "lat": lat,
            "position_source": pd.array([SOURCES[s] for s in source], dtype="string"),
            "position_level": pd.array([LEVELS[n] for n in level], dtype="string"),
            "position_score": pd.array(score, dtype="Int16"),
        },
        index=frame.index,
    )


def _rows(places: PlaceSet, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the row of each address's commune in the place set, -1 when unknown."""
    ids = pd.to_numeric(frame["commune_id"], errors="coerce").fillna(-1).astype(np.int64).to_numpy()
    table = np.full(max(places.by_id, default=0) + 2, -1, dtype=np.int64)
    table[np.fromiter(places.by_id.keys(), dtype=np.int64, count=len(places))] = np.fromiter(
        places.by_id.values(), dtype=np.int64, count=len(places)
    )
    found: npt.NDArray[np.int64] = table[np.where((ids >= 0) & (ids < table.size - 1), ids, table.size - 1)]
    return found


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        return pd.Series("", index=frame.index, dtype=object)
    return frame[name].astype("string").fillna("").astype(object)


# -- Coordinates of the register ---------------------------------------------------------------------------


def _register_positions(
    conn: psycopg.Connection, places: PlaceSet, frame: pd.DataFrame, rows: npt.NDArray[np.int64]
) -> tuple[Any, Any, Any, Any]:
    """Return the WGS84 positions that the register gives, with level and score; NaN where it cannot be believed."""
    size = len(frame)
    written, texts = pd.factorize(_text(frame, "projection"))
    epsg = np.array([epsg_of(t) or 0 for t in texts] or [0], dtype=np.int64)[written]
    if "epsg" in frame:
        given = pd.to_numeric(frame["epsg"], errors="coerce").fillna(0).astype(np.int64).to_numpy()
        epsg = np.where(given > 0, given, epsg)
    precision = np.array([precision_of(t) or 0 for t in texts] or [0], dtype=np.int64)[written]
    x = pd.to_numeric(frame["x"], errors="coerce").to_numpy(dtype=np.float64)
    y = pd.to_numeric(frame["y"], errors="coerce").to_numpy(dtype=np.float64)
    lon, lat = to_wgs84(x, y, epsg)
    believed = _in_or_near(conn, places, rows, lon, lat)
    lon[~believed], lat[~believed] = np.nan, np.nan
    # 1 and 2 are a number (found, interpolated), 3 a street, 4 a named place; beyond, the commune's centre.
    levels = np.array([NUMBER, NUMBER, NUMBER, STREET, PLACE, COMMUNE, COMMUNE, COMMUNE, COMMUNE, COMMUNE])
    scores = np.array([90, 95, 92, 75, 55, 25, 25, 25, 25, 25])
    level, score = levels[precision], scores[precision]
    if "ban_key" in frame:
        # The key of the BAN has a third part when a house number was found: "01143_0515_00240".
        keys, distinct = pd.factorize(_text(frame, "ban_key"))
        parts = np.array([len([p for p in k.split("_") if p]) for k in distinct] or [0], dtype=np.int64)[keys]
        level = np.where(parts >= 3, NUMBER, np.where(parts == 2, STREET, level))
        score = np.where(parts >= 3, 95, np.where(parts == 2, 75, score))
    assert level.shape == (size,)  # noqa: S101 - one for each address
    return lon, lat, level, score


def _in_or_near(
    conn: psycopg.Connection,
    places: PlaceSet,
    rows: npt.NDArray[np.int64],
    lon: npt.NDArray[np.float64],
    lat: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Tell which positions fall in their commune or next to it; those without a commune are believed."""
    concerned = np.unique(rows[(rows >= 0) & np.isfinite(lon)])
    boxes = np.full((len(places) + 1, 4), np.nan)
    boxes[-1] = (-180.0, -90.0, 180.0, 90.0)
    for row in concerned.tolist():
        x, y = places.lons[row], places.lats[row]
        boxes[row] = (x - _WIDE, y - _WIDE, x + _WIDE, y + _WIDE)
    ids = [places.ids[row] for row in concerned.tolist()]
    for place, west, south, east, north in conn.execute(
        "SELECT id, ST_XMin(contour), ST_YMin(contour), ST_XMax(contour), ST_YMax(contour)"
        " FROM maps.place WHERE contour IS NOT NULL AND id = ANY(%s)",
        (ids,),
    ):
        boxes[places.by_id[place]] = (west - _NEAR, south - _NEAR, east + _NEAR, north + _NEAR)
    box = boxes[rows]
    with np.errstate(invalid="ignore"):
        believed: npt.NDArray[np.bool_] = (
            (lon >= box[:, 0]) & (lat >= box[:, 1]) & (lon <= box[:, 2]) & (lat <= box[:, 3])
        )
    return believed


# -- BAN ---------------------------------------------------------------------------------------------------


def _ban_positions(
    conn: psycopg.Connection, places: PlaceSet, frame: pd.DataFrame, rows: npt.NDArray[np.int64]
) -> tuple[Any, Any, Any, Any, Any]:
    """Return (which addresses, lon, lat, level, score) of what the BAN knows."""
    queries, which = _queries(frame, rows)
    nobody = np.empty(0, dtype=np.int64)
    if not len(queries):
        return nobody, nobody.astype(float), nobody.astype(float), nobody, nobody
    with conn.transaction(), conn.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS geo_query, geo_hit")
        cursor.execute(
            "CREATE TEMP TABLE geo_query (id integer, commune_code text, street_key text, number integer,"
            " repetition text) ON COMMIT DROP;"
            "CREATE TEMP TABLE geo_hit (id integer, lon float8, lat float8, level smallint, score smallint)"
            " ON COMMIT DROP"
        )
        _fill(cursor, places, queries)
        _look_up(cursor)
        renamed = _rename(cursor, places, queries)
        if len(renamed):
            cursor.execute("CREATE TEMP TABLE geo_exact ON COMMIT DROP AS SELECT * FROM geo_hit; TRUNCATE geo_hit")
            cursor.execute("TRUNCATE geo_query")
            _fill(cursor, places, renamed)
            _look_up(cursor)
        found = cursor.execute("SELECT id, lon, lat, level, score FROM geo_hit").fetchall()
        likeness = dict(zip(renamed["id"].tolist(), renamed["likeness"].tolist(), strict=True)) if len(renamed) else {}
        hits = [(i, x, y, n, round(s * likeness.get(i, 1.0))) for i, x, y, n, s in found]
        if len(renamed):
            hits += cursor.execute("SELECT id, lon, lat, level, score FROM geo_exact").fetchall()
            cursor.execute("DROP TABLE geo_exact")
        cursor.execute("DROP TABLE geo_query, geo_hit")
    table = np.full((len(queries), 4), np.nan)
    for query, *values in hits:
        table[query] = values
    at = np.flatnonzero(which >= 0)
    at = at[np.isfinite(table[which[at], 0])]
    hit = table[which[at]]
    return at, hit[:, 0], hit[:, 1], hit[:, 2].astype(np.int8), hit[:, 3].astype(np.int16)


def _queries(frame: pd.DataFrame, rows: npt.NDArray[np.int64]) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return the distinct (commune, street, number, repetition), and for each address which one is its own (-1)."""
    street, streets = pd.factorize(_text(frame, "street"))
    split = [split_street(text) for text in streets]
    keys = np.array([street_key(s.street) for s in split], dtype=object)[street]
    own_number = np.array([-1 if s.number is None else s.number for s in split], dtype=np.int64)[street]
    own_mark = np.array([s.repetition for s in split], dtype=object)[street]
    whole = np.array([street_key(text) for text in streets], dtype=object)[street]

    number = pd.to_numeric(_text(frame, "number").str.extract(r"^\s*0*(\d{1,5})", expand=False), errors="coerce")
    given = number.fillna(-1).astype(np.int64).to_numpy()
    marks, distinct = pd.factorize(_text(frame, "repetition"))
    mark = np.array([repetition_of(m) for m in distinct] or [""], dtype=object)[marks]
    stated = given >= 0
    # With a number of its own, a street that starts with one ("8 mai 1945") is a name.
    key = np.where(stated, whole, keys)
    queries = pd.DataFrame(
        {
            "row": rows,
            "street_key": key,
            "number": np.where(stated, given, own_number),
            "repetition": np.where(stated, mark, own_mark),
        }
    )
    usable = np.asarray((rows >= 0) & (queries["street_key"] != ""), dtype=np.bool_)
    which = np.full(len(frame), -1, dtype=np.int64)
    groups = queries[usable].groupby(["row", "street_key", "number", "repetition"], sort=True)
    which[usable] = groups.ngroup().to_numpy()
    table = groups.size().reset_index()[["row", "street_key", "number", "repetition"]]
    table.insert(0, "id", np.arange(len(table)))
    return table, which


def _codes(places: PlaceSet, row: int) -> list[str]:
    """Return the codes that the BAN may use for a commune: those of its arrondissements when it has some."""
    code = places.codes[row]
    bases = {"75056": (75100, 20), "69123": (69380, 9), "13055": (13200, 16)}
    if places.kinds[row] == "commune" and code in bases:
        base, count = bases[code]
        return [code, *(str(base + n) for n in range(1, count + 1))]
    return [code]


def _fill(cursor: psycopg.Cursor, places: PlaceSet, queries: pd.DataFrame) -> None:
    codes = {row: _codes(places, row) for row in queries["row"].unique().tolist()}
    with cursor.copy("COPY geo_query FROM STDIN") as copy:
        for query, row, key, number, mark in zip(
            queries["id"].tolist(), queries["row"].tolist(), queries["street_key"].tolist(),
            queries["number"].tolist(), queries["repetition"].tolist(), strict=True,
        ):  # fmt: skip
            for code in codes[row]:
                copy.write_row((query, code, key, number if number >= 0 else None, mark))
    cursor.execute("ANALYZE geo_query")


def _look_up(cursor: psycopg.Cursor) -> None:
    cursor.execute(_EXACT)
    cursor.execute("CREATE INDEX ON geo_hit (id)")
    cursor.execute("ANALYZE geo_hit")
    cursor.execute(_NEAREST)
    cursor.execute(_MIDDLE)


def _rename(cursor: psycopg.Cursor, places: PlaceSet, queries: pd.DataFrame) -> pd.DataFrame:
    """Return the queries whose street is unknown as written, under the key of the street that it must be."""
    hit = {row[0] for row in cursor.execute("SELECT id FROM geo_hit").fetchall()}
    missed = queries[~queries["id"].isin(hit)]
    if missed.empty:
        return missed.assign(likeness=pd.Series(dtype=float))
    rows = missed["row"].unique().tolist()
    codes = {row: _codes(places, row) for row in rows}
    wanted = sorted({code for row in rows for code in codes[row]})
    known: dict[str, list[str]] = {}
    for code, key in cursor.execute(
        "SELECT commune_code, street_key FROM maps.street WHERE commune_code = ANY(%s) ORDER BY 1, 2", (wanted,)
    ):
        known.setdefault(code, []).append(key)
    parts = []
    for row, group in missed.groupby("row", sort=True):
        streets = [key for code in codes[int(str(row))] for key in known.get(code, ())]
        if not streets:
            continue
        near = nearest_streets(group["street_key"].unique().tolist(), streets)
        if near:
            found = group[group["street_key"].isin(near.keys())]
            parts.append(
                found.assign(
                    street_key=[near[key][0] for key in found["street_key"]],
                    likeness=[near[key][1] for key in found["street_key"]],
                )
            )
    return pd.concat(parts) if parts else missed.head(0).assign(likeness=pd.Series(dtype=float))
