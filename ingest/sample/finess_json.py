"""FINESS as the ANS publishes it since 2026: legal entities that hold their sites, open or closed."""

import json
from typing import Any

from ingest.sample.batch import Address, Batch, address_of
from ingest.sample.categories import CATEGORIES
from ingest.sample.finess import SitePlace, entity_siren, site_siret
from ingest.sample.output import Output
from ingest.sample.streets import STREET_TYPES
from ingest.sample.text import register_town

_UPDATED = "2026-07-16 10:12:55"


class FinessJsonWriter:
    """Writes the batches into `finess-structures-journalier-AAAAMMJJ.json.gz`, one entity at a time."""

    def __init__(self, output: Output, stamp: str) -> None:
        self._file = output.gzip(f"finess-structures-journalier-{stamp}.json.gz")
        made = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:]}T02:07:30.000000000Z"
        self._file.write(f'{{"schemaVersion": "v1.0.0", "generatedAt": "{made}", "gco": [], "gcc": [], "pmej": [')
        self._separator = "\n"
        self._entities = self._sites = 0

    def write(self, batch: Batch, places: list[SitePlace]) -> None:
        """Write the entities of a département."""
        members: dict[int, list[int]] = {}
        for site, entity in enumerate(batch.sites.entity.tolist()):
            members.setdefault(entity, []).append(site)
        for entity, sites in members.items():
            self._entities += 1
            record = self._entity(batch, entity, sites, places)
            self._file.write(self._separator + json.dumps(record, ensure_ascii=False))
            self._separator = ",\n"

    def finish(self) -> None:
        """Close the JSON."""
        self._file.write("\n]}\n")

    def _entity(self, batch: Batch, entity: int, sites: list[int], places: list[SitePlace]) -> dict[str, Any]:
        first = int(batch.entities.site[entity])
        category = CATEGORIES[batch.sites.category[first]]
        name = batch.entities.name[entity]
        return {
            "informationsGeneralesPMEJ": {
                "pmSmsseId": str(self._entities),
                "codeApe": "86.10Z",
                "complementAdressePmSmsse": None,
                "dateCreation": "1994-01-01",
                "dateFermeture": None,
                "denominationLonguePmSmsse": name,
                "denominationPm": name[:38],
                "numFinessPm": batch.entities.number[entity],
                "fonctionPublique": None,
                "categorieentiteGeographiqueExercice": None,
                "siren": entity_siren(batch, entity),
                "statutJuridique": category.statute[0],
                "typeGroupeGco": None,
                "typePersonneMorale": "01",
            },
            "adresse": [_address(batch, first, places[first], "02")],
            "contact": [_contact(batch, first)],
            "engagement": [],
            "evenement": [],
            "ege": [self._site(batch, site, places[site]) for site in sites],
            "etatObjet": "A",
            "dateDerniereMaj": _UPDATED,
        }

    def _site(self, batch: Batch, site: int, place: SitePlace) -> dict[str, Any]:
        sites = batch.sites
        closed = bool(sites.closed[site])
        self._sites += 1
        return {
            "informationsGeneralesEGE": {
                "egeId": str(self._sites),
                "complementDenominationEg": None,
                "dateFermeture": "2025-06-30" if closed else None,
                "dateOuverture": "1996-03-01",
                "datePremiereAutorisation": "1996-03-01",
                "nomEgeCourt": sites.name[site][:38],
                "nomEgeLong": sites.name[site],
                "numeroEducationNationale": None,
                "numeroReferenceExterne": None,
                "numFinessEge": sites.number[site],
                "espic": None,
                "siret": site_siret(batch, site),
            },
            "categorieentiteGeographiqueExercice": CATEGORIES[sites.category[site]].code,
            "modefixationtarifaire": "01",
            "typeBudget": ["01"],
            "adresse": [_address(batch, site, place, "03")],
            "contact": [_contact(batch, site)],
            "engagement": [],
            "evenement": [],
            "roleEge": [],
            "etatObjet": "I" if closed else "A",
            "dateDerniereMaj": _UPDATED,
        }


def _contact(batch: Batch, site: int) -> dict[str, Any]:
    telecom = {"telephone": batch.sites.phone[site], "telecopie": None, "courriel": None}
    return {"typeContact": {"roleContact": "01"}, "telecom": telecom}


def _address(batch: Batch, site: int, place: SitePlace, usage: str) -> dict[str, Any]:
    sites, towns = batch.sites, batch.towns
    where: Address = address_of(
        batch.streets, int(sites.street[site]), int(sites.house[site]), bool(sites.repeated[site])
    )
    codes = towns.postal_code[where.town]
    label = register_town(towns.name[where.town])
    return {
        "usageAdresse": usage,
        "numeroVoie": str(where.number),
        "typeVoie": f"{where.type_code:<4}",
        "libelleVoie": where.street_name,
        "complementVoie": "B" if where.repeated else None,
        "complementPointGeographique": None,
        "lieuDit": None,
        "cogCommune": towns.code[where.town],
        "ligneAcheminement": label,
        "ligneUne": None,
        "ligneDeux": None,
        "ligneTrois": None,
        "ligneQuatre": f"{where.number} {STREET_TYPES[where.kind][2][0]} {where.street_name}",
        "ligneCinq": None,
        "ligneSix": None,
        "codePostal": codes[where.street % len(codes)],
        "coordonneesGeographique": _coordinates(site, towns.code[where.town], where, place),
    }


def _coordinates(site: int, code: str, where: Address, place: SitePlace) -> dict[str, str] | None:
    """Return both pairs of coordinates; most records have them the wrong way round, and a third have none."""
    if not place.precision or site % 5 == 0:
        return None
    degrees, metres = (f"{place.lon:.6f}", f"{place.lat:.6f}"), (f"{place.x:.2f}", f"{place.y:.2f}")
    first, second = (metres, degrees) if site % 4 == 1 else (degrees, metres)
    return {
        "coordonneeX": first[0],
        "coordonneeY": first[1],
        "directionLatitude": second[1],
        "directionLongitude": second[0],
        "cleInInteropBAN": f"{code}_{1000 + where.street % 9000:04d}_{where.number:05d}",
        "scoreBAN": f"{place.score / 100:.6f}",
    }
