"""The FHIR R4 feed, on the profiles of the national ROR."""
