from __future__ import annotations

import pytest

from runbooks import project, releases
from runbooks.engine.errors import Reason, SystemFault
from runbooks.steps.release_state import Seen
from runbooks.systems.platform.hosting import Placement, Release
from runbooks.systems.releases.record import State
from runbooks.systems.store.folder import FolderStore
from tests.conftest import Shell
from tests.systems.releases.ledgers import Writer, declare_office


@pytest.fixture
def writer(bare_shell: Shell) -> Writer:
    """The ledger of an environment that nobody has to run for this."""
    declare_office(bare_shell.project)
    return Writer(FolderStore(bare_shell.project / "store"))


def test_an_operator_reads_what_was_deployed_and_says_what_it_is_held_for(writer: Writer, bare_shell: Shell) -> None:
    writer.deployed("v1")
    writer.deployed("v2", state=State.CANDIDATE)
    listed = bare_shell.invoke("release.list", "--env", "office")
    assert listed.returncode == 0, listed.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["v1", "*", "2"]

    promoted = bare_shell.invoke("release.promote", "--release", "v2", "--env", "office")
    assert promoted.returncode == 0, promoted.stderr
    assert writer.releases.history().state("v2") is State.STABLE

    bad = bare_shell.invoke("release.mark-bad", "--env", "office", "--reason", "it loses mail")
    assert bad.returncode == 0, bad.stderr
    assert "v2 is bad, and it runs now: invoke rollback" in bad.stdout
    shown = bare_shell.invoke("release.show", "--env", "office", "--release", "v1")
    assert "restores snapshot before-v2" in shown.stdout
    assert "it loses mail" in bare_shell.invoke("release.show", "--env", "office").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("release.mark-bad", "--release", "v1"), "needs a reason"),
        (("release.promote", "--release", "v9"), "no release answers to v9"),
        (("release.show", "--release", "v9"), "no release answers to v9"),
    ],
)
def test_what_can_not_be_meant_is_refused(writer: Writer, bare_shell: Shell, words: tuple[str, ...], said: str) -> None:
    writer.deployed("v1")

    refused = bare_shell.invoke(*words, "--env", "office")

    assert refused.returncode == 2
    assert said in refused.stderr
    assert len(writer.releases.entries()) == 1


V1, V2 = (Placement(Release(name, name * 20), "run-1") for name in ("v1", "v2"))
AWAY = SystemFault("it does not answer", reason=Reason.UNREACHABLE)


@pytest.mark.parametrize(
    ("seen", "code", "said"),
    [
        (Seen({"web-1": V1, "web-2": V1}, ("head-v1",)), 0, ["ledger    v1 (v1)", "CONSISTENT office"]),
        (Seen({"web-1": V1, "web-2": V2}, ("head-v1",)), 3, ["web-2 runs v2; by the ledger it is v1", "MIXED office"]),
        (Seen({"web-1": None}, ("head-v1",)), 3, ["web-1 runs nothing; by the ledger it is v1", "MIXED office"]),
        (Seen({"web-1": V1}, ("head-v2",)), 3, ["the schema is at head-v2; it was left at head-v1", "MIXED office"]),
        (Seen({"web-1": V1, "web-2": AWAY}, ("head-v1",)), 4, ["web-2 could not be asked", "UNKNOWN office"]),
        (Seen({"web-1": V1}, AWAY), 4, ["the schema could not be asked", "UNKNOWN office"]),
        (Seen({"web-1": V2, "web-2": AWAY}, ("head-v1",)), 3, ["web-2 could not be asked", "MIXED office"]),
    ],
)
def test_an_operator_is_told_whether_what_runs_is_what_was_deployed(
    writer: Writer,
    bare_shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    seen: Seen,
    code: int,
    said: list[str],
) -> None:
    writer.deployed("v1")
    monkeypatch.setenv(project.VARIABLE, str(bare_shell.project))
    monkeypatch.setattr(releases, "look", lambda _site: seen)

    assert releases.show_status("office") == code

    shown = capsys.readouterr().out
    assert [each for each in said if each not in shown] == []
