"""Accounts, grants and sign-in."""
