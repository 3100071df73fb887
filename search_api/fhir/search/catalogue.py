"""The search parameters of each type, as the guide of the ROR lists them, and what each one reads."""

from collections.abc import Mapping
from typing import Final

from search_api.fhir.search.catalogue_offers import HEALTHCARE_SERVICE
from search_api.fhir.search.catalogue_people import PRACTITIONER, PRACTITIONER_ROLE
from search_api.fhir.search.catalogue_places import LOCATION, ORGANIZATION
from search_api.fhir.search.parameters import Resource

RESOURCES: Final[Mapping[str, Resource]] = {
    one.type: one for one in (HEALTHCARE_SERVICE, LOCATION, ORGANIZATION, PRACTITIONER, PRACTITIONER_ROLE)
}
