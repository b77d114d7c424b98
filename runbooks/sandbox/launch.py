"""Become a program of the sandbox: run as ``python -I launch.py FILE`` by the process manager, nothing else.

FILE is an owner-only JSON object (see `runbooks.sandbox.program.Program.launch_file`). Variables and arguments come
from it, so that no secret is ever seen in a process list. The program replaces this process and keeps its pid.

If the process manager dies, even by SIGKILL, the kernel sends the program its stop signal (PR_SET_PDEATHSIG).
Only Linux has that; elsewhere the programs outlive a killed manager until the next start clears them away.

Standard library only, and no import of this package: the interpreter runs isolated.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import resource
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


def main(file: str) -> None:
    """Read what to run, limit ourselves, drop root's rights, tie our life to the manager's, become the program."""
    program = json.loads(Path(file).read_text())
    manager = int(Path(program["manager_pid_file"]).read_text())
    os.umask(0o077)
    announce(program["announced"])
    limit(program["limits"])
    become(program["user"])
    die_with(manager, program["stop_signal"])
    os.chdir(program["directory"])
    argv: list[str] = program["argv"]
    os.execve(argv[0], argv, environment(program))  # noqa: S606  # to become it is the point


def announce(name: str | None) -> None:
    """Begin the log of this start with a line of its own: what a program prints before its logger is up has no time."""
    if name is not None:
        now = time.time()
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        print(f"{moment},{int(now * 1000) % 1000:03} INFO launch {name} starts with pid {os.getpid()}", flush=True)


def limit(limits: dict[str, int]) -> None:
    """Have the kernel limit us and all that we become. Before `become`; nobody may raise what the system allows."""
    for name, most in limits.items():
        number = getattr(resource, f"RLIMIT_{name}")
        _, allowed = resource.getrlimit(number)
        value = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(number, (value, value))


def become(user: str | None) -> None:
    """Give up our user for another, for good; None stays."""
    if user is not None:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)


def die_with(manager: int, stop_signal: int) -> None:
    """Have the kernel send us the signal when our parent ends. After `become`, which would clear it."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, stop_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != manager:
        # It died before the kernel knew; the signal will never come.
        sys.exit(f"launch: the process manager (pid {manager}) has ended")


def environment(program: dict[str, Any]) -> dict[str, str]:
    """The program's own variables and nothing that was inherited."""
    variables: dict[str, str] = program["environment"]
    return variables


if __name__ == "__main__":
    main(sys.argv[1])
