"""An API's description, judged."""

from __future__ import annotations

from typing import Any

import pytest

from runbooks.checks.documentation import openapi_problem
from runbooks.checks.routes import listed

GOOD: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "A shop", "version": "1"},
    "paths": {
        "/things/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "It"}},
            }
        }
    },
}


def with_operation(**operation: Any) -> dict[str, Any]:
    return GOOD | {"paths": {"/things": {"get": operation}}}


def test_a_good_one_has_no_problem_and_lists_its_routes() -> None:
    assert openapi_problem(GOOD) == ""
    assert listed(GOOD) == {"GET /things/{}"}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "its version is 'missing'"),
        (GOOD | {"openapi": "2.0"}, "its version is '2.0'"),
        (GOOD | {"info": {}}, "info: 'title' is a required property"),
        (with_operation(responses={"200": {}}), "'description' is a required property"),
        (with_operation(parameters=[{"name": 1}]), ""),
        (GOOD | {"paths": {"/x/{id}": {"get": {"responses": {"200": {"description": "It"}}}}}}, "id"),
    ],
)
def test_what_is_wrong_is_told(document: dict[str, Any], problem: str) -> None:
    assert problem in openapi_problem(document)
    assert openapi_problem(document) != ""


def test_something_else_lists_nothing() -> None:
    assert listed({"paths": []}) == frozenset()
