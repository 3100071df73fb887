"""The cards that the identity provider of the demonstration offers: the personas', and a few that nobody holds yet."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import Account
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


async def write_cards(session: AsyncSession, unknown: Sequence[DemoCard]) -> int:
    """Write the cards where the provider reads them; return how many, none where no provider is set up.

    Args:
        session: a unit of work in which the personas exist.
        unknown: people of the registers who have no account, to try a first sign-in.
    """
    file = psc_settings().cards
    if file is None:
        return 0
    labels = {persona.key: persona.label for persona in PERSONAS}
    accounts = await session.scalars(
        select(Account).where(Account.demo.is_not(None), Account.rpps.is_not(None)).order_by(Account.id)
    )
    held = [
        DemoCard(
            id=account.demo or "",
            national_id=f"8{account.rpps}",
            first_name=account.first_name.upper(),
            last_name=account.last_name.upper(),
            civility="MME" if (account.title or "").upper() in ("MME", "MADAME") else "M",
            profession=account.profession or "",
            label=labels.get(account.demo or "", ""),
        )
        for account in accounts
    ]
    cards = [*held, *unknown, _STUDENT, _NO_RPPS]
    _write(file, json.dumps([card.model_dump() for card in cards], ensure_ascii=False, indent=1))
    return len(cards)


def _write(file: Path, text: str) -> None:
    # The provider may read at any moment: it finds the old cards or the new ones.
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as fresh:
        fresh.write(text)
    Path(fresh.name).replace(file)
