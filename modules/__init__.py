"""Consumers of the directory and the location index; each lives in a package of its own."""
