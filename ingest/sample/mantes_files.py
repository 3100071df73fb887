"""Writes the Mantes fixture as register files, in their official layouts."""

import csv
from pathlib import Path
from typing import Any

from ingest.sample import ameli, ban
from ingest.sample.codes import GROUPS, OTHER_SECTOR, PRACTICE_SECTORS, SECTORS, SHOP_SECTOR
from ingest.sample.mantes import STREETS, Cast, Member, Role, Town, rpps_phone, sites, towns
from ingest.sample.mantes_finess import DEPARTEMENT_NAMES, departement_of, metres, write_finess, write_finess_json
from ingest.sample.output import Output
from ingest.sample.rpps import COLUMNS, DIPLOMA_COLUMNS, SKILL_COLUMNS
from ingest.sample.tables import rows
from ingest.sample.text import long_town, plain, register_town

STAMP = "20261115"
_CATEGORIES = {"C": "Civil", "M": "Militaire", "E": "Etudiant"}
_GROUPS = {group.key: group for group in GROUPS}
_AUTHORITIES = {group.code: group.authority for group in GROUPS}
_SPECIALITIES = {row["code"]: row for row in rows("specialities.tsv") if row["weight"] not in ("1", "2")} | {
    row["code"]: row for row in rows("specialities.tsv") if row["group"] == "spe"
}
_LISTED = {"10", "40", "50", "60", "70", "80", "91", "92"}
_UNLISTED = {"mk/27681/5", "ide/27681/4"}
_AMELI = {"40": ("19", "Chirurgien-dentiste"), "60": ("24", "Infirmier")}


def write_mantes(
    folder: Path,
    *,
    finess_json: bool = False,
    trailing_bar: bool = True,
    finess_encoding: str = "utf-8",
    rejected_lines: bool = False,
) -> None:
    """Write the fixture into `folder`: RPPS (three files), FINESS, AMELI, BAN and `truth.csv`.

    `finess_json` writes FINESS in the new JSON instead of the Etalab files; `trailing_bar` ends the lines of RPPS
    with a bar; `finess_encoding` may be cp1252; `rejected_lines` adds four lines to RPPS that must be refused (cut
    short, without identifier, of an unknown profession, twice the same key).
    """
    cast = Cast()
    with Output(folder) as output:
        _write_rpps(output, cast, "|\n" if trailing_bar else "\n", rejected=rejected_lines)
        _write_ameli(output, cast)
        _write_ban(output, cast)
        if finess_json:
            write_finess_json(output, STAMP)
        else:
            write_finess(output, STAMP, finess_encoding)


def _write_rpps(output: Output, cast: Cast, end: str, *, rejected: bool) -> None:
    lines = [line for role in cast.roles for line in _role_lines(role)]
    lines += [_person(member) for member in cast.idle]
    texts = ["|".join(line.get(column, "") for column in COLUMNS) for line in lines]
    if rejected:
        texts += [
            "8|10899999999|810899999999|||M|Monsieur|COURTE",
            texts[0].replace(cast.roles[0].member.identifier, ""),
        ]
        texts += [texts[20].replace("|70|Masseur", "|Z9|Masseur").replace("|10|Médecin", "|Z9|Médecin"), texts[0]]
    output.text(f"PS_LibreAcces_Personne_activite_{STAMP}0731.txt").writelines(
        text + end for text in ["|".join(COLUMNS), *texts]
    )
    everybody = {line["Identification nationale PP"]: line for line in lines}
    skills = [line for line in lines if line.get("Code savoir-faire")]
    output.text(f"PS_LibreAcces_SavoirFaire_{STAMP}0731.txt").writelines(
        text + end
        for text in dict.fromkeys(
            ["|".join(SKILL_COLUMNS), *("|".join(line.get(column, "") for column in SKILL_COLUMNS) for line in skills)]
        )
    )
    for line in everybody.values():
        line |= {
            "Code type diplôme obtenu": "DE",
            "Libellé type diplôme obtenu": "Diplôme d'Etat français",
            "Code diplôme obtenu": f"DE{line['Code profession']}",
            "Libellé diplôme obtenu": f"DE {line['Libellé profession']}",
        }
    output.text(f"PS_LibreAcces_Dipl_AutExerc_{STAMP}0731.txt").writelines(
        text + end
        for text in [
            "|".join(DIPLOMA_COLUMNS),
            *("|".join(line.get(column, "") for column in DIPLOMA_COLUMNS) for line in everybody.values()),
        ]
    )


