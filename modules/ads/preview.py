"""An ad as readers will see it, before anything of it is written."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import reach, specialties
from core import clock
from maps.api import place_by_id
from modules.ads.labels import CATEGORIES, FLAGS, SITUATIONS, STATES
from modules.ads.models import Ad
from modules.ads.people import Reader
from modules.ads.views import ANNOUNCED, AdView, FileView, PeriodView, period_text, place_view, specialty_label
from modules.ads.writing import Asked


async def preview(
    session: AsyncSession, author: Reader, ad: Ad | None, asked: Asked, files: Sequence[FileView]
) -> AdView:
    """Return what somebody wants an ad to say, as it would be shown."""
    now = await clock.now(session)
    said = asked.content
    return AdView(
        id=ad.id if ad else 0,
        number=ad.number if ad else 0,
        version=ad.version if ad else 0,
        account_id=author.account_id,
        state="draft",
        state_label=STATES["draft"],
        council=ad.council if ad else None,
        category=said.category,
        category_label=CATEGORIES.get(said.category or "", ""),
        side=said.side,
        situation=SITUATIONS.get((said.category or "", said.side or ""), ""),
        specialty=said.specialty,
        specialty_label=specialty_label(await specialties(session), said.specialty),
        title=said.title,
        description=said.description,
        conditions=said.conditions,
        flag=FLAGS.get(said.side or "") if said.urgent else None,
        anonymous=said.anonymous,
        places=tuple(place_view(place, place_by_id(place)) for place in said.places),
        periods=tuple(
            PeriodView(period.starts_on, period.ends_on, period_text(period.starts_on, period.ends_on))
            for period in sorted(said.periods, key=lambda period: period.starts_on)
        ),
        files=tuple(files),
        created_at=ad.created_at if ad else now,
        updated_at=now,
        submitted_at=None,
        published_at=None,
        ends_on=asked.ends_on,
        refusals=0,
        contact=None if said.anonymous else await reach(session, author.account_id, ANNOUNCED),
    )
