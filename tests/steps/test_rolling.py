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
from runbooks.steps import claiming, migrating, slots
from runbooks.steps.deploying import Deploying
from runbooks.steps.release_state import Seen, compare, look
from runbooks.steps.serving import without
from runbooks.systems.hosts.fleet import Fleet
from runbooks.systems.hosts.ssh import Ssh
from runbooks.systems.platform.hosting import Placement, Release
from runbooks.systems.releases import record as releases
from runbooks.systems.releases.record import Kind
from runbooks.systems.store.folder import FolderStore
from tests import sshd
from tests.engine.toys import recorder_in, records
from tests.hosts import SERVER, VARIABLES, Bed, bed
from tests.sshd import Sshd

WELL = {"server.py": SERVER.replace('found = {"commit"', 'found = {"status": "ok", "commit"')}
ILL = {"server.py": SERVER.replace('found = {"commit"', 'found = {"status": "degraded", "commit"')}

pytestmark = pytest.mark.matrix  # three hosts with a supervisor each: a minute


def out_of_reach() -> None:
    raise SystemFault("it is not asked here", reason=Reason.UNREACHABLE)


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

        seen = look(cast(Any, SimpleNamespace(hosting=self.fleet, database=SimpleNamespace(reading=out_of_reach))))
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
    built: Sequence[Step[Any]] = (),
) -> Run[Any]:
    """The steps of a deploy that change hosts, and what comes after them."""
    hosts = Hosts(root=Path("/there"), names=three.names, batch=batch, failures=failures)
    site = SimpleNamespace(
        hosting=three.fleet,
        variables=VARIABLES,
        database=SimpleNamespace(reading=out_of_reach),
        variables_fingerprint=lambda: "",
        environment=SimpleNamespace(
            platform=SimpleNamespace(hosts=hosts), release=SimpleNamespace(commit_variable=None)
        ),
    )
    snapshots = SimpleNamespace(shelf=SimpleNamespace(store=FolderStore(folder / "store")))
    work = Deploying(
        site=cast(Any, site),
        snapshots=cast(Any, snapshots),
        making=cast(Any, SimpleNamespace(published=lambda: False, id="")),
        wanted=wanted,
        version=wanted.id,
        run="run-2",
        runs=folder,
    )
    build, *steps = [step for step in deploy.runbook().steps if step.name in ("build", "start", "switch")]
    book: Runbook[Any] = Runbook(name="deploy", title="Deploy", steps=(build, *built, *steps, *then), changes=True)
    observers = [cast(Any, SimpleNamespace(recorded=watch, said=lambda *_: None))] if watch else []
    recorder = recorder_in(folder / "run-2", observers=observers)
    return Run("run-2", book, work, recorder, StopRequest(), lambda: None, token=2)


def bad(do: Callable[[], object] = lambda: None) -> Step[Any]:
    """A step that fails, once it has done something."""

    def act(_work: Any, _scope: Scope) -> str:
        do()
        raise SystemFault("the bake is bad", reason=Reason.FAILED)

    return Step(name="bake", title="Bake", act=act)


def record() -> Step[Any]:
    """What the ledger is told at the end."""

    def act(work: Any, scope: Scope) -> str:
        release = releases.Release(id=work.wanted.id, version=work.version, commit=work.wanted.commit)
        work.releases.append(work.entry(Kind.DEPLOYED, scope, release=release, left_out=work.left_out))
        return "recorded"

    return Step(name="record", title="Record", act=act)


def claimed() -> Step[Any]:
    """What the ledger is told at the beginning, and when it came to nothing."""

    def act(work: Any, scope: Scope) -> str:
        work.releases.append(work.entry(Kind.BEGAN, scope))
        return "begun"

    return Step(name="claim", title="Claim", act=act, undo=claiming.withdraw)


def at_rest() -> Step[Any]:
    return Step(name="rest", title="Rest", act=slots.rest)


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


def test_one_that_fails_ends_it_where_none_may(three: Three, tmp_path: Path) -> None:
    wanted = three.release("v2", WELL)
    with without_room(three.beds[1]):
        ending = perform(run_of(three, tmp_path, wanted))

    assert [wanted in three.fleet.observe(host).releases for host in three.names] == [True, False, False]
    assert "1 of 3 hosts failed" in str(ending.error)
    assert f"{three.names[1]}: " in str(ending.error)
    assert "no room" in str(ending.error)
    assert ending.exit_code == FAILED_AND_COMPENSATED
    assert three.serving() == ["v1", "v1", "v1"]


