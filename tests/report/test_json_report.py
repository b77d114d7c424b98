"""The JSON report keeps to its published schema, however the run ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import runbooks.report
from runbooks.report.json_report import render
from tests.report import records

SCHEMA = json.loads((Path(runbooks.report.__file__).parent / "verify.schema.json").read_text())


def valid(report: dict[str, Any]) -> bool:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return bool(validator.is_valid(json.loads(json.dumps(report))))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("run", records.RUNS)
def test_every_run_keeps_to_the_schema(run: str) -> None:
    assert valid(render(records.RUNS[run](), log="var/local/runs/x/log.md"))


@pytest.mark.parametrize("run", records.RUNS)
def test_a_run_cut_off_anywhere_keeps_to_the_schema(run: str) -> None:
    story = records.RUNS[run]()
    for length in {1, 2, len(story) // 2, len(story) - 1}:
        assert valid(render(story[:length]))


def test_the_schema_refuses_what_it_does_not_know() -> None:
    """A gate is evidence only once it has been seen to fail."""
    report = render(records.healthy())

    assert not valid({**report, "more": 1})
    assert not valid({**report, "verdict": "MAYBE"})
    assert not valid({**report, "checks": [{**report["checks"][0], "verdict": "fine"}]})
    assert not valid({key: value for key, value in report.items() if key != "coverage"})


def test_a_verdict_comes_with_what_it_rests_on() -> None:
    report = render(records.troubled(), log="log.md")

    failed = next(check for check in report["checks"] if check["verdict"] == "failed")
    assert report["verdict"] == "NO-GO"
    assert report["exit_code"] == 3
    assert report["log"] == "log.md"
    assert report["coverage"] == {"items": 131, "built": 131, "selected": 134}
    assert failed["number"] == 18
    assert failed["mend"].startswith("set EMAIL_PROVIDER")
    assert sum(section["failed"] for section in report["sections"]) == 1


def test_reused_evidence_names_its_run() -> None:
    report = render(records.troubled())

    lesson = next(check for check in report["checks"] if check["id"] == "ai.lessons-openai")
    assert lesson["reused"] == {"run": "20261122T170000Z-release.verify-aa22", "at": "2026-11-22T17:00:09+00:00"}


def test_an_interrupted_run_has_no_verdict_and_says_what_was_not_asked() -> None:
    report = render(records.killed())

    assert report["verdict"] is None
    assert report["exit_code"] is None
    assert report["finished"] is None
    assert report["status"] == "running"
    assert sum(check["verdict"] is None for check in report["checks"]) == 94
    assert [step["outcome"] for step in report["steps"]] == ["ok", "ok", "unfinished"]


def test_an_error_is_told_with_its_exit_code() -> None:
    report = render(records.unbegun())

    assert report["status"] == "failed"
    assert report["exit_code"] == 1
    assert report["error"].startswith("the sandbox's servers are not installed")
