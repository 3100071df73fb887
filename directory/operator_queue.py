"""What professionals tell the operator about an offer: an error in a register, a place they left."""

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person, ask_support
from directory.models_offer import Offer


async def report_error(session: AsyncSession, person: Person, offer: Offer, field: str, text: str) -> None:
    """Ask the operator to follow an error of a register.

    Raises:
        core.errors.TooMany: too many requests within the hour.
    """
    await ask_support(
        session,
        kind="register",
        text=f"{field}\n\n{text}",
        person=person,
        ref=("offer", offer.uid),
        page=f"/mon-offre/{offer.uid}",
    )


async def tell_left(session: AsyncSession, person: Person, offer: Offer, reason: str) -> None:
    """Tell the operator that a professional no longer works at a place; once each time they leave, never refused."""
    said = f"{offer.name} : le professionnel n’exerce plus à cette adresse. L’offre est masquée."
    await ask_support(
        session,
        kind="left_place",
        text=f"{said}\n\n{reason}" if reason else said,
        person=person,
        ref=("offer", offer.uid),
        page=f"/mon-offre/{offer.uid}",
        key=f"left:{offer.uid}:{offer.version}",
        # The offer must be hidden whatever else the professional asked within the hour.
        bounded=False,
    )
