"""Whose server it is: by its name, or by the process manager that keeps it running."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from runbooks.checks.managed import Server, judge, kept_up
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.outcome import Verdict
from runbooks.environment.managed import Managed
from runbooks.systems.hosts.manager import Manager
from runbooks.systems.platform.port import RestartPolicy, Running, Settings, StopRule

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def server(*hosts: str, since: datetime = NOW) -> Server:
    return Server("PostgreSQL", "database.managed", hosts, lambda: since)


@pytest.mark.parametrize(
    ("host", "declared", "verdict", "told"),
    [
        ("ep-cool-1.eu-central-1.aws.neon.tech", Managed(by="neon"), Verdict.PASSED, "a name of neon"),
        ("db.x.eu-west-1.rds.amazonaws.com", Managed(by="neon"), Verdict.FAILED, "is aws's"),
        ("ec2-1-2-3-4.compute.amazonaws.com", Managed(by="aws"), Verdict.FAILED, "is a server's"),
        ("neon.tech.example.org", Managed(by="neon"), Verdict.FAILED, "which database.managed does not know"),
        ("db.example.org", Managed(by="aiven", hosts=("db.example.org",)), Verdict.PASSED, "a name of aiven"),
        ("postgres.railway.internal", None, Verdict.PASSED, "a name of railway"),
        ("10.0.0.5", None, Verdict.UNKNOWN, "nobody has said whose server 10.0.0.5 is"),
    ],
)
def test_a_server_belongs_to_the_provider_whose_name_it_has(
    host: str, declared: Managed | None, verdict: Verdict, told: str
) -> None:
    found = judge(server(host), declared, None)

    assert (found.verdict, told in found.found) == (verdict, True), found.found
    assert found.mend or verdict is Verdict.PASSED


def test_a_url_without_a_host_says_nothing_of_its_server() -> None:
    assert judge(server(), Managed(by="neon"), None).verdict is Verdict.UNKNOWN


@dataclass
class Keeper:
    """What a process manager would say."""

    started: datetime = NOW
    restarts: int = 0
    restarted: bool = True
    fault: SystemFault | None = None
    policy: RestartPolicy = field(init=False)

    def __post_init__(self) -> None:
        self.policy = RestartPolicy(f"autorestart={str(self.restarted).lower()}", self.restarted, 3)

    def running(self) -> Running:
        if self.fault:
            raise self.fault
        return Running(1, self.started, self.restarts)

    def settings(self) -> Settings:
        return Settings("a file", self.policy, StopRule("SIGTERM", 10.0))


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("keeper", "since", "verdict", "told"),
    [
        (Keeper(), NOW, Verdict.PASSED, "postgres runs since"),
        (Keeper(restarts=2), NOW + HOUR, Verdict.PASSED, "postgres runs since"),
        (Keeper(), NOW + HOUR, Verdict.FAILED, "what answers at 2026-01-02 04:04:05"),
        (Keeper(restarts=1), NOW - HOUR, Verdict.FAILED, "what answers at 2026-01-02 02:04:05"),
        (Keeper(restarted=False), NOW, Verdict.FAILED, "stays down when it ends (autorestart=false)"),
        (
            Keeper(fault=SystemFault("postgres does not run", reason=Reason.FAILED, found="state EXITED")),
            NOW,
            Verdict.FAILED,
            "postgres does not run (state EXITED)",
        ),
    ],
)
def test_our_own_is_the_one_that_its_process_manager_started_and_would_start_again(
    keeper: Keeper, since: datetime, verdict: Verdict, told: str
) -> None:
    found = kept_up(server("10.0.0.5", since=since), "it is", cast("Manager", keeper), "postgres")

    assert (found.verdict, told in found.found) == (verdict, True), found.found


def test_a_process_manager_that_can_not_be_asked_is_no_answer() -> None:
    gone = Keeper(fault=SystemFault("it does not answer", reason=Reason.UNREACHABLE))

    with pytest.raises(SystemFault, match="does not answer"):
        kept_up(server("10.0.0.5"), "it is", cast("Manager", gone), "postgres")
