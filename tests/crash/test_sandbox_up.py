"""``sandbox.up`` and ``sandbox.down`` are killed ahead of and after every record, and between effects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks.sandbox import down, up
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.world import Sandbox
from tests.conftest import Shell
from tests.crash.points import BEGUN, ENDING, around_steps, cases, in_doubt
from tests.crash.sandboxes import (
    NOTHING,
    STOPPED,
    UNPACKED,
    VERIFY,
    Warmed,
    ahead_of,
    all_is_recorded,
    killed_at,
    nothing_runs,
    only_run,
    succeeds,
    warmed_project,
)

EFFECTS = range(11, 521, 29)
"""Some of the roughly 530 effects of a first start: every kind of them, in every step."""

UP = [*BEGUN, *around_steps(up.runbook()), *ENDING]
DOWN = [*BEGUN, *around_steps(down.runbook()), *ENDING]

STAGES = {
    "unpack-servers": NOTHING,
    "place-releases": UNPACKED,
    "create-databases": ahead_of("create-databases"),
    "load-content": ahead_of("load-content"),
}
"""The steps that a first start takes only, and where they still have something to do."""


@pytest.fixture(scope="module")
def warmed(installed: Layout) -> Iterator[Warmed]:
    with warmed_project(installed) as made:
        yield made


@pytest.fixture
def fresh(warmed: Warmed) -> Shell:
    """A project that was never started, with PostgreSQL unpacked."""
    return warmed.at(UNPACKED)


@pytest.fixture(scope="module")
def module_project(installed: Layout) -> Iterator[Shell]:
    with warmed_project(installed) as made:
        yield made.at(UNPACKED)


@pytest.fixture
def running(module_project: Shell) -> Shell:
    """A project whose sandbox runs."""
    if not Sandbox.of(module_project.project).well():
        succeeds(module_project, "sandbox.up")
    return module_project


@pytest.fixture
def before_start(point: str, warmed: Warmed) -> Shell:
    """A sandbox in which the step that is to be interrupted has something to do; otherwise the cheapest."""
    return warmed.at(STAGES.get(point.partition("/")[2], STOPPED))


# --- the three ways on, at three points that stand for the others


def test_the_next_command_starts_what_a_killed_start_did_not(warmed: Warmed) -> None:
    shell = warmed.at(STOPPED)
    killed_at(shell, "after:intent/start-servers", "sandbox.up")

    succeeds(shell, *VERIFY)

    all_is_recorded(shell)


def test_a_killed_start_is_resumed(warmed: Warmed) -> None:
    shell = warmed.at(STOPPED)
    killed_at(shell, "before:outcome/start-servers", "sandbox.up")

    said = succeeds(shell, "runs.resume", only_run(shell, "sandbox.up"))

    assert "found done" in said
    answers(shell)


def test_a_killed_start_is_taken_back(warmed: Warmed) -> None:
    shell = warmed.at(STOPPED)
    killed_at(shell, "after:intent/start-applications", "sandbox.up")

    succeeds(shell, "runs.abort", only_run(shell, "sandbox.up"), code=6)

    nothing_runs(shell)
    all_is_recorded(shell)


def answers(shell: Shell) -> None:
    """Both applications answer, whoever started them."""
    assert Sandbox.of(shell.project).well()


# --- every point


@pytest.mark.parametrize("point", cases([*UP, "before:run", "after:run", "after:end"]))
def test_the_next_command_recovers_wherever_a_start_was_killed(point: str, before_start: Shell) -> None:
    killed_at(before_start, point, "sandbox.up")

    succeeds(before_start, *VERIFY)

    all_is_recorded(before_start)


@pytest.mark.parametrize("point", cases([*BEGUN, *in_doubt(UP), *ENDING]))
def test_a_start_is_resumed_wherever_it_was_killed(point: str, before_start: Shell) -> None:
    killed_at(before_start, point, "sandbox.up")

    succeeds(before_start, "runs.resume", only_run(before_start, "sandbox.up"))

    answers(before_start)
    all_is_recorded(before_start)


@pytest.mark.parametrize("point", cases([*BEGUN, *in_doubt(UP), *ENDING]))
def test_a_start_is_taken_back_wherever_it_was_killed(point: str, before_start: Shell) -> None:
    killed_at(before_start, point, "sandbox.up")

    succeeds(before_start, "runs.abort", only_run(before_start, "sandbox.up"), code=6)

    nothing_runs(before_start)
    all_is_recorded(before_start)


@pytest.mark.parametrize("effect", cases([f"effect:{number}" for number in EFFECTS]))
def test_the_next_command_recovers_between_any_two_effects(effect: str, fresh: Shell) -> None:
    killed_at(fresh, effect, "sandbox.up")

    succeeds(fresh, *VERIFY)

    all_is_recorded(fresh)


@pytest.mark.crash
@pytest.mark.parametrize("point", ["after:end", "before:run"])
def test_a_run_that_had_ended_or_not_begun_is_not_resumed(point: str, fresh: Shell) -> None:
    killed_at(fresh, point, "sandbox.up")

    for command in ("runs.resume", "runs.abort"):
        said = succeeds(fresh, command, only_run(fresh, "sandbox.up"), code=2)
        assert "next:" in said


@pytest.mark.parametrize("point", cases([*DOWN, "before:run", "after:run", "after:end"]))
@pytest.mark.parametrize("next_command", ["sandbox.down", "sandbox.up"])
def test_the_next_command_recovers_wherever_a_stop_was_killed(point: str, next_command: str, running: Shell) -> None:
    killed_at(running, point, "sandbox.down")

    succeeds(running, next_command)

    if next_command == "sandbox.up":
        answers(running)
    else:
        nothing_runs(running)
    all_is_recorded(running)


@pytest.mark.parametrize("point", cases(DOWN))
def test_a_stop_is_resumed_wherever_it_was_killed(point: str, running: Shell) -> None:
    killed_at(running, point, "sandbox.down")

    succeeds(running, "runs.resume", only_run(running, "sandbox.down"))

    nothing_runs(running)
    all_is_recorded(running)
