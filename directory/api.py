"""What the floors above may use of the directory. Mapped classes are for SELECT only."""

from directory.concepts import AGE_SYSTEM, KIND_SYSTEM, ConceptEntry, ConceptIndex, concept_index
from directory.describe import describe_offer, describe_site, leave_offer, republish_offer, unpublish_offer
from directory.hours_draft import HoursDraft, draft_to_description, parse_hours_form
from directory.hours_editor import HoursEditor, HoursRound, hours_draft, hours_round
from directory.hours_zones import clocks, departement_at, departement_of_region, timezone_of
from directory.models import (
    Alias,
    Concept,
    ConceptVersion,
    History,
    LegalEntity,
    LoadChange,
    Nomenclature,
    Practitioner,
    Role,
    Site,
)
from directory.models_feed import FeedChange, FeedFloor, FeedState
from directory.models_offer import (
    ContactPoint,
    Offer,
    OfferSearch,
    OfferTerritory,
    OpeningSlot,
    SiteEquipment,
)
from directory.offer_rights import may_edit
from directory.professions import offer_professions
from directory.projection import refresh_places, refresh_search
from directory.publish import Progress, publish
from directory.queries import PROFESSIONAL, PUBLIC, searchable
from directory.register_names import names_of_finess, names_of_rpps
from directory.schemas import (
    Contact,
    ContactIn,
    EntityCounts,
    Identifier,
    OfferDescription,
    OfferSheet,
    OfferSummary,
    PlaceRef,
    Position,
    PostalAddress,
    PublishReport,
    RegisterSource,
    SiteDescription,
    SiteSheet,
    Written,
)
from directory.schemas_base import ConceptRef
from directory.schemas_hours import ExceptionIn, Hours, Slot, SlotIn, SpanIn, SpecialPeriod
from directory.service import find_uid
from directory.sheets import offer_sheet, site_sheet
from directory.staging import TABLES as PUBLICATION_TABLES
from directory.staging import create as create_publication_tables

__all__ = [
    "AGE_SYSTEM",
    "KIND_SYSTEM",
    "PROFESSIONAL",
    "PUBLIC",
    "PUBLICATION_TABLES",
    "Alias",
    "Concept",
    "ConceptEntry",
    "ConceptIndex",
    "ConceptRef",
    "ConceptVersion",
    "Contact",
    "ContactIn",
    "ContactPoint",
    "EntityCounts",
    "ExceptionIn",
    "FeedChange",
    "FeedFloor",
    "FeedState",
    "History",
    "Hours",
    "HoursDraft",
    "HoursEditor",
    "HoursRound",
    "Identifier",
    "LegalEntity",
    "LoadChange",
    "Nomenclature",
    "Offer",
    "OfferDescription",
    "OfferSearch",
    "OfferSheet",
    "OfferSummary",
    "OfferTerritory",
    "OpeningSlot",
    "PlaceRef",
    "Position",
    "PostalAddress",
    "Practitioner",
    "Progress",
    "PublishReport",
    "RegisterSource",
    "Role",
    "Site",
    "SiteDescription",
    "SiteEquipment",
    "SiteSheet",
    "Slot",
    "SlotIn",
    "SpanIn",
    "SpecialPeriod",
    "Written",
    "clocks",
    "concept_index",
    "create_publication_tables",
    "departement_at",
    "departement_of_region",
    "describe_offer",
    "describe_site",
    "draft_to_description",
    "find_uid",
    "hours_draft",
    "hours_round",
    "leave_offer",
    "may_edit",
    "names_of_finess",
    "names_of_rpps",
    "offer_professions",
    "offer_sheet",
    "parse_hours_form",
    "publish",
    "refresh_places",
    "refresh_search",
    "republish_offer",
    "searchable",
    "site_sheet",
    "timezone_of",
    "unpublish_offer",
]
