"""FINESS of the Mantes fixture: the Etalab files, or the new JSON."""

import csv
import io
import json
from typing import Any

import numpy as np

from ingest.sample.categories import CATEGORIES, Category
from ingest.sample.finess import METROPOLE, PROJECTIONS, project
from ingest.sample.identifiers import finess_departement, luhn_key
from ingest.sample.mantes import STREETS, Site, Town, sites
from ingest.sample.output import Output
from ingest.sample.text import plain, register_town

_CATEGORIES = {category.code: category for category in CATEGORIES}
# The commune as FINESS knows it, where it is not the last three digits of the INSEE code.
_COMMUNES = {"97701": "123", "97801": "127", "75112": "056"}
DEPARTEMENT_NAMES = {
    "13": "Bouches-du-Rhône", "27": "Eure", "2A": "Corse-du-Sud", "75": "Paris", "78": "Yvelines", "971": "Guadeloupe",
    "972": "Martinique", "973": "Guyane", "974": "La Réunion", "975": "Saint-Pierre-et-Miquelon", "976": "Mayotte",
    "977": "Saint-Barthélemy", "978": "Saint-Martin",
}  # fmt: skip
_IN_FINESS = {"977": "971", "978": "971"}
_UPDATED = "2026-07-16 10:12:55"


def departement_of(code: str) -> str:
    """Return the département of an INSEE code: 78, 2A, 971 …"""
    return code[:3] if code.startswith("97") else code[:2]


def metres(town: Town, lon: float, lat: float) -> tuple[float, float]:
    """Project a point in the projection of the town's territory."""
    projection = PROJECTIONS.get(departement_of(town.code), METROPOLE)
    x, y = project(np.array([lon]), np.array([lat]), projection.epsg)
    return float(x[0]), float(y[0])


def site_position(site: Site) -> tuple[float, float]:
    """Return lon and lat that FINESS has: at the number, at number 10 of the street, or the town's point."""
    if site.precision == 4:
        return site.town.lon, site.town.lat
    return site.town.position(site.street, 10 if site.precision == 2 else site.number)


def write_finess(output: Output, stamp: str, encoding: str) -> None:
    """Write the sites with their positions, and the legal entities."""
    day = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:]}"
    open_sites = [site for site in sites() if not site.closed]
    rows: list[tuple[str, ...]] = [("finess", "etalab", "111", day)]
    rows += [_site_row(site) for site in open_sites]
    for site in open_sites:
        if site.precision:
            x, y = metres(site.town, *site_position(site))
            label = PROJECTIONS.get(departement_of(site.town.code), METROPOLE).label
            source = f"{site.precision},ATLASANTE,96,BAN,{label}"
            rows.append(("geolocalisation", site.finess, f"{x:.1f}", f"{y:.1f}", source, "2026-05-04"))
    _save(output, f"etalab-cs1100507-stock-{stamp}-0341.csv", rows, encoding)
    entities = {site.entity: site for site in reversed(sites())}
    rows = [("finess", "etalab", "101", day)]
    rows += [_entity_row(site) for _, site in sorted(entities.items())]
    _save(output, f"etalab-cs1100501-stock-{stamp}-0344.csv", rows, encoding)


def _save(output: Output, name: str, rows: list[tuple[str, ...]], encoding: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\n").writerows(rows)
    output.binary(name).write(text.getvalue().encode(encoding))


def _street(site: Site) -> tuple[str, str, str, str]:
    return str(site.number), STREETS[site.street][0], plain(STREETS[site.street][2]), ""


def _where(site: Site) -> tuple[str, str, str, str]:
    departement = departement_of(site.town.code)
    return (
        _COMMUNES.get(site.town.code, site.town.code[2:]),
        finess_departement(departement),
        plain(DEPARTEMENT_NAMES[_IN_FINESS.get(departement, departement)]).replace("-", " "),
        _postal_line(site),
    )


def _postal_line(site: Site) -> str:
    if site.finess == "780900010":
        return "78201 MANTES LA JOLIE CEDEX"
    return f"{site.town.postal_code} {register_town(site.town.name)}"


def _siren(entity: str) -> str:
    digits = f"0097{sorted({site.entity for site in sites()}).index(entity):04d}"
    return f"{digits}{luhn_key(digits)}"


def _siret(site: Site) -> str:
    digits = f"{_siren(site.entity)}{int(site.finess[-4:-1]):04d}"
    return f"{digits}{luhn_key(digits)}"


def _phone(site: Site) -> str:
    return f"0199009{int(site.finess[5:8]):03d}"


def _site_row(site: Site) -> tuple[str, ...]:
    category: Category = _CATEGORIES[site.category]
    commune, departement, name, line = _where(site)
    more = 'PAVILLON "LES ROSES"; ESCALIER B' if site.finess == "780900010" else ""
    return (
        "structureet", site.finess, site.entity, site.name[:38], site.name, more, "", *_street(site),
        "BP 12" if site.finess == "780900010" else "", commune, departement, name, line, _phone(site), "",
        category.code, category.label, category.group_code, category.group_label, _siret(site), "8610Z", "99",
        "Indéterminé", "9", "Etablissement privé non ESPIC", "1996-03-01", "1996-03-01", "2026-03-12", "",
    )  # fmt: skip


def _entity_row(site: Site) -> tuple[str, ...]:
    commune, departement, name, line = _where(site)
    return (
        "structureej", site.entity, site.name[:38], site.name, "", *_street(site), "", "", commune, line, departement,
        name, _phone(site), *_CATEGORIES[site.category].statute, "", "", _siren(site.entity), "8610Z", "1996-03-01",
    )  # fmt: skip


def write_finess_json(output: Output, stamp: str) -> None:
    """Write the sites in the JSON of the ANS, the closed one included; coordinates are both ways round."""
    members: dict[str, list[Site]] = {}
    for site in sites():
        members.setdefault(site.entity, []).append(site)
    record = {
        "schemaVersion": "v1.0.0",
        "generatedAt": f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:]}T02:07:30.000000000Z",
        "gco": [],
        "gcc": [],
        "pmej": [_entity(number, entity, held) for number, (entity, held) in enumerate(members.items(), start=1)],
    }
    output.gzip(f"finess-structures-journalier-{stamp}.json.gz").write(
        json.dumps(record, ensure_ascii=False, indent=1) + "\n"
    )


