"""FINESS JSON (REGISTERS §2b), streamed: legal entities one by one, never the whole document in memory."""

import codecs
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from ingest.errors import FileRefused
from ingest.readers.detection import Detected
from ingest.readers.origins import CHUNK, Origin
from ingest.readers.rows import Rejects, RowFile
from ingest.readers.scan import Progress
from ingest.readers.tables import FileRead, load_rows
from ingest.settings import ingest_settings

_SPACE = " \t\r\n"
LONGEST_ELEMENT = 64_000_000
"""Characters of one legal entity; the largest of the real file has fewer than two million."""

LEGAL = ["finess", "siren", "name", "long_name", "legal_status", "phone", "opened", "closed", "active"]
SITE = [
    "finess",
    "legal",
    "siret",
    "name",
    "long_name",
    "complement",
    "category",
    "opened",
    "closed",
    "active",
    "phone",
    "fax",
    "email",
]
ADDRESS = [
    "number",
    "way_type",
    "way",
    "repetition",
    "access_point",
    "locality",
    "insee",
    "town",
    "postal_code",
    "lon",
    "lat",
    "ban_score",
    "ban_key",
    "line_four",
]


class JsonStream:
    """The members of a JSON object at its first level; the elements of its arrays come one at a time."""

    def __init__(self, origin: Origin, progress: Progress | None = None) -> None:
        self.origin = origin
        self.size = 0
        self._progress = progress
        self._digest = hashlib.sha256()
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._counted = 0
        self._line = 1
        self._source: Iterator[str] = iter(())

    @property
    def sha256(self) -> str:
        """Checksum of the bytes read so far."""
        return self._digest.hexdigest()

    @property
    def line(self) -> int:
        """Physical line of the next character."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _pieces(self, stream: Any) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        limit = ingest_settings().ingest_max_bytes
        try:
            while piece := stream.read(CHUNK):
                self._digest.update(piece)
                self.size += len(piece)
                if self.size > limit:
                    raise FileRefused(self.origin.name, f"plus de {limit // 10**9} Go une fois décompressé.")
                if self._progress:
                    self._progress(len(piece))
                yield decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise FileRefused(self.origin.name, "octets qui ne sont pas de l’UTF-8.", line=self.line) from error

    def _more(self) -> None:
        piece = next(self._source, None)
        if piece is None:
            raise FileRefused(self.origin.name, "fichier tronqué : le JSON n’est pas refermé.", line=self.line)
        self._line = self.line
        self._text = self._text[self._at :] + piece
        self._at = self._counted = 0
        if len(self._text) > LONGEST_ELEMENT + CHUNK:
            raise FileRefused(self.origin.name, "un élément JSON démesuré.", line=self.line)

    def _peek(self) -> str:
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            self._more()

    def _take(self, wanted: str) -> None:
        found = self._peek()
        if found != wanted:
            raise FileRefused(
                self.origin.name, f"JSON mal formé : « {wanted} » attendu, « {found} » trouvé.", line=self.line
            )
        self._at += 1

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except ValueError as error:
                # A syntax error well before the end of the text is real; near the end, the text may just be short.
                position = getattr(error, "pos", len(self._text))
                if position < len(self._text) - 4096 and not str(error).startswith("Unterminated string"):
                    line = self.line + self._text.count("\n", self._at, position)
                    raise FileRefused(self.origin.name, "JSON mal formé.", line=line) from error
                self._more()
                continue
            if end == len(self._text):
                # A number cut at the end of the text would look whole.
                try:
                    self._more()
                except FileRefused:
                    if not isinstance(value, (dict, list, str)):
                        raise
                else:
                    continue
            self._at = end
            return value

    def members(self) -> Iterator[tuple[str, int, Any]]:
        """Yield (member name, line, value); a member that is an array yields once for each of its elements."""
        with self.origin.open() as stream:
            self._source = self._pieces(stream)
            self._take("{")
            while self._peek() != "}":
                name = self._value()
                self._take(":")
                if self._peek() == "[":
                    self._at += 1
                    while self._peek() != "]":
                        line = self.line
                        yield name, line, self._value()
                        if self._peek() == ",":
                            self._at += 1
                    self._at += 1
                else:
                    yield name, self.line, self._value()
                if self._peek() == ",":
                    self._at += 1
            # Reads to the end of the stream: a compressed one checks its sum there.
            self._at += 1
            for rest in chain([self._text[self._at :]], self._source):
                if rest.strip():
                    raise FileRefused(self.origin.name, "du texte suit la fin du JSON.", line=self.line)


def read_finess_json(
    con: duckdb.DuckDBPyConnection,
    detected: Detected,
    work: Path,
    rejects: Rejects,
    progress: Progress | None = None,
) -> FileRead:
    """Read into `finess_json_legal` and `finess_json_site` (line of the legal entity, fields, address).

    Raises:
        FileRefused: malformed or truncated JSON, no `pmej` member.
    """
    name = detected.origin.name
    source = JsonStream(detected.origin, progress)
    count = 0
    seen = False
    with ExitStack() as stack:
        legal_file = stack.enter_context(RowFile(work / "finess_legal.tsv"))
        site_file = stack.enter_context(RowFile(work / "finess_site.tsv"))
        for member, line, value in source.members():
            if member != "pmej":
                continue
            seen = True
            count += 1
            if not isinstance(value, dict):
                rejects.add(name, line, "entité juridique illisible")
                continue
            info = _dict(value, "informationsGeneralesPMEJ") or _dict(value, "informationsGeneralesPmej")
            legal_file.write(line, _legal(value, info))
            for site in value.get("ege") or ():
                count += 1
                if not isinstance(site, dict):
                    rejects.add(name, line, "entité géographique illisible")
                    continue
                site_file.write(line, _site(site, _text(info, "numFinessPm")))
    if not seen:
        raise FileRefused(name, "aucune entité juridique (membre « pmej ») : ce n’est pas le fichier des structures.")
    load_rows(con, legal_file.path, "finess_json_legal", [*LEGAL, *ADDRESS])
    load_rows(con, site_file.path, "finess_json_site", [*SITE, *ADDRESS])
    return FileRead(detected, source.sha256, source.size, count)


def _dict(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _text(parent: Mapping[str, Any], key: str) -> str:
    value = parent.get(key)
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _contact(entity: Mapping[str, Any]) -> Mapping[str, Any]:
    for contact in entity.get("contact") or ():
        if isinstance(contact, dict) and (found := _dict(contact, "telecom")):
            return found
    return {}


def _legal(entity: Mapping[str, Any], info: Mapping[str, Any]) -> list[str]:
    return [
        _text(info, "numFinessPm"),
        _text(info, "siren"),
        _text(info, "denominationPm"),
        _text(info, "denominationLonguePmSmsse"),
        _text(info, "statutJuridique"),
        _text(_contact(entity), "telephone"),
        _text(info, "dateCreation"),
        _text(info, "dateFermeture") or _closing(entity),
        _text(entity, "etatObjet"),
        *_address(entity),
    ]


def _site(entity: Mapping[str, Any], legal: str) -> list[str]:
    info = _dict(entity, "informationsGeneralesEGE") or _dict(entity, "informationsGeneralesEge")
    telecom = _contact(entity)
    return [
        _text(info, "numFinessEge"),
        legal,
        _text(info, "siret"),
        _text(info, "nomEgeCourt"),
        _text(info, "nomEgeLong"),
        _text(info, "complementDenominationEg"),
        _text(entity, "categorieentiteGeographiqueExercice"),
        _text(info, "dateOuverture"),
        _text(info, "dateFermeture") or _closing(entity),
        _text(entity, "etatObjet"),
        _text(telecom, "telephone"),
        _text(telecom, "telecopie"),
        _text(telecom, "courriel"),
        *_address(entity),
    ]


def _closing(entity: Mapping[str, Any]) -> str:
    """Closed objects without a closing date take that of their last change."""
    return _text(entity, "dateDerniereMaj")[:10] if _text(entity, "etatObjet") == "I" else ""


def _address(entity: Mapping[str, Any]) -> list[str]:
    """The geographic address: usage 03 for sites (04 and 06 are postal), 02 for legal entities."""
    addresses = [a for a in entity.get("adresse") or () if isinstance(a, dict)]
    if not addresses:
        return [""] * len(ADDRESS)
    address = next((a for a in addresses if a.get("usageAdresse") in ("03", "02")), addresses[0])
    point = _dict(address, "coordonneesGeographique")
    return [
        _text(address, "numeroVoie"),
        _text(address, "typeVoie").strip(),
        _text(address, "libelleVoie"),
        _text(address, "complementVoie"),
        _text(address, "complementPointGeographique"),
        _text(address, "lieuDit"),
        _text(address, "cogCommune"),
        _text(address, "ligneAcheminement"),
        _text(address, "codePostal"),
        # The names mislead: X is the longitude, Y the latitude, both WGS84; direction* are projected.
        _text(point, "coordonneeX"),
        _text(point, "coordonneeY"),
        _text(point, "scoreBAN"),
        _text(point, "cleInInteropBAN"),
        _text(address, "ligneQuatre"),
    ]
