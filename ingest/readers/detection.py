"""What a file is, by its first lines and never by its name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise

from ingest.errors import FileRefused
from ingest.readers.layouts import (
    AMELI,
    FINESS_RECORDS,
    RPPS_ACTIVITY,
    RPPS_DIPLOMAS,
    RPPS_OPTIONAL,
    RPPS_SKILLS,
)
from ingest.readers.origins import REGISTER_NAME, Origin

BOM = b"\xef\xbb\xbf"


class Kind(StrEnum):
    """The files that are read."""

    RPPS_ACTIVITY = "rpps_activity"
    RPPS_SKILLS = "rpps_skills"
    RPPS_DIPLOMAS = "rpps_diplomas"
    FINESS_CSV = "finess_csv"
    FINESS_JSON = "finess_json"
    AMELI = "ameli"

    @property
    def register(self) -> str:
        """The register that the file belongs to: rpps, finess or ameli."""
        return self.value.split("_")[0]

    @property
    def label(self) -> str:
        """French name of the kind of file."""
        return _LABELS[self]


_LABELS = {
    Kind.RPPS_ACTIVITY: "RPPS, activités",
    Kind.RPPS_SKILLS: "RPPS, savoir-faire",
    Kind.RPPS_DIPLOMAS: "RPPS, diplômes",
    Kind.FINESS_CSV: "FINESS, CSV",
    Kind.FINESS_JSON: "FINESS, JSON",
    Kind.AMELI: "AMELI, liste des professionnels",
}

_HEADERS: dict[Kind, tuple[str, dict[str, str | None]]] = {
    Kind.RPPS_ACTIVITY: ("|", RPPS_ACTIVITY),
    Kind.RPPS_SKILLS: ("|", RPPS_SKILLS),
    Kind.RPPS_DIPLOMAS: ("|", RPPS_DIPLOMAS),
    Kind.AMELI: (";", AMELI),
}


@dataclass(frozen=True, slots=True)
class Detected:
    """A recognised file: its kind, its header's columns by position, its date, the FINESS records it starts with."""

    origin: Origin
    kind: Kind
    published: datetime
    columns: tuple[str, ...] = ()
    extra_columns: tuple[str, ...] = ()
    records: frozenset[str] = field(default_factory=frozenset)


def detect(origin: Origin, *, alone: bool = False) -> Detected | None:
    """Recognise a file by its content; `alone` when it was named by the operator rather than found in a folder.

    Returns:
        None when the file is nothing of ours (a note, a picture, another extraction).

    Raises:
        FileRefused: the file is one of ours and damaged: empty, truncated, wrong encoding, column missing, or
            it bears a register's name and holds something else.
    """
    head = origin.head()
    if not head.strip():
        if REGISTER_NAME.search(origin.name) or origin.last_name.lower().endswith((".txt", ".csv", ".json", ".gz")):
            raise FileRefused(origin.name, "fichier vide.")
        return None
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise FileRefused(origin.name, "encodage UTF-16 ; le fichier officiel est en UTF-8.", line=1)
    text = head.removeprefix(BOM).lstrip()
    found: Detected | None = None
    if text[:1] == b"{":
        found = _json(origin, text)
    elif text[:14].lower().startswith(b"finess;etalab;"):
        found = _finess(origin, text)
    elif alone and text.split(b";", 1)[0].decode("ascii", "replace") in FINESS_RECORDS:
        raise FileRefused(
            origin.name, "la première ligne « finess;etalab;… » manque : fichier coupé ou remanié.", line=1
        )
    else:
        found = _header(origin, head)
    if found is None and REGISTER_NAME.search(origin.last_name) and "liste-cds" not in origin.last_name:
        raise FileRefused(origin.name, f"le contenu n’est pas celui que le nom annonce ({_guess(text)}).", line=1)
    return found


def _guess(text: bytes) -> str:
    if re.match(rb"(?i)<!doctype|<html|<\?xml|<", text):
        return "une page ou un fichier XML"
    return "contenu inconnu"


def _json(origin: Origin, text: bytes) -> Detected | None:
    if not re.search(rb'"(pmej|gco|gcc)"\s*:\s*\[', text) or b'"activitesAutorisees"' in text:
        return None
    stamp = re.search(rb'"generatedAt"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)', text)
    published = datetime.fromisoformat(stamp[1].decode()).replace(tzinfo=UTC) if stamp else origin.stamp()
    return Detected(origin, Kind.FINESS_JSON, published)


def _finess(origin: Origin, text: bytes) -> Detected | None:
    lines = text.split(b"\n")
    first = lines[0].strip().decode("ascii", "replace").split(";")
    published = origin.stamp()
    if len(first) >= 4 and re.fullmatch(r"\d{4}-\d\d-\d\d", first[3]):
        try:
            published = datetime.fromisoformat(first[3]).replace(tzinfo=UTC)
        except ValueError as error:
            raise FileRefused(origin.name, f"date impossible « {first[3]} ».", line=1) from error
    tail = lines[1:-1] if len(lines) > 2 else lines[1:]
    records = {line.split(b";", 1)[0].decode("ascii", "replace") for line in tail if line.strip()}
    if not records:
        raise FileRefused(origin.name, "aucune ligne après l’en-tête : fichier vide ou tronqué.", line=2)
    if not records & set(FINESS_RECORDS):
        return None
    return Detected(origin, Kind.FINESS_CSV, published, records=frozenset(records & set(FINESS_RECORDS)))


