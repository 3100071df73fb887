"""What the directory says to the floors above: publication reports, concepts, sheets, descriptions."""

import uuid
from datetime import date, datetime

from pydantic import Field

from directory.schemas_base import ConceptRef, Description, Frozen
from directory.schemas_hours import ExceptionIn, HolidayChoice, Hours, SlotIn, SpanIn


class EntityCounts(Frozen):
    """Rows of one entity in a publication: read = new + changed + unchanged + reopened + merged + rejected.

    `merged` rows describe an entity that another row of the same load describes with more authority (a practice
    that FINESS knows). `rejected` rows point to an entity that does not exist. `closed` entities were live before
    and are no longer.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    reopened: int = 0
    merged: int = 0
    rejected: int = 0
    closed: int = 0


class PublishReport(Frozen):
    """What one publication did. `full` is True when the directory was empty before it."""

    load_id: int
    full: bool
    legal_entities: EntityCounts
    sites: EntityCounts
    practitioners: EntityCounts
    roles: EntityCounts
    offers: EntityCounts = Field(description="Generated offers: new, changed, reopened, closed; read is their total.")
    searchable: int = Field(description="Rows of the search projection after the publication.")
    reattached: int = Field(description="Entities found again under another register key.")
    phases: dict[str, float] = Field(description="Seconds by phase.")
    position: int | None = Field(description="Position of the event that announces the publication.")

    @property
    def changed(self) -> bool:
        """Tell whether anything visible differs from before the publication."""
        groups = (self.legal_entities, self.sites, self.practitioners, self.roles, self.offers)
        return any(g.new or g.changed or g.reopened or g.closed for g in groups)


class PlaceRef(Frozen):
    """A place as sheets name it; `ref` is what the search takes (`commune:78361`)."""

    ref: str
    name: str
    postal_code: str | None = None
    lat: float | None = None
    lon: float | None = None


class Position(Frozen):
    """WGS84 position. `exact` is False when only the town is known; `label` says it in French."""

    lat: float
    lon: float
    exact: bool
    level: str
    source: str | None
    score: int | None
    label: str


class PostalAddress(Frozen):
    """Address as the register writes it, cleaned. `lines` is ready to print, country left out."""

    lines: list[str]
    complement: str | None
    street: str | None
    postal_code: str | None
    town: str | None
    commune: PlaceRef | None
    departement: PlaceRef | None


class Contact(Frozen):
    """A way to reach. `href` is a safe `tel:`, `mailto:` or `https:` address, or None."""

    purpose: str
    label: str
    channel: str = Field(description="phone, fax, email or url")
    value: str
    href: str | None
    confidentiality: int = Field(description="1 public, 2 professionals")
    source: str = Field(description="professionnel, RPPS, FINESS or AMELI")


class Identifier(Frozen):
    """A register's number, for instance RPPS, FINESS, SIRET."""

    system: str
    value: str


class RegisterField(Frozen):
    """A value that comes from a register."""

    label: str
    value: str


class RegisterSource(Frozen):
    """What one register says, since when, and who corrects it."""

    register_name: str
    fields: list[RegisterField]
    updated_at: datetime | None
    correction: str = Field(description="French sentence: to whom a correction must be asked.")


class PractitionerRef(Frozen):
    """A practitioner as a sheet names them."""

    uid: uuid.UUID
    name: str
    title: str | None
    profession: ConceptRef | None
    specialties: list[ConceptRef]
    rpps: str | None


class OfferSummary(Frozen):
    """An offer inside a site's sheet."""

    uid: uuid.UUID
    name: str
    practitioner: PractitionerRef | None
    type: ConceptRef | None
    mode: ConceptRef | None
    activities: list[ConceptRef]
    kind: str
    patients: str
    convention: str | None
    carte_vitale: bool | None
    accepts_new: bool | None
    visits: bool
    open_now: bool | None
    described: bool
    updated_at: datetime


class OfferBooking(Frozen):
    """How to book one of the offers of a site, and with whom."""

    uid: uuid.UUID
    name: str = Field(description="The practitioner, else the offer.")
    contacts: list[Contact]


class SiteRef(Frozen):
    """The site of an offer's sheet."""

    uid: uuid.UUID
    name: str
    kind: str
    category: ConceptRef | None


