"""The demonstration's ads: about forty around Mantes-la-Jolie, Versailles and Paris, in every state.

They live through the services, on the days when they would have; running it again adds what is missing and changes
nothing else. Authors are people of the sample registers and invented interns; nothing here was ever said by anybody.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageDraw
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Person, Right, demo_account, demo_numbers, demo_standing, specialties
from core import clock, db
from core.ui.filters import lower_first
from directory.api import Practitioner, Role, Site, offer_known_people
from maps.api import ready, resolve_ref
from modules.ads import files, life, rules
from modules.ads.demo_texts import REFUSALS, TEXTS
from modules.ads.labels import CATEGORIES, OFFERS, SEEKS
from modules.ads.models import Ad
from modules.ads.people import Reader, reader_of
from modules.ads.schemas import AdContent, Period
from modules.ads.situations import Kind

NAMESPACE: Final = uuid.UUID("6f0d3a52-3f0e-4d3b-9f0a-0d5f5a1c7e11")
TOWNS: Final = (
    ("78362", "78"), ("78646", "78"), ("78498", "78"), ("78440", "78"), ("75115", "75"), ("75112", "75"),
    ("92012", "92"), ("95018", "95"),
)  # fmt: skip
"""Communes where a doctor who writes ads practises, and their council; none of the personas' own town."""
INTERNS: Final[tuple[tuple[str, str, str, Kind], ...]] = (
    ("interne", "Julie", "Marchand", "licensed"),
    ("annonces-interne-1", "Samir", "Haddad", "licensed"),
    ("annonces-interne-2", "Louise", "Garnier", "licensed"),
    ("annonces-interne-3", "Théo", "Lemoine", "intern"),
    ("annonces-docteur-junior", "Maëlle", "Kerbrat", "junior"),
)
AREAS: Final = ("departement:78", "departement:95", "region:11", "commune:78361", "departement:75", "commune:78646")
COUNCIL: Final = "78"
PERSONA: Final = "interne"
"""Among those who write, the one whom visitors may become."""
MODERATORS: Final = {
    COUNCIL: ("moderateur", "Bernard", "Perrin"),
    "75": ("annonces-conseil-75", "Irene", "Vasseur"),
    "92": ("annonces-conseil-92", "Martin", "Delorme"),
    "95": ("annonces-conseil-95", "Odile", "Renard"),
}
"""Who answers for each council: key of the account, first and last names."""


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody who writes ads in the demonstration, and where they practise."""

    key: str
    reader: Reader
    kind: str
    town: str | None


@dataclass(frozen=True, slots=True)
class Sketch:
    """An ad to make. `ago`: days since it was transmitted; `own`: the persona wrote it."""

    key: str
    category: str
    side: str
    state: str
    ago: int
    own: bool = False


def sketches() -> list[Sketch]:
    """Return the ads of the demonstration: each category and side thrice, every state, and the persona's."""
    pairs = [(category, side) for side in (SEEKS, OFFERS) for category in CATEGORIES]
    states = ["published"] * 7 + ["pending"] + ["published"] * 3 + ["unpublished", "refused", "pending", "draft"]
    made = []
    for rank in range(40):
        # Replacements are what people publish most.
        category, side = pairs[rank % len(pairs)] if rank < 30 else ("remplacement", (SEEKS, OFFERS)[rank % 2])
        made.append(Sketch(f"ad-{rank}", category, side, states[rank % len(states)], 2 + rank * 7 % 50))
    # Visitors find under « Gérer » something to do of each kind.
    own = (("published", 12), ("refused", 6), ("draft", 2), ("unpublished", 40))
    made += [Sketch(f"own-{state}", "remplacement", OFFERS, state, ago, own=True) for state, ago in own]
    return made


