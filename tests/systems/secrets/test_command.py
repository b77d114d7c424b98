"""A secrets command is run without a shell, within its time, and none of its output is ever shown."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.systems.secrets.command import CommandSource, Format


def python(folder: Path, program: str, *, form: Format = Format.DOTENV, timeout: float = 30) -> CommandSource:
    return CommandSource((sys.executable, "-c", program), form, timeout, folder, {"GIVEN": "yes"})


def fault(source: CommandSource) -> SystemFault:
    with pytest.raises(SystemFault) as caught:
        source.load()
    assert "hunter2" not in str(caught.value)
    assert sys.executable in caught.value.where
    return caught.value


def test_dotenv_lines_become_values(tmp_path: Path) -> None:
    values = python(tmp_path, "print('A=1'); print('B=$A')").load()
    assert {name: secret.reveal() for name, secret in values.items()} == {"A": "1", "B": "$A"}


def test_a_json_object_becomes_values(tmp_path: Path) -> None:
    values = python(tmp_path, """print('{"A": "1"}')""", form=Format.JSON).load()
    assert values["A"].reveal() == "1"


def test_it_runs_once_in_the_given_folder_and_environment_with_no_input(tmp_path: Path) -> None:
    program = (
        "import os, sys; open('ran', 'a').write('x');"
        "print('A=' + os.environ['GIVEN'] + str('HOME' in os.environ) + sys.stdin.read())"
    )
    source = python(tmp_path, program)
    assert source.load() is source.load()
    assert source.load()["A"].reveal() == "yesFalse"
    assert (tmp_path / "ran").read_text(encoding="utf-8") == "x"


def test_a_failure_tells_the_status_and_no_output(tmp_path: Path) -> None:
    error = fault(python(tmp_path, "import sys; print('A=hunter2'); sys.exit('hunter2')"))
    assert error.reason is Reason.FAILED
    assert error.found == "exit status 1"


def test_a_killed_command_tells_the_signal(tmp_path: Path) -> None:
    assert fault(python(tmp_path, "import os; os.kill(os.getpid(), 9)")).found == "killed by signal 9"


def test_a_command_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "open('child', 'w').write(str(child.pid)); time.sleep(60)"
    )
    started = time.monotonic()
    error = fault(python(tmp_path, program, timeout=2))
    assert error.reason is Reason.TIMED_OUT
    assert time.monotonic() - started < 20
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    assert ends_within(child, seconds=10)


def ends_within(process: int, *, seconds: float) -> bool:
    """Whether a process is gone, or only waits for its parent to notice."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(process).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("program", "form", "found"),
    [
        ("print('hunter2')", Format.DOTENV, "a name without '='"),
        ("print('A=\\'hunter2')", Format.DOTENV, "not NAME=value"),
        ("print('A=hunter2')", Format.JSON, "not JSON"),
        ("print('[' * 100000)", Format.JSON, "not JSON"),
        ("""print('["hunter2"]')""", Format.JSON, "not an object"),
        ("""print('{"hunter2": 1}')""", Format.JSON, "not a text"),
        ("import sys; sys.stdout.buffer.write(b'A=hunter2\\xff')", Format.DOTENV, "not UTF-8"),
    ],
)
def test_another_output_than_declared_is_a_bad_answer(tmp_path: Path, program: str, form: Format, found: str) -> None:
    error = fault(python(tmp_path, program, form=form))
    assert error.reason is Reason.BAD_ANSWER
    assert found in error.found


@pytest.mark.parametrize("name", ["no-such-command-here", "./data"])
def test_a_command_that_can_not_be_started_is_the_operators_to_mend(tmp_path: Path, name: str) -> None:
    (tmp_path / "data").touch(mode=0o600)
    source = CommandSource((name,), Format.DOTENV, 5, tmp_path, {})
    with pytest.raises(InputError, match="can't be started") as caught:
        source.load()
    assert caught.value.where == f"the command {name}"
