"""Keys, models and mail that the providers do not accept."""

from __future__ import annotations

from typing import Any

from runbooks.sandbox.faults import means
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.world import Sandbox

STAGING = "local-staging"
STANDARD_KEY = "AIza" + "Sy" + "-not-a-real-key".ljust(33, "0")


def _standard_key_accepted(held: dict[str, Any], _sandbox: Sandbox) -> None:
    held["keys"][STANDARD_KEY] = {}


def _domain_pending(held: dict[str, Any], _sandbox: Sandbox) -> None:
    held["domains"] = [{"name": "praviel.test", "status": "pending"}]


def _in_another_workspace(held: dict[str, Any], _sandbox: Sandbox) -> None:
    for key in held["keys"].values():
        key["workspace"] = f"wrkspc_{STAGING}"


def _openai_limit_high(held: dict[str, Any], _sandbox: Sandbox) -> None:
    held["projects"]["proj_local"]["rate_limits"]["gpt-5-nano-2025-08-07"] = 30000


def _anthropic_limit_high(held: dict[str, Any], _sandbox: Sandbox) -> None:
    held["workspaces"]["wrkspc_local"]["rate_limits"] = {}  # then the organization's counts


def _openai_expensive(held: dict[str, Any], _sandbox: Sandbox) -> None:
    held["projects"]["proj_local"]["spent"] = 5120.5


def _anthropic_expensive(held: dict[str, Any], _sandbox: Sandbox) -> None:
    held["workspaces"]["wrkspc_local"]["spent"] = 77


def _openai_without_spend_limit(held: dict[str, Any], _sandbox: Sandbox) -> None:
    held["projects"]["proj_local"]["spend_limit"] = None


def _openai_spend_limit_high(held: dict[str, Any], _sandbox: Sandbox) -> None:
    held["projects"]["proj_local"]["spend_limit"] = 100000


UNSENT = (
    "email.password-reset-works",
    "accounts.verify-email",
    "accounts.reset-password",
    "verification.email-delivery",
)
"""What is red while no mail goes out."""

