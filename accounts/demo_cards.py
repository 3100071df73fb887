"""The cards that the identity provider of the demonstration offers: the personas', and a few that nobody holds yet."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from accounts.personas import PERSONAS
from accounts.settings import psc_settings


class DemoCard(BaseModel):
    """A card as the provider of the demonstration reads it; `category` is C for those who practise, E in training."""

    id: str
    national_id: str
    first_name: str
    last_name: str
    civility: str
    profession: str = ""
    specialty: str = ""
    category: str = "C"
    label: str


_STUDENT = DemoCard(
    id="etudiante",
    national_id="810999999991",
    first_name="LÉA",
    last_name="FONTAINE",
    civility="MME",
    profession="10",
    category="E",
    label="Étudiante en médecine : sa carte n’ouvre pas de compte de professionnel",
)
_NO_RPPS = DemoCard(
    id="sans-rpps",
    national_id="0780000001",
    first_name="PAUL",
    last_name="RENARD",
    civility="M",
    label="Carte sans numéro RPPS : elle est refusée, avec l’explication",
)


def write_cards(cards: Sequence[DemoCard]) -> None:
    """Write cards where the provider reads them, with two that are refused; nothing where no provider is set up."""
    file = psc_settings().cards
    if file is None:
        return
    labels = {persona.key: persona.label for persona in PERSONAS}
    all_cards = [card.model_copy(update={"label": card.label or labels.get(card.id, "")}) for card in cards]
    text = json.dumps([card.model_dump() for card in [*all_cards, _STUDENT, _NO_RPPS]], ensure_ascii=False, indent=1)
    # The provider may read at any moment: it finds the old cards or the new ones.
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as fresh:
        fresh.write(text)
    Path(fresh.name).replace(file)
