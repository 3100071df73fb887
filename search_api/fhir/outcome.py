"""What the answers of the feed share: OperationOutcome in French, media type, accepted formats, instants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final, Literal

import orjson
from fastapi import Request
from fastapi.responses import Response

from accounts.api import Caller
from core import http
from core.errors import DomainError
from directory.api import PUBLIC

PREFIX: Final = "/fhir"
MEDIA_TYPE: Final = "application/fhir+json"
NDJSON: Final = "application/fhir+ndjson"

RESOURCE: Final[dict[str, Any]] = {MEDIA_TYPE: {"schema": {"type": "object", "required": ["resourceType"]}}}
"""What the OpenAPI description says of a body that is a resource."""

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"content": RESOURCE, "description": "Un paramètre est incorrect."},
    406: {"content": RESOURCE, "description": "Le format demandé n’est pas proposé."},
    503: {"content": RESOURCE, "description": "La réponse demandait trop de temps, ou la base est indisponible."},
}
"""Refusals of any address of the feed, each an OperationOutcome."""

OPEN: Final = {"Access-Control-Allow-Origin": "*"}
"""Pages of other sites may read the feed, as anybody: browsers send them no cookie of ours."""

Severity = Literal["fatal", "error", "warning", "information"]

CODES: Final[Mapping[int, str]] = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    413: "too-costly",
    416: "invalid",
    422: "invalid",
    429: "throttled",
    500: "exception",
    503: "transient",
}
"""Issue type of an error that says nothing more precise, by status."""
_JSON_NAMES: Final = frozenset({"json", "application/json", "application/fhir+json", "text/json"})
_JSON_RANGES: Final = frozenset({"application/json", "application/fhir+json", "text/json", "application/*", "*/*"})
_OTHERS: Final = frozenset(
    {"application/fhir+xml", "application/xml", "text/xml", "application/fhir+turtle", "text/turtle"}
)


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to say: a French sentence, the issue type, and the parameter or element concerned."""

    diagnostics: str
    code: str = "invalid"
    severity: Severity = "error"
    expression: str | None = None

    def out(self) -> dict[str, Any]:
        """Return it as an element of `OperationOutcome.issue`."""
        found: dict[str, Any] = {"severity": self.severity, "code": self.code, "diagnostics": self.diagnostics}
        if self.expression:
            found["expression"] = [self.expression]
        return found


class FhirError(DomainError):
    """An error of the feed with the status and the issues that FHIR gives it."""

    def __init__(self, status: int, *issues: Issue, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(" ".join(issue.diagnostics for issue in issues))
        self.status = status
        self.issues = issues
        self.headers = dict(headers or {})


class FhirResponse(Response):
    """An answer in FHIR JSON."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """Return the body: bytes as they are, anything else as JSON."""
        if content is None or isinstance(content, bytes):
            return content or b""
        return orjson.dumps(content)


def outcome(*issues: Issue) -> dict[str, Any]:
    """Return an OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [issue.out() for issue in issues]}


def _issues(error: DomainError) -> Sequence[Issue]:
    if isinstance(error, FhirError):
        return error.issues
    code = CODES.get(error.status, "processing")
    if error.fields:
        return [Issue(f"{name} : {text}", code, expression=name) for name, text in error.fields.items()]
    return [Issue(error.detail, code)]


def answer_error(error: DomainError) -> Response:
    """Return an error as an OperationOutcome."""
    headers = error.headers if isinstance(error, FhirError) else {}
    return FhirResponse(outcome(*_issues(error)), status_code=_status(error.status), headers={**OPEN, **headers})


def _status(status: int) -> int:
    # FHIR keeps 422 for resources that are written and break a rule; what an address asks wrongly is 400.
    return 400 if status == 422 else status


def _program(_: Request, status: int, detail: str, fields: Mapping[str, str], error: Exception) -> Response:
    if isinstance(error, DomainError):
        return answer_error(error)
    code = CODES.get(status, "processing")
    issues = [Issue(f"{name} : {text}", code, expression=name) for name, text in fields.items()]
    return FhirResponse(outcome(*issues or [Issue(detail, code)]), status_code=_status(status), headers=OPEN)


def install() -> None:
    """Have every error of an address of the feed answered as an OperationOutcome."""
    http.set_program_errors(PREFIX, _program)


def headers_for(caller: Caller) -> dict[str, str]:
    """Return the headers of an answer made for a caller: what is not everybody's is kept by nobody."""
    if caller.level > PUBLIC or caller.zone or caller.client_id is not None:
        return OPEN | {"Cache-Control": "private, no-store", "Vary": "Authorization, Cookie"}
    return OPEN | {"Cache-Control": "public, no-cache", "Vary": "Authorization, Cookie"}


async def accepted(request: Request) -> None:
    """Refuse formats that the feed does not speak; `_format` wins over the header Accept.

    Raises:
        FhirError: 406, when only XML or Turtle is accepted.
    """
    asked = request.query_params.get("_format")
    if asked is not None:
        # A plus sign in an address reads as a space.
        if asked.partition(";")[0].strip().lower().replace(" ", "+") not in _JSON_NAMES:
            raise _only_json(asked)
        return
    ranges = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")}
    if ranges & _OTHERS and not ranges & _JSON_RANGES:
        raise _only_json(request.headers["accept"])


def _only_json(asked: str) -> FhirError:
    return FhirError(
        406,
        Issue(
            f"Le format « {asked[:60]} » n’est pas proposé : demandez application/fhir+json.",
            "not-supported",
            expression="_format",
        ),
    )


def strict(request: Request) -> bool:
    """Tell whether the caller wants unknown parameters refused (`Prefer: handling=strict`)."""
    preferences = ",".join(request.headers.getlist("prefer")).lower().replace(" ", "").replace(";", ",").split(",")
    return "handling=strict" in preferences


def base_of(request: Request) -> str:
    """Return what absolute links of the feed begin with."""
    return http.public_base(request) + PREFIX


def instant(at: datetime) -> str:
    """Return a FHIR instant, to the microsecond, in UTC."""
    return at.astimezone(UTC).isoformat()


def http_date(at: datetime) -> str:
    """Return an instant as HTTP headers write it, to the second."""
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def read_http_date(text: str | None) -> datetime | None:
    """Return the instant of an HTTP header; None when there is none that can be read."""
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
