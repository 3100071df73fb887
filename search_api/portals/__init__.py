"""Portals by zone: pages made of the public JSON API alone, as anybody's would be."""
