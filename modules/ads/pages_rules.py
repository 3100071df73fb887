"""« Règles de publication »: what authors, readers and councils go by."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from core.ui import pages
from modules.ads.people import ReaderDep
from modules.ads.rules import MOST_MONTHS, USUAL_MONTHS
from modules.ads.settings import ads_settings

router = APIRouter(include_in_schema=False)


@router.get("/annonces/regles")
async def rules(request: Request, reader: ReaderDep) -> Response:
    """Draw the rules of publication."""
    settings = ads_settings()
    context = {
        "reader": reader,
        "title": "Règles de publication",
        "usual_months": USUAL_MONTHS,
        "most_months": MOST_MONTHS,
        "escalate_days": settings.escalate_days,
        "draft_days": settings.draft_days,
        "closed_days": settings.closed_days,
    }
    return pages.render(request, "ads/rules.html", context)
