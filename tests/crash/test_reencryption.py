"""Killed at each statement of a change of ENCRYPTION_KEY, all rows are under one key, and it goes on from there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from runbooks.sandbox.world import Sandbox
from tests.keyrings import keyring


@pytest.mark.crash
def test_a_kill_at_any_statement_leaves_all_rows_under_the_key_that_the_stage_says(sandbox: Sandbox) -> None:
    with keyring(sandbox) as ring:
        done = subprocess.run(
            [sys.executable, "-m", "tests.crash.killed_reencryptions"],
            input=json.dumps([ring.url, ring.old, ring.new]) + "\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
    assert done.returncode == 0, done.stderr
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert [kill for kill in kills if kill["under"] != ("new" if kill["stage"] == "swapped" else "old")] == []
    assert [kill for kill in kills if kill["ended"] != ("new" if kill["way"] == "forward" else "old")] == []
    assert {(kill["way"], kill["rows"]) for kill in kills} == {("forward", 12), ("back", 13)}
    stages = Counter((kill["way"], kill["stage"]) for kill in kills)
    assert set(stages) == {
        ("forward", None),
        ("forward", "building"),
        ("forward", "swapped"),
        ("back", "swapped"),
        ("back", "building"),
        ("back", None),
    }
    assert len(kills) > 60
