"""Origins, headers, redirects, names: what is good at the edge, and what is not."""

from __future__ import annotations

import httpx
import pytest

from runbooks.checks.email_frontend import not_public
from runbooks.checks.environment_cors import foreign, refusal
from runbooks.checks.platform_edge import another_application, given_by_platform, no_redirect, weak_transport
from runbooks.systems.http.client import Answer

ORIGIN = "https://app.example.org"
LET_IN = {"access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"}


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("GET", "http://api.example.org/health", status, httpx.Headers(given), body, 0.1)


def said(status: int, headers: dict[str, str]) -> Answer:
    return Answer("OPTIONS", "https://api.example.org/", status, httpx.Headers(headers), b"", 0.1)


def test_a_page_is_let_in_by_its_own_origin_with_credentials() -> None:
    assert refusal(said(200, LET_IN), ORIGIN) == ""


@pytest.mark.parametrize(
    ("status", "headers", "shows"),
    [
        (400, {}, "HTTP 400 with no allow-origin header"),
        (200, LET_IN | {"access-control-allow-origin": "*"}, "allow-origin: *"),
        (200, {"access-control-allow-origin": ORIGIN}, "without access-control-allow-credentials"),
        (400, LET_IN, "HTTP 400"),
    ],
)
def test_a_page_that_a_browser_would_stop_is_told(status: int, headers: dict[str, str], shows: str) -> None:
    assert shows in refusal(said(status, headers), ORIGIN)


def test_foreign_origins_hold_what_a_careless_pattern_takes_for_ours() -> None:
    assert list(foreign(("https://foreign.example", ORIGIN), (ORIGIN, "https://www.example.org"))) == [
        "http://localhost:3000",
        "https://foreign.example",
        "https://appxexample.org",
        "https://app.example.org.foreign.example",
    ]


@pytest.mark.parametrize("origin", ["http://localhost:8080", "http://127.0.0.1:8080"])
def test_a_machines_own_origin_has_no_lookalikes(origin: str) -> None:
    assert list(foreign((), (origin,))) == ["http://localhost:3000"]


@pytest.mark.parametrize("header", ["max-age=31536000; includeSubDomains", "MAX-AGE=15552000", 'max-age="63072000"'])
def test_half_a_year_of_strict_transport_is_enough(header: str) -> None:
    assert weak_transport(header) == ""


@pytest.mark.parametrize("header", [None, "max-age=0", "max-age=3600; preload", "includeSubDomains", ""])
def test_less_is_not(header: str | None) -> None:
    assert weak_transport(header)


def test_a_redirect_leads_to_https_of_the_same_name() -> None:
    assert no_redirect(answer(308, location="https://api.example.org/health"), "api.example.org") == ""
    assert "HTTP 200" in no_redirect(answer(200), "api.example.org")
    assert "HTTP 301 to" in no_redirect(answer(301, location="https://www.example.org/"), "api.example.org")
    assert "HTTP 302 to" in no_redirect(answer(302, location="http://api.example.org/x"), "api.example.org")
    assert "HTTP 302 to None" in no_redirect(answer(302), "api.example.org")


@pytest.mark.parametrize("host", ["203.0.113.7", "::1", "praviel.up.railway.app", "localhost", "shop.local"])
def test_a_name_that_came_by_itself_is_none_of_our_own(host: str) -> None:
    assert given_by_platform(host)


def test_a_name_of_our_own_is_one() -> None:
    assert not given_by_platform("api.example.org")


def test_another_application_is_told_from_this_one() -> None:
    assert another_application(answer(body=b'{"status": "ok", "project": "P", "features": {}}')) == ""
    assert "HTTP 404" in another_application(answer(404, b"not here"))
    assert "lacks project, features" in another_application(answer(body=b'{"status": "ok"}'))


@pytest.mark.parametrize("url", ["https://app.example.org", "https://app.example.org:8443/start", "https://9.9.9.9"])
def test_a_public_address_is_public(url: str) -> None:
    assert not_public(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.org",
        "https://localhost:3000",
        "https://127.0.0.1",
        "https://10.1.2.3",
        "https://203.0.113.7",
        "https://[::1]",
        "https://app.internal",
        "https://app.localhost",
        "https://",
    ],
)
def test_an_address_that_is_not_public_is_told(url: str) -> None:
    assert not_public(url)
