"""The commands that are run on a host: pure lists of arguments. GNU coreutils and /proc, nothing to install."""

from __future__ import annotations

from collections.abc import Sequence

Argv = tuple[str, ...]


def clock() -> Argv:
    """The host's time in seconds since the epoch, and its offset from UTC."""
    return ("date", "+%s.%N %z")


def content(path: str) -> Argv:
    """A small file."""
    return ("cat", "--", path)


def contents(patterns: Sequence[str]) -> Argv:
    """All files that match, one after the other; none if there is none. A shell expands the patterns, nothing else."""
    each = '[ ! -f "$file" ] || { cat -- "$file"; echo; }'
    loop = f'IFS=; for pattern in "$@"; do for file in $pattern; do {each}; done; done'
    return ("sh", "-c", loop, "sh", *patterns)


def link(path: str) -> Argv:
    """Where a symlink leads."""
    return ("readlink", "--", path)


def identity(path: str) -> Argv:
    """A file's inode and size in bytes."""
    return ("stat", "--format=%i %s", "--", path)


def part(path: str, begin: int, length: int) -> Argv:
    """So many bytes of a file from a place on."""
    places = ("iflag=skip_bytes,count_bytes", f"skip={begin}", f"count={length}")
    return ("dd", f"if={path}", "bs=65536", *places, "status=none")


def last_lines(path: str, most: int) -> Argv:
    """The last lines of a file."""
    return ("tail", f"--lines={most}", "--", path)


def cores(pid: int) -> Argv:
    """What says how many cores a process may use."""
    return content(f"/proc/{pid}/status")


def all_processes() -> Argv:
    """The kernel's line on each process; those that end meanwhile are left out."""
    return ("sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true")


def working_folder(pid: int) -> Argv:
    """Where a process runs."""
    return ("readlink", "--", f"/proc/{pid}/cwd")


def open_files(pid: int) -> Argv:
    """One line for each file that a process has open."""
    return ("ls", "--", f"/proc/{pid}/fd")


PROPERTIES = (
    "ActiveState",
    "ExecMainStartTimestamp",
    "InvocationID",
    "KillSignal",
    "LimitNOFILE",
    "LoadState",
    "MainPID",
    "MemoryCurrent",
    "MemoryMax",
    "NRestarts",
    "Restart",
    "StartLimitBurst",
    "TimeoutStopUSec",
)


def unit_properties(unit: str) -> Argv:
    """What systemd knows of a unit; times as seconds since the epoch (systemd 247 and newer)."""
    return ("systemctl", "show", "--timestamp=unix", f"--property={','.join(PROPERTIES)}", "--", unit)


def unit_state(unit: str) -> Argv:
    """What tells whether a unit runs, and whether it was started again by itself."""
    wanted = "ActiveState,LoadState,MainPID,NRestarts,SubState"
    return ("systemctl", "show", f"--property={wanted}", "--", unit)


def start_unit(unit: str, *, sudo: bool) -> Argv:
    """Start a unit, now and at each boot."""
    return _systemctl("enable", unit, sudo=sudo)


def stop_unit(unit: str, *, sudo: bool) -> Argv:
    """Stop a unit, and start it at no boot."""
    return _systemctl("disable", unit, sudo=sudo)


def _systemctl(verb: str, unit: str, *, sudo: bool) -> Argv:
    return (*(("sudo", "--non-interactive") if sudo else ()), "systemctl", verb, "--now", "--", unit)


def journal_tail(unit: str, lines: int) -> Argv:
    """The last lines that a unit wrote."""
    return ("journalctl", f"--unit={unit}", f"--lines={lines}", "--output=cat", "--no-pager", "--quiet")


def journal_end(unit: str) -> Argv:
    """The unit's last journal entry, with its cursor."""
    return ("journalctl", f"--unit={unit}", "--lines=1", "--output=json", "--no-pager")


def journal_after(unit: str, cursor: str, most: int) -> Argv:
    """At most so many bytes of the unit's entries after a cursor; all of them for an empty one."""
    after = (f"--after-cursor={cursor}",) if cursor else ()
    return _bounded(most, "journalctl", f"--unit={unit}", *after, "--output=json", "--no-pager")


def journal_of_start(invocation: str, most: int) -> Argv:
    """At most so many bytes of the entries of one start of a unit, oldest first."""
    return _bounded(
        most, "journalctl", f"_SYSTEMD_INVOCATION_ID={invocation}", "--output=json", "--no-pager", "--quiet"
    )


def _bounded(most: int, *argv: str) -> Argv:
    return ("sh", "-c", '"$@" | head --bytes=' + str(most), "sh", *argv)