def _entity(number: int, entity: str, held: list[Site]) -> dict[str, Any]:
    first = held[0]
    return {
        "informationsGeneralesPMEJ": {
            "pmSmsseId": str(number),
            "codeApe": "86.10Z",
            "dateCreation": "1994-01-01",
            "dateFermeture": None,
            "denominationLonguePmSmsse": first.name,
            "denominationPm": first.name[:38],
            "numFinessPm": entity,
            "siren": _siren(entity),
            "statutJuridique": _CATEGORIES[first.category].statute[0],
            "typePersonneMorale": "01",
        },
        "adresse": [_address(first, number, "02")],
        "contact": [_contact(first)],
        "engagement": [],
        "evenement": [],
        "ege": [_site(100 * number + k, site) for k, site in enumerate(held)],
        "etatObjet": "A",
        "dateDerniereMaj": _UPDATED,
    }


def _site(number: int, site: Site) -> dict[str, Any]:
    return {
        "informationsGeneralesEGE": {
            "egeId": str(number),
            "dateFermeture": site.closed or None,
            "dateOuverture": "1996-03-01",
            "datePremiereAutorisation": "1996-03-01",
            "nomEgeCourt": site.name[:38],
            "nomEgeLong": site.name,
            "numFinessEge": site.finess,
            "siret": _siret(site),
        },
        "categorieentiteGeographiqueExercice": site.category,
        "modefixationtarifaire": "01",
        "typeBudget": ["01"],
        "adresse": [_address(site, number, "03")],
        "contact": [_contact(site)],
        "engagement": [],
        "evenement": [],
        "roleEge": [],
        "etatObjet": "I" if site.closed else "A",
        "dateDerniereMaj": _UPDATED,
    }


def _contact(site: Site) -> dict[str, Any]:
    telecom = {"telephone": _phone(site), "telecopie": None, "courriel": None}
    return {"typeContact": {"roleContact": "01"}, "telecom": telecom}


def _address(site: Site, number: int, usage: str) -> dict[str, Any]:
    house, kind, street, _ = _street(site)
    coordinates = None
    if site.precision:
        lon, lat = site_position(site)
        x, y = metres(site.town, lon, lat)
        degrees, projected = (f"{lon:.6f}", f"{lat:.6f}"), (f"{x:.2f}", f"{y:.2f}")
        first, second = (projected, degrees) if number % 4 == 1 else (degrees, projected)
        coordinates = {
            "coordonneeX": first[0],
            "coordonneeY": first[1],
            "directionLatitude": second[1],
            "directionLongitude": second[0],
            "cleInInteropBAN": f"{site.town.code}_{1000 + site.street}_{site.number:05d}",
            "scoreBAN": "0.960000",
        }
    return {
        "usageAdresse": usage,
        "numeroVoie": house,
        "typeVoie": f"{kind:<4}",
        "libelleVoie": street,
        "complementVoie": None,
        "lieuDit": None,
        "cogCommune": site.town.code,
        "ligneAcheminement": register_town(site.town.name),
        "ligneQuatre": f"{house} {STREETS[site.street][1].upper()} {street}",
        "ligneSix": None,
        "codePostal": site.town.postal_code,
        "coordonneesGeographique": coordinates,
    }