def test_one_that_may_fail_keeps_what_it_runs_and_the_ledger_says_so(three: Three, tmp_path: Path) -> None:
    run = run_of(three, tmp_path, three.release("v2", WELL), record(), at_rest(), failures=1)
    with without_room(three.beds[1]):
        ending = perform(run)

    canary, out, last = three.names
    assert ending.exit_code == 0, ending.error
    assert three.serving() == ["v2", "v1", "v2"]
    assert [record.data["host"] for record in records(run) if record.kind == "switched"] == [canary, last]
    assert "no room" in run.tools.left_out[out]
    history = run.tools.history()
    assert list(history.left_out) == [out]
    assert not any(state.slots[state.idle].stays for state in map(three.fleet.observe, three.names))
    seen = Seen({out: three.fleet.serving(out), last: three.fleet.serving(last)}, ())
    ((said,), _) = compare(history, seen)
    assert said.startswith(f"{out} runs v1; by the ledger it is v2; it was left out: ")
    assert f"{out} is left with what it runs: " in without(run.tools)


def test_one_that_goes_after_the_build_may_fail_too_and_a_resumed_run_knows(three: Three, tmp_path: Path) -> None:
    gone, daemon = three.names[2], three.daemons[2]

    def cut(_work: Any, _scope: Scope) -> str:
        daemon.down()
        return "it is out of reach"

    down = Step[Any](name="down", title="Cut it off", act=cut)
    run = run_of(three, tmp_path, three.release("v2", WELL), bad(), failures=1, built=[down])
    try:
        ending = perform(run)
    finally:
        daemon.up()

    assert list(run.tools.left_out) == [gone]
    assert ending.exit_code == FAILED_NEEDS_PERSON, "it was out of reach for that, too"
    assert three.serving() == ["v1", "v1", "v1"]
    assert compensate(run, None).exit_code == FAILED_AND_COMPENSATED
    again = replace(run.tools)
    assert again.hosts == three.names[:2], "as the journal has it"


def test_one_that_goes_ahead_of_any_switch_keeps_nothing_open_and_nobody_says_what_it_runs(
    three: Three, tmp_path: Path
) -> None:
    daemon = three.daemons[2]

    def cut(_work: Any, _scope: Scope) -> str:
        daemon.down()
        raise SystemFault("the build is bad", reason=Reason.FAILED)

    run = run_of(three, tmp_path, three.release("v2", WELL), built=[claimed(), replace(bad(), act=cut)])
    try:
        ending = perform(run)
    finally:
        daemon.up()

    assert ending.exit_code == FAILED_AND_COMPENSATED
    (said,) = told(run, "undo-outcome", "text")
    assert said.startswith(f"no request was sent to it; {three.names[2]} could not be asked")
    assert run.tools.history().begun == []


def test_a_canary_is_never_left_out(three: Three, tmp_path: Path) -> None:
    with without_room(three.beds[0]):
        run = run_of(three, tmp_path, three.release("v2", WELL), failures=2)
        ending = perform(run)

    assert "1 of 3 hosts failed" in str(ending.error)
    assert run.tools.left_out == {}
    assert ending.exit_code == FAILED_AND_COMPENSATED
    assert three.serving() == ["v1", "v1", "v1"]


@pytest.mark.parametrize("effect", ["contracting", "additive"])
def test_none_is_left_to_run_over_a_schema_that_is_not_its_own(effect: str, three: Three, tmp_path: Path) -> None:
    def lint(_work: Any, scope: Scope) -> str:
        scope.record("migrations", migrations={"drop_phone": effect})
        return ""

    linted = Step[Any](name="lint", title="Lint", act=lint)
    migrate = Step[Any](name="migrate", title="Migrate", act=migrating.migrate)
    run = run_of(three, tmp_path, three.release("v2", WELL), failures=1, built=[linted, migrate])
    with without_room(three.beds[1]):
        ending = perform(run)

    refused = "would run over a schema that is not its own" in str(ending.error)
    assert refused == (effect == "contracting")
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
    begun = [claimed()]
    run = run_of(three, tmp_path, three.release("v2", WELL), step, watch=None if ahead else watch, built=begun)
    try:
        ending = perform(run)

        assert ending.exit_code == FAILED_NEEDS_PERSON
        assert ending.mend.endswith("invoke runs.abort run-2")
        assert three.serving() == ["v1", "?", "v1"]
        said = told(run, "undo-outcome", "text")
        assert f"taken back on {three.names[2]}, {three.names[0]}, but not on {gone}" in said[0]
        assert f"have {gone} answer, then: invoke runs.abort run-2" in said[0]
        assert f"{gone} could not be asked" in said[-1], "nobody says what it runs"
        assert [each.run for each in run.tools.history().begun] == ["run-2"], "so the ledger says that it goes on"
    finally:
        if daemon.process.poll() is not None:
            daemon.up()

    assert three.serving() == ["v1", "v2", "v1"], "mixed, and told so"
    assert compensate(run, None).exit_code == FAILED_AND_COMPENSATED
    assert run.tools.history().begun == []
    assert three.serving() == ["v1", "v1", "v1"]
    assert not any(state.slots[state.idle].stays for state in map(three.fleet.observe, three.names))
