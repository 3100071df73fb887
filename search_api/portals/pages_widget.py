"""A portal's search inside other sites: the framed page, the script that puts it there, and how to do so."""

from html import escape
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from core.conditional import has_it, tag_of
from core.errors import InvalidInput, TooMany, Unavailable
from core.http import CSP, public_base
from core.ui import pages
from core.ui.assets import read
from search_api.addresses import address
from search_api.portals import parameters
from search_api.portals.client import PublicApi
from search_api.portals.pages import PortalDep
from search_api.portals.schemas import PortalOut

router = APIRouter(include_in_schema=False)

SHOWN: Final = 5
"""Results that the widget shows; the portal has the others."""
LONGEST: Final = 200


def framed_by(portal: PortalOut) -> str:
    """Return the security policy of the framed page: only the sites of the portal, and our own example, show it."""
    allowed = " ".join(["'self'", *portal.hosts])
    return CSP.replace("frame-ancestors 'none'", f"frame-ancestors {allowed}")


@router.get("/maillage/{slug}/widget")
async def widget(request: Request, portal: PortalDep, q: Annotated[str, Query(max_length=1000)] = "") -> Response:
    """Draw the search field and the first results, for a frame."""
    text = " ".join(q.split())[:LONGEST]
    pairs = [*((name, value) for name, value in portal.filters if name not in ("q", "code", "scope")), ("q", text)]
    answer, refused = None, ""
    if text:
        # The frame stands in another site: nobody is signed in there.
        async with PublicApi(request, anonymous=True) as api:
            try:
                answer = await api.search(parameters.asked(pairs, portal.within))
            except InvalidInput as error:
                refused = error.fields.get("q", error.detail)
            except (TooMany, Unavailable) as error:
                refused = error.detail
    context = {
        "portal": portal,
        "q": text,
        "answer": answer,
        "refused": refused,
        "shown": SHOWN,
        "more": address(pairs if text else portal.filters, f"{public_base(request)}{portal.path}"),
        "outside": public_base(request),
    }
    headers = {
        "Content-Security-Policy": framed_by(portal),
        "Cache-Control": "public, max-age=30",
        # The page is meant to be shown elsewhere; the policy says where.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return pages.render(request, "portals/widget.html", context, headers=headers)


@router.get("/maillage/{slug}/widget.js")
async def script(request: Request, portal: PortalDep) -> Response:
    """Answer the script that other sites load: it finds the portal by its own address."""
    body = read("search", "js/widget-host.js")
    headers = {
        "ETag": tag_of(body),
        "Cache-Control": "public, max-age=3600",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/javascript", headers=headers)


@router.get("/maillage/{slug}/integrer")
async def embed(request: Request, portal: PortalDep) -> Response:
    """Say how to show the portal's search in another site, with an example."""
    base = f"{public_base(request)}{portal.path}"
    context = {
        "portal": portal,
        "tag": f'<script src="{base}/widget.js" async></script>',
        "frame": f'<iframe src="{base}/widget" title="{escape(portal.title)}" width="100%" height="420"></iframe>',
    }
    return pages.render(request, "portals/embed.html", context, headers={"Cache-Control": "private, no-cache"})
