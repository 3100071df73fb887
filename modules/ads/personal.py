"""What ads keep of a person: given to them on demand, erased with their account."""

from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import personal
from modules.ads import files, life
from modules.ads.content import read_all
from modules.ads.models import Ad, AdHistory
from modules.ads.models_saved import AdReport, SavedSearch

MOST: Final = 10_000


async def _export(session: AsyncSession, subject: personal.Subject) -> object:
    ads = (
        await session.scalars(
            select(Ad)
            .where(Ad.account_id == subject.account_id, Ad.state != "deleted")
            .order_by(Ad.id.desc())
            .limit(MOST)
        )
    ).all()
    said = await read_all(session, ads)
    lines = (
        await session.scalars(
            select(AdHistory)
            .where(AdHistory.ad_id.in_([ad.id for ad in ads]))
            .order_by(AdHistory.id.desc())
            .limit(MOST)
        )
    ).all()
    reports = await session.execute(
        select(Ad.number, AdReport.reason, AdReport.reported_at, AdReport.closed_at)
        .join(Ad, Ad.id == AdReport.ad_id)
        .where(AdReport.account_id == subject.account_id)
        .order_by(AdReport.id.desc())
        .limit(MOST)
    )
    searches = await session.execute(
        select(SavedSearch.name, SavedSearch.query, SavedSearch.frequency, SavedSearch.created_at)
        .where(SavedSearch.account_id == subject.account_id)
        .order_by(SavedSearch.id.desc())
        .limit(MOST)
    )
    return {
        "annonces": [
            {
                "numero": ad.number,
                "etat": ad.state,
                "conseil": ad.council,
                "contenu": said[ad.id].model_dump(mode="json"),
                "cree_le": ad.created_at,
                "transmise_le": ad.submitted_at,
                "publiee_le": ad.published_at,
                "fin_de_publication": ad.ends_on,
                "refus": ad.refusals,
                "historique": [
                    {
                        "le": line.at,
                        # Whoever decided for a council decided in its name.
                        "par": "vous" if line.actor == subject.actor else line.council or "Repère",
                        "action": line.action,
                        "etat": line.to_state,
                        "motif": line.reason,
                        "contenu": line.detail,
                    }
                    for line in reversed(lines)
                    if line.ad_id == ad.id
                ],
            }
            for ad in ads
        ],
        "signalements": [
            {"annonce": row.number, "motif": row.reason, "le": row.reported_at, "traite_le": row.closed_at}
            for row in reports
        ],
        "recherches": [
            {"nom": row.name, "recherche": row.query, "mail": row.frequency, "creee_le": row.created_at}
            for row in searches
        ],
    }


async def _erase(session: AsyncSession, subject: personal.Subject) -> None:
    """Delete the ads of somebody who leaves; histories keep their reference, and nothing that they said."""
    ads = await session.scalars(
        select(Ad).where(Ad.account_id == subject.account_id, Ad.state != "deleted").order_by(Ad.id).with_for_update()
    )
    for ad in ads.all():
        await life.leave(session, ad, subject.actor)
    await files.forget(session, subject.account_id)
    await session.execute(delete(AdReport).where(AdReport.account_id == subject.account_id))
    await session.execute(delete(SavedSearch).where(SavedSearch.account_id == subject.account_id))


def offer() -> None:
    """Have an account's export hold its ads, and its closing delete them."""
    personal.register("annonces", erase=_erase, export=_export)
