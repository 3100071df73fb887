"""Documents: the typst templates of the packages, compiled to tagged PDF (PDF/UA-1) with the product's fonts.

Values reach a template as data (`sys.inputs`), never as typst source: whatever people or registers wrote prints as it
stands. A template imports the identity from `/core/documents/identity.typ`.
"""

import asyncio
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import structlog
import typst
from fontTools.ttLib import TTFont

from core.errors import Unavailable
from core.ui.assets import vendor_folder

log = structlog.get_logger("repere.pdf")

MEDIA_TYPE: Final = "application/pdf"
LIMIT_SECONDS: Final = 15.0
"""How long a person waits for a document, the wait for a free thread included."""
AT_ONCE: Final = 2
"""Documents compiled at once: a burst of them must not take the processors of the other requests."""

MOST_WAITING: Final = 12
"""Documents compiled or waiting, in a process: beyond, asking again later is the better answer."""

_ROOT: Final = Path(__file__).parent.parent
_PLAIN: Final = ("Inter-Regular.ttf", "Inter-SemiBold.ttf")
_OTHERS: Final = (("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), ("NotoEmoji-Regular.ttf",))
"""Fonts by family, each in every weight; a later family serves the characters that the former ones lack."""
_UNKNOWN: Final = "□"
_KEPT_FORMATS: Final = frozenset("\u00ad\u200b\u200c\u200d")
_RAW: Final = frozenset(("href", "svg"))
"""Keys of the values that are no text to read."""
_LONG_WORD: Final = 28
"""Letters after which a word without hyphen or space may break: longer ones would leave the page."""
_PIECES: Final = re.compile(rf"[^@/.?&=_]{{1,{_LONG_WORD}}}[@/.?&=_]?|[@/.?&=_]")


def _font_folder() -> Path:
    folder = vendor_folder() / "fonts"
    if not folder.is_dir():
        raise Unavailable(
            "Les documents PDF ne peuvent pas être dessinés : les polices ne sont pas installées. "
            "L’exploitant doit relancer « ./repere up »."
        )
    return folder


@cache
def _fonts(folder: Path) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])


@cache
def _glyphs(folder: Path, files: tuple[str, ...]) -> frozenset[str]:
    found: frozenset[str] | None = None
    for name in files:
        with TTFont(folder / name, lazy=True) as font:
            letters = frozenset(map(chr, font.getBestCmap()))
        found = letters if found is None else found & letters
    return found or frozenset()


def _known(folder: Path, *, plain: bool) -> frozenset[str]:
    families = (_PLAIN,) if plain else (_PLAIN, *_OTHERS)
    return frozenset[str]().union(*(_glyphs(folder, files) for files in families))


def _word(word: str) -> str:
    """Return a word that may break when it is long: an address where it changes of part, another one anywhere."""
    if len(word) <= _LONG_WORD:
        return word
    return "\u200b".join(_PIECES.findall(word))


def _letters(text: str, known: frozenset[str]) -> str:
    letters = []
    for letter in unicodedata.normalize("NFC", text):
        category = unicodedata.category(letter)
        if letter == "\n" or letter in _KEPT_FORMATS:
            letters.append(letter)
        elif category in ("Cc", "Cf"):
            # Marks that turn the direction of what follows would let a name rewrite its neighbours.
            letters.append(" " if letter == "\t" else "")
        elif letter in known:
            letters.append(letter)
        elif category != "Mn":
            letters.append(" " if category[0] == "Z" else _UNKNOWN)
    return "".join(letters)


def _printable(text: str, known: frozenset[str]) -> str:
    lines = _letters(text, known).split("\n")
    return "\n".join(" ".join(_word(word) for word in line.split(" ")) for line in lines)


def _clean(value: Any, known: frozenset[str]) -> Any:
    if isinstance(value, str):
        return _printable(value, known)
    if isinstance(value, Mapping):
        return {key: _raw(key, item, known) if key in _RAW else _clean(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, known) for item in value]
    return value


def _raw(key: str, value: Any, known: frozenset[str]) -> Any:
    return _letters(value, known) if key == "svg" and isinstance(value, str) else value


@cache
def _templates(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.typ"), *(_ROOT / "core" / "documents").glob("*.typ")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def mark(template: Path, data: Mapping[str, Any], *more: str) -> str:
    """Return a strong validator of the document that these data give, without drawing it.

    Args:
        template: the file that draws it.
        data: what it shows.
        more: marks of what is drawn beside the data, a map for instance.
    """
    digest = hashlib.sha256(_templates(template.parent).encode())
    for part in (template.name, json.dumps(data, sort_keys=True, ensure_ascii=False), *more):
        digest.update(part.encode())
        digest.update(b"\0")
    return f'"{digest.hexdigest()[:24]}"'


def _compile(template: Path, data: Mapping[str, Any], made_at: datetime) -> bytes:
    folder = _font_folder()
    fonts = _fonts(folder)

    def drawn(*, plain: bool) -> bytes:
        cleaned = _clean(data, _known(folder, plain=plain))
        return typst.compile(
            template,
            format="pdf",
            root=_ROOT,
            font_paths=fonts,
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(cleaned, ensure_ascii=False)},
            pdf_standards=["ua-1"],
            timestamp=made_at.astimezone(UTC).replace(microsecond=0),
        )

    try:
        return drawn(plain=False)
    except typst.TypstError as error:
        # A mark and its letter may each be known, but to no one font: PDF/UA refuses what no font shows.
        if "could not be displayed" not in error.message:
            raise
    return drawn(plain=True)


class _Pool:
    threads: ThreadPoolExecutor | None = None


def _threads() -> ThreadPoolExecutor:
    if _Pool.threads is None:
        _Pool.threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pdf")
    return _Pool.threads


class _Queue:
    """How many documents this process draws or is about to."""

    length = 0

    @classmethod
    def left(cls) -> None:
        """Count one less."""
        cls.length -= 1


async def draw(template: Path, data: Mapping[str, Any], *, made_at: datetime) -> bytes:
    """Return a document as tagged PDF (PDF/UA-1), in a thread; the same data at the same instant give the same bytes.

    Args:
        template: a `.typ` file in the folder `documents` of a package.
        data: what it shows, of types that JSON has. Texts are plain; a value under `href` is an address, and one under
            `svg` a drawing of ours: these two pass unchanged.
        made_at: the instant that the file says it was made at.

    Raises:
        core.errors.Unavailable: the fonts are not installed, too many wait, or it took more than `LIMIT_SECONDS`.
        typst.TypstError: the template is wrong.
    """
    loop = asyncio.get_running_loop()
    if _Queue.length >= MOST_WAITING:
        raise Unavailable("Beaucoup de documents sont demandés en ce moment. Réessayez dans un instant.")
    _Queue.length += 1
    work = loop.run_in_executor(_threads(), _compile, template, data, made_at)
    # Counted until its thread is free again, whoever still waits for it.
    work.add_done_callback(lambda _: _Queue.left())
    try:
        return await asyncio.wait_for(asyncio.shield(work), LIMIT_SECONDS)
    except TimeoutError as error:
        log.warning("document too slow", template=template.name)
        raise Unavailable(
            "Le document demandait trop de temps : il a été abandonné. Réessayez dans un instant."
        ) from error
