"""What an administrator's key tells: costs, limits, whose key it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.anthropic import Anthropic, AnthropicAdmin
from runbooks.systems.providers.api import NotServed
from runbooks.systems.providers.openai import AnotherProject, OpenAI, OpenAIAdmin, SpendLimit
from tests.standin import Provider

PATIENCE = Patience(1, threading.Event())
MONTH = datetime(2026, 11, 1, tzinfo=UTC)
OPENAI_KEY = Secret("OPENAI_API_KEY", "sk-proj-good-0001")


@pytest.fixture
def openai(provider: Provider) -> Iterator[HttpClient]:
    with HttpClient(f"{provider.url}/openai/v1") as http:
        yield http


@pytest.fixture
def anthropic(provider: Provider) -> Iterator[HttpClient]:
    with HttpClient(f"{provider.url}/anthropic/v1") as http:
        yield http


def openai_admin(http: HttpClient) -> OpenAIAdmin:
    return OpenAIAdmin(http, Secret("OPENAI_ADMIN_KEY", "sk-admin-good-001"), PATIENCE)


def anthropic_admin(http: HttpClient) -> AnthropicAdmin:
    return AnthropicAdmin(http, Secret("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-good"), PATIENCE)


def test_openai_tells_what_a_project_has_spent_and_what_all_have(openai: HttpClient) -> None:
    assert openai_admin(openai).spent(MONTH, "proj_production") == Decimal("12.5")
    assert openai_admin(openai).spent(MONTH) == Decimal("13.75")


def test_openai_tells_limits_and_alerts_in_dollars(openai: HttpClient) -> None:
    admin = openai_admin(openai)

    assert admin.requests_per_minute("proj_production") == {"gpt-5-nano-2025-08-07": 500}
    assert admin.spend_limit("proj_production") == SpendLimit(Decimal(100), "enforcing")
    assert admin.spend_limit("proj_staging") is None
    assert admin.spend_alerts("proj_production") == [Decimal(80)]


def test_openai_tells_a_key_of_another_project(openai: HttpClient) -> None:
    assert OpenAI(openai, OPENAI_KEY, PATIENCE, "proj_production").models().names

    with pytest.raises(AnotherProject):
        OpenAI(openai, OPENAI_KEY, PATIENCE, "proj_staging").models()


@pytest.mark.parametrize("code", ["insufficient_quota", "project_spend_limit_exceeded"])
def test_openai_is_not_asked_again_when_the_money_is_gone(code: str, openai: HttpClient, provider: Provider) -> None:
    provider.tell("openai", status=429, code=code, headers={"retry-after": "0"})

    with pytest.raises(NotServed, match="does not serve it"):
        OpenAI(openai, OPENAI_KEY, PATIENCE).models()

    assert len(provider.lines("requests.jsonl")) == 1


def test_anthropic_counts_in_cents(anthropic: HttpClient) -> None:
    assert anthropic_admin(anthropic).spent(MONTH, "wrkspc_production") == Decimal("7.25")
    assert anthropic_admin(anthropic).spent(MONTH) == Decimal("8.25")


def test_a_workspaces_limit_stands_before_the_organizations(anthropic: HttpClient) -> None:
    limits = anthropic_admin(anthropic).requests_per_minute("wrkspc_production")

    assert limits == {"claude-sonnet-4-5-20250929": 50, "claude-haiku-4-5-20251001": 2000}


def test_anthropic_tells_a_keys_workspace_without_being_given_the_key(
    anthropic: HttpClient, provider: Provider
) -> None:
    admin = anthropic_admin(anthropic)

    assert admin.workspaces_of(Secret("k", "sk-ant-api03-good-0001")) == ["wrkspc_production"]
    assert admin.workspaces_of(Secret("k", "sk-ant-api03-evil-0002")) == []
    assert "sk-ant-api03" not in str(provider.lines("requests.jsonl"))


def test_an_alias_is_a_model_though_no_list_holds_it(anthropic: HttpClient) -> None:
    client = Anthropic(anthropic, Secret("k", "sk-ant-api03-good-0001"), PATIENCE)

    assert "claude-sonnet-4-5" not in client.models().names
    assert client.has_model("claude-sonnet-4-5")
    assert not client.has_model("claude-0")
