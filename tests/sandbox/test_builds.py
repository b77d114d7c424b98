"""Builds are measured, given up after a while, and recorded however they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.sandbox import builds
from runbooks.sandbox.layout import Layout
from runbooks.systems.hosts.builds import parse
from runbooks.systems.platform.port import Build


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.environment("local").mkdir(parents=True)
    return layout


def records(layout: Layout) -> list[Build]:
    return parse(layout.builds("local").read_text(), "builds.jsonl")


def tree(folder: Path, command: str | None) -> Path:
    build = {} if command is None else {"buildCommand": command}
    (folder / "railway.json").write_text(json.dumps({"build": build}))
    return folder


def test_a_build_is_recorded_as_what_it_became(layout: Layout) -> None:
    with builds.recorded(layout, "local", "v1") as recording:
        recording.release = "951ae68"

    (build,) = records(layout)
    assert (build.release, build.succeeded, build.log) == ("951ae68", True, str(layout.build_log("local")))


def test_a_build_that_fails_is_recorded_too(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(SystemFault, match="the build failed") as caught, builds.recorded(layout, "local", "v1") as made:
        builds.run_command(tree(tmp_path, "echo compiling; exit 3"), made.log)

    assert caught.value.found == "exit status 3"
    assert [build.succeeded for build in records(layout)] == [False]
    assert layout.build_log("local").read_text().endswith("compiling\n")


def test_a_build_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "TIMEOUT", 0.2)

    with pytest.raises(SystemFault) as caught:
        builds.run_command(tree(tmp_path, "exec sleep 60"), tmp_path / "log")

    assert caught.value.reason is Reason.TIMED_OUT


def test_a_release_that_needs_no_build_command_has_none(tmp_path: Path) -> None:
    builds.run_command(tree(tmp_path, None), tmp_path / "log")

    assert not (tmp_path / "log").exists()


def test_only_the_latest_records_are_kept_and_a_releases_can_be_forgotten(layout: Layout) -> None:
    for number in range(builds.KEPT + 5):
        with builds.recorded(layout, "local", f"r{number}"):
            pass
    builds.forget(layout, "local", f"r{builds.KEPT + 4}")

    kept = [build.release for build in records(layout)]
    assert (len(kept), kept[0], kept[-1]) == (builds.KEPT - 1, "r5", f"r{builds.KEPT + 3}")
