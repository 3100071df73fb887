"""What professionals tell the operator about an offer: an error in a register, a place they left."""

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person
from directory.models import History
from directory.models_offer import Offer


async def tell_operator(session: AsyncSession, person: Person, offer: Offer, subject: str, text: str) -> None:
    """Hand a message about an offer to the operator, in the offer's history, where it stays."""
    session.add(
        History(
            entity="offer",
            entity_id=offer.id,
            actor=person.actor,
            action="reported",
            detail={"subject": subject, "text": text},
        )
    )
