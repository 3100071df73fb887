"""Both sides turned into integer arrays: one shared dictionary per kind of value, normalised once per value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.linkage import normalise, specialties, streets

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MALE, FEMALE = 1, 2
T = TypeVar("T")
EMPTY = 0
"""Code of the empty value in every dictionary."""

_GENDERS = {"M": MALE, "H": MALE, "MR": MALE, "1": MALE, "F": FEMALE, "MME": FEMALE, "MLLE": FEMALE, "2": FEMALE}


class Codes(Generic[T]):
    """Dictionary of normalised values; code 0 is the empty value."""

    def __init__(self, empty: T) -> None:
        self.values: list[T] = [empty]
        self._codes: dict[T, int] = {empty: EMPTY}

    def code(self, value: T) -> int:
        """Return the code of a value, minted at its first sight."""
        found = self._codes.get(value)
        if found is None:
            found = self._codes[value] = len(self.values)
            self.values.append(value)
        return found

    def known(self, value: T) -> int:
        """Return the code of a value, that of the empty value when it was never seen."""
        return self._codes.get(value, EMPTY)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(slots=True)
class Side:
    """One side as parallel arrays (int32 codes; postcodes and phones are the numbers themselves, 0 absent)."""

    surname: Ints
    first: Ints
    gender: Ints
    postcode: Ints
    town: Ints
    department: Ints
    way: Ints
    core: Ints
    number: Ints
    phone: Ints
    company: Ints

    def __len__(self) -> int:
        return len(self.surname)


@dataclass(slots=True)
class Lines(Side):
    """AMELI lines; `specialty` indexes `Encoded.specialties`, `line` is the official row number."""

    line: Longs
    specialty: Ints


@dataclass(slots=True)
class Activities(Side):
    """RPPS activities, one per person × structure."""

    profession: Ints
    person: Ints
    skills: Ints
    phone2: Ints
    postcode2: Ints
    town2: Ints
    liberal: Bools
    located: Bools
    """False for a person without structure: counts as a namesake, is never linked."""


@dataclass(slots=True)
class Encoded:
    """The two sides and the dictionaries needed to compare them."""

    lines: Lines
    activities: Activities
    surnames: list[normalise.Name]
    firsts: list[normalise.Name]
    cores: list[str]
    towns: list[str]
    professions: list[str]
    specialties: list[specialties.Specialty | None]
    skills: list[frozenset[str]]


class _Encoder:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def raw(self, table: str, expression: str) -> tuple[npt.NDArray[np.intp], Sequence[str]]:
        """Dictionary of a text column: code of each row, distinct values."""
        codes, values = pd.factorize(_column(self.connection, expression, table).astype(object))
        return codes, list(values)

    def map(self, table: str, expression: str, function: Callable[[str], T], codes: Codes[T]) -> Ints:
        rows, values = self.raw(table, expression)
        mapping = np.fromiter((codes.code(function(v)) for v in values), dtype=np.int32, count=len(values))
        return mapping[rows] if len(values) else np.zeros(0, dtype=np.int32)

    def number(self, table: str, expression: str, function: Callable[[str], str]) -> Ints:
        rows, values = self.raw(table, expression)
        mapping = np.fromiter((int(function(v) or 0) for v in values), dtype=np.int32, count=len(values))
        return mapping[rows] if len(values) else np.zeros(0, dtype=np.int32)

    def phone(self, table: str, column: str) -> Ints:
        return _column(self.connection, normalise.phone_sql(column), table).astype(np.int32)

    def companies(self, table: str, column: str, codes: Codes[str]) -> Ints:
        """Company names; on the second side only those that the first one has, the others are empty."""
        if table == "ameli":
            return self.map(table, column, normalise.plain, codes)
        if len(codes) == 1:
            return np.zeros(self.connection.table(table).shape[0], dtype=np.int32)
        rows, values = self.raw(table, column)
        return np.array([codes.known(normalise.plain(v)) for v in values] or [0], dtype=np.int32)[rows]


_HOUSE = "trim(number || ' ' || repetition)"
_ARRONDISSEMENT_OR_OFFICE = "CASE WHEN cedex_office <> '' THEN cedex_office ELSE commune_code || '#' END"


def _house_number(street: streets.Street) -> str:
    return street.number + street.repetition


def _second_postcode(text: str) -> str:
    """Geographic postcode behind a CEDEX one: "75012 PARIS" gives 75012, INSEE "75112#" too, else empty."""
    if text.endswith("#"):
        return normalise.arrondissement_postcode(text[:-1])
    head = text[:5]
    return head if head.isdigit() and len(head) == 5 else ""


def _office_town(text: str) -> str:
    return normalise.town(text.lstrip("0123456789 "))


def encode(connection: duckdb.DuckDBPyConnection) -> Encoded:
    """Encode the tables `ameli` and `activities` that `sources.load` made."""
    encoder = _Encoder(connection)
    surnames = Codes(normalise.Name("", ()))
    firsts = Codes(normalise.Name("", ()))
    towns, ways, cores, houses = Codes(""), Codes(""), Codes(""), Codes("")
    companies, departments, professions = Codes(""), Codes(""), Codes("")
    skills: Codes[frozenset[str]] = Codes(frozenset())
    kinds: Codes[str] = Codes("")

    def street_columns(table: str, way: str, house: str | None) -> tuple[Ints, Ints, Ints]:
        rows, values = encoder.raw(table, way)
        parsed = [streets.street(v) for v in values]
        columns = []
        for codes, part in ((ways, "way"), (cores, "core"), (houses, "")):
            texts = [getattr(s, part) if part else _house_number(s) for s in parsed]
            mapping = np.fromiter((codes.code(t) for t in texts), dtype=np.int32, count=len(texts))
            columns.append(mapping[rows] if len(texts) else np.zeros(0, dtype=np.int32))
        if house is not None:
            own = encoder.map(table, house, lambda v: _house_number(streets.street(v + " X")) if v else "", houses)
            columns[2] = np.where(own != EMPTY, own, columns[2])
        return columns[0], columns[1], columns[2]

    def common(table: str, names: dict[str, str], house: str | None) -> dict[str, Ints]:
        way, core, number = street_columns(table, names["street"], house)
        postcode = encoder.number(table, names["postcode"], normalise.postcode)
        return {
            "surname": encoder.map(table, names["surname"], normalise.name, surnames),
            "first": encoder.map(table, names["first"], normalise.first_name, firsts),
            "gender": encoder.number(table, names["gender"], lambda v: str(_GENDERS.get(normalise.plain(v), 0))),
            "postcode": postcode,
            "town": encoder.map(table, names["town"], normalise.town, towns),
            "department": _departments(postcode, departments),
            "way": way,
            "core": core,
            "number": number,
            "phone": encoder.phone(table, names["phone"]),
            "company": encoder.companies(table, names["company"], companies),
        }

    ameli = common(
        "ameli",
        {
            "surname": "ps_activite_nom",
            "first": "ps_activite_prenom",
            "gender": "ps_activite_civilite",
            "postcode": "coordonnees_code_postal",
            "town": "coordonnees_ville",
            "street": "CASE WHEN coordonnees_voie <> '' THEN coordonnees_voie ELSE coordonnees_lieu_dit END",
            "phone": "coordonnees_num_tel",
            "company": "ps_activite_raison_sociale",
        },
        None,
    )
    table = specialties.table()
    lines = Lines(
        **ameli,
        line=_column(connection, "line", "ameli").astype(np.int64),
        specialty=encoder.map("ameli", "specialite_code", specialties.ameli_code, kinds),
    )
    side = common(
        "activities",
        {
            "surname": "last_name",
            "first": "first_name",
            "gender": "CASE WHEN gender <> '' THEN gender ELSE civility END",
            "postcode": "postal_code",
            "town": "commune_label",
            "street": "trim(way_type || ' ' || way)",
            "phone": "phone",
            "company": "structure_name",
        },
        _HOUSE,
    )
    second = encoder.number("activities", _ARRONDISSEMENT_OR_OFFICE, _second_postcode)
    side["department"] = np.where(side["postcode"] != 0, side["department"], _departments(second, departments)).astype(
        np.int32
    )
    activities = Activities(
        **side,
        profession=encoder.map("activities", "profession", str.strip, professions),
        person=encoder.raw("activities", "rpps")[0].astype(np.int32),
        skills=encoder.map(
            "activities",
            "specialties",
            lambda v: frozenset(c for c in _codes_of(v) if specialties.is_specialty(c)),
            skills,
        ),
        phone2=encoder.phone("activities", "phone2"),
        postcode2=second,
        town2=encoder.map("activities", "cedex_office", _office_town, towns),
        liberal=_column(connection, "mode IN ('L', '')", "activities").astype(np.bool_),
        located=_column(connection, "structure <> ''", "activities").astype(np.bool_),
    )
    return Encoded(
        lines,
        activities,
        surnames.values,
        firsts.values,
        cores.values,
        towns.values,
        professions.values,
        [table.get(code) for code in kinds.values],
        skills.values,
    )


def _column(connection: duckdb.DuckDBPyConnection, expression: str, table: str) -> npt.NDArray[Any]:
    query = f"SELECT {expression} AS v FROM {table}"  # noqa: S608
    return np.asarray(connection.execute(query).fetchnumpy()["v"])


def _codes_of(text: str) -> list[str]:
    return text.strip("[]").replace("'", "").replace(" ", "").split(",")


def _departments(postcode: Ints, codes: Codes[str]) -> Ints:
    values, inverse = np.unique(postcode, return_inverse=True)
    mapping = np.array(
        [codes.code(normalise.department(f"{v:05d}")) if v else EMPTY for v in values.tolist()], dtype=np.int32
    )
    return mapping[inverse] if len(values) else np.zeros(0, dtype=np.int32)
