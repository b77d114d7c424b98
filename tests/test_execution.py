from __future__ import annotations

import io
from pathlib import Path

import pytest

from runbooks.catalog import Prepared
from runbooks.engine.secret import Secret
from runbooks.execution import Execution, execute
from runbooks.options import Options
from runbooks.systems.store.folder import FolderStore
from tests.engine.toys import Effect, recorder_in, run_of

SECRET = "correct-horse-battery"


class Clumsy:
    """An observer with a bug."""

    def recorded(self, *_: object) -> None:
        raise KeyError(f"text of {SECRET}")

    def said(self, *_: object) -> None:
        pass


def test_a_run_that_could_not_be_shown_says_so_and_where_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    effect = Effect("one")
    recorder = recorder_in(tmp_path / "run", Secret("a key", SECRET), observers=[Clumsy(), Clumsy()])
    book = run_of(tmp_path / "run", effect.step(), recorder=recorder).runbook
    execution = Execution(Prepared(book, None), "run-1", recorder, FolderStore(tmp_path), lambda: None, None)

    code = execute(execution, Options(format="console", stream=io.StringIO()))

    assert (code, effect.there) == (0, True), "nobody watching is no reason to leave it half done"
    said = capsys.readouterr().err
    assert said.count("the run could not be shown to its end: Clumsy shows nothing more: KeyError") == 2
    assert str(tmp_path / "run" / "journal.jsonl") in said
    assert SECRET not in said
