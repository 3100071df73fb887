"""Drawing of the form of an ad, and of its preview."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Reach, reach, specialties
from core import clock
from core.ui import pages
from directory.api import Practitioner, Role, Site, calendar_day
from maps.api import PlaceHit, place_by_id, ready
from modules.ads import files, forms, mine, rules
from modules.ads.councils import council_name
from modules.ads.labels import CATEGORIES, FLAGS, STATES, situation
from modules.ads.models import Ad
from modules.ads.people import Reader
from modules.ads.schemas import CONDITIONS_MAX, DESCRIPTION_MAX, MOST_FILES, MOST_PERIODS, MOST_PLACES, TITLE_MAX
from modules.ads.situations import categories, sides
from modules.ads.views import FileView

ANCHORS: Final = {
    "category": "categorie",
    "side": "situation",
    "specialty": "specialite",
    "title": "titre",
    "description": "description",
    "conditions": "conditions",
    "places": "lieu_saisi",
    "periods": "debut-0",
    "files": "fichiers",
    "ends_on": "fin_publication",
    "contact": "contact",
    "council": "contact",
}
"""Where the link of an error leads, by field."""
_LIMITS: Final = {
    "title": TITLE_MAX,
    "description": DESCRIPTION_MAX,
    "conditions": CONDITIONS_MAX,
    "places": MOST_PLACES,
    "periods": MOST_PERIODS,
    "files": MOST_FILES,
}
MOST_OWN_PLACES: Final = 3


@dataclass(slots=True)
class Drawn:
    """What a drawing says beyond what was typed.

    `focus`: the element that takes the focus. `stale`: another version is kept. `held`: something typed here in the
    last hour was not kept, and can be taken up.
    """

    errors: dict[str, str] = field(default_factory=dict)
    notice: str = ""
    done: str = ""
    focus: str = ""
    candidates: Sequence[PlaceHit] | None = None
    status: int = 200
    stale: bool = False
    held: bool = False


async def blank(session: AsyncSession, author: Reader) -> forms.Typed:
    """Return the form of a new ad, with what is known of its author."""
    today = clock.today(await clock.now(session))
    known = await specialties(session)
    own = author.standing.specialty if author.standing else None
    return forms.Typed(
        uid=str(uuid.uuid4()),
        specialty=own if own and own in known else "",
        ends_on=rules.usual_end(today).isoformat(),
    )


def anchor(name: str) -> str:
    """Return the element that a field's error leads to."""
    head, _, position = name.partition(".")
    return f"debut-{position}" if position else ANCHORS.get(head, "titre")


async def own_places(session: AsyncSession, author: Reader) -> list[PlaceHit]:
    """Return the communes where the registers say that somebody practises, their own practice first."""
    rpps = author.standing.rpps if author.standing else None
    if rpps is None:
        return []
    rows = await session.execute(
        select(Site.commune_id)
        .join(Role, Role.site_id == Site.id)
        .join(Practitioner, Practitioner.id == Role.practitioner_id)
        .where(
            Practitioner.rpps == rpps,
            Practitioner.closed_on.is_(None),
            Role.closed_on.is_(None),
            Site.closed_on.is_(None),
            Site.commune_id.is_not(None),
        )
        .order_by((Role.mode == "L").desc().nulls_last(), Role.id)
        .limit(20)
    )
    hits = [place_by_id(key) for key in dict.fromkeys(rows.scalars()) if key is not None]
    return [hit for hit in hits if hit is not None and hit.kind in forms.PLACE_KINDS][:MOST_OWN_PLACES]


def part_of(request: Request) -> str:
    """Return the part of the form that htmx asks for; the empty text when a browser asks for all of it."""
    htmx = request.headers.get("hx-request") == "true"
    return request.headers.get("hx-target", "depot")[:40] if htmx else ""


async def draw(
    request: Request, session: AsyncSession, author: Reader, typed: forms.Typed, drawn: Drawn, ad: Ad | None
) -> HTMLResponse:
    """Draw the form with everything that was typed."""
    await ready()
    shown = await context(session, author, typed, ad) | {
        "errors": _Errors(drawn.errors),
        "summary": [(anchor(name), message) for name, message in drawn.errors.items()],
        "notice": drawn.notice,
        "done": drawn.done,
        "focus": drawn.focus if part_of(request) or not drawn.errors else "",
        "part": part_of(request),
        "candidates": drawn.candidates,
        "stale": drawn.stale,
        "held": drawn.held,
    }
    # What htmx asks for is put in the page whatever it says; it leaves answers of another status aside.
    status = 200 if part_of(request) else drawn.status
    return pages.render(request, "ads/write.html", shown, status=status)


