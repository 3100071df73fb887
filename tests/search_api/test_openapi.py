"""The description of the API held against the API: no 5xx, no answer that it does not tell, whatever is asked."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.search_api.fhir.conftest import feed as feed
from tests.search_api.fhir.test_search_client import served as served
from web.app import app

EXAMPLES = 15
MANY = 300
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
RELAXED = settings(database=None, suppress_health_check=list(HealthCheck))


def _operations() -> list[tuple[str, str]]:
    paths = app.openapi()["paths"]
    return [(path, method) for path, methods in sorted(paths.items()) for method in methods]


@pytest.fixture(scope="module")
def described(served: str) -> schemathesis.BaseSchema:
    """The description that the server gives."""
    return schemathesis.openapi.from_url(f"{served.removesuffix('/fhir')}/api/openapi.json")


def _hold(described: schemathesis.BaseSchema, path: str, method: str, times: settings) -> None:
    @times
    @given(case=described[path][method.upper()].as_strategy())
    def answered(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS, timeout=30)

    answered()


@pytest.mark.parametrize(("path", "method"), _operations())
def test_the_api_answers_as_it_says(described: schemathesis.BaseSchema, path: str, method: str) -> None:
    _hold(described, path, method, settings(RELAXED, max_examples=EXAMPLES, derandomize=True))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("path", "method"), _operations())
def test_the_api_answers_as_it_says_to_many(described: schemathesis.BaseSchema, path: str, method: str) -> None:
    _hold(described, path, method, settings(RELAXED, max_examples=MANY))


def test_the_description_is_an_openapi_document(served: str) -> None:
    document = httpx.get(f"{served.removesuffix('/fhir')}/api/openapi.json").json()
    validate(document)
    assert {"/fhir/$export", "/fhir/$changes", "/api/v1/search", "/api/v1/dumps"} <= document["paths"].keys()
