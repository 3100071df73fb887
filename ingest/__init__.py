"""Registers in: readers, staging, linkage, reconciliation, reports, sample registers."""
