"""What the files hold: datasets and columns, each with its meaning, its origin and the expression that reads it.

The dictionary that people read, the order of the columns and the statements all follow from these lists. Expressions
know the aliases of their dataset's `tables`; `{level}` stands for the level of confidentiality.
"""

from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["texte", "liste", "entier", "nombre", "booléen", "date", "instant"]
Origin = Literal["RPPS", "FINESS", "AMELI", "registres", "professionnel", "Repère"]

ORIGINS: Final[dict[Origin, str]] = {
    "RPPS": "Répertoire partagé des professionnels de santé",
    "FINESS": "Fichier national des établissements sanitaires et sociaux",
    "AMELI": "Annuaire santé de l’Assurance maladie",
    "registres": "RPPS ou FINESS, selon le lieu",
    "professionnel": "Décrit par le professionnel ou l’établissement ; à défaut, déduit des registres",
    "Repère": "Calculé par Repère",
}
DUCK: Final[dict[Form, str]] = {
    "texte": "VARCHAR",
    "liste": "VARCHAR",
    "entier": "INTEGER",
    "nombre": "DOUBLE",
    "booléen": "BOOLEAN",
    "date": "DATE",
    "instant": "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `system` names its nomenclature, `level` who has it (2: professionals only)."""

    name: str
    form: Form
    meaning: str
    origin: Origin
    sql: str
    system: str | None = None
    level: int = 1


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set of rows: `tables` is the FROM clause with its predicate, `order` makes the order total."""

    name: str
    label: str
    description: str
    columns: tuple[Column, ...]
    tables: str
    order: str

    def of(self, level: int) -> tuple[Column, ...]:
        """Return the columns of a level."""
        return tuple(column for column in self.columns if column.level <= level)


def _label(system: str, code: str) -> str:
    return f"(SELECT k.label FROM directory.concept k WHERE k.system = '{system}' AND k.code = {code})"


def _pair(name: str, meaning: str, origin: Origin, system: str, code: str, *, level: int = 1) -> tuple[Column, Column]:
    """Return the column of a code and that of its label."""
    return (
        Column(name, "texte", f"{meaning} : code", origin, code, system, level),
        Column(f"{name}_libelle", "texte", f"{meaning} : libellé", origin, _label(system, code), system, level),
    )


def _concept(name: str, meaning: str, system: str, key: str) -> tuple[Column, Column]:
    one = "(SELECT k.{part} FROM directory.concept k WHERE k.id = {key})"
    return (
        Column(name, "texte", f"{meaning} : code", "professionnel", one.format(part="code", key=key), system),
        Column(
            f"{name}_libelle",
            "texte",
            f"{meaning} : libellé",
            "professionnel",
            one.format(part="label", key=key),
            system,
        ),
    )


def _concepts(name: str, meaning: str, system: str, keys: str) -> tuple[Column, Column]:
    many = "(SELECT string_agg(k.{part}, ';' ORDER BY k.code, k.id) FROM directory.concept k WHERE k.id = ANY({keys}))"
    return (
        Column(name, "liste", f"{meaning} : codes", "professionnel", many.format(part="code", keys=keys), system),
        Column(
            f"{name}_libelles",
            "liste",
            f"{meaning} : libellés, dans l’ordre des codes",
            "professionnel",
            many.format(part="label", keys=keys),
            system,
        ),
    )


def _references(name: str, meaning: str, origin: Origin, refs: str) -> tuple[Column, Column]:
    """Return the columns of codes written `system|code`, whose nomenclature each code names."""
    labels = (
        "(SELECT string_agg(coalesce(k.label, x.ref), ';' ORDER BY x.rank)"
        f" FROM unnest({refs}) WITH ORDINALITY x(ref, rank) LEFT JOIN directory.concept k"
        " ON k.system = split_part(x.ref, '|', 1) AND k.code = split_part(x.ref, '|', 2))"
    )
    return (
        Column(name, "liste", f"{meaning} : nomenclature et code", origin, f"array_to_string({refs}, ';')"),
        Column(f"{name}_libelles", "liste", f"{meaning} : libellés, dans l’ordre des codes", origin, labels),
    )


def _instant(expression: str) -> str:
    return f"to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"


def _told(kind: int, alias: str) -> str:
    # The date of a row also moves with what the public may not read: the ledger of the feed knows who saw what.
    return _instant(
        f"coalesce((SELECT g.at FROM directory.feed_state f JOIN directory.feed_change g ON g.id = f.change_{{level}}"
        f" WHERE f.kind = {kind} AND f.entity_id = {alias}.id), {alias}.created_at)"
    )


_POINT = "coalesce(e.pin, e.position)::geometry"
_WHERE = (
    Column("adresse", "texte", "Numéro et voie", "registres", "e.street"),
    Column("code_postal", "texte", "Code postal", "registres", "e.postal_code"),
    Column("commune_insee", "texte", "Code INSEE de la commune ou de l’arrondissement", "Repère", "p.code"),
    Column("commune", "texte", "Nom de la commune", "Repère", "coalesce(p.name, e.town)"),
    Column("departement", "texte", "Code du département", "Repère", "p.departement_code"),
    Column("longitude", "nombre", "Longitude WGS84, en degrés", "Repère", f"round(ST_X({_POINT})::numeric, 7)"),
    Column("latitude", "nombre", "Latitude WGS84, en degrés", "Repère", f"round(ST_Y({_POINT})::numeric, 7)"),
    Column(
        "position_exacte",
        "booléen",
        "Vrai quand la position est celle de l’adresse ; faux quand elle est celle du centre de la commune",
        "Repère",
        f"CASE WHEN {_POINT} IS NOT NULL THEN"
        " e.pin IS NOT NULL OR e.position_level IN ('number', 'street', 'place') END",
    ),
)

SITES: Final = Dataset(
    name="sites",
    label="Lieux",
    description="Établissements et cabinets ouverts : une ligne par lieu.",
    columns=(
        Column("id", "texte", "Identifiant du lieu, stable", "Repère", "e.uid"),
        Column("genre", "texte", "establishment : établissement ; practice : cabinet", "Repère", "e.kind"),
        Column("finess", "texte", "Numéro FINESS géographique", "registres", "e.finess"),
        Column("siret", "texte", "Numéro SIRET", "registres", "e.siret"),
        Column("structure", "texte", "Identifiant technique de la structure au RPPS", "RPPS", "e.structure_id"),
        Column("nom", "texte", "Nom du lieu", "registres", "e.name"),
        Column("nom_long", "texte", "Nom complet", "registres", "e.long_name"),
        *_pair("categorie", "Catégorie d’établissement", "FINESS", "R66", "e.category"),
        *_pair("secteur", "Secteur d’activité", "RPPS", "R02", "e.sector"),
        Column("complement", "texte", "Complément d’adresse", "registres", "e.complement"),
        *_WHERE,
        Column("telephone", "texte", "Téléphone", "registres", "e.phone"),
        Column("telephone_2", "texte", "Second téléphone", "registres", "e.phone2"),
        Column("telecopie", "texte", "Télécopie", "registres", "e.fax"),
        Column("courriel", "texte", "Adresse électronique", "registres", "e.email"),
        *_pair("accessibilite", "Accessibilité du lieu", "professionnel", "R202", "e.accessibility"),
        *_concepts(
            "equipements",
            "Équipements",
            "J18",
            "ARRAY(SELECT q.concept_id FROM directory.site_equipment q WHERE q.site_id = e.id)",
        ),
        Column("entite_juridique_id", "texte", "Identifiant de l’entité juridique", "Repère", "l.uid"),
        Column("entite_juridique", "texte", "Nom de l’entité juridique", "FINESS", "l.name"),
        Column("entite_juridique_finess", "texte", "Numéro FINESS juridique", "FINESS", "l.finess"),
        Column("ouvert_le", "date", "Date d’ouverture", "FINESS", "e.opened_on"),
        Column(
            "offres",
            "entier",
            "Nombre d’offres du lieu dans le fichier des offres de même niveau",
            "Repère",
            "(SELECT count(*) FROM directory.offer_search s WHERE s.site_id = e.id AND {searchable})",
        ),
        Column(
            "mise_a_jour", "instant", "Dernière modification de ce que la ligne dit, en UTC", "Repère", _told(2, "e")
        ),
    ),
    tables="directory.site e LEFT JOIN directory.legal_entity l ON l.id = e.legal_entity_id AND l.closed_on IS NULL"
    " LEFT JOIN maps.place p ON p.id = e.commune_id WHERE e.closed_on IS NULL",
    order="e.id",
)


def _contact(name: str, meaning: str, purpose: str, *, level: int = 1) -> Column:
    found = (
        "(SELECT string_agg(c.value, ';' ORDER BY c.id) FROM directory.contact_point c WHERE c.offer_id = o.id"
        f" AND c.purpose = '{purpose}' AND c.confidentiality <= {{level}})"
    )
    return Column(name, "liste", meaning, "professionnel", found, level=level)


_WEEK = (
    "(SELECT string_agg(concat(h.weekday, ' ', to_char(h.opens, 'HH24:MI'), '-', to_char(h.closes, 'HH24:MI'), ' ',"
    " h.kind, ' ' || h.valid_from, ' ' || nullif(h.valid_to, 'infinity')), ';' ORDER BY h.weekday, h.opens, h.id)"
    " FROM directory.opening_slot h WHERE h.offer_id = o.id)"
)
_TERRITORY = (
    "(SELECT string_agg(z.kind || ':' || z.code, ';' ORDER BY z.kind, z.code) FROM directory.offer_territory t"
    " JOIN maps.place z ON z.id = t.place_id WHERE t.offer_id = o.id)"
)

OFFERS: Final = Dataset(
    name="offres",
    label="Offres",
    description="Offres opérationnelles qu’une recherche peut trouver : une ligne par offre.",
    columns=(
        Column("id", "texte", "Identifiant de l’offre, stable", "Repère", "o.uid"),
        Column(
            "genre", "texte", "liberal : d’un professionnel ; establishment : d’un établissement", "Repère", "o.kind"
        ),
        Column("nom", "texte", "Nom de l’offre", "Repère", "o.name"),
        Column("site_id", "texte", "Lieu de l’offre (fichier des lieux)", "Repère", "e.uid"),
        Column("situation_id", "texte", "Situation d’exercice (fichier des professionnels)", "Repère", "r.uid"),
        *_concept("champ", "Champ d’activité", "R227", "o.field_id"),
        *_concept("type", "Type d’unité", "J238", "o.type_id"),
        *_concept("mode", "Mode de prise en charge", "J19", "o.mode_id"),
        *_concepts("activites", "Activités opérationnelles", "J17", "o.activities"),
        *_concepts("actes", "Actes spécifiques", "J16", "o.acts"),
        *_concepts("actes_hors_cabinet", "Actes réalisés hors du cabinet", "J16", "o.outside_acts"),
        *_concepts("competences", "Compétences spécifiques", "J33", "o.skills"),
        *_concepts("specialisations", "Niveaux d’expertise", "J35", "o.specialisations"),
        *_concepts("publics", "Publics reçus", "J29", "o.publics"),
        *_concepts("accueil", "Modalités d’accueil", "R338", "o.reception"),
        Column("age_min", "entier", "Âge minimal des patients, en années", "professionnel", "o.age_min"),
        Column("age_max", "entier", "Âge maximal des patients, en années", "professionnel", "o.age_max"),
        Column(
            "nouveaux_patients",
            "booléen",
            "Accepte de nouveaux patients ; vide : non dit",
            "professionnel",
            "s.accepts_new",
        ),
        Column(
            "langues", "liste", "Langues parlées, codes ISO 639", "professionnel", "array_to_string(o.languages, ';')"
        ),
        Column("territoire", "liste", "Lieux où l’offre se déplace : nature et code", "professionnel", _TERRITORY),
        Column(
            "semaine",
            "liste",
            "Semaine type : jour (1 lundi), heures locales, type de plage (R252), période s’il y en a une",
            "professionnel",
            _WEEK,
            "R252",
        ),
        Column("fermeture_le", "date", "Début d’une fermeture prévue", "professionnel", "o.closing_on"),
        Column("reouverture_le", "date", "Réouverture prévue", "professionnel", "o.reopening_on"),
        _contact("telephone_rdv", "Téléphone de prise de rendez-vous", "booking_phone"),
        _contact("adresse_rdv", "Prise de rendez-vous en ligne", "booking_url"),
        _contact("courriel_rdv", "Adresse électronique de prise de rendez-vous", "booking_email"),
        _contact("teleconsultation", "Adresse de téléconsultation", "teleconsultation_url"),
        _contact("mssante", "Boîte de messagerie sécurisée de santé", "mssante"),
        _contact("telephone_pro", "Téléphone à usage professionnel", "pro_phone", level=2),
        _contact("telephone_urgence", "Téléphone d’urgence", "emergency_phone", level=2),
        _contact("teleexpertise", "Adresse de téléexpertise", "teleexpertise_url", level=2),
        _contact("autre_courriel", "Autre adresse électronique", "other_email", level=2),
        _contact("telecopie", "Télécopie", "fax", level=2),
        Column("commentaire", "texte", "Commentaire libre", "professionnel", "o.comment", level=2),
        Column("sensible", "booléen", "Unité sensible, cachée au public", "professionnel", "o.sensitive", level=2),
        Column("decrite", "booléen", "Vrai quand quelqu’un a décrit l’offre", "Repère", "o.described"),
        *_WHERE,
        Column(
            "mise_a_jour", "instant", "Dernière modification de ce que la ligne dit, en UTC", "Repère", _told(5, "o")
        ),
    ),
    tables="directory.offer_search s JOIN directory.offer o ON o.id = s.offer_id"
    " JOIN directory.site e ON e.id = o.site_id LEFT JOIN directory.role r ON r.id = o.role_id"
    " LEFT JOIN maps.place p ON p.id = e.commune_id WHERE {searchable}",
    order="o.id",
)

_MODE = "CASE r.mode WHEN 'L' THEN 'Libéral' WHEN 'S' THEN 'Salarié' WHEN 'B' THEN 'Bénévole' END"
_TARIFF = "CASE r.fee_option WHEN '3' THEN 'OPTAM' WHEN '4' THEN 'OPTAM-ACO' END"

PEOPLE: Final = Dataset(
    name="professionnels",
    label="Professionnels",
    description="Situations d’exercice qui ont une offre : une ligne par professionnel et par lieu.",
    columns=(
        Column("id", "texte", "Identifiant de la situation d’exercice, stable", "Repère", "r.uid"),
        Column("professionnel_id", "texte", "Identifiant du professionnel, stable", "Repère", "n.uid"),
        Column("identifiant_national", "texte", "Identifiant national du professionnel", "RPPS", "n.national_id"),
        Column("rpps", "texte", "Numéro RPPS", "RPPS", "n.rpps"),
        Column("civilite", "texte", "Civilité d’exercice", "RPPS", "n.civility"),
        Column("titre", "texte", "Titre", "RPPS", "n.title"),
        Column("nom", "texte", "Nom d’exercice", "RPPS", "n.last_name"),
        Column("prenom", "texte", "Prénom d’exercice", "RPPS", "n.first_name"),
        *_pair("profession", "Profession", "RPPS", "G15", "r.profession"),
        *_references("savoir_faire", "Savoir-faire", "RPPS", "(r.specialties || n.specialties)"),
        Column("mode_exercice", "texte", "Mode d’exercice : libéral, salarié ou bénévole", "RPPS", _MODE),
        *_pair("convention", "Conventionnement", "AMELI", "R282", "r.convention"),
        Column("option_tarifaire", "texte", "Option de tarifs maîtrisés", "AMELI", _TARIFF),
        Column("carte_vitale", "booléen", "Prend la carte Vitale ; vide : non dit", "AMELI", "r.carte_vitale"),
        Column("telephone", "texte", "Téléphone de l’Annuaire santé", "AMELI", "r.ameli_phone"),
        Column("site_id", "texte", "Lieu d’exercice (fichier des lieux)", "Repère", "e.uid"),
        Column("offre_id", "texte", "Offre (fichier des offres)", "Repère", "o.uid"),
        *_WHERE,
        Column(
            "mise_a_jour", "instant", "Dernière modification de ce que la ligne dit, en UTC", "Repère", _told(4, "r")
        ),
    ),
    tables="directory.offer_search s JOIN directory.offer o ON o.id = s.offer_id"
    " JOIN directory.role r ON r.id = o.role_id JOIN directory.practitioner n ON n.id = r.practitioner_id"
    " JOIN directory.site e ON e.id = o.site_id LEFT JOIN maps.place p ON p.id = e.commune_id"
    " WHERE r.closed_on IS NULL AND {searchable}",
    order="r.id",
)

DATASETS: Final = (SITES, OFFERS, PEOPLE)
FORMATS: Final = {
    "csv": ("CSV", "text/csv; charset=utf-8"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
    "geojson": ("GeoJSON", "application/geo+json"),
}
LEVELS: Final = {1: "public", 2: "professionnels"}


def file_name(dataset: str, format_: str, level: int) -> str:
    """Return the name of a file: `repere-offres.csv`, `repere-offres-pro.csv`."""
    return f"repere-{dataset}{'-pro' if level > 1 else ''}.{format_}"