async def make_ads() -> int:
    """Make the ads that are missing; return how many were made."""
    offer_known_people()
    await ready()
    async with db.unit_of_work() as session:
        authors = await _authors(session)
        judges = {council: await _moderator(session, council) for council in MODERATORS}
    made = 0
    for rank, sketch in enumerate(sketches()):
        able = [author for author in authors if (author.kind == "doctor" or sketch.side == OFFERS)]
        # Interns offer themselves for what they may; doctors do the rest.
        trained = [author for author in able if author.kind != "doctor" and _may(author, sketch)]
        chosen = trained if trained and rank % 3 else [author for author in able if author.kind == "doctor"]
        if sketch.own:
            chosen = [author for author in authors if author.key == PERSONA]
        if chosen:
            author = chosen[rank % len(chosen)]
            judge = judges.get(author.reader.standing.council or "") if author.reader.standing else None
            made += judge is not None and await _make(sketch, author, judge, rank)
    return made


def _may(author: Author, sketch: Sketch) -> bool:
    content = AdContent(category=sketch.category, side=sketch.side)
    kind: Any = author.kind
    return "side" not in rules.complete(content, kind, date.today())


async def _authors(session: AsyncSession) -> list[Author]:
    numbers = await demo_numbers(session)
    found: list[Author] = []
    for code, council in TOWNS:
        key = f"annonces-{code}"
        taken = {rpps for known, rpps in numbers.items() if known != key}
        doctor = await session.scalar(
            select(Practitioner)
            .join(Role, Role.practitioner_id == Practitioner.id)
            .join(Site, Site.id == Role.site_id)
            .where(
                Role.profession == "10",
                Role.closed_on.is_(None),
                Site.commune_code == code,
                Practitioner.rpps.is_not(None),
                Practitioner.rpps.not_in(taken or {""}),
                Practitioner.category.is_distinct_from("E"),
                Practitioner.closed_on.is_(None),
            )
            .order_by((Practitioner.rpps == numbers.get(key, "")).desc(), Practitioner.id)
            .limit(1)
        )
        if doctor is not None:
            first, last = (doctor.first_name or "").title(), doctor.last_name.upper()
            grants = (("professional", f"rpps:{doctor.rpps}"),)
            found += await _author(session, key, first, last, council, rpps=doctor.rpps, town=code, grants=grants)
    for key, first, last, kind in INTERNS:
        found += await _author(session, key, first, last, COUNCIL, kind=kind)
    return found


async def _author(
    session: AsyncSession,
    key: str,
    first: str,
    last: str,
    council: str,
    *,
    rpps: str | None = None,
    town: str | None = None,
    kind: Kind | None = None,
    grants: Sequence[tuple[str, str]] = (),
) -> list[Author]:
    account = await demo_account(
        session,
        key,
        title="Madame" if key == PERSONA else None,
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@demo.example.org".lower() if key == PERSONA else f"{key}@demo.example.org",
        rpps=rpps,
        profession=None,
        grants=grants,
    )
    digits = f"{sum(map(ord, key)) % 10_000:04d}"
    await demo_standing(
        session,
        key,
        council=council,
        kind=kind,
        specialty="R38|SM54" if kind else None,
        coordinates={"email": f"{key}@demo.example.org", "mobile": f"+3363998{digits}"},
    )
    reader = await reader_of(session, _person(account, grants))
    if reader is None or reader.standing is None:
        return []
    return [Author(key, reader, reader.standing.kind, town)]


def _person(account: Any, grants: Sequence[tuple[str, str]]) -> Person:
    return Person(
        account_id=account.id,
        uid=account.uid,
        sign_in_id=0,
        method="demo",
        title=account.title,
        last_name=account.last_name,
        first_name=account.first_name,
        email=account.email,
        rpps=account.rpps,
        grants=tuple(Right(role, scope) for role, scope in grants),
    )


async def _moderator(session: AsyncSession, council: str) -> Reader | None:
    """Return who answers for a council; that of the personas is theirs."""
    key, first, last = MODERATORS[council]
    grants = (("moderator", f"council:{council}"),)
    account = await demo_account(
        session,
        key,
        title=None if key.startswith("annonces") else "Monsieur",
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@demo.example.org".lower(),
        rpps=None,
        profession=None,
        grants=grants,
    )
    return await reader_of(session, _person(account, grants))


async def _shift(session: AsyncSession, days: int) -> date:
    """Live, for a transaction, some days ago; return that day."""
    shift = {"shift": f"-{days} days"}
    await session.execute(text("SELECT set_config('repere.clock_shift', :shift, true)"), shift)
    return clock.today(await clock.now(session))


