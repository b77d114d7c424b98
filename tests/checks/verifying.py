"""Asks all checks in this process, as `release.verify` does."""

from __future__ import annotations

import io
import json
from typing import Any

from runbooks import command
from runbooks.checks.registry import known
from runbooks.sandbox.world import Sandbox


def verify(sandbox: Sandbox, environment: str = "local", *only: str) -> dict[str, dict[str, Any]]:
    """Each check's part of the JSON report, by id; the application's rate limits are fresh."""
    sandbox.forget_rate_limits(environment)
    return report(environment, *only)


def report(environment: str, *only: str) -> dict[str, dict[str, Any]]:
    """The same within whatever limits are left."""
    printed = io.StringIO()
    parameters = {"section": None, "only": ",".join(only) or None, "no_spend": False}
    command.start(
        "release.verify",
        command.Options(environment=environment, format="json", stream=printed, parameters=parameters),
    )
    return {check["id"]: check for check in json.loads(printed.getvalue())["checks"]}


USUAL = {
    **dict.fromkeys(
        ("scaling.horizontal-known", "scaling.vertical-known", "support.alerts", "cost.billing-alerts"), "attested"
    ),
    **dict.fromkeys(("api-keys.rate-limits", "api-keys.usage-watched", "cost.usage-limits"), "attested"),
    **dict.fromkeys(("capacity.workers-railway-paid", "capacity.workers-dedicated"), "skipped"),
}
"""What checks come to in a healthy sandbox, where that is not ``passed``."""


MAY_WAIT = {
    "watch.response-times",
    "watch.hourly-health",
    "capacity.not-overprovisioned",
    "rollback.rehearsed",
    "rollback.variables-kept",
    "rollback.database-restorable",
}
"""Skipped in a young sandbox: nothing was watched or released before, nor has the first hour or a busy day passed."""


def ailing(checks: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What was found by each check that did not come to its usual verdict."""
    return {name: check["found"] for name, check in checks.items() if not _is_usual(name, check["verdict"])}


def _is_usual(name: str, verdict: str) -> bool:
    return verdict == USUAL.get(name, "passed") or (name in MAY_WAIT and verdict == "skipped")


def dependents(*ids: str) -> set[str]:
    """These checks and all that depend on them."""
    found = set(ids)
    while True:
        more = {name for name, check in known().items() if found.intersection(check.depends_on)} - found
        if not more:
            return found
        found |= more