class _Errors(dict[str, str]):
    """Errors by field, nothing where there is none: templates ask for all of them."""

    def __missing__(self, key: str) -> str:
        return ""


async def context(session: AsyncSession, author: Reader, typed: forms.Typed, ad: Ad | None) -> dict[str, Any]:
    """Return what the form and the preview need to know."""
    assert author.standing is not None  # noqa: S101 - authors have one
    today = clock.today(await clock.now(session))
    locked = ad is not None and ad.submitted_at is not None
    if locked and ad is not None:
        typed = replace(typed, category=ad.category or "", side=ad.side or "")
    kind = author.standing.kind
    offered = sides(kind, typed.category)
    # The only situation that there is goes without asking.
    side = offered[0] if len(offered) == 1 else typed.side
    known = await specialties(session)
    hits = [(ref, forms.place_of(ref)) for ref in typed.places]
    own = [hit for hit in await own_places(session, author) if hit.ref not in typed.places]
    council = author.standing.council
    state = ad.state if ad is not None else "draft"
    return {
        "reader": author,
        "title": f"Modifier l’annonce n° {ad.number}"
        if ad is not None and ad.state != "draft"
        else "Déposer une annonce",
        "ad": ad,
        "typed": typed,
        "side": side,
        "state": state,
        "state_label": STATES[state],
        "refusal": (await mine.refusal_reasons(session, [ad])).get(ad.id) if ad is not None else None,
        "locked": locked,
        "address": f"/annonces/{ad.number}/modifier" if ad is not None else "/annonces/deposer",
        "categories": [(code, CATEGORIES[code]) for code in categories(kind)],
        "category_label": CATEGORIES.get(typed.category, ""),
        "sides": [(code, situation(typed.category, code)) for code in offered],
        "situation_label": situation(typed.category, side) if locked and typed.category and side else "",
        "specialties": list(known.items()),
        "flag_label": FLAGS.get(side, "Urgent, ou disponible immédiatement"),
        "places": [(ref, hit.label if hit else "Lieu qui n’est plus connu") for ref, hit in hits],
        "own_places": own,
        "periods": [(calendar_day(start), calendar_day(end)) for start, end in typed.periods] or [("", "")],
        "files": await file_views(session, author.account_id, typed.files),
        "ends_on": calendar_day(typed.ends_on),
        "today": today,
        "latest_end": rules.latest_end(today),
        "limits": _LIMITS,
        "contact": await contact(session, author),
        "relay": (await relay_address(session, author)) is not None,
        "council": council_name(council) if council else "",
        "council_confirmed": author.standing.council_confirmed,
        "account_uid": author.person.uid,
    }


async def contact(session: AsyncSession, author: Reader) -> Reach:
    """Return what the ads of somebody show of them."""
    return await reach(session, author.account_id, "annonces")


async def relay_address(session: AsyncSession, author: Reader) -> str | None:
    """Return where the answers to an anonymous ad of somebody are sent."""
    shown = await contact(session, author)
    return shown.email or (await reach(session, author.account_id, "ordre")).email


async def file_views(session: AsyncSession, account_id: int, uids: Sequence[str]) -> list[FileView]:
    """Return the files that a form names, as lists show them."""
    wanted = _uuids(uids)
    found = await files.known(session, account_id, wanted)
    return [files.view_of(found[uid]) for uid in wanted if uid in found]


def _uuids(texts: Sequence[str]) -> list[uuid.UUID]:
    wanted = []
    for text in texts:
        try:
            wanted.append(uuid.UUID(text))
        except ValueError:
            continue
    return wanted


def errors_of(*several: Mapping[str, str]) -> dict[str, str]:
    """Return errors in the order of the page; of a part of it, those of the first that has any."""
    found: dict[str, str] = {}
    for errors in several:
        parts = {name.partition(".")[0] for name in found}
        found |= {name: message for name, message in errors.items() if name.partition(".")[0] not in parts}
    order = list(ANCHORS)
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0].partition(".")[0]), item[0])))