FAULTS = (
    Fault(
        name="openai-rate-limit-high",
        breaks="api-keys.rate-limits",
        shows="openai: more than 500 requests a minute: gpt-5-nano-2025-08-07 30000",
        means=means.account("openai", _openai_limit_high),
    ),
    Fault(
        name="anthropic-rate-limit-high",
        breaks="api-keys.rate-limits",
        shows="anthropic: more than 50 requests a minute: claude-sonnet-4-5-20250929 4000",
        means=means.account("anthropic", _anthropic_limit_high),
    ),
    Fault(
        name="openai-over-budget",
        breaks="api-keys.usage-watched",
        shows="openai: $5120.50 this month, of $50.00",
        means=means.account("openai", _openai_expensive),
    ),
    Fault(
        name="anthropic-over-budget",
        breaks="api-keys.usage-watched",
        shows="anthropic: $77.00 this month, of $50.00",
        means=means.account("anthropic", _anthropic_expensive),
    ),
    Fault(
        name="openai-without-spend-limit",
        breaks="cost.usage-limits",
        shows="openai: proj_local has no spend limit",
        means=means.account("openai", _openai_without_spend_limit),
    ),
    Fault(
        name="openai-spend-limit-high",
        breaks="cost.usage-limits",
        shows="openai: proj_local stops at $100000.00 a month, more than the $100.00 that are allowed",
        means=means.account("openai", _openai_spend_limit_high),
    ),
    Fault(
        name="openai-key-of-staging",
        breaks="api-keys.openai",
        shows="OPENAI_API_KEY: OpenAI says that the key belongs to another project",
        means=means.copied_variable("OPENAI_API_KEY", to=means.LOCAL, source=STAGING),
    ),
    Fault(
        name="openai-key-shared",
        breaks="api-keys.openai",
        shows="OPENAI_API_KEY is the same in local-staging",
        means=means.copied_variable("OPENAI_API_KEY", to=STAGING),
    ),
    Fault(
        name="openai-key-revoked",
        breaks="api-keys.openai",
        shows="OPENAI_API_KEY: OpenAI does not accept the key (HTTP 401, invalid_api_key)",
        also=("health.providers", "ai.lessons-openai", "ai.chat", "ai.coach", "ai.tts"),
        means=means.revoked("openai"),
    ),
    Fault(
        name="openai-model-unknown",
        breaks="api-keys.openai",
        shows="openai has no model gpt-5-nanometre",
        also=("api-keys.rate-limits",),
        means=means.variable("LESSONS_OPENAI_DEFAULT_MODEL", "gpt-5-nanometre", restart=False),
    ),
    Fault(
        name="anthropic-key-of-staging",
        breaks="api-keys.anthropic",
        shows="ANTHROPIC_API_KEY is the same in local-staging",
        means=means.copied_variable("ANTHROPIC_API_KEY", to=means.LOCAL, source=STAGING),
    ),
    Fault(
        name="anthropic-key-in-another-workspace",
        breaks="api-keys.anthropic",
        shows="ANTHROPIC_API_KEY: it belongs to wrkspc_local-staging",
        means=means.account("anthropic", _in_another_workspace),
    ),
    Fault(
        name="anthropic-key-revoked",
        breaks="api-keys.anthropic",
        shows="ANTHROPIC_API_KEY: Anthropic does not accept the key (HTTP 401, authentication_error)",
        also=("health.providers", "ai.lessons-anthropic"),
        means=means.revoked("anthropic"),
    ),
    Fault(
        name="google-key-of-staging",
        breaks="api-keys.google",
        shows="GOOGLE_API_KEY is the same in local-staging",
        means=means.copied_variable("GOOGLE_API_KEY", to=means.LOCAL, source=STAGING),
    ),
    Fault(
        name="google-key-revoked",
        breaks="api-keys.google",
        shows="GOOGLE_API_KEY: Google does not accept the key (HTTP 400, API_KEY_INVALID)",
        also=("health.providers", "ai.lessons-google"),
        means=means.revoked("google"),
    ),
    Fault(
        name="google-key-standard",
        breaks="api-keys.google",
        shows="GOOGLE_API_KEY is a standard key: Google announced to refuse those from September 2026",
        verdict="warned",
        means=means.both(
            means.variable("GOOGLE_API_KEY", STANDARD_KEY, restart=False),
            means.account("google", _standard_key_accepted),
        ),
    ),
    Fault(
        name="mail-provider-unknown",
        breaks="email.provider-known",
        shows="EMAIL_PROVIDER is 'mailchimp'",
        also=("final.settings-load", "build.variables-complete"),
        means=means.variable("EMAIL_PROVIDER", "mailchimp", restart=False),
    ),
    Fault(
        name="mail-provider-without-key",
        breaks="email.provider-known",
        shows="EMAIL_PROVIDER is resend without RESEND_API_KEY",
        also=("final.settings-load", "build.variables-complete"),
        means=means.variable("RESEND_API_KEY", None, restart=False),
    ),
    Fault(
        name="mail-from-gmail",
        breaks="email.from-own-domain",
        shows="EMAIL_FROM_ADDRESS is at gmail.com, where anybody can have a mailbox",
        also=("email.spf-dkim-dmarc",),
        means=means.variable("EMAIL_FROM_ADDRESS", "praviel@gmail.com", restart=False),
    ),
    Fault(
        name="mail-from-elsewhere",
        breaks="email.from-own-domain",
        shows="EMAIL_FROM_ADDRESS is at elsewhere.test",
        also=("email.spf-dkim-dmarc",),
        means=means.variable("EMAIL_FROM_ADDRESS", "noreply@elsewhere.test", restart=False),
    ),
    Fault(
        name="mail-from-name-an-address",
        breaks="email.from-name-friendly",
        shows="EMAIL_FROM_NAME is 'noreply@praviel.test', an address",
        means=means.variable("EMAIL_FROM_NAME", "noreply@praviel.test", restart=False),
    ),
    Fault(
        name="mail-key-revoked",
        breaks="email.provider-key-accepted",
        shows="resend: Resend does not accept the key (HTTP 403, invalid_api_key)",
        also=UNSENT,
        means=means.revoked("resend"),
    ),
    Fault(
        name="mail-domain-unverified",
        breaks="email.provider-key-accepted",
        shows="resend: praviel.test is pending",
        also=UNSENT,
        means=means.account("resend", _domain_pending),
    ),
)
