"""From a register's address to a commune, for many rows at once: each distinct address is worked out once."""

import threading
from typing import NamedTuple

import pandas as pd

from maps import store
from maps.gazetteer import Gazetteer
from maps.text import cedex_number, normal_name, split_postal

CODE = 100
FORMER = 95
CONTRADICTED = 70
"""A valid code while postal code and town both say another place."""

_INPUT = ("commune_code", "postal_code", "town", "cedex")

# FINESS writes overseas départements with a letter (REGISTERS §2a); 9E and 9J are Saint-Pierre and Wallis.
_FINESS_OVERSEAS = {"9A": "97", "9B": "97", "9C": "97", "9D": "97", "9E": "97", "9F": "97", "9J": "98"}


class Answer(NamedTuple):
    """A commune (row of the place set, None when unknown), how it was found and how sure (0–100)."""

    row: int | None
    how: str
    score: int


NOBODY = Answer(None, "none", 0)


class _Current:
    gazetteer: Gazetteer | None = None
    lock = threading.Lock()


def gazetteer() -> Gazetteer:
    """Return the names of the places in use, made again when these change."""
    places = store.current()
    found = _Current.gazetteer
    if found is None or found.places is not places:
        with _Current.lock:
            found = _Current.gazetteer
            if found is None or found.places is not places:
                found = _Current.gazetteer = Gazetteer(places)
    return found


def resolve_communes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the commune of each address. See `maps.api.resolve_communes`."""
    names = gazetteer()
    columns = [
        frame[name].astype("string").fillna("").astype(object) if name in frame else pd.Series("", index=frame.index)
        for name in _INPUT
    ]
    keys = pd.MultiIndex.from_arrays(columns)
    places, distinct = pd.factorize(keys)
    answers = [resolve(names, *key) for key in distinct]
    ids = [None if a.row is None else names.places.ids[a.row] for a in answers]
    codes = [None if a.row is None else names.places.codes[a.row] for a in answers]
    table = pd.DataFrame(
        {
            "commune_id": pd.array(ids, dtype="Int32"),
            "commune_code": pd.array(codes, dtype="string"),
            "how": pd.array([a.how for a in answers], dtype="string"),
            "score": pd.array([a.score for a in answers], dtype="Int16"),
        }
    )
    result = table.take(places)
    result.index = frame.index
    return result


def resolve(names: Gazetteer, code: str, postal: str, town: str, cedex: str = "") -> Answer:
    """Resolve one address: by its INSEE code, else by its postal code and town."""
    postal_code, town = split_postal(postal, town)
    real_code, real_town = split_postal("", cedex)
    number = cedex_number(town) or cedex_number(cedex)
    normal = normal_name(town)
    by_code = _by_code(names, code)
    if by_code.row is not None:
        return _refined(names, by_code, postal_code, real_code, number, normal)
    if real_code in names.by_postal:
        # The office that sorts the mail of a CEDEX names the real postal code: "75012 PARIS".
        answer = names.by_postcode(real_code, normal_name(real_town) or normal)
        if answer is not None:
            return Answer(answer.row, "cedex", min(answer.score, 90))
    arrondissement = names.arrondissement(normal, postal_code, number)
    if arrondissement is not None:
        by_cedex = postal_code not in names.by_postal
        return Answer(arrondissement, "cedex" if by_cedex else "postcode_town", 90 if by_cedex else 98)
    answer = names.by_town(postal_code, normal)
    if answer is None:
        return NOBODY
    how = "cedex" if answer.how == "town" and postal_code and postal_code not in names.by_postal else answer.how
    return Answer(answer.row, how, answer.score)


def _by_code(names: Gazetteer, written: str) -> Answer:
    code = written.replace(" ", "").upper()
    if not code:
        return NOBODY
    if len(code) == 4 and code.isdigit():
        code = "0" + code
    if len(code) != 5:
        return NOBODY
    row = names.place(code)
    if row is not None:
        return Answer(row, "code", CODE)
    candidates = [code]
    if code[:2] in _FINESS_OVERSEAS:
        candidates = [_FINESS_OVERSEAS[code[:2]] + code[2:]]
        row = names.place(candidates[0])
        if row is not None:
            return Answer(row, "code", CODE)
    elif code.startswith("20"):
        candidates += ["2A" + code[2:], "2B" + code[2:]]
    for candidate in candidates:
        row = names.place(candidate)
        if row is None:
            row = names.former(candidate)
        if row is not None:
            return Answer(row, "former", FORMER)
    return NOBODY


def _refined(names: Gazetteer, answer: Answer, postal: str, real_postal: str, number: int | None, town: str) -> Answer:
    """Go from Paris, Lyon or Marseille to the arrondissement; lower the score of what the rest contradicts."""
    assert answer.row is not None  # noqa: S101 - only called with a place
    for code in (postal, real_postal):
        inner = names.within(answer.row, code, number)
        if inner is not None:
            return Answer(inner, answer.how, answer.score)
    if postal in names.by_postal and town and postal not in names.places.postal_codes[answer.row]:
        other = names.by_postcode(postal, town)
        if other is not None and other.score >= 90 and other.row != answer.row:
            return Answer(answer.row, answer.how, CONTRADICTED)
    return answer
