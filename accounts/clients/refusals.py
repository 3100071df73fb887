"""How a request of a program is refused: in the words of the API that it asked."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from fastapi.responses import JSONResponse, Response

from core import http

REALM: Final = 'Bearer realm="repere"'
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""Of answers that hold a token, and of refusals."""
_ISSUES: Final = {400: "invalid", 401: "login", 403: "forbidden", 429: "throttled"}
_OAUTH: Final = {400: "invalid_request", 401: "invalid_client", 429: "temporarily_unavailable"}


def oauth(status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error of the token endpoint (RFC 6749 § 5.2)."""
    body = {"error": error, "error_description": _ascii(description)}
    return JSONResponse(body, status_code=status, headers={**NO_STORE, **(headers or {})})


def _ascii(text: str) -> str:
    """Return a text in the characters that RFC 6749 allows in a description: without accents nor quotes."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace('"', " ").replace("\\", " "))
    return " ".join(plain.encode("ascii", "ignore").decode().split())


def outcome(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error of the FHIR API."""
    issue: dict[str, Any] = {
        "severity": "error",
        "code": _ISSUES.get(status, "processing"),
        "details": {"text": detail},
        "diagnostics": detail,
    }
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    return JSONResponse(
        body, status_code=status, headers={**NO_STORE, **(headers or {})}, media_type="application/fhir+json"
    )


def refuse(path: str, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the refusal of a request, in the form of the API that `path` belongs to."""
    if path.startswith("/fhir"):
        return outcome(status, detail, headers)
    if path.startswith("/oauth"):
        return oauth(status, _OAUTH.get(status, "invalid_request"), detail, headers)
    answer = http.problem(status, http.TITLES[status], detail, code=code)
    answer.headers.update({**NO_STORE, **(headers or {})})
    return answer
