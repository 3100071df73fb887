"""What a portal may be: one French message for each field that is refused."""

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from core.errors import InvalidInput
from maps.api import PlaceHit, resolve_ref, suggest
from search_api.portals import colours
from search_api.portals.parameters import FILTERS
from search_api.portals.schemas import Pair, PortalDraft

SLUG: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
TITLE, LOGO, INTRO = 80, 30, 400
"""Longest texts, in characters."""
PLACES: Final = 20
FILTER_PAIRS: Final = 20
HOSTS: Final = 20
KINDS: Final = ("commune", "arrondissement", "epci", "departement", "region", "territory", "pays")
"""Kinds of place that a zone may be made of."""
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?)*")


def text(value: str) -> str:
    """Return a typed text with single spaces, composed accents, and nothing invisible."""
    composed = unicodedata.normalize("NFC", value)
    shown = "".join(" " if unicodedata.category(char)[0] in "CZ" and char != "\u00a0" else char for char in composed)
    return " ".join(part for part in shown.split(" ") if part)


def place(typed: str) -> PlaceHit | None:
    """Return the place that a line names: a reference (`departement:78`), a number or a name."""
    kind, colon, code = typed.partition(":")
    if colon:
        found = resolve_ref(kind.strip().casefold(), code.strip())
    else:
        if typed.casefold() == "france":
            return resolve_ref("france")
        found = next(iter(suggest(typed, 1, KINDS)), None)
    return found if found is not None and found.kind in KINDS else None


def host(typed: str) -> str | None:
    """Return the origin of a site (`https://exemple.fr`); None when the text is none, or not one that is safe."""
    candidate = typed.strip().casefold()
    if not candidate.isascii() or len(candidate) > 300:
        return None
    try:
        parts = urlsplit(candidate if "://" in candidate else f"https://{candidate}")
        port = parts.port
    except ValueError:
        return None
    name = parts.hostname or ""
    local = name in ("localhost", "127.0.0.1")
    if parts.scheme not in (("https", "http") if local else ("https",)) or parts.username or parts.password:
        return None
    if parts.path not in ("", "/") or parts.query or parts.fragment or not _HOST.fullmatch(name):
        return None
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def filters(typed: str) -> list[Pair]:
    """Return the parameters of an address, or of what follows its « ? »."""
    return [(name, value.strip()) for name, value in parse_qsl(typed.strip().rpartition("?")[2]) if value.strip()]


def _texts(form: Mapping[str, str], errors: dict[str, str]) -> dict[str, str]:
    values = {name: text(form.get(name, "")) for name in ("title", "logo", "intro")}
    for name, least, most in (("title", 3, TITLE), ("logo", 1, LOGO), ("intro", 0, INTRO)):
        if len(values[name]) < least:
            errors[name] = f"Écrivez un texte d’au moins {least} caractère{'s' if least > 1 else ''}."
        elif len(values[name]) > most:
            errors[name] = f"Ce texte est trop long : {len(values[name])} caractères, {most} au plus."
    return values


def _places(lines: Sequence[str], errors: dict[str, str]) -> tuple[str, ...]:
    refs: list[str] = []
    for line in lines:
        hit = place(line)
        if hit is None:
            errors["places"] = (
                f"Aucun lieu ne répond à « {line[:60]} » : écrivez une commune, une intercommunalité, un département, "
                "une région, ou une référence comme departement:78."
            )
        else:
            refs.append(hit.ref)
    if not lines:
        errors["places"] = "Indiquez au moins un lieu : le portail ne montre rien en dehors."
    elif len(lines) > PLACES:
        errors["places"] = f"Trop de lieux ({PLACES} au plus) : nommez un département ou une région."
    return tuple(dict.fromkeys(refs))


def _hosts(lines: Sequence[str], errors: dict[str, str]) -> tuple[str, ...]:
    origins: list[str] = []
    for line in lines:
        origin = host(line)
        if origin is None:
            errors["hosts"] = (
                f"« {line[:60]} » n’est pas l’adresse d’un site : écrivez https:// et son nom, sans chemin ni étoile."
            )
        else:
            origins.append(origin)
    if len(lines) > HOSTS:
        errors["hosts"] = f"Trop de sites ({HOSTS} au plus)."
    return tuple(dict.fromkeys(origins))


def _filters(typed: str, errors: dict[str, str]) -> tuple[Pair, ...]:
    pairs = filters(typed)
    strange = [name for name, _ in pairs if name not in FILTERS]
    if strange:
        errors["filters"] = f"« {strange[0][:40]} » n’est pas un filtre de recherche."
    elif len(pairs) > FILTER_PAIRS:
        errors["filters"] = f"Trop de filtres ({FILTER_PAIRS} au plus)."
    elif typed.strip() and not pairs:
        errors["filters"] = "Collez l’adresse d’une recherche, ou ce qui suit son point d’interrogation."
    return tuple(pairs)


def _lines(typed: str) -> list[str]:
    return [line for part in typed.replace(",", "\n").splitlines() if (line := text(part))]


async def read(form: Mapping[str, str]) -> PortalDraft:
    """Return the portal that a form describes; lines are cut at commas too.

    Raises:
        InvalidInput: one French message per field.
    """
    errors: dict[str, str] = {}
    slug = text(form.get("slug", "")).casefold()
    if not SLUG.fullmatch(slug):
        errors["slug"] = (
            "L’adresse est faite de lettres sans accent, de chiffres et de tirets (40 au plus), par exemple 78 ou "
            "ile-de-france."
        )
    values = _texts(form, errors)
    colour, band = (text(form.get(name, "")).casefold() for name in ("colour", "band"))
    errors |= colours.problems(colour, band)
    # The first use reads the places from the database, which must not hold the event loop.
    places = await asyncio.to_thread(_places, _lines(form.get("places", "")), errors)
    hosts = _hosts(_lines(form.get("hosts", "")), errors)
    pairs = _filters(form.get("filters", ""), errors)
    if errors:
        raise InvalidInput("Ce portail ne peut pas être enregistré ainsi.", fields=errors)
    return PortalDraft(slug=slug, places=places, colour=colour, band=band, filters=pairs, hosts=hosts, **values)
