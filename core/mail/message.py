"""A mail as it travels: headers, a plain text, its HTML twin."""

from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any, Final

from core.clock import local
from core.errors import InvalidInput
from core.mail.addresses import mailbox, read_mailbox
from core.mail.settings import mail_settings, public_host
from core.mail.smtp import NotConfigured
from core.models_mail import Mail
from core.settings import core_settings

_SHORT: Final = 60
"""Letters of a subject that stands on the line of its name."""


class _Travelling(EmailPolicy):
    """How mails are written for the journey: plain ASCII that every server takes, lines of 78 characters."""

    def fold(self, name: str, value: Any) -> str:
        """Write a header; the library's own folding adds or loses spaces in a long subject."""
        if name != "Subject":
            others: str = super().fold(name, value)
            return others
        plain = value.isascii() and len(value) <= _SHORT and "=?" not in value
        charset = "us-ascii" if plain else "utf-8"
        return f"{name}: {Header(value, charset, header_name=name).encode(linesep=self.linesep)}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Write a header as bytes."""
        return self.fold(name, value).encode("ascii")


_POLICY: Final = _Travelling(linesep="\r\n", cte_type="7bit")


def sender() -> Address:
    """Return who mails come from.

    Raises:
        NotConfigured: REPERE_MAIL_FROM holds no address that can be used, or is missing where mails leave.
    """
    settings = mail_settings()
    given = settings.mail_from.strip()
    if not given and settings.kept_here:
        return mailbox(f"ne-pas-repondre@{public_host()}", "Repère")
    try:
        return read_mailbox(given)
    except InvalidInput:
        raise NotConfigured(
            "REPERE_MAIL_FROM ne contient pas d’adresse utilisable : écrivez par exemple"
            " Repère <ne-pas-repondre@exemple.fr>."
        ) from None


def compose(mail: Mail) -> EmailMessage:
    """Return a mail of the outbox ready to be sent; the same row always gives the same one.

    Raises:
        NotConfigured: REPERE_MAIL_FROM holds no address that can be used, or is missing where mails leave.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender()
    message["To"] = mailbox(mail.recipient, mail.recipient_name)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(local(mail.queued_at))
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "fr"
    answered = mailbox(mail.reply_to) if mail.reply_to else _contact()
    if answered is not None:
        message["Reply-To"] = answered
    if mail.unsubscribe:
        message["List-Unsubscribe"] = f"<{core_settings().public_url.rstrip('/')}{mail.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text or "")
    message.add_alternative(mail.html or "", subtype="html")
    return message


def _contact() -> Address | None:
    given = mail_settings().contact_email.strip()
    try:
        return read_mailbox(given) if given else None
    except InvalidInput:
        # A wrong contact must not keep mails from leaving.
        return None
