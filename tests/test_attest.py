"""A person's word is typed once, agreed to, kept in the file and in the journal, and seen in every report."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runbooks import command, coverage, project
from runbooks.engine.errors import InputError
from runbooks.environment.people.appending import extended
from tests.conftest import Shell

TODAY = datetime.now(UTC).date()
LATER = f"{TODAY + timedelta(days=30)}"
COMMENT = "# Whoever reads this: ask Ada first.\n"
ATTEST = ("checklist.attest", "115", "--statement", "replicas are added by hand", "--by", "ada", "--expires", LATER)
EVIDENCE = ("--evidence", "https://wiki.example.org/scaling")
COSTS = f"""\
currency = "EUR"
[hosting]
monthly = 20
on = {TODAY}
source = "bill"
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A project with one protected environment; nothing of it runs, and nothing that is asked here needs it."""
    folder = tmp_path / "inventory" / "production"
    folder.mkdir(parents=True)
    (folder / "environment.toml").write_text(
        'schema = 1\napplication.url = "https://api.example.org"\nplatform.kind = "hosts"\n'
        '[variables]\nsource = "dotenv"\npath = "variables.env"\n'
    )
    (folder / "variables.env").touch(mode=0o600)
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    return Shell(tmp_path)


def people(shell: Shell, name: str) -> Path:
    return shell.project / "inventory" / "production" / name


def start(name: str, *, confirm: str | None = "production", plan: bool = False, **parameters: Any) -> str:
    """A command in this process; what it prints."""
    stream = io.StringIO()
    options = command.Options(
        environment="production", confirm=confirm, plan=plan, stream=stream, parameters=parameters
    )
    assert command.start(name, options) == 0
    return stream.getvalue()


def attest(**changed: Any) -> str:
    given = {"statement": "it is so", "evidence": "https://wiki.example.org/x", "expires": LATER, "by": "ada"}
    options = {name: changed.pop(name) for name in ("confirm", "plan") if name in changed}
    return start("checklist.attest", **options, **({"item": "scaling.horizontal-known"} | given | changed))


def waive(**changed: Any) -> str:
    given = {"item": "cost.spike-budget", "reason": "the reserve comes in June", "owner": "ada", "until": LATER}
    options = {name: changed.pop(name) for name in ("confirm", "plan") if name in changed}
    return start("checklist.waive", **options, **(given | changed))


def verified(form: str, *only: str) -> tuple[str, Path]:
    """A verification's report in this form, and its folder."""
    stream = io.StringIO()
    parameters = {"section": None, "only": ",".join(only), "no_spend": False}
    command.start(
        "release.verify",
        command.Options(environment="production", format=form, stream=stream, parameters=parameters),
    )
    return stream.getvalue(), max((project.root() / "var" / "runs" / "production").glob("*release.verify*"))


def verdict(only: str) -> tuple[str, str]:
    check = json.loads(verified("json", only)[0])["checks"][-1]
    return check["verdict"], check["found"]


def test_on_a_protected_environment_it_is_shown_and_must_be_agreed_to(shell: Shell) -> None:
    done = shell.invoke(*ATTEST, *EVIDENCE, "--env", "production")

    assert done.returncode == 2
    assert "statement = replicas are added by hand" in done.stdout
    assert "add --confirm production" in done.stderr
    assert not people(shell, "attestations.toml").exists()


def test_agreed_to_it_is_appended_below_what_stands_there_and_says_what_to_type_next(shell: Shell) -> None:
    people(shell, "attestations.toml").write_text(COMMENT)

    done = shell.invoke(*ATTEST, *EVIDENCE, "--env", "production", "--confirm", "production")

    assert done.returncode == 0, done.stderr
    assert "invoke release.verify --env production --only scaling.horizontal-known" in done.stdout
    text = people(shell, "attestations.toml").read_text()
    assert text.startswith(COMMENT)
    assert f"expires = {LATER}\n" in text
    assert 'by = "ada"\n' in text
    journals = list((shell.project / "var" / "runs" / "production").glob("*checklist.attest*/journal.jsonl"))
    assert "replicas are added by hand" in journals[0].read_text()


def test_a_plan_writes_nothing(shell: Shell) -> None:
    shown = attest(plan=True, confirm=None)

    assert "item = scaling.horizontal-known" in shown
    assert not people(shell, "attestations.toml").exists()


@pytest.mark.usefixtures("shell")
def test_what_is_attested_is_said_in_the_next_verification_with_the_end_of_it() -> None:
    assert verdict("115")[0] == "unknown"

    attest(expires=f"{TODAY + timedelta(days=14)}")

    assert verdict("115")[0] == "attested"
    report, _ = verified("console", "115")
    assert "attested   115 scaling.horizontal-known: no system knows; ada on" in report
    assert f"somebody's word ends soon: scaling.horizontal-known ({TODAY + timedelta(days=14)})" in report


