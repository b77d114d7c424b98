"""What a person sees, on a terminal and in a pipe."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.engine.journal import Record
from runbooks.engine.outcome import Status
from runbooks.engine.recorder import Moving, Observer
from runbooks.engine.runs import Summary
from runbooks.report.console import PlainConsole, choose, runs_table, show
from runbooks.report.live import LiveConsole
from runbooks.report.markdown import render
from tests.report import records
from tests.report.test_markdown import answered, hostile

LOG = "var/local/runs/20261123T050212Z-release.verify-k3f9/log.md"


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Latin(io.StringIO):
    """Can write ASCII only."""

    encoding = "ascii"


def replay(console: Observer, story: Sequence[Record]) -> None:
    for place, record in enumerate(story, start=1):
        console.recorded(record, story[:place])
        if record.kind == "intent":
            console.said(record.data["step"], "waiting for it to answer")


def plainly(story: Sequence[Record]) -> str:
    stream = io.StringIO()
    replay(PlainConsole(stream, LOG), story)
    return stream.getvalue()


def lively(story: Sequence[Record], width: int = 80, **environ: str) -> str:
    stream = Terminal()
    replay(LiveConsole(stream, LOG, environ, width=width, height=40), story)
    return stream.getvalue()


def without_colours(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", shown)


def said_of(story: Sequence[Record]) -> list[str]:
    """The same run in both consoles, colours taken away and wrapping undone."""
    return [" ".join(text.split()) for text in (plainly(story), without_colours(lively(story, 200)))]


def test_the_verdict_and_the_logs_path_come_last() -> None:
    for shown in said_of(records.troubled()):
        assert shown.endswith(f"131 of the document's 131 items are built log: {LOG}")


@pytest.mark.parametrize(
    ("status", "exit_code", "sign"),
    [("done", 0, "✓"), ("done", 3, "✗"), ("done", 4, "!"), ("failed and compensated", 6, "✗")],
)
def test_the_verdict_s_sign_follows_the_exit_code(status: str, exit_code: int, sign: str) -> None:
    story = records.Story().begin("backup.create", "Take a snapshot", ("dump", "Dump"))
    story.add("conclusion", verdict="SNAPSHOT", line="SNAPSHOT of it", partial=False)

    shown = without_colours(lively(story.end(status, exit_code, verdict="SNAPSHOT").records))

    assert f"{sign} SNAPSHOT of it" in shown


def test_a_failure_is_shown_with_what_to_do_about_it() -> None:
    for shown in said_of(records.troubled()):
        assert "email.provider-not-console" in shown
        assert re.search(r"expected:? EMAIL_PROVIDER is resend", shown)
        assert re.search(r"found:? console: mails are printed", shown)
        assert re.search(r"next:? set EMAIL_PROVIDER and the provider's key", shown)


def test_each_section_is_summed_up() -> None:
    for shown in said_of(records.troubled()):
        assert "Security 25 of 25 built 24 passed, 1 failed" in shown
        assert "Cost Management 9 of 9 built 8 passed, 1 waived" in shown


def test_every_outcome_and_verdict_is_a_word() -> None:
    """Neither colour nor a sign has to be seen to understand it."""
    for shown in said_of(records.troubled()):
        for word in ("failed", "unknown", "warned", "waived"):
            assert word in shown.lower()
    for shown in said_of(records.compensated()):
        for word in ("changed", "failed", "compensated", "NEEDS A PERSON"):
            assert word in shown


def test_a_runbook_without_checks_tells_its_steps_and_how_it_ended() -> None:
    for shown in said_of(records.sandbox_up()):
        assert "Start PostgreSQL, Redis and the store" in shown
        assert "three servers answer on loopback" in shown
        assert "waiting for it to answer" in shown
        assert "DONE local (sandbox): 3 steps in 3.85 s" in shown


def test_an_error_is_told_with_the_next_command() -> None:
    for shown in said_of(records.compensated()):
        assert "where: http://127.0.0.1:8000/health" in shown
        assert "exit code 7" in shown
        assert "next: look at make-folders, then: invoke runs.abort" in shown


def test_an_error_that_the_last_step_told_is_not_told_twice() -> None:
    for shown in said_of(records.unbegun()):
        assert shown.count("the sandbox's servers are not installed") == 1


def test_a_stopped_run_says_how_to_go_on() -> None:
    for shown in said_of(records.stopped()):
        assert "STOPPED local (sandbox)" in shown
        assert "next: invoke runs.resume 20261123T050212Z-sandbox.up-k3f9" in shown


def test_a_flaky_check_and_reused_evidence_are_not_passed_over() -> None:
    shown = plainly(records.troubled())

    assert "passed     48 health.app (2 tries)" in shown
    assert "(evidence of 2026-11-22T17:00:09+00:00, run 20261122T170000Z-release.verify-aa22)" in shown


def test_a_record_without_words_is_told_by_its_kind() -> None:
    for shown in said_of(records.terse()):
        assert re.search(r"release:? release", shown)
        assert "record: note" in shown
        assert "entry 3" in shown, "and what comes after it is told"


def test_a_check_that_simply_passed_has_no_line_in_a_pipe() -> None:
    assert "secrets.jwt-key-strong" not in plainly(records.troubled())


@given(st.one_of(hostile, st.text(st.characters(categories=["Cc", "Cf", "L"]), max_size=30)))
def test_plain_lines_hold_no_control_characters(text: str) -> None:
    shown = plainly(answered(text))

    assert not [char for char in shown if unicodedata.category(char) == "Cc" and char != "\n"]
    assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2028") & set(shown)


@given(hostile)
def test_an_answer_can_send_nothing_to_the_terminal(text: str) -> None:
    """Whatever sequences a terminal gets are rich's own: colours, cursor movements, erasing."""
    shown = lively(answered(f"\x1b]0;title\x07\x1b[2J\x9b31m{text}"))

    assert not re.sub(r"\x1b\[(\?25[lh]|[0-9;]*[mAK]|2K)|[\n\r]", "", shown).count("\x1b")
    assert "title" not in shown


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("run", records.RUNS)
def test_every_line_fits_the_terminal(run: str, width: int) -> None:
    shown = without_colours(lively(records.RUNS[run](), width))

    assert max(len(line) for line in shown.split("\n")) <= width


