"""Which variables are secrets, by name and by shape."""

from __future__ import annotations

import pytest

from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.environment.sensitive import passwords, sensitive

VALUE = "k7Jp2Qx9"


def found(name: str, value: str = VALUE) -> list[str]:
    return [secret.reveal() for secret in sensitive({name: Secret(name, value)})]


@pytest.mark.parametrize(
    "name",
    ["JWT_SECRET_KEY", "OPENAI_API_KEY", "POSTMARK_SERVER_TOKEN", "PASSWORD", "DB_PASSWD", "SENTRY_DSN", "api_keys"],
)
def test_a_name_that_ends_like_a_secrets_is_one(name: str) -> None:
    assert found(name) == [VALUE]


@pytest.mark.parametrize("name", ["ENVIRONMENT", "KEYBOARD", "TOKEN_LIFETIME", "FRONTEND_URL"])
def test_others_are_none(name: str) -> None:
    assert found(name) == []


def test_a_value_too_short_to_be_masked_is_left_out() -> None:
    assert found("API_KEY", "short") == []


def test_a_password_in_a_url_is_one_as_written_and_as_meant() -> None:
    url = "postgresql://shop:p%40ssw0rd1@db/shop"

    assert set(found("DATABASE_URL", url)) == {url, "p%40ssw0rd1", "p@ssw0rd1"}


@pytest.mark.parametrize("url", ["https://shop.example.org", "redis://:@host", "http://[broken", ""])
def test_a_url_without_a_password_holds_none(url: str) -> None:
    assert list(passwords(Secret("URL", url))) == []


def test_what_is_found_is_masked_inside_a_drivers_message() -> None:
    redactor = Redactor(sensitive({"DATABASE_URL": Secret("DATABASE_URL", "postgresql://shop:p%40ssw0rd1@db/shop")}))

    assert "ssw0rd1" not in redactor.text('failed: user "shop" with p@ssw0rd1 at postgresql://shop:p%40ssw0rd1@db')
