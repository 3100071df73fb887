"""What the feed holds: internal kinds, the resource types that they become, and where their rows stand."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from directory.api import LegalEntity, Offer, Practitioner, Role, Site

Kind = Literal["legal_entity", "site", "location", "offer", "practitioner", "role"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
RESOURCE_TYPES: Final[Mapping[Kind, str]] = {
    "legal_entity": "Organization",
    "site": "Organization",
    "location": "Location",
    "offer": "HealthcareService",
    "practitioner": "Practitioner",
    "role": "PractitionerRole",
}
"""A site is two resources under one logical id: the organization, and the place where it stands."""
KINDS_OF_TYPE: Final[Mapping[str, tuple[Kind, ...]]] = {
    kind: tuple(one for one in KINDS if RESOURCE_TYPES[one] == kind) for kind in dict.fromkeys(RESOURCE_TYPES.values())
}
MODELS: Final[Mapping[Kind, Any]] = {
    "legal_entity": LegalEntity,
    "site": Site,
    "location": Site,
    "offer": Offer,
    "practitioner": Practitioner,
    "role": Role,
}
LEDGER: Final[Mapping[Kind, int]] = {
    "legal_entity": 1,
    "site": 2,
    "location": 2,
    "practitioner": 3,
    "role": 4,
    "offer": 5,
}
"""Kind of the rows of the ledger (`directory.feed_state`); a site's row is told as two resources."""
