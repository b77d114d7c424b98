"""Keys of providers are found by their shape, without being shown."""

from __future__ import annotations

import secrets
import string
from pathlib import Path

import pytest

from runbooks.systems.source.keys import KeyScanner
from tests.conftest import CHECKOUT


@pytest.fixture(scope="module")
def scanner() -> KeyScanner:
    return KeyScanner(CHECKOUT / "var" / "cache" / "key-rules")  # compiling the rules anew would take seconds


def made_up() -> dict[str, str]:
    """Keys of each provider's shape; nobody's."""
    return {
        "openai": f"sk-proj-{secrets.token_hex(37)}T3BlbkFJ{secrets.token_hex(37)}",
        "anthropic": f"sk-ant-api03-{secrets.token_hex(46)}aAA",
        "google": "AIza" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(35)),
        "sendgrid": f"SG.{secrets.token_hex(11)}.{secrets.token_hex(21)}a",
        "github": f"ghp_{secrets.token_hex(18)}",
    }


def test_a_key_of_each_provider_is_found_with_its_line(scanner: KeyScanner) -> None:
    for provider, key in made_up().items():
        found = scanner.find("app/settings.py", f'# settings\n\nAPI_KEY = "{key}"\n'.encode())

        assert [sight.line for sight in found] == [3], provider
        assert key not in repr(found)


def test_ordinary_source_holds_none(scanner: KeyScanner) -> None:
    assert scanner.find("keys.py", Path(__file__).read_bytes()) == []