async def _make(sketch: Sketch, author: Author, judge: Reader, rank: int) -> bool:
    uid = uuid.uuid5(NAMESPACE, sketch.key)
    async with db.unit_of_work() as session:
        if await session.scalar(select(Ad.id).where(Ad.uid == uid)) is not None:
            return False
        day = await _shift(session, sketch.ago)
        content = await _content(session, sketch, author, rank, day)
        attached: list[Any] = []
        if sketch.side == SEEKS and rank % 2 == 0:
            kept = await files.check("cabinet.png", _drawing(rank))
            attached = [await files.stage(session, author.reader.account_id, kept)]
            content = content.model_copy(update={"files": files.refs(attached)})
        ad = await life.create(session, author.reader, content, rules.usual_end(day), uid=uid, attached=attached)
        if sketch.state != "draft":
            await life.submit(session, author.reader, ad)
    if sketch.state in ("published", "unpublished", "refused"):
        async with db.unit_of_work() as session:
            await _shift(session, sketch.ago - 1)
            held = await life.moderated(session, judge, ad.number, ad.version)
            if sketch.state == "refused":
                await life.refuse(session, judge, held, REFUSALS[0 if sketch.own else rank % len(REFUSALS)])
            else:
                await life.accept(session, judge, held)
    if sketch.state == "unpublished":
        async with db.unit_of_work() as session:
            await _shift(session, sketch.ago // 2)
            await life.unpublish(session, author.reader, await life.own(session, author.reader, ad.number), "filled")
    return True


async def _content(session: AsyncSession, sketch: Sketch, author: Author, rank: int, day: date) -> AdContent:
    known = await specialties(session)
    standing = author.reader.standing
    own = standing.specialty if standing else None
    specialty = own if own in known else next(iter(known), None)
    texts = TEXTS[sketch.category, sketch.side]
    title, description, conditions = texts[rank % len(texts)]
    title = title.format(specialty=lower_first(known.get(specialty or "", "médecine générale")))
    if len(title) > 110:
        title = title[:109].rstrip() + "…"
    start = day + timedelta(days=20 + rank * 5 % 90)
    long = sketch.category in ("succession", "association", "collaboration")
    periods = [Period(starts_on=start, ends_on=None if long else start + timedelta(days=14 + rank % 4 * 20))]
    if sketch.category == "remplacement" and rank % 3 == 0:
        again = start + timedelta(days=120)
        periods.append(Period(starts_on=again, ends_on=again + timedelta(days=12)))
    return AdContent(
        category=sketch.category,
        side=sketch.side,
        specialty=specialty,
        title=title,
        description=description,
        conditions=conditions,
        urgent=rank % 4 == 1,
        anonymous=rank % 9 == 4,
        places=tuple(_places(sketch, author, rank)),
        periods=tuple(periods),
    )


def _places(sketch: Sketch, author: Author, rank: int) -> list[int]:
    if sketch.side == SEEKS and author.town:
        refs = [f"commune:{author.town}"]
    elif rank % 8 == 3:
        refs = ["france"]
    else:
        refs = [AREAS[rank % len(AREAS)], AREAS[(rank + 2) % len(AREAS)]]
    hits = [resolve_ref(*ref.split(":")) for ref in refs]
    return [hit.id for hit in hits if hit is not None]


def _drawing(rank: int) -> bytes:
    """Draw a house under a sky: no photo of anybody's practice."""
    image = Image.new("RGB", (960, 720), (214, 230 - rank % 5 * 6, 238))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 520, 960, 720), fill=(186, 205, 178))
    wall = ((238, 226, 205), (226, 214, 214), (221, 230, 222))[rank // 2 % 3]
    draw.rectangle((230, 280, 730, 600), fill=wall)
    draw.polygon(((190, 290), (480, 120), (770, 290)), fill=(140, 84, 66))
    for left in (280, 420 + rank % 3 * 20, 600):
        draw.rectangle((left, 340, left + 90, 430), fill=(96, 132, 150), outline="white", width=6)
    draw.rectangle((440, 470, 520, 600), fill=(11, 90, 96))
    draw.rectangle((610, 500, 690, 530), fill="white", outline=(11, 90, 96), width=4)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
