"""The official layouts (REGISTERS §1–3): column names as published, and our short names."""

COORD = " (coord. structure)"

RPPS_ACTIVITY: dict[str, str | None] = {
    "Type d'identifiant PP": "id_type",
    "Identifiant PP": "id_number",
    "Identification nationale PP": "national_id",
    "Code civilité d'exercice": "title",
    "Libellé civilité d'exercice": None,
    "Code civilité": "civility",
    "Libellé civilité": None,
    "Nom d'exercice": "last_name",
    "Prénom d'exercice": "first_name",
    "Code profession": "profession",
    "Libellé profession": None,
    "Code catégorie professionnelle": "category",
    "Libellé catégorie professionnelle": None,
    "Code type savoir-faire": "skill_type",
    "Libellé type savoir-faire": None,
    "Code savoir-faire": "skill",
    "Libellé savoir-faire": None,
    "Code mode exercice": "mode",
    "Libellé mode exercice": None,
    "Numéro SIRET site": "siret",
    "Numéro SIREN site": None,
    "Numéro FINESS site": "finess",
    "Numéro FINESS établissement juridique": "finess_legal",
    "Identifiant technique de la structure": "structure_id",
    "Raison sociale site": "company_name",
    "Enseigne commerciale site": "trade_name",
    f"Complément destinataire{COORD}": "addressee",
    f"Complément point géographique{COORD}": "access_point",
    f"Numéro Voie{COORD}": "number",
    f"Indice répétition voie{COORD}": "repetition",
    f"Code type de voie{COORD}": "way_type",
    f"Libellé type de voie{COORD}": "way_label",
    f"Libellé Voie{COORD}": "way",
    f"Mention distribution{COORD}": "distribution",
    f"Bureau cedex{COORD}": "cedex_office",
    f"Code postal{COORD}": "postal_code",
    f"Code commune{COORD}": "commune_code",
    f"Libellé commune{COORD}": "commune_label",
    f"Code pays{COORD}": "country",
    f"Libellé pays{COORD}": None,
    f"Téléphone{COORD}": "phone",
    f"Téléphone 2{COORD}": "phone2",
    f"Télécopie{COORD}": "fax",
    f"Adresse e-mail{COORD}": "email",
    "Code Département (structure)": "departement",
    "Libellé Département (structure)": None,
    "Ancien identifiant de la structure": "old_structure_id",
    "Autorité d'enregistrement": "authority",
    "Code secteur d'activité": "sector",
    "Libellé secteur d'activité": None,
    "Code section tableau pharmaciens": None,
    "Libellé section tableau pharmaciens": None,
    "Code rôle": "function",
    "Libellé rôle": None,
    "Code genre activité": "activity_kind",
    "Libellé genre activité": None,
}
"""Official name → our column (None: present but not used). The last four are absent from older vintages."""

RPPS_OPTIONAL = frozenset({"Code rôle", "Libellé rôle", "Code genre activité", "Libellé genre activité"})

_PERSON: dict[str, str | None] = {
    "Type d'identifiant PP": "id_type",
    "Identifiant PP": "id_number",
    "Identification nationale PP": "national_id",
    "Nom d'exercice": None,
    "Prénom d'exercice": None,
}

RPPS_SKILLS: dict[str, str | None] = _PERSON | {
    "Code profession": "profession",
    "Libellé profession": None,
    "Code catégorie professionnelle": None,
    "Libellé catégorie professionnelle": None,
    "Code type savoir-faire": "kind",
    "Libellé type savoir-faire": "kind_label",
    "Code savoir-faire": "code",
    "Libellé savoir-faire": "label",
}

RPPS_DIPLOMAS: dict[str, str | None] = _PERSON | {
    "Code type diplôme obtenu": "kind",
    "Libellé type diplôme obtenu": "kind_label",
    "Code diplôme obtenu": "code",
    "Libellé diplôme obtenu": "label",
    "Code type autorisation": "permit_kind",
    "Libellé type autorisation": "permit_kind_label",
    "Code discipline autorisation": "permit",
    "Libellé discipline autorisation": "permit_label",
}

AMELI: dict[str, str | None] = {
    "ps_activite_nom": "last_name",
    "ps_activite_prenom": "first_name",
    "ps_activite_civilite": "gender",
    "ps_activite_raison_sociale": "company_name",
    "ps_activite_carte_vitale": "carte_vitale",
    "ps_activite_apcv": None,
    "specialite_code": "specialty",
    "specialite_libelle": "specialty_label",
    "type_ps_code": None,
    "type_ps_libelle": None,
    "activite_particuliere_code": None,
    "activite_particuliere_libelle": None,
    "coordonnees_num_tel": "phone",
    "coordonnees_voie": "street",
    "coordonnees_complement": "complement",
    "coordonnees_lieu_dit": "locality",
    "coordonnees_code_postal": "postal_code",
    "coordonnees_ville": "town",
    "secteur_conventionnel_code": "convention",
    "secteur_conventionnel_libelle": None,
    "nature_exercice_code": None,
    "nature_exercice_libelle": None,
    "option_tarifaire_code": "fee_option",
    "option_tarifaire_libelle": None,
}

AMELI_OFFICIAL = {short: official for official, short in AMELI.items() if short}

FINESS_ET = (
    "structureet;nofinesset;nofinessej;rs;rslongue;complrs;compldistrib;numvoie;typvoie;voie;compvoie;lieuditbp;"
    "commune;departement;libdepartement;ligneacheminement;telephone;telecopie;categetab;libcategetab;categagretab;"
    "libcategagretab;siret;codeape;codemft;libmft;codesph;libsph;dateouv;dateautor;datemaj;numuai"
).split(";")

FINESS_GEO = "geolocalisation;nofinesset;coordxet;coordyet;sourcecoordet;datemaj".split(";")

FINESS_EJ = (
    "structureej;nofiness;rs;rslongue;complrs;numvoie;typvoie;voie;compvoie;compldistrib;lieuditbp;commune;"
    "ligneacheminement;departement;libdepartement;telephone;statutjuridique;libstatutjuridique;categetab;"
    "libcategetab;siren;codeape;datecrea"
).split(";")

FINESS_RECORDS = {layout[0]: layout for layout in (FINESS_ET, FINESS_GEO, FINESS_EJ)}
