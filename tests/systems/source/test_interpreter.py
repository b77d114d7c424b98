"""A release's own code, run in its own interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.source.interpreter import Interpreter


@pytest.fixture
def release(tmp_path: Path) -> Interpreter:
    return Interpreter(tmp_path, Path(sys.executable))


def settings(folder: Path, source: str) -> None:
    package = folder / "app" / "core"
    package.mkdir(parents=True)
    (package / "config.py").write_text(source)


def test_settings_load_with_these_variables_and_nothing_else(
    release: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INHERITED", "yes")
    settings(release.folder, "import os\nsettings = os.environ['GIVEN']\nassert 'INHERITED' not in os.environ\n")

    assert release.settings_problem({"GIVEN": Secret("GIVEN", "yes")}, 20) is None


def test_settings_that_do_not_load_show_the_exception_only(release: Interpreter) -> None:
    settings(release.folder, "import os\nos.environ['WANTED']\n")

    problem = release.settings_problem({}, 20)

    assert problem is not None
    assert problem.endswith("KeyError: 'WANTED'")
    assert "import os" not in problem


def test_settings_that_hang_are_unknown(release: Interpreter) -> None:
    settings(release.folder, "import time\ntime.sleep(60)\n")

    with pytest.raises(SystemFault, match="hangs") as caught:
        release.settings_problem({}, 0.5)

    assert caught.value.reason is Reason.TIMED_OUT


def test_without_an_interpreter_settings_are_not_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SystemFault, match="can't be run here"):
        Interpreter(tmp_path, None).settings_problem({}, 1)
    with pytest.raises(SystemFault, match="can't be started"):
        Interpreter(tmp_path, tmp_path / "python").settings_problem({}, 1)
