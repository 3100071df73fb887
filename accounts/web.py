"""What pages that sign people in or out share: cookies, safe addresses to come back to."""

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from accounts.person import cookie_name
from accounts.settings import account_settings
from core.security import set_cookie

HOME = "/accueil"


def safe_target(given: str | None, default: str = HOME) -> str:
    """Return the address of ours to go to after signing in; anything that leads elsewhere becomes the home."""
    if not given or len(given) > 2000 or not given.startswith("/") or given.startswith(("//", "/\\")):
        return default
    if any(ord(char) < 32 or char == "\\" for char in given) or urlsplit(given).netloc:
        return default
    return default if given.startswith(("/connexion", "/deconnexion")) else given


def signed_in(target: str, token: str) -> Response:
    """Return the answer that keeps a new sign-in in the browser and goes on."""
    answer = RedirectResponse(target, status_code=303)
    set_cookie(answer.headers, cookie_name(), token, seconds=account_settings().sign_in_hours * 3600)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def signed_out(target: str = "/") -> Response:
    """Return the answer that takes the sign-in away from the browser."""
    answer = RedirectResponse(target, status_code=303)
    set_cookie(answer.headers, cookie_name(), "", seconds=0)
    # What a signed-in person saw must not come back with the back button.
    answer.headers["Clear-Site-Data"] = '"cache"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def device(request: Request) -> str:
    """Return what the browser says of itself."""
    return request.headers.get("user-agent", "")