def test_a_waived_failure_is_shown_in_every_report_and_log(shell: Shell) -> None:
    people(shell, "costs.toml").write_text(COSTS)
    assert verdict("cost.spike-budget") == ("failed", "costs.toml has no [reserve]")

    waive()

    said = f"costs.toml has no [reserve]; waived by ada until {LATER}: the reserve comes in June"
    assert verdict("cost.spike-budget") == ("waived", said)
    console, folder = verified("console", "cost.spike-budget")
    assert f"waived     130 cost.spike-budget: {said}" in console
    assert "WAIVED: 130 cost.spike-budget" in console
    assert "1 waived" in console
    markdown, _ = verified("markdown", "cost.spike-budget")
    for text in (markdown, (folder / "log.md").read_text()):
        assert "~\u00a0waived" in text
        assert said in text
        assert "1 waived" in text


def test_a_waiver_that_has_expired_is_a_failure_again(shell: Shell) -> None:
    people(shell, "costs.toml").write_text(COSTS)
    waive()
    file = people(shell, "waivers.toml")
    file.write_text(file.read_text().replace(f"on = {TODAY}", "on = 2026-01-01").replace(LATER, "2026-03-31"))

    assert verdict("cost.spike-budget") == (
        "failed",
        "costs.toml has no [reserve]; the waiver of ada expired on 2026-03-31",
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"item": "scaling.horizontl-known"}, ["there is no item", "did you mean scaling.horizontal-known?"]),
        ({"item": "support.discord"}, ["support.discord can't be attested", "--item"]),
        ({"expires": "2026-02-30"}, ["--expires is no date"]),
        ({"expires": f"{TODAY + timedelta(days=367)}"}, ["more than 366 days", "--expires"]),
        ({"expires": f"{TODAY - timedelta(days=1)}"}, ["'expires' is before 'on'"]),
        ({"evidence": "nowhere.md"}, ["its evidence is not there", "--evidence"]),
        ({"evidence": "", "statement": " "}, ["--statement, --evidence must be given"]),
    ],
)
def test_a_word_that_can_not_count_is_refused(shell: Shell, changed: dict[str, str], words: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        attest(**changed)

    for word in words:
        assert word in str(refused.value)
    assert not people(shell, "attestations.toml").exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"until": f"{TODAY + timedelta(days=91)}"}, ["more than 90 days", "--until"]),
        ({"item": "cost.known"}, ["sums up other items"]),
        ({"owner": ""}, ["--owner must be given"]),
    ],
)
def test_a_waiver_that_can_not_count_is_refused(shell: Shell, changed: dict[str, str], words: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        waive(**changed)

    for word in words:
        assert word in str(refused.value)
    assert not people(shell, "waivers.toml").exists()


@pytest.mark.usefixtures("shell")
def test_ninety_days_are_possible() -> None:
    waive(until=f"{TODAY + timedelta(days=90)}")


@pytest.mark.parametrize("name", ["attestations.toml", "waivers.toml", "costs.toml", "oncall.toml"])
def test_a_damaged_file_stops_a_verification_with_one_error(shell: Shell, name: str) -> None:
    people(shell, name).write_text("nothing = 1\n")

    with pytest.raises(InputError) as refused:
        verified("json", "115")

    assert refused.value.where == f"inventory/production/{name}:1"


def test_a_damaged_file_takes_no_further_entry(shell: Shell) -> None:
    people(shell, "waivers.toml").write_text("[[waiver]]\n")

    with pytest.raises(InputError, match="missing key"):
        waive()

    assert people(shell, "waivers.toml").read_text() == "[[waiver]]\n"


@pytest.mark.usefixtures("shell")
def test_the_coverage_lists_the_words_of_an_environment(capsys: pytest.CaptureFixture[str]) -> None:
    attest()
    waive(until=f"{TODAY + timedelta(days=3)}")

    coverage.show("production")

    printed = capsys.readouterr().out
    assert f"waived by ada, until {TODAY + timedelta(days=3)}, soon" in printed
    assert f"attested by ada, until {LATER}\n" in printed
    assert sum(line[:5].strip().isdigit() for line in printed.splitlines()) == 131


def test_comments_and_order_of_a_file_stay() -> None:
    text = f'{COMMENT}\n[[waiver]] # the first\nitem = "a"   # why\n\n# the end\n'

    longer = extended(text, "waiver", {"item": "b", "until": TODAY})

    assert longer.startswith(text.rstrip("\n"))
    assert longer.endswith(f'[[waiver]]\nitem = "b"\nuntil = {TODAY}\n')
