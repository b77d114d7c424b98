"""Which pg_dump is taken, and that none outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.wait import until
from runbooks.systems.postgres import programs


def client(folder: Path, version: str, *, restore: str | None = None) -> Path:
    """A folder with programs that say which version they are."""
    folder.mkdir()
    for name, said in (("pg_dump", version), ("pg_restore", restore or version)):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {said} (Debian)'\n")
        program.chmod(0o755)
    return folder


@pytest.mark.case(46, 47)
def test_the_servers_major_version_is_taken_and_no_newer_or_older(tmp_path: Path) -> None:
    folders = [
        client(tmp_path / name, version) for name, version in (("old", "15.18"), ("new", "19beta1"), ("own", "18.6"))
    ]
    search = os.pathsep.join(map(str, folders))

    assert programs.find(18, None, search=search).folder == tmp_path / "own"
    assert programs.find(19, None, search=search).folder == tmp_path / "new"


def test_a_declared_folder_is_the_only_one(tmp_path: Path) -> None:
    other, own = client(tmp_path / "other", "18.6"), client(tmp_path / "own", "17.2")

    with pytest.raises(InputError, match="PostgreSQL 18 are needed") as caught:
        programs.find(18, own, search=str(other))

    assert "own has 17" in caught.value.found
    assert "backup.bin" in caught.value.mend


def test_programs_of_two_versions_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        programs.find(77, client(tmp_path / "mixed", "77.1", restore="76.1"))

    assert "has none" in caught.value.found


def test_without_any_it_is_said_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        programs.find(77, None, search=str(tmp_path))

    assert "postgresql-client-77" in caught.value.mend


def test_a_program_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(SystemFault, match="sh failed") as caught:
        programs.run(["/bin/sh", "-c", "echo no space >&2; exit 1"], {}, stopping=threading.Event())

    assert caught.value.found == "no space"


def test_a_program_is_ended_when_the_operator_stops() -> None:
    stopping = threading.Event()
    threading.Timer(0.2, stopping.set).start()

    with pytest.raises(SystemFault) as caught:
        programs.run(["/bin/sleep", "600"], {}, stopping=stopping)

    assert caught.value.found == "stopped by the operator"


def test_a_program_is_ended_with_the_block_that_fails() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        programs.running(["/bin/sleep", "600"], {}, stopping=threading.Event()) as process,
    ):
        raise ZeroDivisionError

    assert process.returncode != 0


def test_a_program_does_not_outlive_a_kill(tmp_path: Path) -> None:
    code = (
        "import threading\n"
        "from runbooks.systems.postgres import programs\n"
        f"argv = ['/bin/sh', '-c', 'echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; exec sleep 600']\n"
        "programs.run(argv, {'PATH': '/bin:/usr/bin'}, stopping=threading.Event())\n"
    )
    ours = subprocess.Popen([sys.executable, "-c", code])
    until((tmp_path / "pid").exists, seconds=20, what="the program was not started")
    pid = int((tmp_path / "pid").read_text())

    ours.send_signal(signal.SIGKILL)
    ours.wait()

    until(lambda: not alive(pid), seconds=10, what="the program still runs")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
