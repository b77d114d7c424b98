"""The run log: what a reader finds in it, and that no foreign text can become structure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from invoke.vendor import yaml
from markdown_it import MarkdownIt

from runbooks.engine.journal import JournalUnwritable, Record
from runbooks.report.markdown import LogWriter, render
from runbooks.report.text import plain
from tests.report import records
from tests.report.records import Story, a_check

HOSTILE = (
    "| a | b |\n| - | - |",
    "# heading\n\n## another",
    "```\nend of block\n```mermaid\ngantt",
    "out\n```\n# of\n````\n## the block",
    "<script>alert(1)</script><!-- <h1>",
    "---\nverdict: GO\n---",
    "[click](javascript:alert(1)) ![x](http://x/y.png) <http://x>",
    "`code` **bold** _it_ ~~gone~~ $x$ &lt;b&gt;",
    "section x :crit, 0, 9; click a href #quot; %%{init}%%",
    "\x1b[31mred\x1b[0m \x9b2J \u202egnp.exe \u2028 \x00 \ufeff",
    "{{ 7 * 7 }}{% raw %}",
    "1. one\n2. two\n- three\n> four\n    five\n===",
    '"}\\\n\t\\"',
)
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60), st.lists(st.sampled_from(HOSTILE)).map("".join))


def front_matter(log: str) -> dict[str, Any]:
    return dict(yaml.safe_load(log.removeprefix("---\n").split("\n---\n", 1)[0]))  # type: ignore[no-untyped-call]


def body(log: str) -> str:
    return log.removeprefix("---\n").split("\n---\n", 1)[1]


def structure(log: str) -> Counter[str]:
    """How often each element of Markdown occurs, text left out."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body(log))
    inline = [child for token in tokens for child in token.children or ()]
    return Counter(token.type for token in tokens + inline if token.type not in ("text", "softbreak"))


def answered(text: str) -> list[Record]:
    """A run in which everything that a person or a system may have written says `text`."""
    foreign = {"label": text, "operator": text, "parameters": {"only": text or "-"}}
    story = Story().begin("release.verify", "Verify", ("look", text or "-"), **foreign)
    story.add("note", step="look", text=text)
    story.add("release", commit=None, fingerprint=None, text=text)
    story.intent("look").outcome("look", "changed", text)
    story.add("undo-intent", step="look").add("undo-outcome", step="look", outcome="failed", text=text, seconds=1.0)
    story.select(a_check("a.b", 1, text, text), a_check("c.d", 2, "Testing"))
    answer = {"expected": text, "found": text, "mend": f"mend {text}"}
    story.check("a.b", "failed", **answer).check("c.d", "unknown", **answer)
    return story.end("failed", 1, error=f"error {text}", mend=f"next {text}").records


@given(hostile)
@example("___")
def test_no_answer_changes_the_structure(text: str) -> None:
    """Headings, rows, lists, code and emphasis are as many as with harmless text, and there is no HTML and no link."""
    expected = structure(render(answered("harmless")))

    found = structure(render(answered(text)))

    for changing in ("code_inline", "text_special"):  # an empty span is left out; an escaped character is its own token
        expected.pop(changing, None)
        found.pop(changing, None)
    if plain(text).strip():
        assert expected == found
    assert not {"html_block", "html_inline", "link_open", "image", "s_open", "em_open"} & set(found)


@given(hostile)
def test_no_answer_changes_the_front_matter(text: str) -> None:
    """Its keys are the declared ones, and the values are texts."""
    facts = front_matter(render(answered(text)))

    assert list(facts) == [
        "run", "runbook", "environment", "operator", "tool", "release", "started", "finished", "status", "verdict",
        "exit_code",
    ]  # fmt: skip
    assert facts["status"] == "failed"
    assert facts["exit_code"] == 1
    assert isinstance(facts["operator"], str)


@given(hostile)
def test_no_answer_changes_the_chart(text: str) -> None:
    """Mermaid has no escapes, so each of its lines has the one form that it should have."""
    lines = render(answered(text)).rsplit("```mermaid\n", 1)[1].split("\n```", 1)[0].splitlines()

    assert len(lines) == 5 + 3 * 2  # the head, and three sections of one bar each
    for line in lines[5:]:
        words = line.strip()
        assert words.startswith(("section ", "✓ ", "✗ ", "? ")), line
        assert words.count(":") == (0 if words.startswith("section ") else 1)
        assert not set('#;{}%<>"`') & set(words)


def test_the_verdict_stands_before_everything_else() -> None:
    """The first paragraph is the verdict's sentence, with its environment."""
    log = body(render(records.troubled()))

    assert log.strip().splitlines()[2].startswith("**NO-GO local (sandbox): 1 failed")


def test_failures_come_first_then_unknown_then_warned_then_waived() -> None:
    log = render(records.troubled())

    places = [log.index(f"\u00a0{word}: ") for word in ("failed", "unknown", "warned", "waived")]
    assert places == sorted(places)
    assert places[-1] < log.index("## Steps") < log.index("## Checks") < log.index("## What ran when")


