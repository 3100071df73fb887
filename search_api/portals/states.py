"""Whether a portal answers: which passages are allowed."""

from typing import Final

ACTIVE, INACTIVE = "active", "inactive"
LABELS: Final = {ACTIVE: "Ouvert", INACTIVE: "Fermé"}
ACTIONS: Final = {"create": "Créé", "edit": "Modifié", "close": "Fermé", "open": "Rouvert"}
PASSAGES: Final[dict[str, tuple[str, str]]] = {"close": (ACTIVE, INACTIVE), "open": (INACTIVE, ACTIVE)}
"""What may be done: from which state, to which one."""