def test_nothing_that_matters_is_cut_at_80_columns() -> None:
    shown = " ".join(without_colours(lively(records.troubled())).split())

    assert "mails are printed to the application's log and nobody receives them" in shown
    assert "in the environment's variables, then: invoke release.verify" in shown


def test_progress_is_shown_per_section_while_checks_are_asked() -> None:
    story = records.killed()
    stream = Terminal()
    console = LiveConsole(stream, LOG, {}, width=100, height=40)
    replay(console, story)
    console.close()

    shown = without_colours(stream.getvalue())
    assert "40/134 checks" in shown
    assert re.search(r"Database & Infrastructure +█+ +15/15", shown)
    assert re.search(r"Performance +░+ +0/13 +· +· +capacity.workers, ", shown)


def test_the_cursor_is_never_left_hidden() -> None:
    """Cut off at any record, what the terminal was told last of its cursor is to show it."""
    stream = Terminal()
    console = LiveConsole(stream, LOG, {}, width=80, height=40)
    for place, record in enumerate(records.killed(), start=1):
        console.recorded(record, records.killed()[:place])
        if place in (5, 20):
            assert stream.getvalue().rfind("\x1b[?25h") >= stream.getvalue().rfind("\x1b[?25l")
    console.close()


def test_no_color_is_honoured() -> None:
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-9]m")

    assert coloured.search(lively(records.troubled()))
    assert not coloured.search(lively(records.troubled(), NO_COLOR="1"))


def test_a_stream_without_unicode_gets_ascii() -> None:
    stream = Latin()
    replay(PlainConsole(stream, LOG), records.compensated())
    show(records.compensated(), stream)
    live = Latin()
    replay(LiveConsole(live, LOG, {}, width=80), records.troubled())

    assert stream.getvalue().isascii()
    assert live.getvalue().isascii()
    assert "x failed" in live.getvalue()


def test_the_stream_decides_which_console_it_is() -> None:
    assert isinstance(choose(io.StringIO(), LOG, {"TERM": "xterm"}), PlainConsole)
    assert isinstance(choose(Terminal(), LOG, {"TERM": "dumb"}), PlainConsole)
    assert isinstance(choose(Terminal(), LOG, {"TERM": "xterm"}), LiveConsole)


def test_neither_rich_nor_jinja_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, runbooks.report.console, runbooks.report.markdown, runbooks.report.json_report\n"
        "print([name for name in ('rich', 'jinja2') if name in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_runs_are_listed_with_how_they_ended() -> None:
    stream = io.StringIO()
    at = datetime(2026, 11, 23, tzinfo=UTC)
    done = Summary("r1", Path("r1"), "release.verify", "local", "ada", at, Status.DONE, "NO-GO", 3)
    going_on = Summary("r2-longer", Path("r2"), "rollback", "production", "grace\x1b[2J", at, Status.RUNNING, "", None)

    runs_table([done, going_on], stream)

    header, first, second = stream.getvalue().splitlines()
    assert header.split() == ["RUN", "ENVIRONMENT", "STATUS", "VERDICT", "EXIT", "OPERATOR"]
    assert first.split() == ["r1", "local", "done", "NO-GO", "3", "ada"]
    assert second.split() == ["r2-longer", "production", "running", "grace"]
    assert first.index("local") == second.index("production") == header.index("ENVIRONMENT")


def test_no_runs_are_listed_as_such() -> None:
    stream = io.StringIO()

    runs_table([], stream)

    assert stream.getvalue() == "no runs yet\n"


def test_a_run_is_shown_as_its_log() -> None:
    stream = io.StringIO()

    show(records.healthy(), stream)

    assert stream.getvalue() == render(records.healthy())


def test_how_far_a_step_is_moves_on_a_terminal_and_is_gone_at_its_end() -> None:
    story = records.sandbox_up()
    stream = Terminal()
    console = LiveConsole(stream, LOG, {"TERM": "xterm"}, width=100, height=40)
    console.recorded(story[0], story[:1])
    console.recorded(story[1], story[:2])
    for text in ("1.2 GB of 3.4 GB", "1.3 GB of 3.4 GB"):
        console.progressed("servers", text)
        time.sleep(0.3)
    before = stream.getvalue()
    console.close()

    assert "1.2 GB of 3.4 GB" in before
    assert "1.3 GB of 3.4 GB" in before
    assert before.count("\n") < 8, "one line is replaced by the next"
    assert stream.getvalue().endswith("\x1b[2K"), "nothing of it stays"


def test_a_pipe_is_not_filled_with_it() -> None:
    assert not isinstance(PlainConsole(io.StringIO(), LOG), Moving)
    assert isinstance(LiveConsole(Terminal(), LOG, {}), Moving)
