"""How each register entity goes from its publication table to its live table: columns, keys, who owns it."""

from dataclasses import dataclass

POINT = (
    "CASE WHEN p.lon IS NOT NULL AND p.lat IS NOT NULL THEN ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326)::geography END"
)

TODAY = "(core.now() AT TIME ZONE 'Europe/Paris')::date"


@dataclass(frozen=True)
class Entity:
    """One register entity.

    `columns` maps a live column to its expression over the publication row `p` (and over `joins`). `kept` are
    the columns of a register that may be absent from a load, in which case the live value stays. `closes` is the
    expression of the register's own closing date. `order` is the order of a first load (over `order_joins` too): what
    is near on the map is near on the disk, so that a page of neighbours is read in a few blocks.
    """

    name: str
    table: str
    key: str
    columns: dict[str, str]
    joins: str = ""
    closes: str = "NULL::date"
    kept: tuple[str, ...] = ()
    order: str = ""
    order_joins: str = ""

    @property
    def pub(self) -> str:
        """The publication table."""
        return f"staging.pub_{self.name}"

    @property
    def live(self) -> str:
        """The live table."""
        return f"directory.{self.table}"

    @property
    def diff(self) -> str:
        """The temporary table of what differs: key, id, change."""
        return f"diff_{self.name}"


def _same(*names: str) -> dict[str, str]:
    return {name: f"p.{name}" for name in names}


LEGAL_ENTITY = Entity(
    name="legal_entity",
    table="legal_entity",
    key="key",
    columns={
        **_same("finess", "siren", "long_name", "legal_status", "street", "postal_code", "town", "commune_code"),
        **_same("phone", "opened_on"),
        "name": "coalesce(p.name, p.long_name, 'Entité juridique')",
    },
    closes=f"CASE WHEN p.closed_on <= {TODAY} THEN p.closed_on END",
)

SITE = Entity(
    name="site",
    table="site",
    key="key",
    columns={
        **_same("kind", "finess", "siret", "structure_id", "long_name", "category", "sector", "complement"),
        **_same("street", "postal_code", "town", "commune_id", "commune_code", "commune_how", "commune_score"),
        **_same("position_source", "position_score", "phone", "phone2", "fax", "email", "opened_on"),
        "name": "coalesce(p.name, p.long_name, 'Cabinet')",
        "legal_entity_id": "le.id",
        "position": POINT,
        "position_level": "coalesce(p.position_level, 'none')",
    },
    joins="LEFT JOIN directory.legal_entity le ON le.key = p.legal_key",
    closes=f"CASE WHEN p.closed_on <= {TODAY} THEN p.closed_on END",
    # PostGIS sorts points along a Hilbert curve.
    order=f"({POINT})::geometry, p.commune_id, p.key",
)

PRACTITIONER = Entity(
    name="practitioner",
    table="practitioner",
    key="national_id",
    columns={
        **_same("rpps", "adeli", "title", "civility", "profession", "category", "qualifications"),
        "last_name": "coalesce(p.last_name, '')",
        "first_name": "coalesce(p.first_name, '')",
        "specialties": "coalesce(p.specialties, '{}')",
    },
    order="home.site_id, p.key",
    order_joins="""
        LEFT JOIN (
            SELECT r.practitioner_key, min(si.id) AS site_id FROM staging.pub_role r
            LEFT JOIN site_key sk ON sk.key = r.site_key
            JOIN directory.site si ON si.key = coalesce(sk.into_key, r.site_key)
            GROUP BY r.practitioner_key
        ) home ON home.practitioner_key = p.key
    """,
)

ROLE = Entity(
    name="role",
    table="role",
    key="key",
    columns={
        "practitioner_id": "pr.id",
        "site_id": "si.id",
        **_same("profession", "category", "mode", "sector", "function", "activity_kind", "authority"),
        **_same("convention", "fee_option", "carte_vitale", "ameli_phone", "link_score"),
        "specialties": "coalesce(p.specialties, '{}')",
    },
    joins="""
        JOIN directory.practitioner pr ON pr.national_id = p.practitioner_key
        LEFT JOIN site_key sk ON sk.key = p.site_key
        LEFT JOIN directory.site si ON si.key = coalesce(sk.into_key, p.site_key)
    """,
    kept=("convention", "fee_option", "carte_vitale", "ameli_phone", "link_score"),
    order="si.id, pr.id, p.key",
)

ENTITIES = (LEGAL_ENTITY, SITE, PRACTITIONER, ROLE)
