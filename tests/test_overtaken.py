"""A run that was interrupted is left alone once a later one has changed the same environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.command import _refuse_if_overtaken
from runbooks.engine.errors import InputError
from runbooks.engine.journal import Journal
from runbooks.engine.redact import Redactor


def write(folder: Path, *kinds: str) -> Path:
    journal = Journal.create(folder, Redactor())
    for kind in kinds:
        journal.append(kind)
    journal.close()
    return folder


def test_a_later_change_overtakes_it(tmp_path: Path) -> None:
    interrupted = write(tmp_path / "1-sandbox.up", "run", "lease")
    write(tmp_path / "2-sandbox.down", "run", "lease")

    with pytest.raises(InputError, match="later run") as refused:
        _refuse_if_overtaken(interrupted)

    assert refused.value.found == "2-sandbox.down"


def test_neither_earlier_changes_nor_later_looks_do(tmp_path: Path) -> None:
    write(tmp_path / "1-sandbox.up", "run", "lease")
    interrupted = write(tmp_path / "2-sandbox.down", "run", "lease")
    write(tmp_path / "3-release.verify", "run")

    _refuse_if_overtaken(interrupted)
