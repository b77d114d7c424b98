from __future__ import annotations

import itertools
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runbooks import catalog, command
from runbooks.engine.errors import InputError, NeedsPerson
from runbooks.engine.journal import FILE_NAME, Journal, read_intact
from runbooks.engine.outcome import Outcome, Status
from runbooks.engine.past import Past
from runbooks.engine.recorder import Recorder
from runbooks.engine.redact import Redactor
from runbooks.engine.run import compensate, perform
from runbooks.engine.step import Runbook, Step
from runbooks.engine.stepping import Run
from tests.engine import toy_process
from tests.engine.toy_process import RUN
from tests.engine.toys import Effect, child, outcome_of, run_of, told, write_journal

EVERY_EFFECT = {"first": f"{RUN}\n", "counter": "1", "third": f"{RUN}\n"}


class Processes:
    """Starts one process after another from a warm one."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self.server = server

    def __call__(self, folder: Path, mode: str, **options: Any) -> tuple[int, str]:
        assert self.server.stdin
        assert self.server.stdout
        print(json.dumps([str(folder), mode, options]), file=self.server.stdin, flush=True)
        status, output = json.loads(self.server.stdout.readline())
        return status, output


@pytest.fixture(scope="module")
def process() -> Iterator[Processes]:
    with child("tests.engine.toy_process", "serve") as server:
        yield Processes(server)


def effects(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "effects").iterdir()}


def killed_runs(process: Processes, root: Path, **options: Any) -> Iterator[tuple[str, Path]]:
    """A run for each record of a clean one, killed before it was written and after."""
    whole = root / "whole"
    whole.mkdir()
    process(whole, "start", **options)
    count = len(read_intact(whole / "runs" / RUN / FILE_NAME))
    assert count >= 12
    for number, when in itertools.product(range(1, count + 1), ("before", "after")):
        folder = root / f"{number}-{when}"
        folder.mkdir()
        assert process(folder, "start", kill=(number, when), **options)[0] == -signal.SIGKILL
        yield f"killed {when} record {number}", folder


def test_a_clean_run_has_each_effect_once(process: Processes, tmp_path: Path) -> None:
    assert process(tmp_path, "start") == (0, "done: \n")
    assert effects(tmp_path) == EVERY_EFFECT


def test_whenever_it_is_killed_a_resumed_run_has_each_effect_exactly_once(process: Processes, tmp_path: Path) -> None:
    for where, folder in killed_runs(process, tmp_path):
        status, output = process(folder, "resume")

        if where == "killed before record 1":
            assert (status, output, effects(folder)) == (2, "the run was killed before it began\n", {})
        else:
            assert status == 0, f"{where}: {output}"
            assert effects(folder) == EVERY_EFFECT, where
            assert (folder / "tidied").exists(), where


def test_whenever_it_is_killed_an_aborted_run_leaves_no_effect(process: Processes, tmp_path: Path) -> None:
    for where, folder in killed_runs(process, tmp_path):
        status, output = process(folder, "abort")

        assert effects(folder) == {}, f"{where}: {output}"
        assert status == (2 if where == "killed before record 1" else 6), where


def test_whenever_a_failing_run_is_killed_resuming_it_leaves_no_effect(process: Processes, tmp_path: Path) -> None:
    for where, folder in killed_runs(process, tmp_path, fail=True):
        status, output = process(folder, "resume", fail=True)

        assert effects(folder) == {}, f"{where}: {output}"
        assert status == (2 if where == "killed before record 1" else 6), where


def again(run: Run[Any], *steps: Any) -> Run[Any]:
    """The same run in another process, as far as the journal can tell."""
    run.recorder.journal.close()
    redactor = Redactor()
    recorder = Recorder(Journal.reopen(run.recorder.journal.path.parent, redactor), redactor)
    recorder.append("resumed")
    return run_of(Path(), *(steps or run.runbook.steps), recorder=recorder)


def interrupted(folder: Path, effect: Effect, **changed: Any) -> Run[Any]:
    """A run that was killed between an intent and its outcome."""
    run = run_of(folder, effect.step(**changed))
    run.recorder.append("intent", step=effect.name, attempt=1, before={})
    return again(run)


def test_what_can_not_be_told_stops_the_resumed_run_for_a_person(tmp_path: Path) -> None:
    effect = Effect("one")
    run = interrupted(tmp_path / "run", effect, done=lambda _tools, _scope: None)

    ending = perform(run)

    assert (ending.status, ending.exit_code) == (Status.NEEDS_PERSON, 7)
    assert isinstance(ending.error, NeedsPerson)
    assert "it can't be told whether “Make one” happened" in str(ending.error)
    assert effect.diary == []


def test_a_step_without_postcondition_is_harmless_to_repeat(tmp_path: Path) -> None:
    effect = Effect("one")
    run = interrupted(tmp_path / "run", effect, done=None)

    assert perform(run).status is Status.DONE
    assert effect.diary == ["make one"]


def test_an_effect_that_happened_before_the_kill_counts_as_changed(tmp_path: Path) -> None:
    effect = Effect("one")
    effect.there = True
    run = interrupted(tmp_path / "run", effect)

    assert perform(run).status is Status.DONE
    assert outcome_of(run, "one") is Outcome.CHANGED
    assert effect.diary == []


def test_the_state_noted_before_the_first_try_is_what_every_later_try_compares_with(tmp_path: Path) -> None:
    states: list[int] = []
    version = {"now": 1}

    def act(_tools: Any, scope: Any) -> str:
        states.append(scope.before["version"])
        version["now"] += 1
        if len(states) == 1:
            raise OSError("half way")
        return "raised the version"

    effect = Effect("one")
    step = effect.step(
        act=act, attempts=2, done=lambda *_: len(states) > 1, before=lambda _: {"version": version["now"]}
    )

    assert perform(run_of(tmp_path / "run", step)).status is Status.DONE
    assert states == [1, 1]


def test_what_was_already_undone_is_not_undone_again(tmp_path: Path) -> None:
    diary: list[str] = []
    one, two = Effect("one", diary), Effect("two", diary)
    run = run_of(tmp_path / "run", one.step(), two.step())
    perform(run)
    run.recorder.append("undo-intent", step="two")
    run.recorder.append("undo-outcome", step="two", outcome=Outcome.COMPENSATED, text="", seconds=0)
    diary.clear()

    resumed = again(run)
    assert Past.of(resumed.recorder.journal.records).undoing
    assert compensate(resumed, None).status is Status.COMPENSATED

    assert diary == ["take back one"]


def test_the_digest_changes_with_the_procedure() -> None:
    def book(*effects: Effect, title: str = "A toy") -> Runbook[Any]:
        return Runbook(name="toy", title=title, steps=tuple(effect.step() for effect in effects), changes=True)

    one, two = Effect("one"), Effect("two")
    assert book(one, two).digest() == book(Effect("one"), Effect("two")).digest()
    assert len({book(one, two).digest(), book(two, one).digest(), book(one).digest()}) == 3


def test_the_digest_sees_through_bound_arguments() -> None:
    def book(act: Any) -> Runbook[Any]:
        step = Step[Any](name="one", title="One", act=partial(act, "x"))
        return Runbook(name="toy", title="A toy", steps=(step,), changes=True)

    assert book(toy_process.make).digest() != book(toy_process.unmake).digest()


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], InputError]:
    """What the command says to resuming the run in the temporary folder, where the runbook is a toy."""
    site: Any = SimpleNamespace(name="toy", protected=False)
    prepared = catalog.Prepared(Runbook(name="toy", title="A toy", steps=(), changes=False), None)
    monkeypatch.setattr(command, "open_run", lambda *_: (site, tmp_path / "run"))
    monkeypatch.setattr(catalog, "prepare", lambda *_: prepared)

    def ask() -> InputError:
        before = (tmp_path / "run" / FILE_NAME).read_bytes()
        with pytest.raises(InputError) as caught:
            command.resume("run", command.Options())
        assert (tmp_path / "run" / FILE_NAME).read_bytes() == before
        return caught.value

    return ask


HEADER: dict[str, Any] = {
    "runbook": "toy",
    "environment": "toy",
    "parameters": {},
    "digest": "another",
    "tool": "0.0.9",
}


def test_a_runbook_that_has_changed_is_not_resumed(tmp_path: Path, refused: Callable[[], InputError]) -> None:
    write_journal(tmp_path / "run", "run", **HEADER)

    assert "toy has changed since this run began" in str(refused())
    assert "check out 0.0.9" in refused().mend


def test_a_run_that_has_ended_is_not_resumed(tmp_path: Path, refused: Callable[[], InputError]) -> None:
    journal = Journal.create(tmp_path / "run", Redactor())
    journal.append("run", **HEADER)
    journal.append("end", status="done", exit_code=0)
    journal.close()

    assert "the run has ended: done" in str(refused())


def test_a_damaged_run_is_not_resumed(tmp_path: Path, refused: Callable[[], InputError]) -> None:
    path = write_journal(tmp_path / "run", "run", "note", **HEADER)
    path.write_bytes(path.read_bytes().replace(b"toy", b"two"))

    assert refused().where == f"{path}:1"


def test_a_run_killed_before_it_began_is_not_resumed(tmp_path: Path, refused: Callable[[], InputError]) -> None:
    Journal.create(tmp_path / "run", Redactor()).close()

    assert "killed before it began" in str(refused())


def test_a_record_says_what_was_found_on_resume(tmp_path: Path) -> None:
    effect = Effect("one")
    run = run_of(tmp_path / "run", effect.step())
    perform(run)
    resumed = again(run)
    perform(resumed)

    assert told(resumed) == ["intent one", "outcome one changed", "resumed", "outcome one ok"]
