"""French page foundations: base templates, macros, static files, form helpers."""
