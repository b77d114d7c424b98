"""How a run ended that nobody can resume is told by what runs, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from runbooks import settling
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.settling import Settling
from runbooks.steps.release_state import Seen
from runbooks.systems.platform.hosting import Placement, Release
from runbooks.systems.releases.record import Kind, State
from runbooks.systems.store.folder import FolderStore
from tests.conftest import Shell
from tests.systems.releases.ledgers import Writer, declare_office

LOST = "20260101T000000.000Z-release.deploy-abcd"
V1, V2, V9 = (Placement(Release(name, name * 20), LOST, "print") for name in ("v1", "v2", "v9"))
AWAY = SystemFault("it does not answer", reason=Reason.UNREACHABLE)


@pytest.fixture
def work(bare_shell: Shell) -> Iterator[Settling]:
    """The ledger of an environment whose hosts are not asked: what they would say is told by `see`."""
    declare_office(bare_shell.project)
    site = Site(load(bare_shell.project / "inventory", "office"), Redactor())
    writer = Writer(FolderStore(bare_shell.project / "store"))
    yield Settling(site, Snapshots(site), writer.releases, "run-9", "its disk is gone")
    site.close()


@pytest.fixture
def writer(work: Settling) -> Writer:
    return Writer(work.releases.store)


@pytest.fixture
def see(monkeypatch: pytest.MonkeyPatch) -> dict[str, Seen]:
    seen: dict[str, Seen] = {}
    monkeypatch.setattr(settling, "look", lambda _site: seen["now"])
    return seen


def test_where_the_release_before_runs_it_has_put_nothing_to_work(
    work: Settling, writer: Writer, see: dict[str, Seen]
) -> None:
    writer.deployed("v1")
    writer.write(Kind.BEGAN, "v2", run=LOST)
    see["now"] = Seen({"web-1": V1, "web-2": V1}, ("head-v2",))

    (end,) = work.endings()

    assert (end.kind, end.run, end.id, end.heads) == (Kind.WITHDRAWN, LOST, "v2", ("head-v2",))
    assert end.reason == "settled by run run-9: its disk is gone"
    work.releases.append(replace(end, token=1))
    history = work.releases.history()
    assert history.begun == []
    assert history.heads == ("head-v2",)
    assert history.current
    assert history.current.id == "v1"


def test_where_its_release_runs_it_is_on_trial_over_the_snapshot_that_was_taken_before(
    work: Settling, writer: Writer, see: dict[str, Seen]
) -> None:
    writer.deployed("v1")
    writer.write(Kind.BEGAN, "v2", run=LOST)
    snapshot = "20260101T000000Z-abcd"
    writer.store.put(f"snapshots/{snapshot}/manifest.json", json.dumps({}).encode(), replaces=None)
    see["now"] = Seen({"web-1": V2}, ("head-v2",))

    (end,) = work.endings()

    assert (end.kind, end.state) == (Kind.DEPLOYED, State.CANDIDATE)
    assert end.release
    assert (end.release.commit, end.release.variables) == ("v2" * 20, "print")
    assert end.release.snapshot_before == snapshot
    assert end.release.migrates_at_start, "what is not known is taken for what forbids more"


def test_a_rollback_that_came_to_its_end_is_one(work: Settling, writer: Writer, see: dict[str, Seen]) -> None:
    writer.deployed("v1")
    writer.deployed("v2")
    writer.write(Kind.BEGAN, "v1", run=LOST)
    see["now"] = Seen({"web-1": V1}, ("head-v1",))

    (end,) = work.endings()

    assert (end.kind, end.id) == (Kind.ROLLED_BACK, "v1")


def test_a_schema_that_was_left_otherwise_by_hand_is_settled_too(
    work: Settling, writer: Writer, see: dict[str, Seen]
) -> None:
    writer.deployed("v1")
    see["now"] = Seen({"web-1": V1}, ("head-v0",))

    (end,) = work.endings()

    assert (end.kind, end.run, end.heads) == (Kind.WITHDRAWN, "run-9", ("head-v0",))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Seen({"web-1": V1}, ("head-v1",)), "nothing is to be settled"),
        (Seen({"web-1": V1, "web-2": V2}, ("head-v1",)), "the hosts run different releases"),
        (Seen({"web-1": V1, "web-2": AWAY}, ("head-v1",)), "what can't be looked at can't be settled"),
        (Seen({"web-1": V1}, AWAY), "what can't be looked at can't be settled"),
        (Seen({"web-1": V9}, ("head-v1",)), "neither what ran before nor what a run was putting to work"),
        (Seen({"web-1": None}, ("head-v1",)), "neither what ran before nor what a run was putting to work"),
    ],
)
def test_what_can_not_be_told_is_not_settled(
    work: Settling, writer: Writer, see: dict[str, Seen], seen: Seen, said: str
) -> None:
    writer.deployed("v1")
    if said != "nothing is to be settled":
        writer.write(Kind.BEGAN, "v2", run=LOST)
    see["now"] = seen

    with pytest.raises(InputError, match=said):
        work.endings()


def test_a_person_says_why(bare_shell: Shell, work: Settling) -> None:
    refused = bare_shell.invoke("release.settle", "--env", work.site.environment.name)

    assert refused.returncode == 2
    assert "settling needs a reason" in refused.stderr
