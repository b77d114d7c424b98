"""What people forgot, and what the services around the application say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from runbooks.sandbox.faults import means, platform
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.people import attestation, edited, own_text
from runbooks.sandbox.support_accounts import POLICY, REPOSITORY
from runbooks.sandbox.world import Sandbox

Change = Callable[[dict[str, Any], Sandbox], None]


def _drop(entry: str) -> str:  # noqa: ARG001 - a change is given what it changes
    return ""


def _expired(entry: str) -> str:
    entry = re.sub(r"on = \S+", "on = 2026-01-01", entry)
    return re.sub(r"expires = \S+", "expires = 2026-06-30", entry)


def _without_evidence(entry: str) -> str:
    return re.sub(r"evidence = .*\n", "", entry)


def _dated_back(pattern: str, old: timedelta) -> Callable[[str, date], str]:
    """Date a table of costs.toml back."""

    def edit(text: str, today: date) -> str:
        return re.sub(rf"({pattern}\n(?:\w+ = .*\n)*?on = )\S+", rf"\g<1>{today - old}", text, count=1)

    return edit


def _a_day_short(text: str, today: date) -> str:
    """End this week's shift a day ahead of the next one."""
    ends = today + timedelta(days=7)
    return text.replace(f"ends = {ends}T", f"ends = {ends - timedelta(days=1)}T")


def _monitors(change: Callable[[list[dict[str, Any]]], object]) -> Change:
    def edit(account: dict[str, Any], _sandbox: Sandbox) -> None:
        change(account["monitors"])

    return edit


def _issues(*issues: dict[str, Any]) -> Change:
    return lambda account, _sandbox: account["repositories"][REPOSITORY]["issues"].extend(issues)


def _invite(**changed: Any) -> Change:
    return lambda account, _sandbox: account["invites"]["praviel"].update(changed)


def _stale(kind: str) -> Fault:
    return Fault(
        name=f"cost-of-{kind}-stale",
        breaks=f"cost.{kind}",
        shows="is 36 days old",
        means=edited("costs.toml", _dated_back(rf"\[{kind}\]", timedelta(days=36))),
    )


MONITORS = (
    Fault(
        name="database-without-alert",
        breaks="postgres.monitored",
        shows="no monitor with the tag service:praviel-postgres",
        means=means.account("datadog", _monitors(lambda held: held.pop(1))),
    ),
    Fault(
        name="database-alert-muted",
        breaks="postgres.monitored",
        shows="'connections of the database run out' muted",
        means=means.account("datadog", _monitors(lambda held: held[1]["options"]["silenced"].update({"*": None}))),
    ),
    Fault(
        name="alerts-tell-nobody",
        breaks="support.alerts",
        shows="tells nobody",
        means=means.account("datadog", _monitors(lambda held: held[0].update(message="it is slow"))),
    ),
    Fault(
        name="application-without-alert",
        breaks="support.alerts",
        shows="no monitor with the tag service:praviel",
        means=means.account("datadog", _monitors(lambda held: held.pop(0))),
    ),
    Fault(
        name="test-alert-long-ago",
        breaks="support.alerts",
        shows="the attestation of the sandbox expired on 2026-06-30",
        means=attestation("support.alerts", _expired),
    ),
    Fault(
        name="sentry-dsn-malformed",
        breaks="health.error-tracking",
        shows="SENTRY_DSN: its key has 8 characters",
        means=means.variable("SENTRY_DSN", "https://deadbeef@o1.ingest.sentry.io/4501", restart=False),
    ),
    Fault(
        name="sentry-project-gone",
        breaks="health.error-tracking",
        shows="HTTP 403, event submission rejected with_reason: ProjectId",
        means=means.account("sentry", lambda held, _: held["projects"]["4501"].update(active=False)),
    ),
    Fault(
        name="datadog-agent-key-wrong",
        breaks="health.performance-monitoring",
        shows="Datadog does not know the key",
        means=means.variable("DD_API_KEY", "0123456789abcdef0123456789abcdef", restart=False),
    ),
)

