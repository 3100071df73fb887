"""What the floors above may use of the directory. Mapped classes are for SELECT only."""

from directory.concepts import AGE_SYSTEM, KIND_SYSTEM, ConceptEntry, ConceptIndex, concept_index
from directory.days import calendar_day, read_day
from directory.describe import describe_offer, describe_site, leave_offer, republish_offer, unpublish_offer
from directory.held_forms import held_form, hold_form, holder_of, release_form
from directory.hours import ExceptionLine
from directory.hours_draft import HoursDraft, draft_to_description, parse_hours_form
from directory.hours_editor import HoursEditor, HoursRound, hours_draft, hours_round
from directory.hours_kinds import KINDS as SLOT_KINDS
from directory.hours_store import holiday_rule
from directory.hours_words import HOLIDAY_WORDS, exception_label, replacement_words, span_label
from directory.hours_zones import departement_at, departement_of_region, timezone_of
from directory.known_people import offer_known_people
from directory.labels import FEE_OPTIONS, LANGUAGES, PURPOSES, person_name
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
    HoursException,
    Offer,
    OfferSearch,
    OfferTerritory,
    OpeningSlot,
    SearchCard,
    SiteEquipment,
    SpecialSlot,
)
from directory.offer_preview import Preview, offer_preview
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
    OfferBooking,
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
    "FEE_OPTIONS",
    "HOLIDAY_WORDS",
    "KIND_SYSTEM",
    "LANGUAGES",
    "PROFESSIONAL",
    "PUBLIC",
    "PUBLICATION_TABLES",
    "PURPOSES",
    "SLOT_KINDS",
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
    "ExceptionLine",
    "FeedChange",
    "FeedFloor",
    "FeedState",
    "History",
    "Hours",
    "HoursDraft",
    "HoursEditor",
    "HoursException",
    "HoursRound",
    "Identifier",
    "LegalEntity",
    "LoadChange",
    "Nomenclature",
    "Offer",
    "OfferBooking",
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
    "Preview",
    "Progress",
    "PublishReport",
    "RegisterSource",
    "Role",
    "SearchCard",
    "Site",
    "SiteDescription",
    "SiteEquipment",
    "SiteSheet",
    "Slot",
    "SlotIn",
    "SpanIn",
    "SpecialPeriod",
    "SpecialSlot",
    "Written",
    "calendar_day",
    "concept_index",
    "create_publication_tables",
    "departement_at",
    "departement_of_region",
    "describe_offer",
    "describe_site",
    "draft_to_description",
    "exception_label",
    "find_uid",
    "held_form",
    "hold_form",
    "holder_of",
    "holiday_rule",
    "hours_draft",
    "hours_round",
    "leave_offer",
    "may_edit",
    "names_of_finess",
    "names_of_rpps",
    "offer_known_people",
    "offer_preview",
    "offer_professions",
    "offer_sheet",
    "parse_hours_form",
    "person_name",
    "publish",
    "read_day",
    "refresh_places",
    "refresh_search",
    "release_form",
    "replacement_words",
    "republish_offer",
    "searchable",
    "site_sheet",
    "span_label",
    "timezone_of",
    "unpublish_offer",
]
