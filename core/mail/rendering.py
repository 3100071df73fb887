"""Drawing of mails: a pair of templates, `mail/<name>.html` and its plain twin `mail/<name>.txt`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape

from core.mail.addresses import one_line
from core.mail.settings import mail_settings
from core.settings import core_settings
from core.ui.filters import FILTERS

LONGEST_SUBJECT: Final = 200

_loader = ChoiceLoader([FileSystemLoader(Path(__file__).parent / "templates")])
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def link(path: str) -> str:
    """Return the absolute address of a page of ours.

    The public address of the settings, never the one that a request used: a caller could have chosen it.

    Raises:
        ValueError: not a path of this site.
    """
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("a link of a mail is a path of this site")
    return core_settings().public_url.rstrip("/") + path


environment = Environment(
    loader=_loader,
    autoescape=select_autoescape(enabled_extensions=("html",), disabled_extensions=("txt",), default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters.update(FILTERS)
environment.globals.update(link=link)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a mail says."""

    subject: str
    text: str
    html: str


def add_templates(folder: Path) -> None:
    """Add a package's folder of templates; its mails lie in `mail/`, in a sub-folder named after the package."""
    if folder not in (Path(path) for known in _loader.loaders for path in getattr(known, "searchpath", ())):
        _loader.loaders = [*_loader.loaders, FileSystemLoader(folder)]


def render(template: str, context: Mapping[str, Any]) -> Rendered:
    """Draw a mail; its subject is the block `subject` of the plain template.

    Raises:
        jinja2.TemplateError: a template is missing, or names a variable that the context lacks.
    """
    values = {"contact_email": mail_settings().contact_email} | dict(context)
    plain = environment.get_template(f"mail/{template}.txt")
    subject = one_line("".join(plain.blocks["subject"](plain.new_context(values))), LONGEST_SUBJECT)
    return Rendered(
        subject=subject,
        text=_tidy(plain.render(values)),
        html=_writable(environment.get_template(f"mail/{template}.html").render(values | {"subject": subject})),
    )


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("", text)


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in _writable(text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
