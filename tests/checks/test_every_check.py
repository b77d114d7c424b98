"""Every check is seen green, red under its faults for the right reason, and green again.

The whole walk is marked ``matrix``; the quick suite takes one fault of each means.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks.checks.registry import known
from runbooks.sandbox import controls
from runbooks.sandbox.faults.catalogue import FAULTS
from runbooks.sandbox.world import Sandbox
from tests.checks.verifying import MAY_WAIT, ailing, dependents, report, verify


def test_every_check_has_a_fault() -> None:
    broken = {fault.breaks for fault in FAULTS.values()}

    without = [name for name, check in known().items() if name not in broken and not check.gate]

    assert without == ["final.health", "final.registration"], "these two are in `also` of the faults that they share"
    assert {"final.health", "final.registration"} <= {name for fault in FAULTS.values() for name in fault.also}


def test_every_check_passes_while_the_sandbox_is_healthy(sandbox: Sandbox) -> None:
    assert ailing(verify(sandbox)) == {}


@pytest.fixture
def mended(sandbox: Sandbox) -> Iterator[None]:
    """Whatever a test injects is taken back, also when it fails."""
    yield
    for name in sandbox.faults():
        controls.take_back(sandbox, FAULTS[name])


SAMPLE = (
    "jwt-key-short",
    "jwt-key-shared",
    "environment-dev",
    "pgvector-dropped",
    "redis-no-password",
    "database-behind",
    "provider-down",
    "byok-soft-delete",
)
"""One fault of each means: a variable with a restart and without, SQL, Redis, a migration, a third party, a build."""


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample_of_faults_turns_its_check_red(name: str, sandbox: Sandbox) -> None:
    walk(sandbox, name)


@pytest.mark.matrix
@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_its_check_red_and_mending_it_green_again(name: str, sandbox: Sandbox) -> None:
    walk(sandbox, name)


def walk(sandbox: Sandbox, name: str) -> None:
    """Inject a fault, see its check red for the right reason and no bystander with it, mend it, see green."""
    fault = FAULTS[name]
    sandbox.forget_rate_limits()

    controls.inject(sandbox, fault)
    broken = report("local")  # a fault may forbid to clear the limits: they were before it

    assert (broken[fault.breaks]["verdict"], fault.shows in broken[fault.breaks]["found"]) == (fault.verdict, True), (
        broken[fault.breaks]["found"]
    )
    assert broken[fault.breaks]["mend"]
    red = {name for name in ailing(broken) if broken[name]["verdict"] != "skipped"}
    unheard = {name for name in red if fault.silences and broken[name]["verdict"] == "unknown"}
    bystanders = red - dependents(fault.breaks, *fault.also) - unheard
    assert {name: broken[name]["found"] for name in bystanders} == {}
    assert ("health.app" in unheard) is fault.silences
    for other in fault.also:
        verdict = broken[other]["verdict"]
        told = verdict in ("failed", "unknown") or (verdict == "skipped" and other in MAY_WAIT)
        assert told, f"{other} need not be listed as red under {name}"

    controls.take_back(sandbox, fault)

    mended = verify(sandbox, "local", *red)
    assert ailing(mended) == {}
