"""Notices to programs that the directory changed: subscriptions, an outbox, signed deliveries."""