def _person(member: Member) -> dict[str, str]:
    group = next(group for group in GROUPS if group.code == member.profession)
    title = group.title and member.category != "E"
    capitals = member.index % 3 != 0
    line = {
        "Type d'identifiant PP": member.national[0],
        "Identifiant PP": member.identifier,
        "Identification nationale PP": member.national,
        "Code civilité d'exercice": "DR" if title else "",
        "Libellé civilité d'exercice": "Docteur" if title else "",
        "Code civilité": "MME" if member.woman else "M",
        "Libellé civilité": "Madame" if member.woman else "Monsieur",
        "Nom d'exercice": member.surname,
        "Prénom d'exercice": member.first_name.upper() if capitals else member.first_name,
        "Code profession": member.profession,
        "Libellé profession": group.label,
        "Code catégorie professionnelle": member.category,
        "Libellé catégorie professionnelle": _CATEGORIES[member.category],
    }
    if member.speciality:
        line |= _skill("S", "Spécialité ordinale", member.speciality, _SPECIALITIES[member.speciality]["label"])
    return line


def _skill(kind: str, kind_label: str, code: str, label: str) -> dict[str, str]:
    return {
        "Code type savoir-faire": kind,
        "Libellé type savoir-faire": kind_label,
        "Code savoir-faire": code,
        "Libellé savoir-faire": label,
    }


def _role_lines(role: Role) -> list[dict[str, str]]:
    line = _person(role.member) | _place(role) | _work(role) | _dirt(role)
    if role.key == "mg/78361/2":
        return [line, line | _skill("CAPA", "Capacité", "CAPA06", "Gérontologie")]
    return [line]


def _place(role: Role) -> dict[str, str]:
    kind, kind_label, street = STREETS[role.street]
    departement = departement_of(role.town.code)
    values = {
        "Numéro Voie": str(role.number),
        "Code type de voie": kind,
        "Libellé type de voie": kind_label,
        "Libellé Voie": plain(street),
        "Bureau cedex": f"{role.town.postal_code} {long_town(role.town.name)}" if role.practice % 2 else "",
        "Code postal": role.town.postal_code,
        "Code commune": "97123" if role.town.code == "97701" else role.town.code,
        "Libellé commune": long_town(role.town.name) if role.practice % 3 else role.town.name,
        "Code pays": "99000" if role.practice % 3 == 0 else "",
        "Téléphone": rpps_phone(role),
    }
    return {f"{name} (coord. structure)": value for name, value in values.items()} | {
        "Code Département (structure)": departement,
        "Libellé Département (structure)": DEPARTEMENT_NAMES[departement],
    }


def _work(role: Role) -> dict[str, str]:
    category = next((site.category for site in sites() if site.finess == role.finess), "")
    sector = SECTORS.get(category, OTHER_SECTOR) if role.finess else PRACTICE_SECTORS[1 if role.siret else 0]
    if role.shop:
        sector = SHOP_SECTOR
    line = {
        "Code mode exercice": "L" if role.independent else "S",
        "Libellé mode exercice": "Libéral" if role.independent else "Salarié",
        "Numéro SIRET site": role.siret,
        "Numéro FINESS site": role.finess,
        "Numéro FINESS établissement juridique": role.entity,
        "Identifiant technique de la structure": role.structure,
        "Raison sociale site": role.name or f"CABINET {role.member.surname}",
        "Autorité d'enregistrement": _AUTHORITIES[role.member.profession],
        "Code secteur d'activité": sector[0],
        "Libellé secteur d'activité": sector[1],
        "Code genre activité": "GENR01",
        "Libellé genre activité": "Activité standard de soin ou de pharmacien",
    }
    if role.member.group == "pharma":
        biology = category == "611"
        line["Code section tableau pharmaciens"] = "G" if biology else "A" if role.independent else "D"
        line["Libellé section tableau pharmaciens"] = (
            "Biologie médicale"
            if biology
            else "Officine: pharmaciens titulaires"
            if role.independent
            else "Pharmaciens adjoints d'officine"
        )
    return line


