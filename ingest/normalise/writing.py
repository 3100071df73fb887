"""How registers shout and how people read: first names, ways, types of way."""

import re
from collections.abc import Callable

import duckdb
import pandas as pd

_SMALL = frozenset(
    [
        "de",
        "du",
        "des",
        "d",
        "la",
        "le",
        "les",
        "l",
        "et",
        "en",
        "sur",
        "sous",
        "aux",
        "au",
        "à",
        "a",
        "lès",
        "lez",
        "les",
        "dit",
        "dite",
        "chez",
        "près",
        "ter",
        "bis",
        "von",
        "van",
    ]
)
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_ROMAN = re.compile(r"^(?=[IVX]{2,}$)X{0,3}(IX|IV|V?I{0,3})$")
_KEPT = frozenset(
    ["ZAC", "ZA", "ZI", "ZUP", "BP", "CS", "TSA", "RN", "RD", "CD", "HLM", "PMI", "CHU", "CHR", "CH", "EHPAD"]
)

WAY_TYPES = {
    "ALL": "Allée", "AV": "Avenue", "BD": "Boulevard", "BRG": "Bourg", "CAR": "Carrefour", "CARR": "Carré",
    "CHE": "Chemin", "CHS": "Chaussée", "CITE": "Cité", "CLOS": "Clos", "COR": "Corniche", "COTE": "Côte",
    "COUR": "Cour", "CRS": "Cours", "DOM": "Domaine", "DSC": "Descente", "ECA": "Écart", "ESP": "Esplanade",
    "ESPA": "Espace", "FG": "Faubourg", "GR": "Grande Rue", "HAM": "Hameau", "HLE": "Halle", "ILOT": "Îlot",
    "IMP": "Impasse", "LD": "Lieu-dit", "LOT": "Lotissement", "MAIL": "Mail", "MAR": "Marché", "MTE": "Montée",
    "PARC": "Parc", "PAS": "Passage", "PL": "Place", "PLAN": "Plan", "PLN": "Plaine", "PLT": "Plateau",
    "POR": "Porte", "PORT": "Port", "PRO": "Promenade", "PRV": "Parvis", "PTE": "Porte", "QUA": "Quartier",
    "Q": "Quai", "QU": "Quai", "QUAI": "Quai", "R": "Rue", "RES": "Résidence", "RLE": "Ruelle", "ROC": "Rocade",
    "RPT": "Rond-point", "RTE": "Route", "SEN": "Sentier", "SQ": "Square", "TPL": "Terre-plein", "TRA": "Traverse",
    "TSSE": "Terrasse", "VC": "Voie communale", "VCHE": "Vieux chemin", "VLA": "Villa", "VLGE": "Village",
    "VOIE": "Voie", "ZA": "ZA", "ZAC": "ZAC", "ZI": "ZI",
}  # fmt: skip
"""Codes of types of way (RPPS and FINESS) and the word that an envelope bears."""


def first_name(text: str) -> str:
    """ "MARIE-FRANÇOISE" → "Marie-Françoise"; what already has small letters stays as it was written."""
    if text != text.upper():
        return text
    return _WORD.sub(lambda m: m[0][0] + m[0][1:].lower(), text)


def way(text: str) -> str:
    """ "DES ECOLES" → "des Ecoles", "DU 8 MAI 1945" → "du 8 Mai 1945"; mixed case stays as it was written."""
    if text != text.upper():
        return text

    def word(found: re.Match[str]) -> str:
        raw = found[0]
        low = raw.lower()
        if raw in _KEPT or _ROMAN.match(raw):
            return raw
        if low in _SMALL and (len(low) > 1 or text[found.end() : found.end() + 1] in ("'", "’", " ")):
            return low
        return raw[0] + low[1:]

    return _WORD.sub(word, text)


def map_values(
    con: duckdb.DuckDBPyConnection, table: str, column: str, into: str, change: Callable[[str], str]
) -> None:
    """Make `into(raw, nice)` from the distinct values of a column: each is changed once."""
    rows = con.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()  # noqa: S608
    frame = pd.DataFrame([(raw, change(raw)) for (raw,) in rows], columns=["raw", "nice"], dtype="str")
    con.register("values_to_map", frame)
    con.execute(
        f"""CREATE OR REPLACE TABLE {into} AS
        SELECT raw::VARCHAR AS raw, nice::VARCHAR AS nice FROM values_to_map"""  # noqa: S608
    )
    con.unregister("values_to_map")
