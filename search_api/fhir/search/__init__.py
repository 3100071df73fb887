"""FHIR search: parameters, statements, pages."""
