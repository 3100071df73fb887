"""Foundations that know nothing of health care: database, errors, events, tasks, pages, clock."""
