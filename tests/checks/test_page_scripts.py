"""What a page loads is followed, and addresses of developers' machines are told from what libraries carry."""

from __future__ import annotations

import pytest

from runbooks.checks.page_scripts import developers_addresses, loaded_later, scripts

URL = "https://app.example.org/start/"


def test_scripts_of_the_same_site_are_found() -> None:
    page = """
        <script src="main.js"></script> <script src="/lib/a.js?v=2"></script> <script>inline()</script>
        <link rel="modulepreload" href="/chunk.js"> <link rel="preload" as="script" href="later.js">
        <link rel="stylesheet" href="style.css"> <script src="https://cdn.example.net/x.js"></script>
    """

    assert scripts(page, URL) == ("/start/main.js", "/lib/a.js?v=2", "/chunk.js", "/start/later.js")


def test_what_a_starting_script_loads_by_name_is_found() -> None:
    script = """load("main.dart.js"); fetch('assets/config.json'); note("readme.md")"""

    assert loaded_later(script, "https://app.example.org/flutter_bootstrap.js") == (
        "/main.dart.js",
        "/assets/config.json",
    )


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8002/api",
        "http://127.0.0.1/",
        "http://localhost:3000",
        "ws://localhost:8080",
        "http://192.168.1.20:8000",
        "http://10.0.0.7/",
        "http://172.20.0.2:8000",
        "http://[::1]:8000",
    ],
)
def test_a_developers_address_is_seen(text: str) -> None:
    assert developers_addresses(f'const api = "{text}";')


@pytest.mark.parametrize(
    "text", ["http://localhost", "https://localhost.example.org", "http://172.40.0.1:1", "https://10.example.org", ""]
)
def test_other_addresses_are_left_alone(text: str) -> None:
    assert developers_addresses(f'new URL(path, "{text}")') == ()