def _header(origin: Origin, head: bytes) -> Detected | None:
    bare = head.removeprefix(BOM)
    raw = bare.split(b"\n", 1)[0].rstrip(b"\r")
    try:
        line = raw.decode("utf-8")
        encoded = True
    except UnicodeDecodeError:
        line = raw.decode("cp1252", "replace")
        encoded = False
    kind, names = _closest(line)
    if kind is None:
        return None
    if not encoded:
        raise FileRefused(origin.name, "l’en-tête n’est pas en UTF-8 (encodage Windows ?).", line=1)
    official = _HEADERS[kind][1]
    seen: dict[str, int] = {}
    for position, name in enumerate(names):
        if name in official and name in seen:
            raise FileRefused(origin.name, "colonne présente deux fois.", line=1, column=name)
        seen.setdefault(name, position)
    missing = [c for c in official if c not in seen and c not in RPPS_OPTIONAL]
    if missing:
        more = f" ({len(missing)} colonnes manquent)" if len(missing) > 1 else ""
        raise FileRefused(origin.name, f"colonne absente de l’en-tête{more}.", line=1, column=missing[0])
    if b"\n" not in bare and not bare.endswith(b"\n"):
        raise FileRefused(origin.name, "le fichier s’arrête dans son en-tête : il est tronqué.", line=1)
    extra = tuple(n for n in names if n and n not in official)
    return Detected(origin, kind, origin.stamp(), tuple(names), extra)


def _closest(line: str) -> tuple[Kind | None, list[str]]:
    best: tuple[int, Kind | None, list[str]] = (0, None, [])
    for kind, (delimiter, official) in _HEADERS.items():
        names = [_clean(name) for name in line.split(delimiter)]
        common = len(official.keys() & set(names))
        # A file that has a third of the columns is a damaged copy of this layout, not another one. The columns of
        # the side files are all in the main one: the layout that explains most columns is the right one.
        if common > best[0] and common > len(official) / 3:
            best = (common, kind, names)
    return best[1], best[2]


def _clean(name: str) -> str:
    return " ".join(name.strip().strip('"').replace("’", "'").split())


@dataclass(frozen=True, slots=True)
class Choice:
    """The files to read, what was left aside because newer ones exist, and what is not ours."""

    chosen: tuple[Detected, ...]
    superseded: tuple[tuple[Detected, Detected], ...]
    ignored: tuple[Origin, ...]


def choose(origins: Sequence[Origin], register: str | None = None) -> Choice:
    """Recognise files and keep, of each kind, the newest one.

    FINESS comes as one JSON or as CSV extractions (establishments with or without geolocation, legal entities):
    the newest of the two forms wins, and within the CSV form the newest of each kind of record.

    Raises:
        FileRefused: a damaged file; nothing recognised; with `register`, a file of another register.
    """
    found: list[Detected] = []
    ignored: list[Origin] = []
    for origin in origins:
        detected = detect(origin, alone=len(origins) == 1)
        if detected is None:
            ignored.append(origin)
        else:
            found.append(detected)
    if register is not None:
        others = [d for d in found if d.kind.register != register]
        if others and len(others) == len(found):
            raise FileRefused(
                others[0].origin.name,
                f"ce fichier est du registre {others[0].kind.register.upper()} ({others[0].kind.label}), "
                f"pas du registre {register.upper()}.",
            )
        ignored += [d.origin for d in others]
        found = [d for d in found if d.kind.register == register]
    if not found:
        names = ", ".join(o.name for o in origins[:3]) + ("…" if len(origins) > 3 else "")
        raise FileRefused(names, "aucun registre reconnu (RPPS, FINESS ou AMELI).")
    kept, superseded = _newest(found)
    return Choice(tuple(kept), tuple(superseded), tuple(ignored))


def _newest(found: list[Detected]) -> tuple[list[Detected], list[tuple[Detected, Detected]]]:
    groups: dict[str, list[Detected]] = {}
    for item in found:
        groups.setdefault(_group(item), []).append(item)
    kept: list[Detected] = []
    superseded: list[tuple[Detected, Detected]] = []
    for items in groups.values():
        # Same date: the extraction that also carries positions says more.
        items.sort(key=lambda d: (d.published, len(d.records), d.origin.name))
        kept.append(items[-1])
        superseded += [(old, items[-1]) for old, _ in pairwise(items)]
    json_file = next((d for d in kept if d.kind is Kind.FINESS_JSON), None)
    sites = next((d for d in kept if d.kind is Kind.FINESS_CSV and "structureet" in d.records), None)
    if json_file and sites:
        winner = json_file.kind if json_file.published >= sites.published else sites.kind
        losers = [d for d in kept if d.kind.register == "finess" and d.kind is not winner]
        champion = json_file if winner is Kind.FINESS_JSON else sites
        superseded += [(d, champion) for d in losers]
        kept = [d for d in kept if d not in losers]
    return sorted(kept, key=lambda d: d.kind.value), superseded


def _group(item: Detected) -> str:
    if item.kind is Kind.FINESS_CSV:
        return "finess_csv:" + ("ej" if item.records == {"structureej"} else "et")
    return item.kind.value
