"""Builds a release on a host: sends its commit's files, makes its virtual environment, runs its build command."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from runbooks.engine.errors import InputError, LeaseLost, Reason, SystemFault
from runbooks.systems.hosts import builds, commands, slot_commands, slot_files
from runbooks.systems.hosts.runner import output
from runbooks.systems.hosts.shell import Shell
from runbooks.systems.platform.hosting import Built, Release
from runbooks.systems.platform.port import Build

RELEASE_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Recipe:
    """How releases are built on a host.

    Attributes:
        source: Gives a commit's tree as a compressed tar stream.
        python: The interpreter that virtual environments are made of.
        install: A program on the host that makes ``.venv`` in a release's folder; empty: ``venv`` and pip do.
        records: The file of build records; empty: beside the releases.
    """

    source: Callable[[str], Iterator[bytes]]
    python: str = "python3"
    install: str = ""
    records: str = ""


def build(
    shell: Shell, recipe: Recipe, token: int, release: Release, *, seconds: float, say: Callable[[str], None]
) -> Built:
    """See `Changes.build`."""
    if not RELEASE_ID.fullmatch(release.id):
        mend = "lower-case letters, digits, dots, underscores and hyphens, at most 64"
        raise InputError("a release's id must be a folder's name", found=repr(release.id[:80]), mend=mend)
    started, began = datetime.now(UTC), time.monotonic()
    log = f"{shell.root}/logs/build-{release.id}.log"
    there = shell.fenced(slot_commands.begin(shell.root, token, release.id), "the build can't be begun").text
    if there.strip():
        _require_same(shell, release, slot_files.of_marker(there))
        return Built(release, started, 0.0, log)
    succeeded = False
    try:
        _upload(shell, recipe, release, seconds)
        say(f"{release.commit[:12]} is on {shell.access.name}; building")
        _make(shell, recipe, release, log, began + seconds - time.monotonic())
        mark = slot_files.marker(release, started)
        shell.fenced(slot_commands.finish(shell.root, token, release.id, mark), "the release can't be finished")
        succeeded = True
    finally:
        took = round(time.monotonic() - began, 3)
        file = recipe.records or f"{shell.root}/builds.jsonl"
        line = builds.line(Build(release.commit, started, took, succeeded, log))
        with contextlib.suppress(SystemFault, LeaseLost):  # it must not hide why the build failed
            if not succeeded:  # the disk may be full of it
                shell.fenced(slot_commands.discard(shell.root, token, release.id), "it can't be cleared away")
            shell.fenced(slot_commands.record(shell.root, token, file, line), "the build can't be recorded")
    return Built(release, started, took, log)


def _require_same(shell: Shell, wanted: Release, found: Release) -> None:
    if wanted != found:
        raise SystemFault(
            "another commit was built under this id",
            reason=Reason.REFUSED,
            where=f"{shell.folder(wanted)} on {shell.access.name}",
            found=found.commit,
            mend="give the release another id",
        )


def _upload(shell: Shell, recipe: Recipe, release: Release, seconds: float) -> None:
    folder = shell.folder(release)
    done = shell.access.send(slot_commands.unpack(folder), recipe.source(release.commit), seconds=seconds)
    if done.status != 0:
        raise shell.failed("the release can't be unpacked", folder, done.errors, done)


def _make(shell: Shell, recipe: Recipe, release: Release, log: str, seconds: float) -> None:
    settings = f"{shell.folder(release)}/railway.json"
    text = output(shell.access, commands.content(settings), "the release's settings can't be read", settings).text
    command = slot_files.build_command(text, settings)
    argv = slot_commands.build(shell.folder(release), log, recipe.python, recipe.install, command)
    done = shell.tied(release, argv, {}, seconds)
    if done.status != 0:
        raise shell.failed("the build failed", log, shell.end_of(log) or done.errors, done)