def _dirt(role: Role) -> dict[str, str]:
    """Return the fields that the case of this role changes."""
    where = " (coord. structure)"
    cases = {
        "mk/78361/1": {
            f"Complément destinataire{where}": 'BAT "C" 2E ETAGE',
            "Raison sociale site": 'CABINET "LES TILLEULS"',
        },
        "cardio/78361/1": {f"Code postal{where}": "78201", f"Bureau cedex{where}": "78201 MANTES LA JOLIE CEDEX"},
        "ophtalmo/75112/1": {f"Bureau cedex{where}": "75012 PARIS", f"Libellé commune{where}": "PARIS"},
        "mk/13215/1": {f"Bureau cedex{where}": "13015 MARSEILLE", f"Libellé commune{where}": "MARSEILLE"},
        "ide/78362/1": {f"Code commune{where}": "", f"Libellé commune{where}": "Mantes La Ville "},
        "ide/78320/1": {f"Code commune{where}": "78503", f"Libellé commune{where}": "PORT VILLEZ"},
        "gyneco/78646/1": {
            f"Code postal{where}": "78009",
            f"Libellé commune{where}": "",
            f"Bureau cedex{where}": "78009 VERSAILLES CEDEX",
        },
        "mg/78362/1": {
            "Ancien identifiant de la structure": "C78362OLD01",
            f"Télécopie{where}": "01 99 00 99 99",
            f"Adresse e-mail{where}": "cabinet@exemple.invalid",
        },
        "ide/locum/1": {"Code genre activité": "GENR02", "Libellé genre activité": "Activité de remplacement"},
    }
    return cases.get(role.key, {})


def _write_ameli(output: Output, cast: Cast) -> None:
    lines: Any = csv.writer(output.text(f"liste-ps-{STAMP}-040312.csv", mark=True), delimiter=";", lineterminator="\n")
    truth: Any = csv.writer(output.text("truth.csv"), lineterminator="\n")
    lines.writerow(ameli.COLUMNS)
    truth.writerow(ameli.TRUTH_COLUMNS)
    roles = [r for r in cast.roles if _is_listed(r) and r.key not in _UNLISTED]
    for number, role in enumerate(roles, start=1):
        line = _ameli_line(role)
        lines.writerow(line.values())
        kind = _AMELI_KINDS.get(role.key, ameli.PLAIN)
        truth.writerow((number, role.member.identifier, role.structure, line["secteur_conventionnel_code"], kind))
    model = next(role for role in roles if role.key == "mk/78361/2")
    namesake = _ameli_line(model) | {
        "coordonnees_voie": "17 AVENUE DU GENERAL DE GAULLE",
        "coordonnees_code_postal": "78710",
        "coordonnees_ville": "ROSNY SUR SEINE",
        "coordonnees_num_tel": "0639980001",
    }
    unknown = namesake | {"ps_activite_nom": "INCONNUE", "ps_activite_prenom": "NADINE", "ps_activite_civilite": "F"}
    for number, (line, kind) in enumerate(
        ((namesake, ameli.ONLY_HOMONYM), (unknown, ameli.ONLY)), start=len(roles) + 1
    ):
        lines.writerow(line.values())
        truth.writerow((number, "", "", line["secteur_conventionnel_code"], kind))


def _is_listed(role: Role) -> bool:
    return role.independent and not role.finess and not role.shop and role.member.profession in _LISTED