class SiteSheet(Frozen):
    """Everything that the sheet of a site shows at a level of confidentiality."""

    uid: uuid.UUID
    name: str
    long_name: str | None
    kind: str
    kind_label: str
    category: ConceptRef | None
    sector: ConceptRef | None
    legal_entity: str | None
    address: PostalAddress
    position: Position | None
    contacts: list[Contact]
    booking: list[OfferBooking] = Field(
        default=[],
        description="How to book each of `offers` beside `contacts`; those without a way of their own are left out.",
    )
    accessibility: ConceptRef | None
    equipment: list[ConceptRef]
    offers: list[OfferSummary] = Field(description="Bounded to 200, described first, then by name.")
    offers_count: int
    practitioners: list[PractitionerRef] = Field(description="Practitioners of the site without an offer of their own.")
    practitioners_count: int
    identifiers: list[Identifier]
    registers: list[RegisterSource]
    opened_on: date | None
    updated_at: datetime
    version: int


class Territory(Frozen):
    """Where the offer comes to the patient's home; `bbox` is west, south, east, north in WGS84 degrees."""

    places: list[PlaceRef]
    refs: list[str]
    bbox: tuple[float, float, float, float] | None


class OfferSheet(Frozen):
    """Everything that the sheet of an offer shows at a level of confidentiality."""

    uid: uuid.UUID
    name: str
    kind: str
    kind_label: str
    site: SiteRef
    practitioner: PractitionerRef | None
    address: PostalAddress
    position: Position | None
    type: ConceptRef | None
    field: ConceptRef | None
    mode: ConceptRef | None
    activities: list[ConceptRef]
    acts: list[ConceptRef]
    outside_acts: list[ConceptRef]
    skills: list[ConceptRef]
    languages: list[str] = Field(description="French names of the languages spoken.")
    specialisations: list[ConceptRef]
    publics: list[ConceptRef]
    reception: list[ConceptRef]
    equipment: list[ConceptRef]
    accessibility: ConceptRef | None = Field(description="How the place can be reached and entered (R202).")
    age_min: int
    age_max: int
    patients: str = Field(description="« Tout âge », « De 3 à 18 ans »")
    accepts_new: bool | None = Field(description="True also once the announced day has passed.")
    accepts_new_on: date | None = Field(description="Day to come from which it accepts; null once it accepts.")
    territory: Territory
    contacts: list[Contact]
    hours: Hours
    convention: ConceptRef | None
    fee_option: str | None
    carte_vitale: bool | None
    comment: str | None
    described: bool
    status_message: str | None = Field(description="Temporary closing, in French.")
    others: list[OfferSummary] = Field(description="Other offers of the same site, bounded to 20.")
    identifiers: list[Identifier]
    registers: list[RegisterSource]
    updated_at: datetime
    version: int


class ContactIn(Description):
    """A contact that the professional gives; the purpose decides channel, nature and confidentiality."""

    purpose: str
    value: str = Field(max_length=500)


class OfferDescription(Description):
    """What a professional may say of an offer.

    Concepts are `system|code`; territory entries are places such as `commune:78361`; languages ISO 639 codes.
    """

    activities: list[str] | None = None
    acts: list[str] | None = None
    outside_acts: list[str] | None = None
    skills: list[str] | None = None
    languages: list[str] | None = None
    specialisations: list[str] | None = None
    publics: list[str] | None = None
    reception: list[str] | None = None
    age_min: int | None = Field(default=None, ge=0, le=150)
    age_max: int | None = Field(default=None, ge=0, le=150)
    accepts_new: bool | None = None
    accepts_new_on: date | None = None
    comment: str | None = Field(default=None, max_length=2000)
    contacts: list[ContactIn] | None = None
    hours: list[SlotIn] | None = None
    exceptions: list[ExceptionIn] | None = None
    public_holidays: HolidayChoice | None = None
    public_holiday_hours: list[SpanIn] | None = None
    territory: list[str] | None = None
    closing_on: date | None = None
    reopening_on: date | None = None


class SiteDescription(Description):
    """What people may say of a place: equipment (J18), accessibility (R202), and a pin in WGS84 degrees."""

    equipment: list[str] | None = None
    accessibility: str | None = None
    pin: tuple[float, float] | None = Field(default=None, description="Latitude, longitude; null removes the pin.")


class Written(Frozen):
    """Outcome of a write: the new version, and the event's position that followers must reach to show it."""

    uid: uuid.UUID
    version: int
    position: int | None
