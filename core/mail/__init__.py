"""Mails: written in the outbox with the change that they announce, sent once it is committed.

`queue` is the door of every package; `add_templates` gives the folder of its templates.
"""

from core.mail.addresses import valid_address
from core.mail.outbox import queue
from core.mail.rendering import add_templates

__all__ = ["add_templates", "queue", "valid_address"]
