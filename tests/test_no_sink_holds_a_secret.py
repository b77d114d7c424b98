"""Whatever a secret looks like and however it arrives, no sink holds it: journal, log, console, errors, argv."""

from __future__ import annotations

import base64
import io
import json
import tempfile
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbooks.engine.errors import RunbookError
from runbooks.engine.journal import Journal
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.execution import recorder_for
from runbooks.masking import masked
from runbooks.options import Options
from runbooks.sandbox.world import Sandbox
from tests.conftest import Shell
from tests.crash.sandboxes import succeeds
from tests.sampling import watching

NASTY = "\"'`\\\n\t $%{}[]()*?&;|<>#=+/:@~ éß漢😀ABCabc0129"
LONGEST = 4096

plain = st.text(st.sampled_from(NASTY), min_size=8, max_size=60)
base64_like = st.binary(min_size=8, max_size=60).map(lambda raw: base64.b64encode(raw).decode())
long = st.text(st.sampled_from(NASTY), min_size=20, max_size=64).map(lambda text: (text * 300)[:LONGEST])
values = st.one_of(plain, base64_like, long).filter(lambda text: len(text.strip()) >= 8)


@st.composite
def families(draw: st.DrawFn) -> list[str]:
    """Some values, and parts of them that are secrets, too."""
    found = draw(st.lists(values, min_size=1, max_size=3, unique=True))
    for value in list(found):
        if draw(st.booleans()):
            start = draw(st.integers(0, len(value) - 8))
            found.append(value[start : draw(st.integers(start + 8, len(value)))])
    return [value for value in dict.fromkeys(found) if len(value.strip()) >= 8]


def written_forms(value: str) -> set[str]:
    """A value as it travels, worked out here and not by what is tested."""
    raw = value.encode()
    inside = [base64.b64encode(b"x" * pad + raw + b"y" * 3).decode() for pad in range(3)]
    return {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote_plus(value),
        base64.b64encode(raw).decode().rstrip("=")[: len(raw) * 8 // 6],
        *(text[-(-pad * 8 // 6) : (pad + len(raw)) * 8 // 6] for pad, text in enumerate(inside)),
        raw.hex(),
    }


def held(sink: str, secrets: Sequence[str]) -> list[str]:
    """What of the secrets a sink holds, in whatever form."""
    return [form for value in secrets for form in written_forms(value) if form in sink]


def chunked(draw: st.DataObject, text: str) -> list[str]:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(secrets=families(), draw=st.data())
def test_no_sink_holds_one_in_any_form(secrets: list[str], draw: st.DataObject) -> None:
    redactor = Redactor([Secret(f"S{number}", value) for number, value in enumerate(secrets)])
    forms = sorted({form for value in secrets for form in written_forms(value)})
    text = draw.draw(st.permutations(forms)).copy()
    said = f"postgresql://app:{urllib.parse.quote(secrets[0], safe='')}@db/x " + " / ".join(text)
    shown = io.StringIO()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "20261128T090000.000Z-toy-aaaa"
        recorder = recorder_for(Journal.create(folder, redactor), redactor, Options(stream=shown))
        recorder.append("run", run=folder.name, runbook="toy", title="Toy", environment="x", steps=[])
        recorder.append("intent", step=said, before={said: [said, {"deep": said}]})
        recorder.append("outcome", step="toy", outcome="failed", text=said, seconds=0.1, attempt=1)
        for piece in redactor.stream(chunked(draw, said)):
            recorder.say("toy", piece)
        recorder.append("end", status="failed", exit_code=6, error=said, mend=said)
        written = "".join(path.read_text() for path in folder.iterdir())

    with pytest.raises(RunbookError) as caught, masked(redactor):
        raise RunbookError(said, where=said, found=said, mend=said)
    with pytest.raises(RunbookError) as bug, masked(redactor):
        raise ValueError(said)
    streamed = "".join(redactor.stream(chunked(draw, said)))

    sinks = {
        "journal and log": written,
        "console": shown.getvalue(),
        "error": f"{caught.value}{caught.value.args}",
        "bug": f"{bug.value}{bug.value.args}{bug.value.__cause__}",
        "stream": streamed,
    }
    assert {name: found for name, sink in sinks.items() if (found := held(sink, secrets))} == {}


@pytest.mark.parametrize(
    "name",
    [
        "ENCRYPTION_KEY",
        pytest.param("DATABASE_URL", marks=pytest.mark.matrix),
        pytest.param("JWT_SECRET_KEY", marks=pytest.mark.matrix),
    ],
)
def test_no_command_line_shows_a_secret_while_it_is_rotated(name: str, shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.variables("local")
    secrets = [Secret(key, part) for key, value in before.items() if (part := hidden(key, value))]

    with watching(secrets) as seen:
        succeeds(shell, "secrets.rotate", name, "--accept", "1000")

    new = hidden(name, sandbox.variables("local")[name])
    assert new
    assert seen.programs
    assert seen.in_arguments == {}
    assert not seen.showed(Secret(name, new))


def hidden(name: str, value: str) -> str | None:
    """What nobody may see of a variable."""
    return urllib.parse.urlsplit(value).password if name.endswith("_URL") else value if name.endswith("_KEY") else None
