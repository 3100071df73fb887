"""Readers of the official files: where bytes come from, what they are, what each line says."""
