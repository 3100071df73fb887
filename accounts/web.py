"""What pages that sign people in or out share: cookies, safe addresses to come back to."""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from accounts.links import Opened
from accounts.person import cookie_name
from accounts.settings import account_settings
from core.security import secure_cookies, set_cookie
from core.ui import pages

HOME = "/accueil"


def ours(address: str) -> bool:
    """Tell whether an address is a path of this site, which no browser could take for another's."""
    if len(address) > 2000 or not address.startswith("/") or address.startswith(("//", "/\\")):
        return False
    return not any(ord(char) < 32 or char == "\\" for char in address) and not urlsplit(address).netloc


def safe_target(given: str | None, default: str = HOME) -> str:
    """Return the address of ours to go to after signing in; anything that leads elsewhere becomes the home."""
    if not given or not ours(given):
        return default
    return default if given.startswith(("/connexion", "/deconnexion")) else given


def with_target(page: str, target: str) -> str:
    """Return the address of a page that leads to a target afterwards."""
    return page if target == HOME else f"{page}{'&' if '?' in page else '?'}suite={quote(target, safe='')}"


def signed_in(target: str, token: str) -> Response:
    """Return the answer that keeps a new sign-in in the browser and goes on."""
    answer = RedirectResponse(target, status_code=303)
    set_cookie(answer.headers, cookie_name(), token, seconds=account_settings().sign_in_hours * 3600)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def signed_out(target: str = "/") -> Response:
    """Return the answer that takes the sign-in away from the browser."""
    return forgotten(RedirectResponse(target, status_code=303))


def forgotten(answer: Response, *, refresh: str | None = None) -> Response:
    """Have an answer take the sign-in away from the browser.

    Args:
        answer: what is shown, or where to go.
        refresh: another site to go on to. A browser counts a redirect as part of the form that asked for it, which
            our policy keeps here; a page that moves on by itself is a step of its own.
    """
    set_cookie(answer.headers, cookie_name(), "", seconds=0)
    # What a signed-in person saw must not come back with the back button.
    answer.headers["Clear-Site-Data"] = '"cache"'
    answer.headers["Cache-Control"] = "private, no-store"
    if refresh:
        answer.headers["Refresh"] = f"0; url={refresh}"
    return answer


def device(request: Request) -> str:
    """Return what the browser says of itself."""
    return request.headers.get("user-agent", "")


async def fields(request: Request) -> dict[str, str]:
    """Return what a form says, the last value of each field; files are nothing that we ask for."""
    return {name: value for name, value in (await request.form()).multi_items() if isinstance(value, str)}


def origin(request: Request) -> str:
    """Return the network that a request comes from: an IPv4 address, or the 64 bits of an IPv6 one."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((int(address), 64), strict=False))
    return str(address)


def cookie(name: str) -> str:
    """Return the full name of a cookie of accounts; over HTTPS, one that no other host can set."""
    return f"__Host-repere-{name}" if secure_cookies() else f"repere_{name}"


NO_STORE = {"Cache-Control": "private, no-store"}
"""Headers of pages that are nobody else's."""


def link_page(request: Request, template: str, opened: Opened, token: str, *, done: bool) -> Response:
    """Draw the page of a link that confirms an address: what it asks, or what became of it."""
    status = 200 if opened.state in ("live", "used") else 410
    context = {"state": "done" if done else opened.state, "email": opened.email, "token": token}
    return pages.render(request, template, context, status=status, headers=NO_STORE)
