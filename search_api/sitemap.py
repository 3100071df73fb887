"""What search engines are led to: public sheets and portals, in parts of a bounded number of addresses.

A part holds the sheets whose key lies in one range, so that a sheet never moves to another part, no part is ever too
long, and none needs the others to be read.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final, Literal
from uuid import UUID
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Select, distinct, func, select

from core import db
from core.conditional import has_it, tag_of
from core.db import SessionDep
from core.errors import NotFound
from core.http import public_base
from directory.api import PUBLIC, Offer, OfferSearch, Site, searchable
from search_api.portals import service as portals

router = APIRouter(include_in_schema=False)

PART: Final = 50_000
"""Keys, hence addresses at most, of a part: what the protocol allows."""
STEP: Final = 2_000
"""Rows read at a time."""
PORTALS: Final = 1_000
PAGES: Final = ("/", "/recherche", "/couverture", "/aide", "/nomenclatures", "/api")
CACHE: Final = "public, max-age=3600"
NAMESPACE: Final = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
Kind = Literal["offres", "sites"]
_KEY: Final = {"offres": OfferSearch.offer_id, "sites": OfferSearch.site_id}
_HIDDEN: Final = ("/accueil", "/administration", "/comparer", "/connexion", "/favoris", "/mon-offre", "/mon-compte")


@router.get("/robots.txt")
async def robots(request: Request) -> Response:
    """Tell robots where the map of the site is, and what is nobody's but people's own."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in _HIDDEN),
        f"Sitemap: {public_base(request)}/sitemap.xml",
    ]
    return Response("\n".join(lines) + "\n", media_type="text/plain", headers={"Cache-Control": CACHE})


@router.get("/sitemap.xml")
async def index(request: Request, session: SessionDep) -> Response:
    """List the parts."""
    base = public_base(request)
    names = ["pages"]
    for kind, key in _KEY.items():
        # Both ends of the key's index: nothing is counted.
        low, high = (await session.execute(select(func.min(key), func.max(key)))).one()
        if low is not None:
            names += [f"{kind}-{number}" for number in range(low // PART, high // PART + 1)]
    body = "".join(f"<sitemap><loc>{escape(base)}/sitemap/{name}.xml</loc></sitemap>" for name in names)
    return _whole(request, f"<sitemapindex {NAMESPACE}>{body}</sitemapindex>")


@router.get("/sitemap/pages.xml")
async def own_pages(request: Request, session: SessionDep) -> Response:
    """List the pages that are no sheets."""
    base = escape(public_base(request))
    open_ones = await portals.page(session, limit=PORTALS, active=True)
    body = "".join(f"<url><loc>{base}{path}</loc></url>" for path in PAGES)
    body += "".join(_entry(base, one.path, one.updated_at) for one in open_ones)
    return _whole(request, f"<urlset {NAMESPACE}>{body}</urlset>")


@router.get("/sitemap/{kind}-{number}.xml")
async def part(request: Request, session: SessionDep, kind: Kind, number: int) -> Response:
    """List the sheets of one range of keys, read as they are sent."""
    low = number * PART
    if not 0 <= number < 2**40:
        raise NotFound("Cette partie du plan n’existe pas.")
    key = _KEY[kind]
    stands = select(func.count(distinct(key)), func.max(OfferSearch.updated_at)).where(
        searchable(PUBLIC), key >= low, key < low + PART
    )
    count, latest = (await session.execute(stands)).one()
    if not count:
        raise NotFound("Cette partie du plan n’existe pas.")
    base = public_base(request)
    # What the sheets say themselves: how many there are, and when the last of them changed.
    headers = {
        "ETag": tag_of(base, kind, str(low), str(count), latest.isoformat()),
        "Last-Modified": format_datetime(latest.astimezone(UTC).replace(microsecond=0), usegmt=True),
        "Cache-Control": CACHE,
    }
    if has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return StreamingResponse(_sheets(kind, low, escape(base)), media_type="application/xml", headers=headers)


async def _sheets(kind: Kind, low: int, base: str) -> AsyncIterator[str]:
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {NAMESPACE}>'
    after, end = low - 1, low + PART
    while True:
        # A connection a page: whoever reads slowly holds none.
        async with db.reading() as session:
            rows = (await session.execute(_page(kind, after, end))).all()
        yield "".join(_entry(base, f"/{kind}/{row.uid}", row.updated_at) for row in rows)
        if len(rows) < STEP:
            break
        after = rows[-1].key
    yield "</urlset>"


def _page(kind: Kind, after: int, end: int) -> "Select[int, UUID, datetime]":
    if kind == "offres":
        return (
            select(OfferSearch.offer_id.label("key"), Offer.uid, OfferSearch.updated_at)
            .join(Offer, Offer.id == OfferSearch.offer_id)
            .where(searchable(PUBLIC), OfferSearch.offer_id > after, OfferSearch.offer_id < end)
            .order_by(OfferSearch.offer_id)
            .limit(STEP)
        )
    found = (
        select(OfferSearch.site_id.label("key"), func.max(OfferSearch.updated_at).label("updated_at"))
        .where(searchable(PUBLIC), OfferSearch.site_id > after, OfferSearch.site_id < end)
        .group_by(OfferSearch.site_id)
        .order_by(OfferSearch.site_id)
        .limit(STEP)
        .subquery()
    )
    return select(found.c.key, Site.uid, found.c.updated_at).join(Site, Site.id == found.c.key).order_by(found.c.key)


def _entry(base: str, path: str, changed: datetime) -> str:
    return f"<url><loc>{base}{path}</loc><lastmod>{changed.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</lastmod></url>"


def _whole(request: Request, body: str) -> Response:
    headers = {"ETag": tag_of(body), "Cache-Control": CACHE}
    if has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
    return Response(text, media_type="application/xml", headers=headers)
