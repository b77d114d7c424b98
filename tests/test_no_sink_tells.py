"""Whatever a step does with a secret, no file and no stream of a run holds it, in any encoding.

Secrets of 8 characters to 4 KiB, awkward ones, and pieces of each other, go through each way in which a run writes:
what a step says, records, notes before, answers, plans and fails with, the end of the run, the journal, the log, the
console, the reports for people and for machines, the anchor in the store, and an error that leaves the command.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runbooks.catalog import Prepared
from runbooks.engine.errors import Reason, RunbookError, SystemFault
from runbooks.engine.journal import Journal
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.engine.step import Conclusion, Runbook, Scope, Step
from runbooks.execution import Execution, execute, recorder_for
from runbooks.masking import masked
from runbooks.options import FORMATS, Options
from runbooks.systems.store.folder import FolderStore
from tests.engine.test_redact import assert_nothing_is_told, chunks_of, families, telling, written

CUTS = st.lists(st.integers(0, 10_000), max_size=6)


def texts_with(secret: Secret, cuts: Sequence[int]) -> Mapping[str, str]:
    """A text around each encoding; the value also with the colours that a program may put into it."""
    value = secret.reveal()
    coloured = {"coloured": "\x1b[1;31m".join(chunks_of(value, list(cuts))), "broken": "\0".join(value)}
    return {name: f"<< {text} | {text} >>" for name, text in (written(value) | coloured).items()}


def careless(texts: Mapping[str, str], redactor: Redactor, cuts: Sequence[int]) -> Runbook[Any]:
    """A runbook whose steps show everything that they can, everywhere that they can."""

    def act(_tools: Any, scope: Scope) -> str:
        for name, text in texts.items():
            scope.say(text)
            for said in redactor.stream(chunks_of(text, list(cuts))):
                scope.say(said)
            scope.record(f"fact-{name}", text=text, deep=[{text: (text, 1)}], lines=text.splitlines())
        return " ".join(texts.values())

    def fail(_tools: Any, _scope: Scope) -> str:
        text = "\n".join(texts.values())
        raise SystemFault(text, reason=Reason.FAILED, where=text, found=text, mend=text)

    def crash(_tools: Any, _scope: Scope) -> str:
        raise ZeroDivisionError(" ".join(texts.values()))

    def state(_tools: Any) -> dict[str, Any]:
        return {"before": dict(texts)}

    def plan(_tools: Any) -> list[str]:
        return list(texts.values())

    return Runbook(
        name="careless",
        title="A careless runbook",
        steps=(
            Step(name="shows", title="Show", act=act, before=state, done=lambda *_: False, undo=crash, plan=plan),
            Step(name="fails", title="Fail", act=fail, undo=fail),
            Step(name="cleans", title="Clean up", act=crash, always=True),
        ),
        changes=True,
        conclude=lambda _tools: Conclusion.saying("BAD", " ".join(texts.values()), 3, found=dict(texts)),
    )


def beginning(book: Runbook[Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """The record that a run begins with."""
    return {
        "run": "run-1",
        "runbook": book.name,
        "title": book.title,
        "environment": "toy",
        "label": "toy",
        "protected": False,
        "sandbox": False,
        "operator": "ada@atelier " + " ".join(texts.values()),
        "tool": "0.1.0",
        "parameters": dict(texts),
        "steps": [{"name": step.name, "title": step.title} for step in book.steps],
        "digest": "0",
        "previous": None,
    }


def left_by(secrets: Sequence[Secret], texts: Mapping[str, str], format: str, cuts: Sequence[int]) -> Iterator[str]:
    """All that a run leaves: every file below its folder and its store, and what was printed."""
    with tempfile.TemporaryDirectory() as folder:
        redactor, stream = Redactor(secrets), io.StringIO()
        options = Options(format=format, stream=stream)
        recorder = recorder_for(Journal.create(Path(folder) / "run-1", redactor), redactor, options)
        book = careless(texts, redactor, cuts)
        prepared = Prepared(book, None)
        recorder.append("run", **beginning(book, texts))
        store = FolderStore(Path(folder) / "store")
        execute(Execution(prepared, "run-1", recorder, store, lambda: None, None), options)
        yield stream.getvalue()
        for path in Path(folder).rglob("*"):
            if path.is_file():
                yield path.name
                yield path.read_text(encoding="utf-8", errors="surrogateescape")


@settings(max_examples=8)
@given(families(), CUTS, st.sampled_from(FORMATS), st.data())
def test_nothing_that_a_run_leaves_tells_a_secret(
    secrets: list[Secret], cuts: list[int], format: str, data: st.DataObject
) -> None:
    texts = texts_with(data.draw(st.sampled_from(secrets)), cuts)
    innocent = " ".join(left_by([], {}, format, []))
    # Eight zeros are part of every journal's first hash: what a run says without them is no leak.
    assume(not any(len(form) >= 8 and form in innocent for each in secrets for form in telling(each.reveal())))

    left = list(left_by(secrets, texts, format, cuts))

    assert len(left) > 4
    for text in left:
        assert_nothing_is_told(text, secrets)


def test_without_a_redactor_the_same_run_tells_it_everywhere() -> None:
    secret = Secret("PASSWORD", 'it\'s a "quoted" $ecret–with%20more')
    for format in FORMATS:
        left = list(left_by([], texts_with(secret, []), format, []))
        telling = []
        for text in left:
            try:
                assert_nothing_is_told(text, [secret])
            except AssertionError:
                telling.append(text)
        assert len(telling) >= 3, format


@settings(max_examples=15)
@given(families(), st.data())
def test_no_error_that_leaves_a_command_tells_a_secret(secrets: list[Secret], data: st.DataObject) -> None:
    text = "\n".join(texts_with(data.draw(st.sampled_from(secrets)), []).values())
    for error in (SystemFault(text, reason=Reason.FAILED, where=text, found=text, mend=text), ValueError(text)):
        with pytest.raises(RunbookError) as caught, masked(Redactor(secrets)):
            raise error
        for part in (str(caught.value), repr(caught.value), *map(str, caught.value.args)):
            assert_nothing_is_told(part, secrets)