COMMUNITY = (
    Fault(
        name="discord-webhook-deleted",
        breaks="rollback.communication-plan",
        shows="the webhook is not there any more (HTTP 404, Unknown Webhook)",
        means=means.account("discord", lambda held, _: held["webhooks"].clear()),
    ),
    Fault(
        name="discord-webhook-token-wrong",
        breaks="rollback.communication-plan",
        shows="the webhook's token is wrong (HTTP 401, Invalid Webhook Token)",
        means=means.account("discord", lambda held, _: held["webhooks"].update(dict.fromkeys(held["webhooks"], "x"))),
    ),
    Fault(
        name="announcement-unwritable",
        breaks="rollback.communication-plan",
        shows="incident.md.j2: 'whoever' is undefined",
        means=own_text("incident", "We are sorry, says {{ whoever }}.\n"),
    ),
    Fault(
        name="no-channel",
        breaks="rollback.communication-plan",
        shows="announcements.toml has no [[channel]]",
        means=edited("announcements.toml", lambda text, _: text.partition("\n")[0] + "\n"),
    ),
    Fault(
        name="discord-invite-unknown",
        breaks="support.discord",
        shows="Discord knows no invite praviel",
        means=means.account("discord", lambda held, _: held["invites"].clear()),
    ),
    Fault(
        name="discord-nobody-online",
        breaks="support.discord",
        shows="0 of 94 members online",
        means=means.account("discord", _invite(online=0)),
    ),
    Fault(
        name="issue-without-answer",
        breaks="support.github-issues",
        shows="praviel/praviel: #13 since",
        means=means.account("github", _issues({"number": 13, "by": "user", "age_days": 8, "comments": []})),
    ),
    Fault(
        name="issue-answered-by-a-program",
        breaks="support.github-issues",
        shows="praviel/praviel: #14 since",
        means=means.account(
            "github",
            _issues(
                {
                    "number": 14,
                    "by": "user",
                    "age_days": 50,
                    "comments": [
                        {"by": "stale[bot]", "bot": True, "age_days": 20},
                        {"by": "user", "age_days": 19},
                    ],
                }
            ),
        ),
    ),
)

WRITTEN = (
    Fault(
        name="nobody-vouches-for-instances",
        breaks="scaling.horizontal-known",
        shows="no system knows",
        verdict="unknown",
        means=attestation("scaling.horizontal-known", _drop),
    ),
    Fault(
        name="word-for-instances-expired",
        breaks="scaling.horizontal-known",
        shows="the attestation of the sandbox expired on 2026-06-30",
        means=attestation("scaling.horizontal-known", _expired),
    ),
    Fault(
        name="word-for-instances-without-evidence",
        breaks="scaling.horizontal-known",
        shows="does not count: without evidence",
        means=attestation("scaling.horizontal-known", _without_evidence),
    ),
    Fault(
        name="nobody-vouches-for-server",
        breaks="scaling.vertical-known",
        shows="no system knows",
        verdict="unknown",
        means=attestation("scaling.vertical-known", _drop),
    ),
    Fault(
        name="word-for-server-expired",
        breaks="scaling.vertical-known",
        shows="the attestation of the sandbox expired on 2026-06-30",
        means=attestation("scaling.vertical-known", _expired),
    ),
    Fault(
        name="nobody-vouches-for-billing-alerts",
        breaks="cost.billing-alerts",
        shows="no system knows of all of them",
        verdict="unknown",
        means=attestation("cost.billing-alerts", _drop),
    ),
    Fault(
        name="cost-estimates-stale",
        breaks="scaling.cost-estimates",
        shows="is of",
        means=edited("costs.toml", _dated_back(r"\[\[estimate\]\]", timedelta(days=101))),
    ),
    *map(_stale, ("hosting", "database", "redis", "ai", "email")),
    Fault(
        name="no-reserve",
        breaks="cost.spike-budget",
        shows="costs.toml has no [reserve]",
        means=edited("costs.toml", lambda text, _: text.partition("[reserve]")[0]),
    ),
    Fault(
        name="reserve-too-small",
        breaks="cost.spike-budget",
        shows="10 of 115 EUR a month; 23 are wanted",
        means=edited("costs.toml", lambda text, _: text.replace("amount = 40", "amount = 10")),
    ),
    Fault(
        name="on-call-gap",
        breaks="support.on-call",
        shows="nobody is on call from",
        means=edited("oncall.toml", _a_day_short),
    ),
    Fault(
        name="on-call-gap-in-pagerduty",
        breaks="support.on-call",
        shows="nobody is on call from",
        means=platform.operator_holds(PAGERDUTY_POLICY=POLICY),
    ),
    Fault(
        name="on-call-without-contact",
        breaks="support.on-call",
        shows="no contact that can be used: Grace",
        means=edited("oncall.toml", lambda text, _: text.replace('"grace@praviel.test"', '"ask Ada"')),
    ),
)

FAULTS = MONITORS + COMMUNITY + WRITTEN