_AMELI_KINDS = {
    "mk/78498/1": ameli.HOMONYM,
    "mk/78498/3": ameli.HOMONYM,
    "cd/78440/1": ameli.RELATIVE,
    "cd/78440/2": ameli.RELATIVE,
    "ide/78335/1": ameli.CHANGED,
    "mk/78354/1": ameli.MOVED_TOWN,
    "mg/78217/1": ameli.PART_DROPPED,
}
_AMELI_CASES: dict[str, dict[str, str]] = {
    "ide/78335/1": {"ps_activite_nom": "GENET"},
    "mg/78217/1": {"ps_activite_nom": "TILLEUL"},
    "mk/78354/1": {
        "coordonnees_voie": "15 RUE DE L'EGLISE",
        "coordonnees_code_postal": "78200",
        "coordonnees_ville": "BUCHELAY",
    },
    "ide/78361/1": {"coordonnees_code_postal": "78200 "},
    "ide/78361/2": {"coordonnees_code_postal": "78 200"},
    "cardio/78361/1": {"coordonnees_code_postal": "78201", "coordonnees_ville": "MANTES LA JOLIE CEDEX"},
    "mg/78361/1": {
        "specialite_code": "22",
        "secteur_conventionnel_code": "2",
        "secteur_conventionnel_libelle": ameli.SECTORS["2"],
    },
    "mg/78361/2": {"specialite_code": "23"},
    "ide/78498/1": {"secteur_conventionnel_code": "0", "secteur_conventionnel_libelle": ameli.SECTORS["0"]},
}


def _ameli_line(role: Role) -> dict[str, str]:
    member = role.member
    speciality = _AMELI.get(member.profession) or _GROUPS[member.group].ameli if member.profession != "10" else None
    if speciality is None:
        row = _SPECIALITIES[member.speciality]
        speciality = (row["ameli"], row["ameli_label"])
    specialist = member.profession == "10" and member.group not in ("mg",)
    sector = "3" if specialist and role.key.endswith(("/1", "/3")) else "1"
    kind = STREETS[role.street][1].upper() if role.practice % 2 else STREETS[role.street][0]
    doctor = member.profession == "10"
    values = (
        plain(member.surname).replace("-", " "),
        plain(member.first_name).replace("-", " "),
        "F" if member.woman else "H",
        "", "O", "N", *speciality,
        "1" if doctor else "2", "Médecins" if doctor else "Auxiliaires médicaux", "", "",
        "" if role.practice % 4 == 3 else role.phone,
        f"{role.number} {kind} {plain(STREETS[role.street][2])}", "", "",
        role.town.postal_code, register_town(role.town.name), sector, ameli.SECTORS[sector], "1", "Libéral intégral",
        "3" if sector == "3" else "", "OPTAM" if sector == "3" else "",
    )  # fmt: skip
    return dict(zip(ameli.COLUMNS, values, strict=True)) | _AMELI_CASES.get(role.key, {})


def _write_ban(output: Output, cast: Cast) -> None:
    known = {(role.town.code, role.street, role.number) for role in cast.roles}
    known |= {(site.town.code, site.street, site.number) for site in sites()}
    by_departement: dict[str, list[tuple[Town, int, int]]] = {}
    all_towns = towns()
    for code, street, number in sorted(known):
        if (code, street) == ("78089", 2) or (code, street, number) == ("78217", 0, 3) or code.startswith("97"):
            continue
        by_departement.setdefault(departement_of(code), []).append((all_towns[code], street, number))
    for departement, addresses in by_departement.items():
        writer: Any = csv.writer(output.gzip(f"ban/adresses-{departement}.csv.gz"), delimiter=";", lineterminator="\n")
        writer.writerow(ban.COLUMNS)
        for town, street, number in addresses:
            writer.writerow(_ban_row(town, street, number))


def _ban_row(town: Town, street: int, number: int) -> tuple[str, ...]:
    lon, lat = town.position(street, number)
    x, y = metres(town, lon, lat)
    way = f"{town.code}_{1000 + street}"
    label = f"{STREETS[street][1]} {STREETS[street][2]}"
    return (
        f"{way}_{number:05d}", way, str(number), "", label, town.postal_code, town.code, town.name, "", "", f"{x:.2f}",
        f"{y:.2f}", f"{lon:.6f}", f"{lat:.6f}", "entrée", "", "", register_town(town.name),
        plain(label).replace("'", " "), "commune", "commune", "1", "",
    )  # fmt: skip
