"""Asks a host about itself and its processes, whatever manages them."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Mapping
from datetime import datetime, tzinfo

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts import commands, proc
from runbooks.systems.hosts.runner import Runner, output
from runbooks.systems.platform.port import HostFacts, Limit, Process, Resource


def zone(runner: Runner) -> tzinfo:
    """The host's offset from UTC at present."""
    offset = output(runner, commands.clock(), "the host's clock can't be read", "date").text.split()[-1]
    found = datetime.strptime(offset, "%z").tzinfo
    assert found is not None, "%z gives one"
    return found


def process_status(runner: Runner, pid: int) -> Mapping[str, str]:
    """The fields of ``/proc/PID/status``."""
    return proc.fields(_process_file(runner, pid, "status"))


def process_limits(runner: Runner, pid: int) -> Mapping[str, int | None]:
    """The limits that hold for a process; None is unlimited."""
    return proc.soft_limits(_process_file(runner, pid, "limits"))


def open_files(runner: Runner, pid: int) -> Limit:
    """How many files a process may have open, and has."""
    listed = runner.run(commands.open_files(pid))
    used = len(listed.text.split()) if listed.status == 0 else None
    return Limit(Resource.OPEN_FILES, "RLIMIT_NOFILE", process_limits(runner, pid).get("Max open files"), used)


def facts(runner: Runner, pid: int) -> HostFacts:
    """The machine's memory, and on how many of its cores a process may run."""
    what = "the host's memory can't be read"
    memory = proc.fields(output(runner, commands.content("/proc/meminfo"), what, "/proc/meminfo").text)
    cores = proc.allowed_cores(process_status(runner, pid))
    return HostFacts(cores, proc.kilobytes(memory, "MemTotal"))


def processes(runner: Runner, pid: int) -> Process:
    """A process with all below it.

    Raises:
        SystemFault: there is no such process.
    """
    listed = output(runner, commands.all_processes(), "the processes can't be listed", "/proc")
    known = proc.rows(listed.text)
    root = next((row for row in known if row.pid == pid), None)
    if root is None:
        raise SystemFault(f"there is no process {pid}", reason=Reason.FAILED, where=runner.name)
    return _tree(runner, known, root)


def _tree(runner: Runner, known: list[proc.Row], row: proc.Row) -> Process:
    status = process_status(runner, row.pid)
    children = []
    for child in proc.below(known, row.pid):
        with contextlib.suppress(SystemFault):  # it has ended meanwhile
            children.append(_tree(runner, known, child))
    handled, memory = proc.catches(status, signal.SIGTERM), proc.kilobytes(status, "VmRSS")
    return Process(row.pid, row.name, handled, memory, row.cpu_seconds, tuple(children))


def working_folder(runner: Runner, pid: int) -> str:
    """Where a process runs."""
    what = "the folder of the running release can't be told"
    return output(runner, commands.working_folder(pid), what, f"/proc/{pid}/cwd").text.strip()


def _process_file(runner: Runner, pid: int, name: str) -> str:
    path = f"/proc/{pid}/{name}"
    return output(runner, commands.content(path), "a process can't be looked at", path).text
