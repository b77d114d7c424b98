"""A deploy on three hosts behind a real sshd each: canary first, and back past one that is out of reach."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbooks import deploy
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.journal import Record
from runbooks.engine.run import FAILED_AND_COMPENSATED, FAILED_NEEDS_PERSON, compensate, perform
from runbooks.engine.step import Runbook, Scope, Step
from runbooks.engine.stepping import Run
from runbooks.engine.stop import StopRequest
from runbooks.environment.hosting import Hosts
from runbooks.steps.deploying import Deploying
from runbooks.steps.release_state import look
from runbooks.systems.hosts.fleet import Fleet
from runbooks.systems.hosts.ssh import Ssh
from runbooks.systems.platform.hosting import Placement, Release
from runbooks.systems.store.folder import FolderStore
from tests import sshd
from tests.engine.toys import recorder_in, records
from tests.hosts import SERVER, VARIABLES, Bed, bed
from tests.sshd import Sshd

WELL = {"server.py": SERVER.replace('found = {"commit"', 'found = {"status": "ok", "commit"')}
ILL = {"server.py": SERVER.replace('found = {"commit"', 'found = {"status": "degraded", "commit"')}

pytestmark = pytest.mark.matrix  # three hosts with a supervisor each: a minute


@dataclass(frozen=True)
class Three:
    """Three hosts that serve the same release."""

    beds: Sequence[Bed]
    daemons: Sequence[Sshd]
    fleet: Fleet
    old: Release

    @property
    def names(self) -> tuple[str, ...]:
        return self.fleet.hosts

    def release(self, name: str, files: dict[str, str]) -> Release:
        return self.beds[0].release(name, **files)

    def serving(self) -> list[str]:
        """What each host serves, as ``release.status`` sees it; "?" where it can't be told."""

        def refuse() -> None:
            raise SystemFault("it is not asked here", reason=Reason.UNREACHABLE)

        seen = look(cast(Any, SimpleNamespace(hosting=self.fleet, database=SimpleNamespace(reading=refuse))))
        return [each.release.id if isinstance(each, Placement) else "?" for each in seen.hosts.values()]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sequence[Bed], Sequence[Sshd]]]:
    with contextlib.ExitStack() as stack:
        beds = [stack.enter_context(bed(tmp_path_factory.mktemp("bed"))) for _ in range(3)]
        daemons = [stack.enter_context(sshd.running(tmp_path_factory.mktemp("sshd"))) for _ in range(3)]
        yield [replace(each, repository=beds[0].repository) for each in beds], daemons


@pytest.fixture
def three(machines: tuple[Sequence[Bed], Sequence[Sshd]]) -> Iterator[Three]:
    beds, daemons = machines
    with contextlib.ExitStack() as stack:
        ways: list[Ssh] = [stack.enter_context(sshd.opened(daemon)) for daemon in daemons]
        for each in beds:
            each.clear()
        hosts = [each.host(way) for each, way in zip(beds, ways, strict=True)]
        old = beds[0].release("v1", **WELL)
        for each, host in zip(beds, hosts, strict=True):
            each.deploy(Fleet({host.name: host}), old)
        yield Three(beds, daemons, Fleet({host.name: host for host in hosts}), old)


Watch = Callable[[Record, Sequence[Record]], None]


def run_of(
    three: Three,
    folder: Path,
    wanted: Release,
    *then: Step[Any],
    watch: Watch | None = None,
    batch: int = 1,
    failures: int = 0,
) -> Run[Any]:
    """The steps of a deploy that change hosts, and what comes after them."""
    hosts = Hosts(root=Path("/there"), names=three.names, batch=batch, failures=failures)
    site = SimpleNamespace(
        hosting=three.fleet,
        variables=VARIABLES,
        variables_fingerprint=lambda: "",
        environment=SimpleNamespace(
            platform=SimpleNamespace(hosts=hosts), release=SimpleNamespace(commit_variable=None)
        ),
    )
    snapshots = SimpleNamespace(shelf=SimpleNamespace(store=FolderStore(folder / "store")))
    work = Deploying(
        site=cast(Any, site),
        snapshots=cast(Any, snapshots),
        making=cast(Any, None),
        wanted=wanted,
        version=wanted.id,
        run="run-2",
        runs=folder,
    )
    steps = [step for step in deploy.runbook().steps if step.name in ("build", "start", "switch")]
    book: Runbook[Any] = Runbook(name="deploy", title="Deploy", steps=(*steps, *then), changes=True)
    observers = [cast(Any, SimpleNamespace(recorded=watch, said=lambda *_: None))] if watch else []
    recorder = recorder_in(folder / "run-2", observers=observers)
    return Run("run-2", book, work, recorder, StopRequest(), lambda: None, token=2)


