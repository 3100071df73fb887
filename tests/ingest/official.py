"""Small files in the official layouts, for tests: rows as dictionaries of official names."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ingest.readers.layouts import AMELI, FINESS_EJ, FINESS_ET, FINESS_GEO, RPPS_ACTIVITY, RPPS_OPTIONAL

STAMP = "202611150731"

Row = Mapping[str, str]

KINE: dict[str, str] = {
    "Type d'identifiant PP": "8",
    "Identifiant PP": "10000000001",
    "Identification nationale PP": "810000000001",
    "Code civilité": "MME",
    "Libellé civilité": "Madame",
    "Nom d'exercice": "VALMOREL",
    "Prénom d'exercice": "JEANNE",
    "Code profession": "70",
    "Libellé profession": "Masseur-Kinésithérapeute",
    "Code catégorie professionnelle": "C",
    "Libellé catégorie professionnelle": "Civil",
    "Code mode exercice": "L",
    "Libellé mode exercice": "Libéral",
    "Identifiant technique de la structure": "41000000000101",
    "Raison sociale site": "CABINET VALMOREL",
    "Numéro Voie (coord. structure)": "12",
    "Code type de voie (coord. structure)": "R",
    "Libellé type de voie (coord. structure)": "Rue",
    "Libellé Voie (coord. structure)": "DES LILAS",
    "Code postal (coord. structure)": "78200",
    "Code commune (coord. structure)": "78361",
    "Libellé commune (coord. structure)": "Mantes-la-Jolie",
    "Téléphone (coord. structure)": "01 99 00 12 34",
    "Autorité d'enregistrement": "ARS/ARS/ARS",
    "Code secteur d'activité": "SA07",
    "Code genre activité": "GENR01",
}
"""A physiotherapist with a practice of her own in Mantes-la-Jolie."""


def person(rank: int, /, **changes: str) -> dict[str, str]:
    """A line of `KINE`'s pattern for another person; keyword names are our short names of the columns."""
    rpps = f"{10000000000 + rank}"
    row = KINE | {
        "Identifiant PP": rpps,
        "Identification nationale PP": f"8{rpps}",
        "Identifiant technique de la structure": f"4{rpps}01",
    }
    official = {short: name for name, short in RPPS_ACTIVITY.items() if short}
    return row | {official[short]: value for short, value in changes.items()}


def rpps_text(rows: Iterable[Row], *, columns: Iterable[str] | None = None, closing: bool = True) -> str:
    """Text of a Personne_activite file."""
    names = list(columns or RPPS_ACTIVITY)
    end = "|\n" if closing else "\n"
    lines = ["|".join(names) + end]
    lines += ["|".join(row.get(name, "") for name in names) + end for row in rows]
    return "".join(lines)


def old_columns() -> list[str]:
    """The 52 columns of older vintages."""
    return [c for c in RPPS_ACTIVITY if c not in RPPS_OPTIONAL]


def write_rpps(folder: Path, rows: Iterable[Row], name: str = f"PS_LibreAcces_Personne_activite_{STAMP}.txt") -> Path:
    """Write a Personne_activite file."""
    path = folder / name
    path.write_text(rpps_text(rows), "utf-8")
    return path


AMELI_LINE: dict[str, str] = {
    "ps_activite_nom": "VALMOREL",
    "ps_activite_prenom": "JEANNE",
    "ps_activite_civilite": "F",
    "ps_activite_carte_vitale": "O",
    "specialite_code": "26",
    "specialite_libelle": "Masseur-kinésithérapeute",
    "type_ps_code": "2",
    "coordonnees_num_tel": "0199001234",
    "coordonnees_voie": "12 R DES LILAS",
    "coordonnees_code_postal": "78200",
    "coordonnees_ville": "MANTES LA JOLIE",
    "secteur_conventionnel_code": "1",
    "option_tarifaire_code": "",
}


def ameli_text(rows: Iterable[Row], columns: Iterable[str] | None = None) -> str:
    """Text of a liste-ps file, without its BOM; values are quoted only where they must be."""
    names = list(columns or AMELI)
    lines = [";".join(names)]
    lines += [";".join(_quoted(row.get(name, "")) for name in names) for row in rows]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if set(value) & set(';"\n') else value


def write_ameli(folder: Path, rows: Iterable[Row], name: str = "liste-ps-20261115-040312.csv") -> Path:
    """Write a liste-ps file with its BOM."""
    path = folder / name
    path.write_text(ameli_text(rows), "utf-8-sig")
    return path


HOSPITAL: dict[str, str] = {
    "nofinesset": "780000287",
    "nofinessej": "780110011",
    "rs": "CH DE MANTES",
    "rslongue": "CENTRE HOSPITALIER FRANCOIS QUESNAY",
    "numvoie": "2",
    "typvoie": "BD",
    "voie": "SULLY",
    "commune": "361",
    "departement": "78",
    "ligneacheminement": "78200 MANTES LA JOLIE",
    "telephone": "0134974000",
    "categetab": "355",
    "siret": "26780034400017",
    "dateouv": "1979-02-13",
}

POINT = {
    "nofinesset": "780000287",
    "coordxet": "605986.5",
    "coordyet": "6877369.5",
    "sourcecoordet": "1,ATLASANTE,96,BAN,EPSG:2154 RGF93 / Lambert-93 (Métropole)",
    "datemaj": "2026-05-04",
}

ENTITY = {
    "nofiness": "780110011",
    "rs": "CH FRANCOIS QUESNAY",
    "ligneacheminement": "78200 MANTES LA JOLIE",
    "statutjuridique": "13",
    "siren": "267800344",
    "datecrea": "1979-02-13",
}

_LAYOUTS = {"structureet": FINESS_ET, "geolocalisation": FINESS_GEO, "structureej": FINESS_EJ}


def finess_text(records: Iterable[tuple[str, Row]], day: str = "2026-11-15") -> str:
    """Text of an Etalab file: (record type, values by official name)."""
    lines = [f"finess;etalab;111;{day}"]
    for kind, row in records:
        layout = _LAYOUTS[kind]
        lines.append(";".join([kind, *[_quoted(row.get(name, "")) for name in layout[1:]]]))
    return "\n".join(lines) + "\n"


def write_finess(
    folder: Path,
    records: Iterable[tuple[str, Row]],
    name: str = "etalab-cs1100507-stock-20261115-0341.csv",
    *,
    encoding: str = "utf-8",
    day: str = "2026-11-15",
) -> Path:
    """Write an Etalab file."""
    path = folder / name
    path.write_text(finess_text(records, day), encoding)
    return path


def write_all(folder: Path) -> Path:
    """Write the three registers, consistent: one hospital, its entity, one physiotherapist and her AMELI line."""
    write_rpps(folder, [KINE])
    write_finess(folder, [("structureet", HOSPITAL), ("geolocalisation", POINT)])
    write_finess(folder, [("structureej", ENTITY)], "etalab-cs1100501-stock-20261115-0344.csv")
    write_ameli(folder, [AMELI_LINE])
    return folder
