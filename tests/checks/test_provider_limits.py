"""What providers allow and cost, beside what the inventory allows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runbooks.checks.api_keys_limits import judged_rates, judged_spending
from runbooks.checks.cost_usage_limits import judged_limit
from runbooks.checks.provider_words import Kind, undeclared
from runbooks.systems.providers.openai import SpendLimit


@pytest.mark.parametrize(
    ("limits", "kind", "text"),
    [
        ({"gpt-5-nano": 500}, Kind.GOOD, "gpt-5-nano-2025-08-07 500 requests a minute"),
        ({"gpt-5": 9000, "gpt-5-nano": 500}, Kind.GOOD, "500 requests"),
        ({"gpt-5": 9000, "gpt-5-nano": 500, "gpt-5-nano-2025-08-07": 501}, Kind.BAD, "gpt-5-nano-2025-08-07 501"),
        ({"gpt-5": 9000}, Kind.BAD, "more than 500 requests a minute: gpt-5-nano-2025-08-07 9000"),
        ({"tts-1": 50}, Kind.NOTHING, "no limit is told for gpt-5-nano-2025-08-07"),
        ({}, Kind.NOTHING, "no limit is told"),
    ],
)
def test_a_models_limit_is_its_own_or_its_familys(limits: dict[str, int], kind: Kind, text: str) -> None:
    word = judged_rates(limits, ["gpt-5-nano-2025-08-07"], 500)

    assert (word.kind, text in word.text) == (kind, True)


def test_spending_may_reach_the_budget_and_not_pass_it() -> None:
    assert judged_spending(50, 50).kind is Kind.GOOD
    assert judged_spending(50.01, 50).kind is Kind.BAD


@pytest.mark.parametrize(
    ("limit", "kind"),
    [
        (None, Kind.BAD),
        (SpendLimit(Decimal(100), "enforcing"), Kind.GOOD),
        (SpendLimit(Decimal("100.01"), "enforcing"), Kind.BAD),
    ],
)
def test_a_spend_limit_must_be_there_and_low_enough(limit: SpendLimit | None, kind: Kind) -> None:
    assert judged_limit(limit, "proj_production", 100).kind is kind


def test_what_is_not_declared_is_named() -> None:
    word = undeclared("providers.openai", admin_key=None, project="proj_production", requests_per_minute=None)

    assert word
    assert word.text == "declare providers.openai.admin_key, providers.openai.requests_per_minute"
    assert undeclared("providers.openai", admin_key=object()) is None
