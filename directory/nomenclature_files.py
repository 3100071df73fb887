"""Readers of nomenclature files: the TSV layout of the ANS lists, FHIR CodeSystem and ValueSet in JSON, our starter."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InvalidInput

STARTER = Path(__file__).parent / "nomenclatures"

_NAME = re.compile(r"^(?:JDV|TRE)[-_]([JRG]\d{1,4})(?:[-_.]|$)", re.IGNORECASE)
_OWN_NAME = re.compile(r"^([A-Z]\d{1,4}|[A-Z]{3,})$")
_LABELS = ("display", "label", "libelle", "libellé")
_ENDED = ("retired", "deprecated", "ended", "inactive", "inactif", "fermé")
_STATUS_PROPERTIES = {"status", "statut", "inactive", "deprecated", "datefin", "deprecationdate", "retirementdate"}


@dataclass
class Code:
    """A code as a file gives it; `label` is empty when the file has none."""

    code: str
    label: str
    active: bool
    line: int


@dataclass
class CodeList:
    """One file: the system that it fills, its version when the file tells it, its codes in file order."""

    system: str
    version: str | None
    path: Path
    codes: dict[str, Code] = field(default_factory=dict)

    def add(self, code: Code) -> None:
        """Add a code.

        Raises:
            InvalidInput: the code is empty, or the file gives it two labels.
        """
        if not code.code:
            raise _refused(self.path, f"ligne {code.line}, le code est vide")
        known = self.codes.get(code.code)
        if known is not None and known.label != code.label:
            raise _refused(
                self.path,
                f"ligne {code.line}, le code « {code.code} » a déjà un autre libellé à la ligne {known.line}",
            )
        self.codes[code.code] = code


def _refused(path: Path, reason: str) -> InvalidInput:
    return InvalidInput(f"Fichier de nomenclature refusé : {path.name}, {reason}. Rien n’a été chargé.")


def clean_label(label: str) -> str:
    """Return a label with single spaces and typographic apostrophes."""
    return " ".join(label.split()).replace("'", "’")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise _refused(path, f"ligne {line}, l’encodage n’est pas UTF-8") from error
    except OSError as error:
        raise _refused(path, f"lecture impossible ({error.strerror})") from error


def _is_active(value: str) -> bool:
    return not value.strip().lower().startswith(_ENDED)


def read_tsv(path: Path, system: str, version: str | None = None) -> CodeList:
    """Read a tab-separated list with a header: `code`, `display` or `label`, and `status` or `dateFin` if there.

    Raises:
        InvalidInput: a column is missing, a line is cut short, a code is empty or contradicts itself.
    """
    lines = _text(path).splitlines()
    header = [name.strip().lower() for name in lines[0].split("\t")] if lines else []
    label_column = next((header.index(name) for name in _LABELS if name in header), None)
    if "code" not in header:
        raise _refused(path, "ligne 1, la colonne « code » manque (en-tête attendu : code, display, séparés par tab)")
    if label_column is None:
        raise _refused(path, "ligne 1, la colonne « display » (ou « label ») manque")
    code_column = header.index("code")
    status_column = header.index("status") if "status" in header else None
    end_column = header.index("datefin") if "datefin" in header else None
    found = CodeList(system, version, path)
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) <= max(code_column, label_column):
            raise _refused(path, f"ligne {number}, il manque des colonnes")
        active = True
        if status_column is not None and status_column < len(cells):
            active = _is_active(cells[status_column])
        if end_column is not None and end_column < len(cells) and cells[end_column].strip():
            active = False
        found.add(Code(cells[code_column].strip(), clean_label(cells[label_column]), active, number))
    if not found.codes:
        raise _refused(path, "le fichier ne contient aucun code")
    return found


def _fhir_active(concept: dict[str, Any]) -> bool:
    for item in concept.get("property", []):
        name = str(item.get("code", "")).lower()
        if name not in _STATUS_PROPERTIES:
            continue
        value = next((v for k, v in item.items() if k.startswith("value")), None)
        if isinstance(value, bool):
            if value:
                return False
        elif name in ("status", "statut"):
            if not _is_active(str(value)):
                return False
        elif value:
            return False
    return concept.get("inactive") is not True


def _fhir_concepts(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    def walk(concepts: list[dict[str, Any]], key: str) -> Iterator[dict[str, Any]]:
        for concept in concepts:
            if concept.get("abstract") is not True:
                yield concept
            yield from walk(concept.get(key, []), key)

    if resource["resourceType"] == "CodeSystem":
        yield from walk(resource.get("concept", []), "concept")
        return
    contained = resource.get("expansion", {}).get("contains", [])
    if contained:
        yield from walk(contained, "contains")
        return
    for include in resource.get("compose", {}).get("include", []):
        yield from include.get("concept", [])


def read_fhir(path: Path) -> CodeList:
    """Read a FHIR CodeSystem or ValueSet; its id, name or address must carry the ANS number (TRE-R38, JDV-J17).

    Raises:
        InvalidInput: not JSON, not such a resource, no number, or no code in it.
    """
    try:
        resource = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise _refused(path, f"ligne {error.lineno}, ce n’est pas du JSON valide") from error
    if not isinstance(resource, dict) or resource.get("resourceType") not in ("CodeSystem", "ValueSet"):
        raise _refused(path, "ce n’est ni un CodeSystem ni un ValueSet FHIR")
    candidates = (resource.get("id"), resource.get("name"), str(resource.get("url", "")).rsplit("/", 1)[-1], path.name)
    system = next((m.group(1).upper() for c in candidates if (m := _NAME.match(str(c or "")))), None)
    if system is None:
        raise _refused(path, "ni son identifiant ni son nom ne disent de quelle nomenclature il s’agit")
    version = resource.get("version")
    found = CodeList(system, str(version) if version else None, path)
    try:
        for number, concept in enumerate(_fhir_concepts(resource), start=1):
            label = clean_label(str(concept.get("display") or ""))
            found.add(Code(str(concept.get("code") or "").strip(), label, _fhir_active(concept), number))
    except AttributeError as error:
        raise _refused(path, "la structure FHIR est incorrecte") from error
    if not found.codes:
        raise _refused(path, "la ressource ne contient aucun code (un ValueSet doit les énumérer)")
    return found


def read_file(path: Path, version: str | None = None) -> CodeList:
    """Read one nomenclature file, told by its name and content.

    Raises:
        InvalidInput: the file is not one, or is damaged.
    """
    if path.suffix.lower() == ".json":
        return read_fhir(path)
    named = _NAME.match(path.name)
    if path.suffix.lower() != ".tsv" or named is None:
        raise _refused(path, "son nom ne commence pas par JDV-J… ou TRE-R… (ou son extension n’est pas .tsv ou .json)")
    return read_tsv(path, named.group(1).upper(), version)


def read_folder(path: Path, version: str | None = None) -> list[CodeList]:
    """Read a file, or every TSV and JSON file of a folder, in name order.

    Raises:
        InvalidInput: nothing to read, a wrong file, or the same system in two files that differ.
    """
    if not path.exists():
        raise InvalidInput(f"Dossier de nomenclatures introuvable : {path}.")
    files = [path]
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.suffix.lower() in (".tsv", ".json") and f.is_file())
        if not files:
            raise InvalidInput(f"Le dossier {path} ne contient aucun fichier de nomenclature (.tsv ou .json).")
    lists: dict[str, CodeList] = {}
    for file in files:
        found = read_file(file, version)
        other = lists.get(found.system)
        # The same list is often published twice, as TSV and as FHIR: the one that tells its version is kept.
        if other is not None and set(other.codes) != set(found.codes):
            raise _refused(file, f"la nomenclature {found.system} est déjà donnée, autrement, par {other.path.name}")
        if other is None or (other.version is None and found.version is not None):
            lists[found.system] = found
    return list(lists.values())


def read_starter() -> list[CodeList]:
    """Read the starter set of the product."""
    version = (STARTER / "VERSION").read_text(encoding="utf-8").strip()
    files = sorted(STARTER.glob("*.tsv"))
    return [read_tsv(file, file.stem, version) for file in files if _OWN_NAME.match(file.stem)]
