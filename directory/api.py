"""What the floors above may use of the directory. Mapped classes are for SELECT only."""

from directory.concepts import AGE_SYSTEM, KIND_SYSTEM, ConceptEntry, ConceptIndex, concept_index
from directory.describe import describe_offer, describe_site, republish_offer, unpublish_offer
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
from directory.models_offer import (
    ContactPoint,
    Offer,
    OfferSearch,
    OfferTerritory,
    OpeningSlot,
    SiteEquipment,
)
from directory.professions import offer_professions
from directory.projection import refresh_places, refresh_search
from directory.publish import Progress, publish
from directory.queries import PROFESSIONAL, PUBLIC, searchable
from directory.register_names import names_of_finess, names_of_rpps
from directory.schemas import (
    ConceptRef,
    Contact,
    ContactIn,
    EntityCounts,
    Hours,
    OfferDescription,
    OfferSheet,
    OfferSummary,
    PlaceRef,
    Position,
    PostalAddress,
    PublishReport,
    SiteDescription,
    SiteSheet,
    SlotIn,
    Written,
)
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
    "History",
    "Hours",
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
    "Role",
    "Site",
    "SiteDescription",
    "SiteEquipment",
    "SiteSheet",
    "SlotIn",
    "Written",
    "concept_index",
    "create_publication_tables",
    "describe_offer",
    "describe_site",
    "find_uid",
    "names_of_finess",
    "names_of_rpps",
    "offer_professions",
    "offer_sheet",
    "publish",
    "refresh_places",
    "refresh_search",
    "republish_offer",
    "searchable",
    "site_sheet",
    "unpublish_offer",
]
