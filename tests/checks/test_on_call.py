"""Who is on call, asked of PagerDuty where an escalation policy is declared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runbooks.checks import support
from runbooks.checks.journey import Journey
from runbooks.checks.subject import Subject
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site
from tests.environment.inventories import inventory_with
from tests.standin import Provider

ENVIRONMENT = """\
schema = 1
application.url = "https://api.example.org"
variables.source = "environment"
platform.kind = "hosts"
[support.pagerduty]
escalation_policy = "P1"
api = "{url}/pagerduty"
"""


def subject(root: Path, provider: Provider) -> Subject:
    environment = load(inventory_with(root, production=ENVIRONMENT.format(url=provider.url)), "production")
    site = Site(environment, Redactor(), {"PAGERDUTY_TOKEN": "a-good-token"})
    return Subject(site, Journey(lambda: site.application, None, "run"))


def always(**changed: Any) -> dict[str, Any]:
    return {"user": "Ada", "level": 1, "start": None, "end": None} | changed


@pytest.mark.parametrize(
    ("entries", "verdict", "said"),
    [
        ([always()], "passed", "covered by Ada: escalation policy P1 in PagerDuty"),
        ([always(level=2)], "failed", "nobody is on call from"),
        ([always(end=f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}")], "failed", "nobody is on call"),
    ],
)
def test_the_policys_first_level_has_no_gap(
    tmp_path: Path, provider: Provider, entries: list[dict[str, Any]], verdict: str, said: str
) -> None:
    provider.write("accounts.json", {"pagerduty": {"tokens": ["a-good-token"], "oncalls": {"P1": entries}}})

    finding = support.on_call.look(subject(tmp_path, provider), {})

    assert (finding.verdict, said in finding.found) == (verdict, True)
