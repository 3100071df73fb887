"""Measures: what each part costs, beside a plain reference in the same run."""