def test_a_failure_says_what_was_expected_what_was_found_and_what_to_do() -> None:
    log = render(records.troubled())

    assert "- **Expected:** EMAIL_PROVIDER is resend" in log
    assert "- **Found:** console: mails are printed" in log
    assert "- **Next:** set EMAIL_PROVIDER and the provider's key" in log


def test_every_selected_check_has_a_row() -> None:
    log = render(records.troubled())

    for check in records.every_check():
        assert f"(`{check['id']}`)" in log


def test_reused_evidence_and_a_second_try_are_told() -> None:
    log = render(records.troubled())

    assert "(evidence of 2026-11-22T17:00:09+00:00, run `20261122T170000Z-release.verify-aa22`)" in log
    assert "0.61\u00a0s, 2 tries" in log


def test_the_log_of_a_killed_run_says_where_it_stopped() -> None:
    log = render(records.killed())

    assert front_matter(log)["finished"] is None
    assert "**Not finished** when this was written" in log
    assert "in the middle of “Ask every check”" in log
    assert "invoke runs.resume" in log
    assert log.count("–\u00a0not\u00a0asked") == 94


def test_the_log_of_a_run_killed_during_an_effect_names_what_was_not_begun() -> None:
    log = render(records.sandbox_up()[:2])

    assert "in the middle of “Make the sandbox's folders”" in log
    assert "Not begun: “Start PostgreSQL, Redis and the store”, “Start the stand-in application”." in log


def test_the_log_of_a_compensated_run_tells_each_undo() -> None:
    log = render(records.compensated())

    assert "↩\u00a0compensated" in log
    assert "**Undo failed:** the folder is in use" in log
    assert "Next: look at make-folders, then: invoke runs.abort" in log
    assert "\n  where: http://127.0.0.1:8000/health\n" in log


def test_a_resumed_run_keeps_what_it_changed_before() -> None:
    """“Already so” in the second process does not hide that the first one changed it."""
    log = render(records.resumed())

    assert "resumed by grace@atelier" in log
    assert "made var/sandbox" in log
    assert "**Done** in" in log


def test_the_chart_stays_readable() -> None:
    log = render(records.healthy())

    assert "the 30 slowest of 134 checks" in log
    assert sum(" :done, " in line for line in log.splitlines()) == 33


def test_a_run_of_an_hour_has_the_time_of_day_on_its_chart() -> None:
    story = Story().begin("backup.drill", "Drill", ("restore", "Restore")).outcome("restore", seconds=4000)

    log = render(story.end().records)

    assert "axisFormat %H:%M:%S" in log
    assert f":done, {int(records.Story().now.timestamp() * 1000) + 10}, " in log


def test_the_proof_names_the_last_hash() -> None:
    story = records.healthy()

    assert f"`{story[-1].hash}`" in render(story)


@pytest.mark.parametrize("run", records.RUNS)
def test_every_beginning_of_every_run_can_be_rendered(run: str) -> None:
    """Whenever a run is killed, its log reads."""
    story = records.RUNS[run]()
    for length in {*range(1, min(len(story), 12)), *range(len(story) - 4, len(story) + 1)}:
        if length > 0:
            assert front_matter(render(story[:length]))["run"] == story[0].data["run"]


def written(folder: Path, story: Sequence[Record]) -> list[str]:
    """After which records the log was written."""
    writer, kinds = LogWriter(folder), []
    for place, record in enumerate(story, start=1):
        (folder / "log.md").unlink(missing_ok=True)
        writer.recorded(record, story[:place])
        if (folder / "log.md").exists():
            kinds.append(record.kind)
    return kinds


def test_the_log_is_written_after_each_step_and_not_after_each_check(tmp_path: Path) -> None:
    assert Counter(written(tmp_path, records.killed())) == {"run": 1, "outcome": 2}
    assert Counter(written(tmp_path, records.compensated())) == {"run": 1, "outcome": 3, "undo-outcome": 2, "end": 1}
    assert Counter(written(tmp_path, records.healthy())) == {"run": 1, "outcome": 3, "conclusion": 1, "end": 1}
    assert (tmp_path / "log.md").read_text() == render(records.healthy())


def test_a_log_that_cannot_be_written_is_the_journals_error(tmp_path: Path) -> None:
    story = records.healthy()

    with pytest.raises(JournalUnwritable, match="can't be written") as caught:
        LogWriter(tmp_path / "missing").recorded(story[0], story[:1])

    assert caught.value.where == str(tmp_path / "missing" / "log.md")


def test_a_quoted_front_matter_is_json_too() -> None:
    first = render(records.healthy()).splitlines()[1]

    assert json.loads(first.removeprefix("run: ")) == "20261123T050212Z-release.verify-k3f9"
