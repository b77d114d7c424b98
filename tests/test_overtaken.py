"""A run that was interrupted is left alone once a later one has changed the same environment."""

from __future__ import annotations

from pathlib import Path

from runbooks import backup, deploy, drill, prune, variables_backup
from runbooks.engine.runs import can_go_on, overtaken_by
from tests.engine.toys import write_journal


def test_a_later_change_overtakes_it(tmp_path: Path) -> None:
    interrupted = write_journal(tmp_path / "1-sandbox.up", "run", "lease").parent
    write_journal(tmp_path / "2-sandbox.down", "run", "lease", "intent")

    assert overtaken_by(interrupted) == "2-sandbox.down"
    assert not can_go_on(interrupted)


def test_neither_earlier_changes_nor_later_looks_do(tmp_path: Path) -> None:
    write_journal(tmp_path / "1-sandbox.up", "run", "lease", "intent")
    interrupted = write_journal(tmp_path / "2-sandbox.down", "run", "lease").parent
    write_journal(tmp_path / "3-release.verify", "run")

    assert overtaken_by(interrupted) is None
    assert can_go_on(interrupted)


def test_a_timers_copy_takes_nobodys_way_back(tmp_path: Path) -> None:
    interrupted = write_journal(tmp_path / "1-release.deploy", "run", "lease").parent
    write_journal(tmp_path / "2-backup.create", "run", "lease", "intent", overtakes=False)

    assert overtaken_by(interrupted) is None


def test_one_that_was_refused_before_it_changed_anything_leaves_the_way_back_open(tmp_path: Path) -> None:
    interrupted = write_journal(tmp_path / "1-release.deploy", "run", "lease", "intent").parent
    write_journal(tmp_path / "2-release.deploy", "run", "lease", "outcome", "end")

    assert overtaken_by(interrupted) is None
    assert can_go_on(interrupted)


def test_what_a_timer_starts_does_not_overtake() -> None:
    overtaking = [
        backup.runbook().overtakes,
        drill.runbook().overtakes,
        prune.runbook().overtakes,
        variables_backup.runbook().overtakes,
    ]

    assert not any(overtaking)
    assert deploy.runbook().overtakes
