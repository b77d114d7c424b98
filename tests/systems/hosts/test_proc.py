from __future__ import annotations

import os
import signal

import pytest

from runbooks.engine.errors import SystemFault
from runbooks.systems.hosts import machine, proc
from runbooks.systems.hosts.runner import Local
from runbooks.systems.platform.port import Resource
from tests.systems.hosts.recorded import Recorded

STATUS = """\
Name:	uvicorn
VmSize:	  189100 kB
SigCgt:	0000000108004002
Cpus_allowed_list:	0-3,8
"""
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            1024                 4096                 files
Max address space         2147483648           unlimited            bytes
"""


def test_limits_are_the_soft_ones() -> None:
    assert proc.soft_limits(LIMITS) == {
        "Max cpu time": None,
        "Max open files": 1024,
        "Max address space": 2147483648,
    }


def test_a_programs_name_may_hold_blanks_and_brackets() -> None:
    rest = "7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 1"
    rows = proc.rows(f"7 (a (b) c) S 1 {rest}\n8 (sh) S 7 {rest}\nno process\n")

    assert [(row.pid, row.parent, row.name) for row in rows] == [(7, 1, "a (b) c"), (8, 7, "sh")]
    assert rows[0].cpu_seconds == 2
    assert [row.pid for row in proc.below(rows, 7)] == [8]


def test_a_status_tells_sizes_cores_and_handled_signals() -> None:
    known = proc.fields(STATUS)

    assert proc.kilobytes(known, "VmSize") == 189100 * 1024
    assert proc.allowed_cores(known) == 5
    assert (proc.catches(known, signal.SIGTERM), proc.catches(known, signal.SIGHUP)) == (True, False)


@pytest.mark.parametrize("text", ["", "VmSize:\tmuch\nSigCgt:\tzz\nCpus_allowed_list:\tx\n"])
def test_what_is_missing_or_strange_is_a_fault(text: str) -> None:
    known = proc.fields(text)

    with pytest.raises(SystemFault, match="VmSize"):
        proc.kilobytes(known, "VmSize")
    with pytest.raises(SystemFault, match="Cpus_allowed_list"):
        proc.allowed_cores(known)
    with pytest.raises(SystemFault, match="SigCgt"):
        proc.catches(known, signal.SIGTERM)


def test_this_machine_and_process_can_be_asked() -> None:
    runner, pid = Local(), os.getpid()

    facts, tree, files = machine.facts(runner, pid), machine.processes(runner, pid), machine.open_files(runner, pid)

    assert facts.cores == len(os.sched_getaffinity(0))
    assert facts.memory > 0
    assert (tree.pid, tree.all()[0]) == (pid, tree)
    assert tree.memory > 0
    assert files.resource is Resource.OPEN_FILES
    assert files.used
    assert machine.working_folder(runner, pid) == os.getcwd()
    assert machine.zone(runner).utcoffset(None) is not None


def test_open_files_of_another_users_process_are_not_counted() -> None:
    host = Recorded({"/limits": LIMITS})

    assert machine.open_files(host, 7).used is None
