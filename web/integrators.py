"""What integrators read: how to call, follow, extract and be told, with examples that the tests run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from accounts.api import API_SCOPES, SIGNING_ALGORITHMS, sandbox
from core.http import public_base
from core.ui import pages
from search_api.api import FHIR_RESOURCES

router = APIRouter(include_in_schema=False)

FOLDER: Final = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in the API on a day, and what its readers have to do about it."""

    on: str
    what: str


LOG: Final[Sequence[Change]] = (
    Change(
        "26 novembre 2026",
        "Jetons contre une demande signée (private_key_jwt, SMART Backend Services). $export avec _since nomme aussi "
        "ce qui a quitté votre filtre ou votre zone. De nouveaux libellés de codes viennent dans $changes. Rien à "
        "changer dans un programme qui suit déjà ces adresses.",
    ),
    Change(
        "25 novembre 2026",
        "Première publication : FHIR R4 (profils du ROR 3.0), $changes, $export, fichiers, clés et jetons, avis.",
    ),
)
"""The latest first; a change that breaks a reader is told here three months before."""


def examples() -> dict[str, str]:
    """Return the examples by name, as they are run."""
    return {path.stem: path.read_text(encoding="utf-8").rstrip() for path in sorted(FOLDER.iterdir())}


@router.get("/integrateurs")
async def integrators(request: Request) -> Response:
    """Draw the documentation of the feed; the sandbox is named in the demonstration only."""
    context = {
        "base": public_base(request),
        "examples": examples(),
        "sandbox": sandbox(),
        "scopes": API_SCOPES,
        "algorithms": SIGNING_ALGORITHMS,
        "resources": FHIR_RESOURCES,
        "log": LOG,
    }
    return pages.render(request, "web/integrators.html", context)
