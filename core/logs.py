"""Logs: what went wrong and where, never with the values of the moment."""

from structlog.dev import ConsoleRenderer, plain_traceback


def configure() -> None:
    """Have tracebacks name lines only: the values beside them may be a password, a code or somebody's address."""
    ConsoleRenderer.get_active().exception_formatter = plain_traceback
