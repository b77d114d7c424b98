"""``sandbox.up`` and ``sandbox.down`` are killed ahead of and after every record, and between effects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from runbooks.engine.step import Runbook
from runbooks.sandbox import down, up
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.world import Sandbox
from tests.conftest import Shell
from tests.crash.sandboxes import (
    VERIFY,
    all_is_recorded,
    killed_at,
    nothing_runs,
    only_run,
    project,
    succeeds,
)

BEGUN = ["before:lease", "after:lease"]
ENDING = ["before:end"]
EFFECTS = range(11, 521, 29)
"""Some of the roughly 530 effects of a first start: every kind of them, in every step."""


def around_steps(book: Runbook[Any]) -> list[str]:
    """Each step's points: ahead of its intent and after it, ahead of its outcome and after it."""
    points = []
    for step in book.steps:
        kinds = ["outcome"] if step.done is None and step.undo is None else ["intent", "outcome"]
        points += [f"{when}:{kind}/{step.name}" for kind in kinds for when in ("before", "after")]
    return points


UP = [*BEGUN, *around_steps(up.runbook()), *ENDING]
IN_DOUBT = [point for point in UP if point.startswith(("after:intent", "before:outcome"))]
"""Where only the world can tell whether the step was done. Every other point is as clear as the one before it."""
DOWN = [*BEGUN, *around_steps(down.runbook()), *ENDING]

DONE_ONCE = ("/place-releases", "/create-databases", "/load-content")


def in_matrix(points: list[str]) -> list[Any]:
    return [pytest.param(point, marks=pytest.mark.crash, id=point.replace("/", " ")) for point in points]


@pytest.fixture
def fresh(installed: Layout) -> Iterator[Shell]:
    """A project that was never started, with PostgreSQL unpacked."""
    with project(installed) as shell:
        yield shell


@pytest.fixture(scope="module")
def module_project(installed: Layout) -> Iterator[Shell]:
    with project(installed) as shell:
        yield shell


@pytest.fixture
def running(module_project: Shell) -> Shell:
    """A project whose sandbox runs."""
    succeeds(module_project, "sandbox.up")
    return module_project


@pytest.fixture
def stopped(module_project: Shell) -> Shell:
    """A project whose sandbox was up once."""
    if Sandbox.of(module_project.project).deployed("local") == {}:
        succeeds(module_project, "sandbox.up")
    succeeds(module_project, "sandbox.down")
    return module_project


@pytest.fixture
def before_start(point: str, request: pytest.FixtureRequest) -> Iterator[Shell]:
    """A sandbox in which the step that is to be interrupted has something to do; otherwise the cheapest."""
    if point.endswith("/unpack-servers"):
        with project() as shell:
            yield shell
    else:
        fresh = point.endswith(DONE_ONCE)
        yield request.getfixturevalue("fresh" if fresh else "stopped")


# --- the three ways on, at three points that stand for the others


def test_the_next_command_starts_what_a_killed_start_did_not(fresh: Shell) -> None:
    killed_at(fresh, "after:intent/start-servers", "sandbox.up")

    succeeds(fresh, *VERIFY)

    all_is_recorded(fresh)


def test_a_killed_start_is_resumed(fresh: Shell) -> None:
    killed_at(fresh, "before:outcome/load-content", "sandbox.up")

    said = succeeds(fresh, "runs.resume", only_run(fresh, "sandbox.up"))

    assert "found done" in said
    answers(fresh)


def test_a_killed_start_is_taken_back(fresh: Shell) -> None:
    killed_at(fresh, "after:intent/start-applications", "sandbox.up")

    succeeds(fresh, "runs.abort", only_run(fresh, "sandbox.up"), code=6)

    nothing_runs(fresh)
    all_is_recorded(fresh)


def answers(shell: Shell) -> None:
    """Both applications answer, whoever started them."""
    assert Sandbox.of(shell.project).well()


# --- every point


@pytest.mark.parametrize("point", in_matrix([*UP, "before:run", "after:run", "after:end"]))
def test_the_next_command_recovers_wherever_a_start_was_killed(point: str, before_start: Shell) -> None:
    killed_at(before_start, point, "sandbox.up")

    succeeds(before_start, *VERIFY)

    all_is_recorded(before_start)


@pytest.mark.parametrize("point", in_matrix([*BEGUN, *IN_DOUBT, *ENDING]))
def test_a_start_is_resumed_wherever_it_was_killed(point: str, before_start: Shell) -> None:
    killed_at(before_start, point, "sandbox.up")

    succeeds(before_start, "runs.resume", only_run(before_start, "sandbox.up"))

    answers(before_start)
    all_is_recorded(before_start)


@pytest.mark.parametrize("point", in_matrix([*BEGUN, *IN_DOUBT, *ENDING]))
def test_a_start_is_taken_back_wherever_it_was_killed(point: str, before_start: Shell) -> None:
    killed_at(before_start, point, "sandbox.up")

    succeeds(before_start, "runs.abort", only_run(before_start, "sandbox.up"), code=6)

    nothing_runs(before_start)
    all_is_recorded(before_start)


@pytest.mark.parametrize("effect", in_matrix([f"effect:{number}" for number in EFFECTS]))
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


@pytest.mark.parametrize("point", in_matrix([*DOWN, "before:run", "after:run", "after:end"]))
@pytest.mark.parametrize("next_command", ["sandbox.down", "sandbox.up"])
def test_the_next_command_recovers_wherever_a_stop_was_killed(point: str, next_command: str, running: Shell) -> None:
    killed_at(running, point, "sandbox.down")

    succeeds(running, next_command)

    if next_command == "sandbox.up":
        answers(running)
    else:
        nothing_runs(running)
    all_is_recorded(running)


@pytest.mark.parametrize("point", in_matrix(DOWN))
def test_a_stop_is_resumed_wherever_it_was_killed(point: str, running: Shell) -> None:
    killed_at(running, point, "sandbox.down")

    succeeds(running, "runs.resume", only_run(running, "sandbox.down"))

    nothing_runs(running)
    all_is_recorded(running)
