"""The accounts that the third parties' stand-in holds: ``accounts.json``, one part per vendor."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from runbooks.sandbox import support_accounts
from runbooks.sandbox.environments import ENVIRONMENTS, admin_key, provider_key
from runbooks.sandbox.files import private_folder, write_private
from runbooks.sandbox.layout import Layout

Account = dict[str, Any]


def write_accounts(layout: Layout) -> None:
    """Every environment's keys are accounts of the vendors, each in a project of its own."""
    private_folder(layout.provider)
    write_private(layout.provider / "accounts.json", json.dumps(accounts(layout), indent=1) + "\n")


def accounts(layout: Layout) -> dict[str, Account]:
    """Each vendor's part, as it is while nothing is broken.

    A key of before stays one, and one that the vendor deleted stays deleted: it is not the sandbox that revokes keys.
    """
    there = _there(layout)
    return {vendor: _kept(account(layout), there.get(vendor, {})) for vendor, account in ACCOUNTS.items()}


def _there(layout: Layout) -> dict[str, Account]:
    path = layout.provider / "accounts.json"
    held: dict[str, Account] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return held


def _kept(account: Account, before: Account) -> Account:
    held, deleted = before.get("keys"), before.get("deleted", [])
    if not isinstance(held, dict):
        return account
    mine = {key: _working(held.get(key, {})) or each for key, each in account["keys"].items()}
    keys = {key: each for key, each in {**held, **mine}.items() if key not in deleted}
    return {**account, "keys": keys, "deleted": deleted}


def _working(entry: Account) -> Account:
    """What the vendor knows of a key that it made itself."""
    return {name: value for name, value in entry.items() if name != "revoked"} if entry.get("made") else {}


def _openai(layout: Layout) -> Account:
    project = {
        "spent": 12.5,
        "rate_limits": {"gpt-5-nano-2025-08-07": 500, "gpt-5-mini-2025-08-07": 500, "tts-1": 500, "gpt-5": 5000},
        "spend_limit": 100,
        "spend_alerts": [80],
    }
    return {
        "keys": {provider_key(layout, name, "openai"): {"project": f"proj_{name}"} for name in ENVIRONMENTS},
        "admin_keys": [admin_key(layout, "openai")],
        "projects": {f"proj_{name}": project for name in ENVIRONMENTS},
    }


def _anthropic(layout: Layout) -> Account:
    workspace = {"spent": 7.25, "rate_limits": {"claude-sonnet-4-5-20250929": 50}}
    return {
        "keys": {provider_key(layout, name, "anthropic"): {"workspace": f"wrkspc_{name}"} for name in ENVIRONMENTS},
        "admin_keys": [admin_key(layout, "anthropic")],
        "rate_limits": {"claude-sonnet-4-5-20250929": 4000, "claude-haiku-4-5-20251001": 4000},
        "workspaces": {f"wrkspc_{name}": workspace for name in ENVIRONMENTS},
    }


def _google(layout: Layout) -> Account:
    return {"keys": {provider_key(layout, name, "google"): {} for name in ENVIRONMENTS}}


def _resend(layout: Layout) -> Account:
    return {
        "keys": {
            **{provider_key(layout, name, "resend"): {} for name in ENVIRONMENTS},
            admin_key(layout, "resend"): {"name": "administrator"},
        },
        "domains": [{"name": "praviel.test", "status": "verified"}],
    }


ACCOUNTS: Mapping[str, Callable[[Layout], Account]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "google": _google,
    "resend": _resend,
    "discord": support_accounts.discord,
    "github": support_accounts.github,
    "sentry": support_accounts.sentry,
    "pagerduty": support_accounts.pagerduty,
    "datadog": support_accounts.datadog,
}
"""How each vendor's part is made. What it may hold is said by the vendor's module in ``runbooks.sandbox.provider``."""
