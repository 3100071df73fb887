"""What a search refuses: each becomes an issue of an OperationOutcome that names the parameter."""

from search_api.fhir.outcome import FhirError, Issue


class Refused(FhirError):
    """A parameter cannot be understood or served; `code` is one of FHIR's issue types."""

    def __init__(self, detail: str, parameter: str, *, code: str = "invalid", status: int = 400) -> None:
        shown = parameter[:80]
        super().__init__(status, Issue(f"{shown} : {detail}", code, expression=shown))


class LostPage(Refused):
    """A link to a page that leads nowhere any more."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, "_page", code="expired", status=410)