def bad(do: Callable[[], object] = lambda: None) -> Step[Any]:
    """A step that fails, once it has done something."""

    def act(_work: Any, _scope: Scope) -> str:
        do()
        raise SystemFault("the bake is bad", reason=Reason.FAILED)

    return Step(name="bake", title="Bake", act=act)


def told(run: Run[Any], kind: str, key: str) -> list[Any]:
    return [record.data[key] for record in records(run) if record.kind == kind]


@contextlib.contextmanager
def without_room(host: Bed) -> Iterator[None]:
    """A host on which no virtual environment can be made, for the time of a block."""
    program = host.root / "install"
    text = program.read_text()
    program.write_text("#!/bin/sh\necho no room\nexit 1\n")
    try:
        yield
    finally:
        program.write_text(text)


def test_canary_first_then_the_others_at_once_and_all_of_it_back(three: Three, tmp_path: Path) -> None:
    run = run_of(three, tmp_path, three.release("v2", WELL), bad(), batch=2)
    ending = perform(run)

    switched = [(record.data["host"], record.data["release"]) for record in records(run) if record.kind == "switched"]
    canary, *others = three.names
    assert switched[0] == (canary, "v2")
    assert sorted(switched[1:3]) == sorted((host, "v2") for host in others)
    assert [host for host, _ in switched[3:]] == [*reversed(three.names)]
    assert ending.exit_code == FAILED_AND_COMPENSATED
    assert three.serving() == ["v1", "v1", "v1"]
    assert not any(state.slots[state.idle].stays for state in map(three.fleet.observe, three.names))


def test_a_canary_that_is_ill_once_it_serves_keeps_it_from_the_others(three: Three, tmp_path: Path) -> None:
    run = run_of(three, tmp_path, three.release("v2", ILL), failures=2)
    ending = perform(run)

    assert {record.data["host"] for record in records(run) if record.kind == "switched"} == {three.names[0]}
    assert "after the switch: /health: status 'degraded'" in str(ending.error)
    assert f"{three.names[1]}, {three.names[2]} left as before" in str(ending.error)
    assert ending.exit_code == FAILED_AND_COMPENSATED
    assert "after the switch" in run.tools.blame
    assert three.serving() == ["v1", "v1", "v1"]


@pytest.mark.parametrize(("failures", "built"), [(0, (True, False, False)), (1, (True, False, True))])
def test_so_many_may_fail_and_further_ones_are_begun(
    failures: int, built: tuple[bool, ...], three: Three, tmp_path: Path
) -> None:
    wanted = three.release("v2", WELL)
    with without_room(three.beds[1]):
        ending = perform(run_of(three, tmp_path, wanted, failures=failures))

    assert tuple(wanted in three.fleet.observe(host).releases for host in three.names) == built
    assert "1 of 3 hosts failed" in str(ending.error)
    assert f"{three.names[1]}: " in str(ending.error)
    assert "no room" in str(ending.error)
    assert three.serving() == ["v1", "v1", "v1"]


@pytest.mark.parametrize("moment", ["ahead of it", "in the midst of it"])
def test_a_host_that_goes_while_it_is_taken_back_does_not_keep_the_others(
    moment: str, three: Three, tmp_path: Path
) -> None:
    gone, daemon = three.names[1], three.daemons[1]

    def watch(record: Record, _: Sequence[Record]) -> None:
        if (record.kind, record.data.get("host"), record.data.get("to")) == ("switched", three.names[2], "blue"):
            daemon.down()

    ahead = moment == "ahead of it"
    step = bad(daemon.down if ahead else lambda: None)
    run = run_of(three, tmp_path, three.release("v2", WELL), step, watch=None if ahead else watch)
    try:
        ending = perform(run)

        assert ending.exit_code == FAILED_NEEDS_PERSON
        assert ending.mend.endswith("invoke runs.abort run-2")
        assert three.serving() == ["v1", "?", "v1"]
        said = told(run, "undo-outcome", "text")
        assert f"taken back on {three.names[2]}, {three.names[0]}, but not on {gone}" in said[0]
        assert f"have {gone} answer, then: invoke runs.abort run-2" in said[0]
    finally:
        if daemon.process.poll() is not None:
            daemon.up()

    assert three.serving() == ["v1", "v2", "v1"], "mixed, and told so"
    assert compensate(run, None).exit_code == FAILED_AND_COMPENSATED
    assert three.serving() == ["v1", "v1", "v1"]
    assert not any(state.slots[state.idle].stays for state in map(three.fleet.observe, three.names))
