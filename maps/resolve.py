"""From a register's address to a commune, for many rows at once."""

import pandas as pd

from maps import store

COLUMNS = ("commune_id", "commune_code", "how", "score")


def resolve_communes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the commune of each address. See `maps.api.resolve_communes`."""
    places = store.current()
    ids: list[int | None] = []
    codes: list[str | None] = []
    hows: list[str] = []
    scores: list[int] = []
    for code in frame["commune_code"].fillna(""):
        row = places.find("commune", code) if code else None
        ids.append(None if row is None else places.ids[row])
        codes.append(None if row is None else places.codes[row])
        hows.append("none" if row is None else "code")
        scores.append(0 if row is None else 100)
    return pd.DataFrame(
        {
            "commune_id": pd.array(ids, dtype="Int32"),
            "commune_code": codes,
            "how": hows,
            "score": pd.array(scores, dtype="Int16"),
        },
        index=frame.index,
    )
